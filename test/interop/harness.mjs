// What the interop tests share: our programs as processes, and a browser with the test's page.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { resolve as resolvePath } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const skipped = 77; // how meson is told
const here = fileURLToPath(new URL('.', import.meta.url));

// Nothing outlives a test that failed.
const started = [];
process.on('exit', () => started.forEach((one) => one.kill()));

// A program whose output lines are waited for, never slept for, or handed to `heard`.
export class Program {
  constructor(path, args, { input = 'ignore', heard } = {}) {
    this.lines = [];
    this.errors = [];
    this.waiters = [];
    this.process = spawn(path, args, { stdio: [input, 'pipe', 'pipe'] });
    started.push(this.process);
    this.exited = once(this.process, 'exit');
    this.closed = once(this.process, 'close');
    for (const [stream, lines] of [
      [this.process.stdout, this.lines],
      [this.process.stderr, this.errors],
    ]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (heard && lines === this.lines) return heard(line);
        lines.push(line);
        this.waiters = this.waiters.filter((check) => !check());
      });
    }
  }

  // Resolves with the first line, of either stream, that matches and was not given before.
  line(pattern, seconds = 30) {
    return new Promise((resolve, reject) => {
      const find = () => {
        for (const lines of [this.lines, this.errors]) {
          const index = lines.findIndex((line) => pattern.test(line));
          if (index < 0) continue;
          clearTimeout(timer);
          resolve(lines.splice(index, 1)[0]);
          return true;
        }
        return false;
      };
      const timer = setTimeout(
        () =>
          reject(
            new Error(`no line like ${pattern} from ${this.process.spawnfile}; it said:\n` +
                [...this.lines, ...this.errors].join('\n'))),
        seconds * 1000,
      );
      if (!find()) this.waiters.push(find);
    });
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill();
    await this.exited;
    return this.process.exitCode;
  }
}

export async function startSignaling(path) {
  const server = new Program(path, ['--listen', '127.0.0.1:0']);
  const line = await server.line(/^listening on ws:/);
  return { server, url: line.replace('listening on ', '') };
}

const types = { html: 'text/html', js: 'text/javascript' };

async function servePages() {
  const server = createServer(async (request, response) => {
    const name = /^\/(page\.html|room\.js)$/.exec(request.url)?.[1];
    if (!name) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': types[name.split('.')[1]] });
    response.end(await readFile(here + name));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${server.address().port}/page.html` };
}

export function skip(reason) {
  console.log('SKIP: ' + reason);
  process.exit(skipped);
}

export async function requirePackage(name) {
  try {
    return await import(name);
  } catch {
    skip(`the npm package ${name} is not installed (npm ci in test/interop)`);
  }
}

export function findChromium() {
  const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
  return path ?? skip('Chromium is not installed');
}

// Compiles pion/ into the folder, from Debian's sources; returns the program's path.
export function buildPion(folder) {
  const go = (...args) =>
    spawnSync('go', args, {
      cwd: here + 'pion',
      encoding: 'utf8',
      env: { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOTOOLCHAIN: 'local' },
    });
  if (go('version').error) skip('Go is not installed');
  if (go('list', 'github.com/pion/webrtc', 'github.com/gorilla/websocket').status !== 0) {
    skip('golang-github-pion-webrtc.v3-dev or golang-github-gorilla-websocket-dev is not installed');
  }
  const path = resolvePath(folder, 'pion_peer');
  const { status, stderr } = go('build', '-o', path, '.');
  if (status !== 0) throw new Error('go build: ' + stderr);
  return path;
}

// With a microphone that it may use, the browser shows its addresses and uses each of them.
export async function startChromium({ microphone = false } = {}) {
  const executablePath = findChromium();
  const { chromium } = await requirePackage('playwright-core');
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      ...(microphone ? ['--use-fake-device-for-media-stream'] : []),
    ],
  });
  const pages = await servePages();
  return {
    async newPage(url) {
      const page = await browser.newPage({ permissions: microphone ? ['microphone'] : [] });
      if (microphone) {
        await page.goto(pages.url);
        await page.evaluate(() => navigator.mediaDevices.getUserMedia({ audio: true }));
      }
      page.on('pageerror', (error) => console.log('page error:', error.message));
      await page.goto(url ?? pages.url);
      await page.waitForFunction(() => window.interop !== undefined);
      return page;
    },
    async close() {
      await browser.close();
      pages.server.close();
    },
  };
}
