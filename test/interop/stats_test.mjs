// Our statistics against Chromium's, of the two ends of one connection: entries, names and numbers.
// Usage: node stats_test.mjs SIGNALING_SERVER INTEROP_PEER
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { Program, startChromium, startSignaling } from './harness.mjs';

const [signalingPath, peerPath] = process.argv.slice(2);
const namesOfW3c = JSON.parse(
  readFileSync(new URL('../support/webrtc_stats_names.json', import.meta.url)));
let chromium;
let signaling;
let ours;
let theirs;

// Runs in the page: sends, and brings both ends' reports back, ours as we wrote it.
async function compare(url) {
  const room = new window.interop.Room();
  await room.join(url, 'statistics', 'browser');
  const peer = await room.peer();
  const channel = await peer.open('measured');
  const ask = async (value) => {
    const answer = window.interop.received(channel);
    channel.send(value);
    return await answer;
  };
  for (let i = 0; i < 20; ++i) await ask('x'.repeat(1000));
  const written = await ask('statistics');
  const report = Object.fromEntries(await peer.pc.getStats());
  room.leave();
  return [JSON.parse(written), report];
}

before(async () => {
  chromium = await startChromium();
  signaling = await startSignaling(signalingPath);
  const peer = new Program(peerPath, ['--server', signaling.url, '--room', 'statistics']);
  await peer.line(/^joined$/);
  const page = await chromium.newPage();
  [ours, theirs] = await page.evaluate(`(${compare})(${JSON.stringify(signaling.url)})`);
  await page.close();
  await peer.stop();
});

after(async () => {
  await chromium.close();
  assert.equal(await signaling.server.stop(), 0);
});

const entries = (report, type) => Object.values(report).filter((entry) => entry.type === type);

function only(report, type) {
  const found = entries(report, type);
  assert.equal(found.length, 1, `${type}: ${found.length} entries`);
  return found[0];
}

test('every entry is of a type, and every member of a name, that Chromium or the W3C has', () => {
  for (const [id, entry] of Object.entries(ours)) {
    assert.equal(entry.id, id);
    const known = new Set(entries(theirs, entry.type).flatMap(Object.keys));
    assert.ok(known.size > 0, `Chromium has no ${entry.type}`);
    for (const name of namesOfW3c[entry.type]) known.add(name);
    for (const name of Object.keys(entry)) assert.ok(known.has(name), `${entry.type}: ${name}`);
  }
});

test('every value is of the kind that Chromium gives it', () => {
  for (const entry of Object.values(ours)) {
    for (const other of entries(theirs, entry.type)) {
      for (const [name, value] of Object.entries(entry)) {
        if (!(name in other)) continue;
        assert.equal(typeof value, typeof other[name], `${entry.type}: ${name}`);
      }
    }
  }
});

test('both ends have counted the same messages, and agree about DTLS and ICE', () => {
  const [mine, other] = [only(ours, 'data-channel'), only(theirs, 'data-channel')];
  assert.equal(mine.label, other.label);
  assert.equal(mine.dataChannelIdentifier, other.dataChannelIdentifier);
  assert.equal(mine.state, other.state);
  assert.equal(mine.messagesReceived, other.messagesSent);
  assert.equal(mine.bytesReceived, other.bytesSent);
  assert.equal(mine.messagesSent, 20);
  assert.equal(mine.bytesSent, 20 * 1000);
  const [way, back] = [only(ours, 'transport'), only(theirs, 'transport')];
  assert.equal(way.tlsVersion, back.tlsVersion);
  assert.equal(way.dtlsCipher, back.dtlsCipher);
  assert.equal(way.dtlsState, back.dtlsState);
  assert.deepEqual([way.dtlsRole, back.dtlsRole].sort(), ['client', 'server']);
  assert.deepEqual([way.iceRole, back.iceRole].sort(), ['controlled', 'controlling']);
  assert.ok(way.bytesReceived <= back.bytesSent);
  const certificate = ours[way.remoteCertificateId];
  assert.equal(certificate.fingerprint, theirs[back.localCertificateId].fingerprint);
  assert.equal(certificate.base64Certificate, theirs[back.localCertificateId].base64Certificate);
});

test('the pair in use is the same at both ends, and its times are of this hour', () => {
  const pair = ours[only(ours, 'transport').selectedCandidatePairId];
  const back = theirs[only(theirs, 'transport').selectedCandidatePairId];
  assert.equal(pair.state, 'succeeded');
  // libwebrtc has it in progress again from each check until its answer.
  assert.match(back.state, /^(succeeded|in-progress)$/);
  assert.equal(pair.nominated, back.nominated);
  assert.equal(ours[pair.localCandidateId].port, theirs[back.remoteCandidateId].port);
  assert.equal(ours[pair.remoteCandidateId].port, theirs[back.localCandidateId].port);
  assert.ok(pair.currentRoundTripTime > 0 && pair.currentRoundTripTime < 5);
  for (const time of [pair.timestamp, pair.lastPacketReceivedTimestamp]) {
    assert.ok(Math.abs(time - back.timestamp) < 60_000, `${time} and ${back.timestamp}`);
  }
});
