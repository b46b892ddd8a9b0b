// One side of the same work over libdatachannel, as the npm package node-datachannel ships it.
// Usage: node throughput_node.mjs send|receive MESSAGE_BYTES SECONDS, signaling in JSON lines over
// standard input and output; the result is the last line.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(new URL('../interop/', import.meta.url));
const { default: library } = await import(require.resolve('node-datachannel'));
const [role, size, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const tell = (message) => process.stdout.write(JSON.stringify(message) + '\n');
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const peer = new library.PeerConnection(role, { iceServers: [], maxMessageSize: 262144 });
peer.onLocalDescription((sdp, type) => tell({ sdp, type }));
peer.onLocalCandidate((candidate, mid) => tell({ candidate, mid }));
createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line);
  if (message.sdp) peer.setRemoteDescription(message.sdp, message.type);
  else peer.addRemoteCandidate(message.candidate, message.mid);
});

function finish(result) {
  tell({ result });
  peer.close();
  library.cleanup();
  process.exit(0);
}

function send(channel) {
  const payload = Buffer.alloc(size, 0x5a);
  const before = cpu();
  const start = performance.now();
  let bytes = 0;
  const fill = () => {
    while (performance.now() - start < seconds * 1000) {
      channel.sendMessageBinary(payload);
      bytes += size;
      if (channel.bufferedAmount() > 1048576) return;
    }
    channel.onBufferedAmountLow(() => {});
    channel.sendMessage('end');
  };
  channel.setBufferedAmountLowThreshold(524288);
  channel.onBufferedAmountLow(fill);
  channel.onMessage(() => finish({ bytes, cpu: cpu() - before }));
  fill();
}

function receive(channel) {
  const before = cpu();
  let bytes = 0;
  let first;
  let last;
  channel.onMessage((message) => {
    if (typeof message === 'string') {
      channel.sendMessage('bye');
      const result = { bytes, cpu: cpu() - before, seconds: (last - first) / 1000 };
      setTimeout(() => finish(result), 300); // lets the farewell leave
      return;
    }
    last = performance.now();
    first ??= last;
    bytes += message.length;
  });
}

if (role === 'send') {
  const channel = peer.createDataChannel('bench');
  channel.onOpen(() => send(channel));
} else {
  peer.onDataChannel(receive);
}
