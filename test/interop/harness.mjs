// What the interop tests share: our programs as processes, and a browser with the test's page.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const skipped = 77; // how meson is told
const here = fileURLToPath(new URL('.', import.meta.url));

// A program of ours whose output lines are waited for, never slept for.
export class Program {
  constructor(path, args, { input = 'ignore' } = {}) {
    this.lines = [];
    this.errors = [];
    this.waiters = [];
    this.process = spawn(path, args, { stdio: [input, 'pipe', 'pipe'] });
    this.exited = once(this.process, 'exit');
    this.closed = once(this.process, 'close');
    for (const [stream, lines] of [
      [this.process.stdout, this.lines],
      [this.process.stderr, this.errors],
    ]) {
      createInterface({ input: stream }).on('line', (line) => {
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

export async function loadPlaywright() {
  try {
    return await import('playwright-core');
  } catch {
    console.log('SKIP: the npm package playwright-core is not installed (npm ci in test/interop)');
    process.exit(skipped);
  }
}

export function findChromium() {
  const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
  if (path) return path;
  console.log('SKIP: Chromium is not installed');
  process.exit(skipped);
}

export async function startChromium() {
  const executablePath = findChromium();
  const { chromium } = await loadPlaywright();
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
  const pages = await servePages();
  return {
    async newPage() {
      const page = await browser.newPage();
      page.on('pageerror', (error) => console.log('page error:', error.message));
      await page.goto(pages.url);
      await page.waitForFunction(() => window.interop !== undefined);
      return page;
    },
    async close() {
      await browser.close();
      pages.server.close();
    },
  };
}
