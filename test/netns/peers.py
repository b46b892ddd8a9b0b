"""Two `peer_cli chat` at two sites: whether they hear each other, and over which pair."""
import dataclasses
import itertools
import os
import re
import selectors
import subprocess
import time

from kinds import SIGNALING_PORT, STUN_PORT, TLS_PORT
from rows import DIRECT, FAILED, RELAY_FLAG, RELAYED, TCP
from servers import PASSWORD, USER
from world import SERVERS

SETTLING = 10  # seconds in which a better pair may still take over
LEAVING = 10  # seconds for the end of a chat that has nothing more to say
SILENT = "silent"  # neither connected nor failed
BROKEN = "broken"  # it did not come to a meeting, or ended otherwise than a chat should
ROOMS = itertools.count()


@dataclasses.dataclass
class Outcome:
    route: str
    seconds: float  # from the second peer's start to both having heard a line
    why: str = ""
    pairs: str = ""
    log: str = ""


def route_of(line):
    """How the pair in a line of peer_cli carries data; None where it names no pair."""
    match = re.match(r"\* .*?: (connected via|direct|relayed|tcp),? (.*)", line)
    if not match:
        return None
    # A relay may be met before its candidate was told, as a peer-reflexive one.
    relay = any(f" {address}:" in match[2] or f"[{address}]" in match[2]
                for both in SERVERS.values() for address in both)
    if match[1] == RELAYED or relay or re.search(r"\brelay(ed)?\b", match[2]):
        return RELAYED
    return TCP if match[1] == TCP or re.search(r"\btcp\b", match[2]) else DIRECT


class Program:
    """peer_cli, and which flags the one at hand has."""

    def __init__(self, path, with_relay):
        self.path = os.path.abspath(path)
        self.help = subprocess.run([self.path, "chat", "--help"], capture_output=True, text=True,
                                   check=True).stdout
        self.with_relay = with_relay and self.has(RELAY_FLAG)

    def has(self, flag):
        return re.search(rf"^\s*(-\w,)?{flag}\b", self.help, re.MULTILINE) is not None

    def flags(self, world, family):
        plain = SERVERS[family][0]
        host = f"[{plain}]" if family == 6 else plain
        flags = ["--server", f"ws://{host}:{SIGNALING_PORT}/", "--stun", f"stun:{host}:{STUN_PORT}"]
        if self.with_relay:
            for url in (f"turn:{host}:{STUN_PORT}", f"turn:{host}:{STUN_PORT}?transport=tcp",
                        f"turns:{host}:{TLS_PORT}?transport=tcp"):
                flags += ["--turn", url]
            flags += ["--turn-user", USER, "--turn-pass", PASSWORD]
        if self.has("--turn-ca"):
            flags += ["--turn-ca", str(world.certificate)]
        return flags


class Peer:
    """A chat that runs in a namespace."""

    def __init__(self, machine, name, namespace, *command, **options):
        self.name = name
        self.process = machine.start(
            namespace, *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, **options)
        self.heard, self.told = [], []
        self.rests = {}

    def streams(self):
        return ((self.process.stdout, self.heard), (self.process.stderr, self.told))

    @property
    def failed(self):
        return any(re.search(r": failed\b", line) for line in self.told)

    def says(self, line):
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, and what it told says why

    def leaves(self):
        self.process.stdin.close()

    def status(self):
        try:
            return self.process.wait(timeout=LEAVING)
        except subprocess.TimeoutExpired:
            return None

    def take(self, stream, lines):
        """Takes what there is to read; whether there may be more."""
        chunk = os.read(stream.fileno(), 65536)
        text = self.rests.pop(stream, b"") + chunk
        *whole, rest = text.split(b"\n")
        self.rests[stream] = rest
        lines.extend(line.decode(errors="replace") for line in whole)
        return bool(chunk)

    @property
    def route(self):
        routes = [route for line in self.told if (route := route_of(line))]
        return routes[-1] if routes else None

    def log(self):
        return "".join(f"{self.name} | {line}\n" for line in self.told + self.heard)


class Talk:
    """A row of the matrix: the first peer waits in the room, the second comes and offers."""

    def __init__(self, world, program, sites, patience, flags=()):
        self.world, self.program, self.sites = world, program, sites
        self.patience, self.flags = patience, list(flags)
        self.room = f"row-{next(ROOMS)}"
        self.selector = selectors.DefaultSelector()
        self.peers = []

    def _start(self, site):
        environment = {**os.environ, "SSL_CERT_FILE": str(self.world.certificate)}
        peer = Peer(self.world.machine, site.name, site.host, self.program.path, "chat", self.room,
                    "--name", site.name, *self.program.flags(self.world, site.kind.family),
                    *self.flags, env=environment)
        self.peers.append(peer)
        for stream, lines in peer.streams():
            self.selector.register(stream, selectors.EVENT_READ, (peer, lines))
        return peer

    def _until(self, condition, seconds):
        """Reads what the peers say until the condition holds; whether it does."""
        deadline = time.monotonic() + seconds
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0 or not self.selector.get_map():
                return condition()
            for key, _ in self.selector.select(left):
                peer, lines = key.data
                if not peer.take(key.fileobj, lines):
                    self.selector.unregister(key.fileobj)
        return True

    def run(self, expected):
        try:
            return self._run(expected)
        finally:
            for peer in self.peers:
                self.world.machine.end(peer.process)
            self.selector.close()

    def _run(self, expected):
        first = self._start(self.sites[0])
        if not self._until(lambda: any("joined" in line for line in first.told), 10):
            return self._ended(BROKEN, 0, "the first did not join")
        started = time.monotonic()
        second = self._start(self.sites[1])
        for peer in self.peers:
            peer.says(f"hello from {peer.name}")
        met = self._until(lambda: all(peer.heard or peer.failed for peer in self.peers),
                          self.patience)
        seconds = time.monotonic() - started
        if any(peer.failed for peer in self.peers):
            return self._ended(FAILED, seconds, "as both say" if met else "as one says")
        if not met:
            return self._ended(SILENT, seconds, "they did not hear each other")
        if not self._until(lambda: all(peer.route == expected for peer in self.peers), SETTLING):
            routes = {peer.route for peer in self.peers}
            return self._ended("/".join(sorted(map(str, routes))), seconds, "another route")
        for peer in self.peers:
            peer.leaves()
        self._until(lambda: not self.selector.get_map(), LEAVING)
        wrong = [peer for peer in self.peers if peer.heard != [
            f"{other.name}: hello from {other.name}" for other in self.peers if other is not peer]]
        status = [peer.status() for peer in self.peers]
        if wrong or status != [0, 0]:
            return self._ended(BROKEN, seconds, f"status {status}, or other lines were heard")
        return self._ended(expected, seconds)

    def _ended(self, route, seconds, why=""):
        pairs = [next((line for line in reversed(peer.told) if route_of(line)), "no pair")
                 for peer in self.peers]
        return Outcome(route, seconds, why, "; ".join(pairs),
                       "".join(peer.log() for peer in self.peers))
