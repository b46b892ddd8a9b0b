// The steered peer of a browser: it is told by events of the test's server, and posts what it says.
import { Peer } from './room.js';
import { Channel, Connection, steer } from './steered.js';

class PageChannel extends Channel {
  constructor(inner) {
    super();
    this.inner = inner;
    inner.binaryType = 'arraybuffer';
    inner.onopen = () => this.open();
    if (inner.readyState === 'open') this.open();
    inner.onmessage = ({ data }) => this.messages.push(data);
    inner.onclose = () => this.end();
  }

  describe() {
    const { label, protocol, ordered, maxRetransmits, maxPacketLifeTime, negotiated, id } =
      this.inner;
    return { label, protocol, ordered, maxRetransmits, maxPacketLifeTime, negotiated, id };
  }

  send(content) {
    this.inner.send(content);
  }

  close() {
    this.inner.close();
  }
}

class PageConnection extends Connection {
  states = [];

  constructor({ polite, configuration }, signal) {
    super();
    this.peer = new Peer('native', polite, signal, configuration);
    this.pc = this.peer.pc;
    this.pc.ondatachannel = ({ channel }) => {
      if (this.tallied) this.count(channel);
      else this.incoming.push(new PageChannel(channel));
    };
    this.pc.onconnectionstatechange = () => this.states.push(this.pc.connectionState);
  }

  create(label, init) {
    return new PageChannel(this.pc.createDataChannel(label, init));
  }

  signal({ signal }) {
    return this.peer.onSignal(signal);
  }

  offer() {
    return this.peer.offer();
  }

  restart() {
    this.pc.restartIce();
  }

  // With media from the start, all is in one offer.
  open({ media = [], ...rest }) {
    this.addMedia({ kinds: media });
    return super.open(rest);
  }

  // Which changes what is negotiated, so that the browser offers by itself.
  addMedia({ kinds }) {
    for (const kind of kinds) this.pc.addTransceiver(kind);
  }

  stable() {
    if (this.pc.signalingState === 'stable') return null;
    return new Promise((resolve) => {
      const check = () => this.pc.signalingState === 'stable' && resolve();
      this.pc.addEventListener('signalingstatechange', check);
    });
  }

  largest() {
    return this.pc.sctp.maxMessageSize;
  }

  state() {
    const { signalingState, iceConnectionState, connectionState } = this.pc;
    return { signalingState, iceConnectionState, connectionState, states: this.states };
  }

  end() {
    this.pc.close();
  }

  // From now on channels of the other side only echo and are counted, with all that comes on them.
  tally() {
    this.tallied = { channels: [], closed: 0 };
  }

  count(channel) {
    const { tallied } = this;
    const seen = { label: channel.label, id: channel.id, messages: [] };
    tallied.channels.push(seen);
    channel.onmessage = ({ data }) => {
      seen.messages.push(data);
      channel.send(data);
    };
    channel.onclose = () => {
      ++tallied.closed;
      this.onCount?.();
    };
  }

  // Waits until as many have come and closed.
  async tallyOf({ count }) {
    await new Promise((resolve) => {
      this.onCount = () => this.tallied.closed >= count && resolve();
      this.onCount();
    });
    return this.tallied;
  }
}

// Posts follow each other, each with all that was said meanwhile.
const unsaid = [];
let posting = false;
async function post() {
  if (posting) return;
  posting = true;
  while (unsaid.length > 0) {
    const lines = unsaid.splice(0).map((said) => JSON.stringify(said));
    await fetch('said', { method: 'POST', body: lines.join('\n') });
  }
  posting = false;
}

const hear = steer(
  (how, signal) => new PageConnection(how, signal),
  (said) => {
    unsaid.push(said);
    post();
  },
);
new EventSource('told').onmessage = ({ data }) => hear(data);
