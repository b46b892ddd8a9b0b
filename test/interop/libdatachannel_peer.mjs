// The steered peer of libdatachannel. It offers by itself when there is a channel.
import { createInterface } from 'node:readline';

import library from 'node-datachannel';

import { Channel, Connection, steer } from './steered.js';

class NodeChannel extends Channel {
  constructor(inner) {
    super();
    this.inner = inner;
    inner.onOpen(() => this.open());
    if (inner.isOpen()) this.open();
    inner.onMessage((content) => this.messages.push(content));
    inner.onClosed(() => this.end());
  }

  describe() {
    const { inner } = this;
    return { label: inner.getLabel(), protocol: inner.getProtocol(), id: inner.getId() };
  }

  send(content) {
    if (typeof content === 'string') this.inner.sendMessage(content);
    else this.inner.sendMessageBinary(content);
  }

  close() {
    this.inner.close();
  }
}

class NodeConnection extends Connection {
  states = [];
  waiting = []; // for the stable state

  constructor(_, signal) {
    super();
    this.pc = new library.PeerConnection('', { iceServers: [], maxMessageSize: 262144 });
    this.pc.onLocalDescription((sdp, type) => signal({ description: { type, sdp } }));
    this.pc.onLocalCandidate((candidate, sdpMid) => signal({ candidate: { candidate, sdpMid } }));
    this.pc.onStateChange((state) => this.states.push(state));
    this.pc.onSignalingStateChange((state) => {
      if (state === 'stable') for (const resolve of this.waiting.splice(0)) resolve();
    });
    this.pc.onDataChannel((inner) => this.incoming.push(new NodeChannel(inner)));
  }

  create(label, { ordered = true, ...init } = {}) {
    return new NodeChannel(this.pc.createDataChannel(label, { unordered: !ordered, ...init }));
  }

  signal({ signal: { description, candidate } }) {
    if (description) this.pc.setRemoteDescription(description.sdp, description.type);
    else if (candidate?.candidate) this.pc.addRemoteCandidate(candidate.candidate, candidate.sdpMid);
  }

  offer() {
    this.pc.setLocalDescription('offer');
  }

  stable() {
    if (this.pc.signalingState() === 'stable') return null;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  largest() {
    return this.pc.maxMessageSize();
  }

  state() {
    const { states } = this;
    return { signalingState: this.pc.signalingState(), connectionState: this.pc.state(), states };
  }

  end() {
    this.pc.close();
  }
}

const say = (said) => process.stdout.write(JSON.stringify(said) + '\n');
const hear = steer((how, signal) => new NodeConnection(how, signal), say);
createInterface({ input: process.stdin }).on('line', hear).on('close', () => {
  library.cleanup();
  process.exit(0);
});
