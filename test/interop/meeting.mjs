// Two steered peers, and the signaling between them, which can be held back.

// One program or page with steered peers in it; it is told lines of JSON and answers in such.
export class Remote {
  constructor(name, write) {
    this.name = name;
    this.write = write;
    this.asked = new Map();
    this.sides = new Map();
  }

  // To be called with each line that it says.
  heard(line) {
    const said = JSON.parse(line);
    if (said.signal) return this.sides.get(said.peer).onSignal(said.signal);
    const { resolve, reject, what } = this.asked.get(said.id);
    this.asked.delete(said.id);
    if (said.error === undefined) resolve(said.result);
    else reject(new Error(`${this.name}, told to ${what}: ${said.error}`));
  }

  // To be called when nothing more will come.
  gone(why) {
    for (const { reject } of this.asked.values()) reject(new Error(`${this.name}: ${why}`));
    this.asked.clear();
  }

  ask(peer, what, args, seconds) {
    const id = (this.lastId = (this.lastId ?? 0) + 1);
    return new Promise((resolve, reject) => {
      const tooLong = () => {
        const error = new Error(`${this.name} did not ${what} within ${seconds} s`);
        this.asked.set(id, { resolve() {}, reject() {} });
        reject(error);
      };
      const timer = setTimeout(tooLong, seconds * 1000);
      const stop = (then) => (value) => {
        clearTimeout(timer);
        then(value);
      };
      this.asked.set(id, { resolve: stop(resolve), reject: stop(reject), what });
      this.write(JSON.stringify({ id, do: what, peer, ...args }));
    });
  }
}

// One peer connection. All that it can be told is in steered.js.
class Side {
  constructor(remote) {
    this.remote = remote;
    this.name = remote.name;
    this.peer = remote.sides.size + 1;
    remote.sides.set(this.peer, this);
  }

  ask(what, args = {}, seconds = 30) {
    return this.remote.ask(this.peer, what, args, seconds);
  }
}

export class Meeting {
  held = false;
  kept = []; // while held
  descriptions = []; // that were told, each with who told it
  waiting = [];
  candidates = []; // that were told, each with who told it
  delivering = new Set();
  failures = [];
  passes = () => true; // whether a candidate of a side is told to the other

  // The offerer comes later, and is polite.
  static async make(ours, theirs, { oursOffers, configuration = {} }) {
    const meeting = new Meeting();
    meeting.ours = new Side(ours);
    meeting.theirs = new Side(theirs);
    meeting.sides = [meeting.ours, meeting.theirs];
    for (const [from, to] of [meeting.sides, [meeting.theirs, meeting.ours]]) {
      from.other = to;
      from.onSignal = (signal) => meeting.relay(from, signal);
    }
    meeting.offerer = oursOffers ? meeting.ours : meeting.theirs;
    meeting.answerer = meeting.offerer.other;
    for (const side of meeting.sides) {
      await side.ask('make', { polite: side === meeting.offerer, configuration });
    }
    return meeting;
  }

  relay(from, signal) {
    if (signal.description) {
      this.descriptions.push({ from, ...signal.description });
      this.waiting = this.waiting.filter((check) => !check());
    }
    const candidate = signal.candidate?.candidate;
    if (candidate) this.candidates.push({ from, candidate });
    if (candidate && !this.passes(from)) return;
    if (this.held) this.kept.push([from, signal]);
    else this.deliver(from, signal);
  }

  deliver(from, signal) {
    const delivered = from.other.ask('signal', { signal })
      .catch((error) => this.failures.push(error.message))
      .finally(() => this.delivering.delete(delivered));
    this.delivering.add(delivered);
  }

  hold() {
    this.held = true;
  }

  release() {
    this.held = false;
    for (const [from, signal] of this.kept.splice(0)) this.deliver(from, signal);
  }

  // Resolves with the description of that type that the side tells next.
  described(from, type, seconds = 30) {
    const start = this.descriptions.length;
    return new Promise((resolve, reject) => {
      const tooLong = () => reject(new Error(`${from.name} told no ${type} within ${seconds} s`));
      const timer = setTimeout(tooLong, seconds * 1000);
      const check = () => {
        const found = this.descriptions.slice(start)
          .find((each) => each.from === from && each.type === type);
        if (!found) return false;
        clearTimeout(timer);
        resolve(found);
        return true;
      };
      this.waiting.push(check);
    });
  }

  // What was told has arrived, and no exchange runs.
  async settled() {
    for (;;) {
      const count = this.descriptions.length;
      await Promise.all(this.delivering);
      for (const side of this.sides) await side.ask('stable');
      if (count === this.descriptions.length && this.delivering.size === 0) return;
    }
  }

  // Has a side offer, restarting ICE or not, and waits until that is answered.
  async renegotiate(side, how = 'offer', args = {}) {
    const answered = this.described(side.other, 'answer');
    await side.ask(how, args);
    const answer = await answered;
    await this.settled();
    return answer;
  }

  // Opens a channel and waits until both have it; the first brings the connection about.
  async open(from, label, init = {}) {
    const near = { side: from, channel: await from.ask('open', { label, init }) };
    const accepted = await from.other.ask('accept');
    const far = { side: from.other, channel: accepted.channel, described: accepted };
    near.described = await from.ask('opened', { channel: near.channel });
    await far.side.ask('opened', { channel: far.channel });
    return [near, far];
  }

  async end() {
    for (const side of this.sides) await side.ask('end');
  }

  // For whoever reads that something failed.
  async story() {
    const states = this.sides.map((side) =>
      side.ask('state', {}, 5).catch((error) => error.message));
    const said = (await Promise.all(states)).map((state, index) =>
      this.sides[index].name + ': ' + JSON.stringify(state));
    const last = this.descriptions.slice(-4).map(({ from, type, sdp }) =>
      `${type} of ${from.name}:\n${sdp}`);
    return [...this.failures, ...said, ...last].join('\n');
  }
}
