// Chromium against asiortc, through the real signaling server.
// Usage: node chromium_test.mjs SIGNALING_SERVER INTEROP_PEER PEER_CLI ECHO_SERVER
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Program, startChromium, startSignaling } from './harness.mjs';

const [signalingPath, peerPath, cliPath, echoPath] = process.argv.slice(2);
let chromium;
let signaling;

before(async () => {
  chromium = await startChromium();
  signaling = await startSignaling(signalingPath);
});

after(async () => {
  await chromium.close();
  assert.equal(await signaling.server.stop(), 0);
});

function startPeer(room, ...flags) {
  return new Program(peerPath, ['--server', signaling.url, '--room', room, ...flags]);
}

// Runs in the page: every kind of message on a channel that the page opens, echoed by us.
async function exchange(peer) {
  const { received } = window.interop;
  const channel = await peer.open('from-browser');
  const results = [];
  const roundTrip = async (value) => {
    const answer = received(channel);
    channel.send(value);
    return await answer;
  };
  for (const text of ['hello', '', 'grüße 😀', 'x'.repeat(262144)]) {
    results.push((await roundTrip(text)) === text);
  }
  for (const size of [1, 0, 1200, 262144]) {
    const bytes = new Uint8Array(size).map((_, index) => index * 31);
    const answer = new Uint8Array(await roundTrip(bytes));
    results.push(answer.length === size && answer.every((octet, index) => octet === bytes[index]));
  }
  channel.send('please close');
  await window.interop.closed(channel);
  const second = await peer.open('closed-by-browser');
  second.close();
  await window.interop.closed(second);
  return results;
}

const exchangeInPage = `(${exchange})`;

test("the tutorial's page and its echo server", async () => {
  const server = new Program(echoPath, ['127.0.0.1', '0']);
  const url = (await server.line(/^listening on ws:/)).replace('listening on ', '');
  const page = await chromium.newPage();
  await page.goto(new URL('../../docs/examples/echo.html?server=' + url, import.meta.url).href);
  await page.locator('#line:enabled').fill('good day');
  await page.locator('#line').press('Enter');
  await page.getByText('echo: good day').waitFor();
  await server.line(/^browser opened echo$/);
  await page.close();
  assert.equal(await server.stop(), 0);
});

test('the browser offers', async () => {
  const peer = startPeer('browser-offers');
  await peer.line(/^joined$/);
  const page = await chromium.newPage();
  const results = await page.evaluate(
    `(async () => {
      const room = window.room = new window.interop.Room();
      await room.join('${signaling.url}', 'browser-offers', 'browser');
      return await ${exchangeInPage}(await room.peer());
    })()`,
  );
  assert.deepEqual(results, Array(8).fill(true));
  await peer.line(/^closed from-browser$/);
  await peer.line(/^closed closed-by-browser$/);
  await page.evaluate(() => window.room.leave());
  await peer.line(/^state closed/);
  await page.close();
  await peer.stop();
});

test('the browser answers', async () => {
  const page = await chromium.newPage();
  await page.evaluate(
    `(async () => {
      const room = window.room = new window.interop.Room();
      await room.join('${signaling.url}', 'browser-answers', 'browser');
    })()`,
  );
  // It listens before there is somebody to hear, else the first messages would be lost on it.
  await page.evaluate(() => {
    window.outcome = (async () => {
      const connection = await window.room.peer();
      const channel = await connection.incoming();
      channel.binaryType = 'arraybuffer';
      const kinds = [];
      channel.onmessage = ({ data }) => {
        kinds.push(typeof data === 'string' ? 'text:' + data.length : 'binary:' + data.byteLength);
        channel.send(data);
      };
      await window.interop.closed(channel);
      return { label: channel.label, kinds };
    })();
  });
  const peer = startPeer('browser-answers');
  const outcome = await page.evaluate(() => window.outcome);
  assert.equal(outcome.label, 'from-native');
  assert.deepEqual(outcome.kinds, ['text:16', 'text:0', 'binary:0', 'binary:262144']);
  await peer.line(/^echoed text:16 text:0 binary:0 binary:262144$/);
  await peer.line(/^closed from-native$/);
  // The other direction over the same connection.
  const results = await page.evaluate(`(async () => {
    return await ${exchangeInPage}(await window.room.peer());
  })()`);
  assert.deepEqual(results, Array(8).fill(true));
  await page.close();
  await peer.stop();
});

test('only resolving the mDNS name of the browser can connect', async () => {
  const peer = startPeer('mdns', '--hide-candidates');
  await peer.line(/^joined$/);
  const page = await chromium.newPage();
  const outcome = await page.evaluate(
    `(async () => {
      const room = window.room = new window.interop.Room();
      await room.join('${signaling.url}', 'mdns', 'browser');
      const peer = await room.peer();
      const own = [];
      peer.pc.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate && candidate.candidate) own.push(candidate.candidate);
      });
      const channel = await peer.open('mdns');
      const answer = window.interop.received(channel);
      channel.send('over mdns');
      return { own, text: await answer };
    })()`,
  );
  assert.equal(outcome.text, 'over mdns');
  assert.ok(outcome.own.length > 0);
  for (const candidate of outcome.own) assert.match(candidate, /\.local /);
  await page.close();
  await peer.stop();
});

test('only resolving our mDNS names can connect the browser', async () => {
  const peer = startPeer('mdns-names', '--mdns-candidates');
  await peer.line(/^joined$/);
  const page = await chromium.newPage();
  const outcome = await page.evaluate(
    `(async () => {
      const room = window.room = new window.interop.Room();
      // We get none of the browser's candidates, so that only its checks can make a pair.
      const tell = room.tell.bind(room);
      room.tell = (message) => {
        const { candidate, description } = message.data ?? {};
        if (candidate?.candidate) return;
        if (description) description.sdp = description.sdp.replace(/a=candidate:.*\\r\\n/g, '');
        tell(message);
      };
      await room.join('${signaling.url}', 'mdns-names', 'browser');
      const peer = await room.peer();
      const channel = await peer.open('mdns');
      const answer = window.interop.received(channel);
      channel.send('over our names');
      return { text: await answer, sdp: peer.pc.remoteDescription.sdp };
    })()`,
  );
  assert.equal(outcome.text, 'over our names');
  await peer.line(/^pair host [-0-9a-f]{36}\.local:\d+ <-> prflx /);
  const told = outcome.sdp.match(/a=candidate:.*/g);
  assert.ok(told.length > 0);
  const named = /^a=candidate:\S+ 1 udp \d+ [-0-9a-f]{36}\.local \d+ typ host/;
  for (const candidate of told) assert.match(candidate, named);
  await page.close();
  await peer.stop();
});

test('a page chats with peer_cli', async () => {
  const cli = new Program(cliPath, ['chat', 'lounge', '--server', signaling.url, '--name', 'cli'],
    { input: 'pipe' });
  await cli.line(/joined lounge/);
  const page = await chromium.newPage();
  cli.process.stdin.write('from the terminal\n');
  const text = await page.evaluate(
    `(async () => {
      const room = window.room = new window.interop.Room();
      await room.join('${signaling.url}', 'lounge', 'page');
      const peer = await room.peer();
      const channel = window.channel = await peer.open('chat');
      const answer = window.interop.received(channel);
      channel.send('from the page');
      return await answer;
    })()`,
  );
  assert.equal(text, 'from the terminal');
  assert.equal(await cli.line(/^page: /), 'page: from the page');
  cli.process.stdin.end();
  const [status] = await cli.exited;
  assert.equal(status, 0);
  await page.evaluate(() => window.interop.closed(window.channel));
  await page.close();
});

test('the browser connects over TCP where no UDP gets through', async () => {
  const cli = new Program(
    cliPath, ['chat', 'tcp', '--server', signaling.url, '--name', 'cli', '--ice-tcp'],
    { input: 'pipe' });
  await cli.line(/joined tcp/);
  const page = await chromium.newPage();
  cli.process.stdin.write('from the terminal\n');
  const text = await page.evaluate(
    `(async () => {
      const isUdp = (candidate) => / udp /i.test(candidate?.candidate ?? '');
      const add = RTCPeerConnection.prototype.addIceCandidate;
      RTCPeerConnection.prototype.addIceCandidate = function (candidate) {
        return isUdp(candidate) ? Promise.resolve() : add.call(this, candidate);
      };
      const room = window.room = new window.interop.Room();
      const tell = room.tell.bind(room);
      room.tell = (message) => isUdp(message.data?.candidate) || tell(message);
      await room.join('${signaling.url}', 'tcp', 'page');
      const peer = await room.peer();
      const channel = window.channel = await peer.open('chat');
      const answer = window.interop.received(channel);
      channel.send('from the page');
      return await answer;
    })()`,
  );
  assert.equal(text, 'from the terminal');
  assert.equal(await cli.line(/^page: /), 'page: from the page');
  await cli.line(/^\* page: tcp, /);
  cli.process.stdin.end();
  const [status] = await cli.exited;
  assert.equal(status, 0);
  await page.close();
});
