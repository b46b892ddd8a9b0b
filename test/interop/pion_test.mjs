// Pion against asiortc: the cases of every stack, and ICE-lite and a chat through the real signaling
// server.
// Usage: node pion_test.mjs SIGNALING_SERVER INTEROP_PEER PEER_CLI STEERED_PEER FOLDER_TO_BUILD_IN
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { buildPion, Program, startSignaling } from './harness.mjs';
import { runCases, startSteered } from './stack.mjs';

const [signalingPath, peerPath, cliPath, steeredPath, folder] = process.argv.slice(2);
const pionPath = buildPion(folder);
// It tells no limit, which means 65536, and cannot take as much: its buffer is a byte smaller.
const largest = 65535;
const stack = {
  name: 'Pion',
  largest: { fromUs: { limit: 65536, size: largest }, toUs: { limit: 65536 } },
};
let signaling;
const remotes = {
  ours: startSteered('asiortc', steeredPath),
  theirs: startSteered('Pion', pionPath, '--role', 'steered'),
};

before(async () => {
  signaling = await startSignaling(signalingPath);
});

after(async () => {
  for (const each of Object.values(remotes)) assert.equal(await each.stop(), 0);
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

runCases(stack, () => remotes);

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

test('Pion echoes a stream of bytes', async () => {
  const pion = startPion('stream', '--role', 'answerer');
  await pion.line(/^joined$/);
  const native = startOurs('stream', '--stream', '200000');
  await native.line(/^streamed 200000$/);
  await native.line(/^closed stream-from-native$/);
  await native.stop();
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
