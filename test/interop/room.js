// A browser's side of asiortc.v1: joins a room, connects to whoever is there, or to its host alone,
// by perfect negotiation.
export class Room {
  constructor({ hostOnly = false, configuration } = {}) {
    this.hostOnly = hostOnly;
    this.configuration = configuration; // of each RTCPeerConnection
    this.peers = new Map();
    this.waiting = [];
  }

  // Resolves with the ids of those who were there before.
  join(url, room, name) {
    this.socket = new WebSocket(url, 'asiortc.v1');
    return new Promise((resolve, reject) => {
      this.socket.onerror = () => reject(new Error('no signaling server at ' + url));
      this.socket.onopen = () => this.tell({ type: 'join', room, name });
      this.socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === 'joined') {
          const wanted = ({ id }) => !this.hostOnly || id === message.host;
          for (const peer of message.peers.filter(wanted)) this.meet(peer, true);
          resolve(message.peers.map((peer) => peer.id));
        } else if (message.type === 'peer-joined' && !this.hostOnly) {
          this.meet(message, false);
        } else if (message.type === 'signal') {
          this.peers.get(message.from).onSignal(message.data);
        } else if (message.type === 'error') {
          reject(new Error(message.code + ': ' + message.message));
        }
      };
    });
  }

  leave() {
    for (const peer of this.peers.values()) peer.pc.close();
    this.socket.close();
  }

  tell(message) {
    this.socket.send(JSON.stringify(message));
  }

  meet({ id, name }, polite) {
    const send = (data) => this.tell({ type: 'signal', to: id, data });
    const peer = new Peer(name, polite, send, this.configuration);
    this.peers.set(id, peer);
    for (const resolve of this.waiting.splice(0)) resolve(peer);
  }

  // The first peer that is or comes there.
  peer() {
    if (this.peers.size > 0) return Promise.resolve(this.peers.values().next().value);
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

// One connection; the newcomer is polite (webrtc-pc 10.7).
export class Peer {
  constructor(name, polite, send, configuration) {
    this.name = name;
    this.polite = polite;
    this.send = send;
    this.makingOffer = false;
    this.ignoringOffer = false;
    this.channels = [];
    this.channelWaiters = [];
    this.work = Promise.resolve();
    this.pc = new RTCPeerConnection(configuration);
    this.pc.onicecandidate = ({ candidate }) =>
      send({ candidate: candidate === null ? null : candidate.toJSON() });
    this.pc.onnegotiationneeded = () => this.offer();
    this.pc.ondatachannel = ({ channel }) => {
      const waiter = this.channelWaiters.shift();
      if (waiter) waiter(channel);
      else this.channels.push(channel);
    };
  }

  async offer() {
    try {
      this.makingOffer = true;
      await this.pc.setLocalDescription();
      this.send({ description: this.pc.localDescription.toJSON() });
    } finally {
      this.makingOffer = false;
    }
  }

  // One signal at a time, in order.
  onSignal(data) {
    this.work = this.work.then(() => this.apply(data));
    return this.work;
  }

  async apply({ description, candidate }) {
    if (description) {
      const collision =
        description.type === 'offer' && (this.makingOffer || this.pc.signalingState !== 'stable');
      this.ignoringOffer = !this.polite && collision;
      if (this.ignoringOffer) return;
      await this.pc.setRemoteDescription(description);
      if (description.type !== 'offer') return;
      await this.pc.setLocalDescription();
      this.send({ description: this.pc.localDescription.toJSON() });
      return;
    }
    try {
      await this.pc.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      if (!this.ignoringOffer) throw error;
    }
  }

  open(label, options) {
    const channel = this.pc.createDataChannel(label, options);
    channel.binaryType = 'arraybuffer';
    return new Promise((resolve, reject) => {
      channel.onopen = () => resolve(channel);
      channel.onerror = ({ error }) => reject(error);
    });
  }

  incoming() {
    if (this.channels.length > 0) return Promise.resolve(this.channels.shift());
    return new Promise((resolve) => this.channelWaiters.push(resolve));
  }
}

export function received(channel) {
  return new Promise((resolve, reject) => {
    channel.onmessage = ({ data }) => resolve(data);
    channel.onclose = () => reject(new Error('closed before a message came'));
  });
}

export function closed(channel) {
  if (channel.readyState === 'closed') return Promise.resolve();
  return new Promise((resolve) => (channel.onclose = resolve));
}

window.interop = { Room, received, closed };
