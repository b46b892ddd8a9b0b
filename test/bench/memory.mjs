// What an idle visitor costs a server application: the growth of the resident memory of
// docs/examples/echo_server, which does the signaling too, over the number of visitors.
// Usage: node memory.mjs BUILD_FOLDER chromium|pion [CONNECTIONS]
// Status 77: the other side is not installed.
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

import { buildPion, Program, startChromium } from '../interop/harness.mjs';

const [build, stack] = process.argv.slice(2);
const connections = Number(process.argv[4] ?? 100);
const sampleEvery = 250; // ms
const quiet = { samples: 12, kilobytes: 16 }; // no more change than this in so many samples
const patience = 240; // samples

async function resident(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1024) / 1000;
}

// Resolves with the resident memory, in kB of 1,000 bytes, once it changes no more.
async function settled(pid) {
  const samples = [];
  for (let count = 0; count < patience; ++count) {
    samples.push(await resident(pid));
    const last = samples.slice(-quiet.samples);
    const change = Math.max(...last) - Math.min(...last);
    if (last.length === quiet.samples && change <= quiet.kilobytes) return last.at(-1);
    await pause(sampleEvery);
  }
  throw new Error('the memory does not settle: ' + samples.slice(-quiet.samples).join(' '));
}

// Runs in the page: visits that have each sent a message and had it back, until `leave`.
async function visitInPage({ url, count }) {
  const { Room, received } = window.interop;
  const visits = [];
  let begun = 0;
  const visitSome = async () => {
    while (begun++ < count) {
      const room = new Room({ hostOnly: true });
      await room.join(url, 'echo', 'browser');
      const channel = await (await room.peer()).open('echo');
      const answer = received(channel);
      channel.send('hello');
      if ((await answer) !== 'hello') throw new Error('not echoed');
      visits.push(room);
    }
  };
  await Promise.all(Array.from({ length: 16 }, visitSome));
  window.leave = () => visits.forEach((room) => room.leave());
}

// Each side visits in so many connections, and resolves with how to leave.
const sides = {
  async chromium() {
    const chromium = await startChromium();
    const page = await chromium.newPage();
    return {
      async visit(url, count) {
        await page.evaluate(visitInPage, { url, count });
        return () => page.evaluate(() => window.leave());
      },
      close: () => chromium.close(),
    };
  },
  async pion() {
    const path = buildPion(build + '/test/interop');
    return {
      async visit(url, count) {
        const pion = new Program(path, ['--server', url, '--count', String(count)],
          { input: 'pipe' });
        await pion.line(new RegExp(`^ready ${count}$`), 60);
        return async () => {
          pion.process.stdin.end();
          await pion.exited;
        };
      },
      close: async () => {},
    };
  },
};

async function measure(side) {
  const server = new Program(build + '/docs/examples/echo_server', ['127.0.0.1', '0']);
  const url = (await server.line(/^listening on ws:/)).replace('listening on ', '');
  const { pid } = server.process;
  // What a process has once is not to be counted as a visitor's.
  const leave = await side.visit(url, 1);
  await leave();
  const before = await settled(pid);
  const leaveAll = await side.visit(url, connections);
  const after = await settled(pid);
  await leaveAll();
  await server.stop();
  return (after - before) / connections;
}

const side = await sides[stack]();
try {
  const kilobytes = await measure(side);
  console.log(JSON.stringify({
    bench: 'memory', stack: 'asiortc', peer: stack, connections, kb_per_connection: kilobytes,
  }));
  console.error(`memory: ${connections} connections of ${stack} to echo_server: ` +
      `${kilobytes.toFixed(1)} kB each`);
} finally {
  await side.close();
}
