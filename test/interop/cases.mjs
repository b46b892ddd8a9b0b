// What is done with every other stack, each as offerer and as answerer. A case is given a meeting
// that nobody has used, and the stack, and throws where something is wrong.
import assert from 'node:assert/strict';

import { contentOf, describe } from './messages.js';

const send = (at, message) => at.side.ask('send', { channel: at.channel, message });
const receive = (at) => at.side.ask('receive', { channel: at.channel });
const close = (at) => at.side.ask('close', { channel: at.channel });
const closed = (at) => at.side.ask('closed', { channel: at.channel });
const text = (content) => ({ text: true, content });

async function pass(from, to, message) {
  await send(from, message);
  assert.deepEqual(await receive(to), describe(contentOf(message)), `what ${to.side.name} received`);
}

async function passBothWays([near, far], content) {
  await pass(near, far, text(`${content}, from ${near.side.name}`));
  await pass(far, near, text(`${content}, from ${far.side.name}`));
}

const defaults = {
  protocol: '', ordered: true, maxRetransmits: null, maxPacketLifeTime: null, negotiated: false,
};

// What a stack does not tell is not compared.
function compare(described, label, init, who) {
  for (const [name, value] of Object.entries({ label, ...defaults, ...init })) {
    if (name in described) assert.equal(described[name], value, `${name} of ${label} at ${who}`);
  }
}

const options = [
  ['plain', {}],
  ['unordered', { ordered: false }],
  ['one try', { maxRetransmits: 0 }],
  ['five tries, unordered', { ordered: false, maxRetransmits: 5 }],
  ['many tries', { maxRetransmits: 65535 }],
  ['half a second', { maxPacketLifeTime: 500 }],
  ['three seconds, unordered', { ordered: false, maxPacketLifeTime: 3000 }],
  ['with a protocol', { protocol: 'chat.v1' }],
  ['all at once: grüße 😀', { ordered: false, maxRetransmits: 1, protocol: 'grüße 😀' }],
  ['', {}],
  ['l'.repeat(3000), { protocol: 'p'.repeat(3000) }],
];

async function everyOption(meeting) {
  await meeting.open(meeting.offerer, 'first');
  for (const from of meeting.sides) {
    for (const [label, init] of options) {
      const ends = await meeting.open(from, label, init);
      for (const { described, side } of ends) compare(described, label, init, side.name);
      assert.equal(ends[0].described.id, ends[1].described.id, `ids of ${label}`);
      await passBothWays(ends, label);
    }
  }
}

// Nothing is told in band, and what comes before we have made our end is kept. Of the others Firefox
// keeps it (`keepsEarly`); Chromium drops it, Pion takes it for an OPEN, libdatachannel closes.
async function negotiatedChannels(meeting, { keepsEarly = false }) {
  const [first, other] = await meeting.open(meeting.offerer, 'first');
  const beside = new Map([[first.side, [first, other]], [other.side, [other, first]]]);
  let id = 100;
  for (const from of meeting.sides) {
    const early = from === meeting.theirs || keepsEarly ? ['early', 'too'] : [];
    for (const [label, options] of [['plain', {}], ['lossy', { ordered: false, maxRetransmits: 3 }]]) {
      const init = { ...options, negotiated: true, id: ++id };
      const near = { side: from, channel: await from.ask('open', { label, init }) };
      compare(await from.ask('opened', { channel: near.channel }), label, init, from.name);
      for (const content of early) await send(near, text(content));
      // They have come before this, since nothing is lost here.
      await pass(...beside.get(from), text('behind the early ones'));
      const far = { side: from.other, channel: await from.other.ask('open', { label, init }) };
      compare(await far.side.ask('opened', { channel: far.channel }), label, init, far.side.name);
      for (const content of early) assert.deepEqual(await receive(far), text(content), label);
      await passBothWays([near, far], label);
    }
  }
}

const messages = [
  text('hello'), text(''), text('grüße 😀'), text('\0'), text('x'.repeat(1000)),
  { text: false, content: '00' }, { text: false, content: '' }, { text: false, content: '00ff7f80' },
  { text: false, size: 1200 }, { text: true, size: 20000 }, { text: false, size: 60000 },
];

async function everyKindOfMessage(meeting) {
  const [near, far] = await meeting.open(meeting.offerer, 'messages');
  for (const [from, to] of [[near, far], [far, near]]) {
    for (const message of messages) await pass(from, to, message);
    // And all of them at once, in their order.
    await Promise.all(messages.map((message) => send(from, message)));
    for (const message of messages) {
      assert.deepEqual(await receive(to), describe(contentOf(message)));
    }
  }
}

async function largestMessages(meeting, { largest }) {
  const ends = await meeting.open(meeting.offerer, 'largest');
  for (const [from, to] of [ends, [...ends].reverse()]) {
    const { limit, size = limit } = from.side === meeting.ours ? largest.fromUs : largest.toUs;
    assert.equal(await from.side.ask('largest'), limit, `what ${from.side.name} may send`);
    for (const kind of [true, false]) await pass(from, to, { text: kind, size });
    if (size !== limit) continue;
    await assert.rejects(send(from, { text: false, size: limit + 1 }), `${from.side.name} refuses`);
    await pass(from, to, text('the refused one has left the channel as it was'));
  }
}

async function closesOfChannels(meeting) {
  await meeting.open(meeting.offerer, 'first');
  for (const opener of meeting.sides) {
    for (const closer of meeting.sides) {
      const label = `opened by ${opener.name}, closed by ${closer.name}`;
      const ends = await meeting.open(opener, label);
      await passBothWays(ends, label);
      const [near, far] = ends[0].side === closer ? ends : [...ends].reverse();
      await send(near, text('the last'));
      await close(near);
      assert.deepEqual(await receive(far), text('the last'), label);
      await closed(far);
      await closed(near);
      assert.equal(await receive(far), null, label);
    }
  }
  // Their ids can be used again.
  for (const opener of meeting.sides) await passBothWays(await meeting.open(opener, 'after'), 'after');
}

async function hundredChannels(meeting) {
  await meeting.open(meeting.offerer, 'first');
  const labels = Array.from({ length: 50 }, (_, index) => String(index));
  const halves = meeting.sides.map(async (from) => {
    const opened = await Promise.all(labels.map((label) => from.ask('open', { label: from.name + label })));
    const arrived = new Map();
    for (const _ of labels) {
      const described = await from.other.ask('accept');
      arrived.set(described.label, { side: from.other, channel: described.channel, described });
    }
    return await Promise.all(opened.map(async (channel, index) => {
      const far = arrived.get(from.name + index);
      const { id } = await from.ask('opened', { channel });
      assert.equal(id, far.described.id, `id of ${from.name + index}`);
      return { near: { side: from, channel }, far, id };
    }));
  });
  const all = (await Promise.all(halves)).flat();
  assert.equal(new Set(all.map(({ id }) => id)).size, 100, 'different ids');
  await Promise.all(all.map(({ near, far, id }) => passBothWays([near, far], String(id))));
  await Promise.all(all.map(({ near, far, id }) => close(id % 4 < 2 ? near : far)));
  await Promise.all(all.map(({ near, far }) => Promise.all([closed(near), closed(far)])));
}

async function renegotiations(meeting) {
  const ends = await meeting.open(meeting.offerer, 'kept');
  await meeting.settled();
  for (const side of [...meeting.sides, ...meeting.sides]) {
    await meeting.renegotiate(side);
    await passBothWays(ends, 'after an offer of ' + side.name);
    await passBothWays(await meeting.open(side, 'new'), 'on a new channel');
  }
  await staysConnected(meeting);
}

async function staysConnected(meeting) {
  for (const side of meeting.sides) {
    const { states } = await side.ask('state');
    const lost = states.filter((state) => state === 'disconnected' || state === 'failed');
    assert.deepEqual(lost, [], `the states of ${side.name}: ${states}`);
  }
}

const ufragOf = (sdp) => /^a=ice-ufrag:(\S+)/m.exec(sdp)[1];

// Firefox ends a connection whose ICE is restarted again before it has taken the new way. It has when
// a check of its own is answered and ours nominated the pair, and what comes behind both shows that
// it has heard them. Chromium does not always end its candidates.
async function takesNewWay(meeting, ends) {
  while (!await meeting.ours.ask('completed')) await passBothWays(ends, 'until Firefox has checked');
  await passBothWays(ends, 'behind the answers to checks');
}

async function restarts(meeting, { name }) {
  const ends = await meeting.open(meeting.offerer, 'kept');
  await meeting.settled();
  for (const side of [...meeting.sides, ...meeting.sides]) {
    const before = new Set(meeting.descriptions.map(({ sdp }) => ufragOf(sdp)));
    const meanwhile = passBothWays(ends, 'while ICE restarts');
    const { sdp } = await meeting.renegotiate(side, 'restart');
    await meanwhile;
    assert.ok(!before.has(ufragOf(sdp)), `${side.other.name} has new credentials`);
    const offer = meeting.descriptions.findLast(({ type }) => type === 'offer');
    assert.ok(!before.has(ufragOf(offer.sdp)), `${side.name} has new credentials`);
    if (name === 'Firefox') await takesNewWay(meeting, ends);
    await passBothWays(ends, 'after the restart of ' + side.name);
  }
  await staysConnected(meeting);
}

// Where the other stack has no ICE restart, our offer of one leaves the connection as it was.
async function refusedRestart(meeting) {
  const ends = await meeting.open(meeting.offerer, 'kept');
  await meeting.settled();
  const offered = meeting.described(meeting.ours, 'offer');
  await meeting.ours.ask('restart');
  await offered;
  await Promise.all(meeting.delivering);
  assert.equal(meeting.failures.splice(0).length, 1, 'refusals');
  await passBothWays(ends, 'after the refusal');
  await staysConnected(meeting);
}

const endedBy = (name) => async (meeting) => {
  const ends = await meeting.open(meeting.offerer, 'first');
  const [near, far] = ends[0].side === meeting[name] ? ends : [...ends].reverse();
  await send(near, text('the last'));
  assert.deepEqual(await receive(far), text('the last'));
  await near.side.ask('end');
  await closed(far);
};

export const casesFor = ({ restartsIce = true }) => [
  ['every option of a channel', everyOption],
  ['negotiated channels', negotiatedChannels],
  ['text, binary and empty messages', everyKindOfMessage],
  ['the largest message each way', largestMessages],
  ['channels closed from each side', closesOfChannels],
  ['100 channels at once', hundredChannels],
  ['renegotiation by each side', renegotiations],
  restartsIce ? ['ICE restarts by each side', restarts]
    : ['an ICE restart that is refused', refusedRestart],
  ['we close the connection', endedBy('ours')],
  ['the other side closes the connection', endedBy('theirs')],
];

// A hundred collisions of offers, ten of them on each of ten connections. The first brings the
// connection about; then each restarts ICE or just offers, in all four ways in turn. But a Firefox
// that has rolled back an offer without a restart refuses one with it, also from another Firefox.
const collisions = (polite) => [
  ['offer', 'offer'],
  ['restart', 'restart'],
  ...(polite.name === 'Firefox' ? [] : [['offer', 'restart']]),
  ['restart', 'offer'],
];

async function glare(ours, theirs, { oursOffers, meet }) {
  for (let connection = 0; connection < 10; ++connection) {
    await meet(ours, theirs, { oursOffers }, async (meeting) => {
      // `then` makes what to wait for as soon as both are told of the other's offer.
      const collide = async (act, then = () => null) => {
        meeting.hold();
        const offers = meeting.sides.map((side) => meeting.described(side, 'offer'));
        await Promise.all(meeting.sides.map(act));
        await Promise.all(offers);
        const next = then();
        meeting.release();
        await next;
        await meeting.settled();
      };
      const ends = [];
      await collide(async (side) => {
        ends.push({ side, channel: await side.ask('open', { label: 'of ' + side.name }) });
      });
      const channels = [];
      for (const near of ends) {
        const { channel, label } = await near.side.other.ask('accept');
        assert.equal(label, 'of ' + near.side.name);
        channels.push([near, { side: near.side.other, channel }]);
      }
      const credentials = () => meeting.sides.map((side) =>
        ufragOf(meeting.descriptions.findLast(({ from }) => from === side).sdp));
      const ways = collisions(meeting.offerer);
      for (let round = 1; round < 10; ++round) {
        const [polite, impolite] = ways[round % ways.length];
        const before = credentials();
        // The restart that lost is offered again.
        const lost = polite === 'restart' && impolite === 'offer';
        await collide((side) => side.ask(side === meeting.offerer ? polite : impolite),
          () => lost && meeting.described(meeting.offerer, 'offer'));
        const restarted = polite === 'restart' || impolite === 'restart';
        const what = `round ${round}, ${polite} against ${impolite}: `;
        for (const [index, ufrag] of credentials().entries()) {
          const { name } = meeting.sides[index];
          assert.equal(ufrag !== before[index], restarted, what + `the credentials of ${name}`);
        }
        if (restarted && theirs.name === 'Firefox') await takesNewWay(meeting, channels[0]);
        for (const pair of channels) await passBothWays(pair, what + 'data');
      }
      await staysConnected(meeting);
    });
  }
}

// Media of the browser, whose first section carries the transport, or comes later.
const mediaBefore = (bundlePolicy) => [
  bundlePolicy + ': the browser offers audio, video and data',
  { oursOffers: false, configuration: { bundlePolicy } },
  async (meeting) => {
    meeting.hold();
    const offered = meeting.described(meeting.theirs, 'offer');
    const media = ['audio', 'video'];
    const channel = await meeting.theirs.ask('open', { label: 'data', media });
    const { sdp } = await offered;
    assert.deepEqual(sdp.match(/^m=\w+/gm), ['m=audio', 'm=video', 'm=application']);
    meeting.release();
    const far = await meeting.ours.ask('accept');
    await meeting.theirs.ask('opened', { channel });
    const ends = [{ side: meeting.theirs, channel }, { side: meeting.ours, channel: far.channel }];
    await passBothWays(ends, 'beside media');
    await meeting.settled();
    await meeting.renegotiate(meeting.ours);
    await passBothWays(ends, 'after our offer');
    await meeting.renegotiate(meeting.theirs, 'restart');
    await passBothWays(ends, 'after a restart');
  },
];

const mediaAfter = (bundlePolicy) => [
  bundlePolicy + ': we offer data, and the browser adds audio and video',
  { oursOffers: true, configuration: { bundlePolicy } },
  async (meeting) => {
    const ends = await meeting.open(meeting.ours, 'data');
    await meeting.settled();
    const answer = await meeting.renegotiate(meeting.theirs, 'addMedia', { kinds: ['audio', 'video'] });
    assert.deepEqual(answer.sdp.match(/^m=\w+/gm), ['m=application', 'm=audio', 'm=video']);
    await passBothWays(ends, 'beside media');
    await meeting.renegotiate(meeting.ours);
    await passBothWays(ends, 'after our offer');
    await passBothWays(await meeting.open(meeting.theirs, 'new'), 'on a new channel');
  },
];

const policies = ['balanced', 'max-compat', 'max-bundle'];
export const mediaCases = [...policies.map(mediaBefore), ...policies.map(mediaAfter)];
export { glare };

// Channels opened and closed one after another on one connection, by us.
export async function churn(meeting, count) {
  await meeting.open(meeting.offerer, 'first');
  await meeting.theirs.ask('tally');
  const { ids, memory } = await meeting.ours.ask('churn', { count }, 300);
  const seen = await meeting.theirs.ask('tallyOf', { count });
  assert.equal(seen.closed, count);
  const labels = Array.from({ length: count }, (_, index) => String(index + 1));
  assert.deepEqual(seen.channels.map(({ label }) => label), labels);
  assert.deepEqual(seen.channels.map(({ messages }) => messages.join()), labels);
  assert.deepEqual(seen.channels.map(({ id }) => id), ids, 'ids');
  assert.ok(new Set(ids).size <= 2, 'ids are used again');
  const grown = memory.at(-1) - memory[0];
  assert.ok(grown < 16 * 1024, `memory in use grew by ${grown} bytes from ${memory[0]}`);
}
