// Chromium as `peer_cli chat` with one other: says the lines of its standard input and prints what
// it hears. It comes later, so it offers and controls. Usage:
//   node browser_chat.mjs SERVER ROOM NAME [TURN_URL USER PASSWORD]
// Where a TURN server is given, it goes through that alone.
import { createInterface } from 'node:readline';

import { startChromium } from './harness.mjs';

const [server, room, name, turn, username, credential] = process.argv.slice(2);
const tell = (line) => process.stderr.write(`* ${line}\n`);
const configuration = turn && {
  iceServers: [{ urls: turn, username, credential }],
  iceTransportPolicy: 'relay',
};

const chromium = await startChromium({ microphone: true });
const page = await chromium.newPage();
await page.exposeFunction('heard', (text) => process.stdout.write(text + '\n'));
await page.exposeFunction('tell', tell);

await page.evaluate(async ({ server, room, name, configuration }) => {
  const joined = new window.interop.Room({ configuration });
  await joined.join(server, room, name);
  const peer = await joined.peer();
  const states = () => window.tell('connection ' + peer.pc.connectionState);
  peer.pc.addEventListener('connectionstatechange', states);
  const channel = (window.channel = await peer.open('chat'));
  channel.onmessage = ({ data }) => window.heard(`${peer.name}: ${data}`);
  window.left = new Promise((resolve) => (channel.onclose = resolve));
  const stats = [...(await peer.pc.getStats()).values()];
  const pair = stats.find(({ type, nominated }) => type === 'candidate-pair' && nominated);
  const ends = [pair.localCandidateId, pair.remoteCandidateId].map((id) =>
    stats.find((one) => one.id === id));
  window.tell('pair ' + ends.map((end) => `${end.candidateType} ${end.address}`).join(' <-> '));
}, { server, room, name, configuration });

for await (const line of createInterface({ input: process.stdin })) {
  await page.evaluate((text) => window.channel.send(text), line);
}
// The other side has said everything when it closes the channel.
await page.evaluate(() => window.left);
await chromium.close();
process.exit(0);
