"""A member of a room that is no peer_cli, and says what a test wants."""
import base64
import json
import os
import socket

PATIENCE = 60
BROKEN = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=broken\r\n"


class Member:
    """A member of a room, over a WebSocket of its own."""

    def __init__(self, port, room):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: asiortc.v1\r\n\r\n".encode())
        self.reader = self.socket.makefile("rb")
        while self.reader.readline() not in (b"\r\n", b""):
            pass
        self.send(type="join", room=room, name="stranger")
        self.joined = self.receive("joined")

    def send(self, **message):
        text = json.dumps(message).encode()
        size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
        # Masked with zeros, which leaves the text as it is (RFC 6455 5.3).
        self.socket.sendall(b"\x81" + size + bytes(4) + text)

    def receive(self, wanted):
        while True:
            kind, size = self.reader.read(2)
            if size == 126:
                size = int.from_bytes(self.reader.read(2), "big")
            body = self.reader.read(size)
            if kind == 0x81 and json.loads(body)["type"] == wanted:
                return json.loads(body)

    def describe(self, to, kind):
        self.send(type="signal", to=to, data={"description": {"type": kind, "sdp": BROKEN}})

    def close(self):
        self.reader.close()
        self.socket.close()
