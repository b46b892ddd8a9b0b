// A browser against asiortc: the cases of every stack, and those of browsers alone.
// Usage: node browser_cases_test.mjs Chromium|Firefox STEERED_PEER
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startFirefox, startSteeredChromium } from './browsers.mjs';
import { churn, mediaCases } from './cases.mjs';
import { meet, runCases, runGlare, startSteered } from './stack.mjs';

const [name, peerPath] = process.argv.slice(2);
const { start, ...largest } = {
  Chromium: { start: startSteeredChromium, fromUs: { limit: 262144 }, toUs: { limit: 262144 } },
  // It takes a gigabyte, which it would have to hold.
  Firefox: {
    start: startFirefox, fromUs: { limit: 1073741823, size: 2 ** 23 }, toUs: { limit: 262144 },
  },
}[name];
const stack = { name, largest, keepsEarly: name === 'Firefox' };
let ours;
let theirs;
const peers = () => ({ ours, theirs });

before(async () => {
  theirs = await start();
  ours = startSteered('asiortc', peerPath);
});

after(async () => {
  if (!ours) return; // nothing could be started
  await theirs.stop();
  assert.equal(await ours.stop(), 0);
});

runCases(stack, peers);
runGlare(stack, peers);

for (const [what, how, run] of mediaCases) {
  test(`${name}: ${what}`, () => meet(ours, theirs, how, run));
}

for (const oursOffers of [false, true]) {
  const role = `${name} ${oursOffers ? 'answers' : 'offers'}: `;
  test(role + '10,000 channels opened and closed one after another', async () => {
    await meet(ours, theirs, { oursOffers }, (meeting) => churn(meeting, 10_000));
  });
}

if (name === 'Firefox') {
  test('only resolving the mDNS names of Firefox can connect', async () => {
    const hidden = await startFirefox({ hidden: true });
    await meet(ours, hidden, { oursOffers: false }, async (meeting) => {
      meeting.passes = (from) => from === meeting.theirs;
      await meeting.open(meeting.theirs, 'over mDNS');
      const told = meeting.candidates.filter(({ from }) => from === meeting.theirs);
      assert.ok(told.length > 0);
      for (const { candidate } of told) assert.match(candidate, /\.local /);
      for (const { from, sdp } of meeting.descriptions) {
        assert.ok(from === meeting.theirs || !sdp.includes('a=candidate:'), 'our candidates');
      }
    });
    await hidden.stop();
  });
}
