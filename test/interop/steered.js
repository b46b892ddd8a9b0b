// A peer that does what it is told, in JavaScript: in a browser, or over a library for Node.js. Told
// are { id, do, peer, … }; each is answered by { id, result } or { id, error }, and what a peer has
// for its other side is said as { peer, signal }. The commands are the methods of a connection.
import { contentOf, describe } from './messages.js';

// What came and was not asked for yet, or who asked for what has not come yet.
class Inbox {
  items = [];
  waiting = [];

  push(item) {
    const waiter = this.waiting.shift();
    if (waiter) waiter(item);
    else this.items.push(item);
  }

  take() {
    if (this.items.length > 0) return Promise.resolve(this.items.shift());
    if (this.ended) return Promise.resolve(null);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  end() {
    this.ended = true;
    for (const waiter of this.waiting.splice(0)) waiter(null);
  }
}

// One channel; what derives from it calls `open`, `messages.push` and `end`.
export class Channel {
  messages = new Inbox();
  opened = new Promise((resolve, reject) => {
    this.open = resolve;
    this.fail = reject;
  });
  closed = new Promise((resolve) => (this.end = resolve));

  constructor() {
    this.opened.catch(() => {});
    this.closed.then(() => {
      this.messages.end();
      this.fail(new Error('the channel closed before it was open'));
    });
  }
}

// What derives from it has `create(label, init)`, which gives a channel, `offer`, `signal`,
// `stable`, `end`, and calls `incoming.push` with each channel of the other side.
export class Connection {
  channels = [];
  incoming = new Inbox();

  adopt(channel) {
    return this.channels.push(channel) - 1;
  }

  open({ label, init }) {
    return this.adopt(this.create(label, init));
  }

  async accept() {
    const channel = await this.incoming.take();
    return { channel: this.adopt(channel), ...channel.describe() };
  }

  async opened({ channel }) {
    await this.channels[channel].opened;
    return this.channels[channel].describe();
  }

  send({ channel, message }) {
    this.channels[channel].send(contentOf(message));
  }

  async receive({ channel }) {
    const content = await this.channels[channel].messages.take();
    return content === null ? null : describe(content);
  }

  close({ channel }) {
    this.channels[channel].close();
  }

  async closed({ channel }) {
    await this.channels[channel].closed;
  }
}

// Returns what takes the lines; `connect(args, signal)` makes a connection.
export function steer(connect, say) {
  const peers = new Map();
  const carryOut = async ({ do: what, peer, ...args }) => {
    if (what === 'make') {
      peers.set(peer, await connect(args, (signal) => say({ peer, signal })));
      return null;
    }
    return await peers.get(peer)[what](args);
  };
  return async (line) => {
    const told = JSON.parse(line);
    try {
      say({ id: told.id, result: (await carryOut(told)) ?? null });
    } catch (error) {
      say({ id: told.id, error: String(error) });
    }
  };
}
