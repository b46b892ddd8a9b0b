// Browsers whose page is a steered peer.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Program, skip, startChromium } from './harness.mjs';
import { Remote } from './meeting.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const files = /^\/(page_peer\.html|\w+\.js)$/;

// The page is told by server-sent events and posts what it says.
async function servePeer(name) {
  let told;
  const remote = new Remote(name, (line) => told.write(`data: ${line}\n\n`));
  let arrived;
  remote.ready = new Promise((resolve) => (arrived = resolve));
  const server = createServer(async (request, response) => {
    if (request.url === '/told') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.flushHeaders();
      told = response;
      arrived();
    } else if (request.url === '/said') {
      const parts = [];
      for await (const part of request) parts.push(part);
      response.writeHead(204).end();
      for (const line of Buffer.concat(parts).toString().split('\n')) remote.heard(line);
    } else if (files.test(request.url)) {
      const type = request.url.endsWith('.js') ? 'text/javascript' : 'text/html';
      response.writeHead(200, { 'content-type': type });
      response.end(await readFile(here + request.url.slice(1)));
    } else {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  remote.url = `http://127.0.0.1:${server.address().port}/page_peer.html`;
  remote.stopServing = () => {
    server.close();
    server.closeAllConnections();
  };
  return remote;
}

export async function startSteeredChromium() {
  const remote = await servePeer('Chromium');
  const chromium = await startChromium();
  await chromium.newPage(remote.url);
  await remote.ready;
  remote.stop = async () => {
    await chromium.close();
    remote.stopServing();
  };
  return remote;
}

// It starts as one that was started before, asks nobody for anything, and shows the page its
// addresses unless they are to be hidden. Loopback counts where there is no other network.
const preferences = (hidden) => ({
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'app.normandy.enabled': false,
  'services.settings.server': 'data:,none',
  'browser.safebrowsing.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'media.peerconnection.ice.obfuscate_host_addresses': hidden,
  'media.peerconnection.ice.loopback': true,
});

export async function startFirefox({ hidden = false } = {}) {
  const path = ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find(existsSync);
  if (!path) skip('Firefox is not installed (firefox-esr)');
  const profile = await mkdtemp(join(tmpdir(), 'interop-firefox-'));
  const lines = Object.entries(preferences(hidden)).map(([name, value]) =>
    `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  await writeFile(join(profile, 'user.js'), lines.join(''));
  const remote = await servePeer('Firefox');
  const firefox = new Program(path, ['--headless', '--no-remote', '--profile', profile, remote.url]);
  const failed = firefox.exited.then(() => {
    remote.stopServing();
    const error = new Error('Firefox ended, and said:\n' + firefox.errors.join('\n'));
    remote.gone(error.message);
    throw error;
  });
  await Promise.race([remote.ready, failed]);
  failed.catch(() => {});
  remote.stop = async () => {
    await firefox.stop();
    remote.stopServing();
    await rm(profile, { recursive: true, force: true });
  };
  return remote;
}
