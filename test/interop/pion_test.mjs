// Pion against asiortc, through the real signaling server.
// Usage: node pion_test.mjs SIGNALING_SERVER INTEROP_PEER PEER_CLI FOLDER_FOR_THE_COMPILED_PEER
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { buildPion, Program, startSignaling } from './harness.mjs';

const [signalingPath, peerPath, cliPath, folder] = process.argv.slice(2);
const pionPath = buildPion(folder);
const largest = 65535; // what Pion takes in one message
let signaling;

before(async () => {
  signaling = await startSignaling(signalingPath);
});

after(async () => {
  assert.equal(await signaling.server.stop(), 0);
});

function startOurs(room, ...flags) {
  return new Program(peerPath, ['--server', signaling.url, '--room', room, ...flags]);
}

function startPion(room, ...flags) {
  return new Program(pionPath, ['--server', signaling.url, '--room', room, ...flags],
    { input: 'pipe' });
}

async function finish(pion) {
  pion.process.stdin.end();
  await pion.exited;
  assert.equal(pion.process.exitCode, 0);
}

test('Pion offers', async () => {
  const ours = startOurs('pion-offers');
  await ours.line(/^joined$/);
  const pion = startPion('pion-offers', '--task', 'exchange');
  for (const kind of ['text:5', 'text:0', 'text:12', `text:${largest}`]) {
    await pion.line(new RegExp(`^echoed ${kind}$`));
  }
  for (const size of [1, 0, 1200, largest]) {
    await pion.line(new RegExp(`^echoed binary:${size}$`));
  }
  for (const label of ['from-pion', 'closed-by-pion']) {
    await pion.line(new RegExp(`^closed ${label}$`));
    await ours.line(new RegExp(`^closed ${label}$`));
  }
  await pion.line(/^ready 1$/);
  await finish(pion);
  await ours.line(/^state closed/);
  await ours.stop();
});

test('Pion answers', async () => {
  const pion = startPion('pion-answers', '--role', 'answerer');
  await pion.line(/^joined$/);
  const ours = startOurs('pion-answers', '--largest', String(largest));
  await ours.line(new RegExp(`^echoed text:16 text:0 binary:0 binary:${largest}$`));
  await ours.line(/^closed from-native$/);
  await pion.line(/^closed from-native$/);
  await ours.stop();
  await finish(pion);
});

for (const [name, ours, theirs] of [
  ['Pion is ICE-lite', [], ['--lite']],
  ['we are ICE-lite', ['--ice-lite'], []],
]) {
  test(name + ', and Pion offers', async () => {
    const native = startOurs('lite-answers', ...ours);
    await native.line(/^joined$/);
    const pion = startPion('lite-answers', ...theirs);
    await pion.line(/^received hello from pion$/);
    await finish(pion);
    await native.stop();
  });

  test(name + ', and Pion answers', async () => {
    const pion = startPion('lite-offers', '--role', 'answerer', ...theirs);
    await pion.line(/^joined$/);
    const native = startOurs('lite-offers', '--largest', String(largest), ...ours);
    await native.line(/^closed from-native$/);
    await native.stop();
    await finish(pion);
  });
}

test('Pion restarts ICE of a connection that it offered', async () => {
  const ours = startOurs('restarts');
  await ours.line(/^joined$/);
  const pion = startPion('restarts', '--task', 'restart');
  await pion.line(/^restarted$/);
  for (let pair = 0; pair < 2; ++pair) await ours.line(/^pair /);
  await finish(pion);
  assert.ok(!ours.lines.some((line) => /^state (disconnected|failed)/.test(line)));
  await ours.stop();
});

test('we restart ICE of a connection that we offered', async () => {
  const pion = startPion('we-restart', '--role', 'answerer');
  await pion.line(/^joined$/);
  const ours = startOurs('we-restart', '--largest', String(largest), '--restart');
  await ours.line(/^restarted$/);
  for (let pair = 0; pair < 2; ++pair) await ours.line(/^pair /);
  for (let round = 0; round < 2; ++round) await ours.line(/^closed from-native$/);
  assert.ok(!ours.lines.some((line) => /^state (disconnected|failed)/.test(line)));
  await ours.stop();
  await finish(pion);
});

test('Pion chats with peer_cli', async () => {
  const cli = new Program(cliPath, ['chat', 'pion-chat', '--server', signaling.url, '--name', 'cli'],
    { input: 'pipe' });
  await cli.line(/joined pion-chat/);
  cli.process.stdin.write('from the terminal\n');
  const pion = startPion('pion-chat', '--label', 'chat');
  await pion.line(/^received from the terminal$/);
  assert.equal(await cli.line(/^pion: /), 'pion: hello from pion');
  cli.process.stdin.end();
  const [status] = await cli.exited;
  assert.equal(status, 0);
  await finish(pion);
});
