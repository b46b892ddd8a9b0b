// libdatachannel, as the npm package node-datachannel has it, against asiortc.
// Usage: node libdatachannel_test.mjs STEERED_PEER
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { requirePackage } from './harness.mjs';
import { runCases, startSteered } from './stack.mjs';

const [peerPath] = process.argv.slice(2);
await requirePackage('node-datachannel');
const ours = startSteered('asiortc', peerPath);
const theirs = startSteered('libdatachannel', process.execPath,
  new URL('libdatachannel_peer.mjs', import.meta.url).pathname);

after(async () => {
  for (const each of [ours, theirs]) assert.equal(await each.stop(), 0);
});

runCases({
  name: 'libdatachannel',
  largest: { fromUs: { limit: 262144 }, toUs: { limit: 262144 } },
  restartsIce: false,
}, () => ({ ours, theirs }));
