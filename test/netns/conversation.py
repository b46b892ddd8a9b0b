"""Two chats that each say a numbered line many times a second, and what they hear of each other."""
import concurrent.futures
import selectors
import time

INTERVAL = 0.05
JOINING = LEAVING = 15
CONNECTING = 30


class Broken(Exception):
    """What went wrong, with all that the chats told."""


class Conversation:
    """The first peer is there when the second comes; `start` makes one. They are connected then,
    unless somebody sees to that later."""

    def __init__(self, machine, start_first, start_second, connected=True):
        self.machine = machine
        self.selector = selectors.DefaultSelector()
        self.peers = []
        self.said = 0  # by each of them
        self.next_line = float("inf")
        self._start(start_first)
        self.need(lambda: any("joined" in line for line in self.peers[0].told), JOINING,
                  "the first joins")
        self._start(start_second)
        if connected:
            self.await_chat()

    def await_chat(self):
        self.need(lambda: any("chat is open" in line for line in self.peers[0].told), CONNECTING,
                  "a connection")
        self.next_line = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for peer in self.peers:
            self.machine.end(peer.process)
        self.selector.close()

    def _start(self, start):
        peer = start()
        self.peers.append(peer)
        for stream, lines in peer.streams():
            self.selector.register(stream, selectors.EVENT_READ, (peer, lines))

    def fail(self, why):
        raise Broken(why + "\n" + "".join(peer.log() for peer in self.peers))

    def until(self, condition, seconds):
        """Lets them talk until the condition holds; whether it does."""
        deadline = time.monotonic() + seconds
        while not condition():
            now = time.monotonic()
            if now >= deadline or not self.selector.get_map():
                return False
            if now >= self.next_line:
                for peer in self.peers:
                    peer.says(f"line {self.said}")
                self.said += 1
                self.next_line = now + INTERVAL
            for key, _ in self.selector.select(max(0, min(deadline, self.next_line) - now)):
                peer, lines = key.data
                if not peer.take(key.fileobj, lines):
                    self.selector.unregister(key.fileobj)
        return True

    def talk_on(self, seconds):
        self.until(lambda: False, seconds)

    def need(self, condition, seconds, what):
        if not self.until(condition, seconds):
            self.fail(f"not within {seconds} s: {what}")

    def flows(self):
        """Makes the condition that both have heard a line that was said after now."""
        mark = self.said
        return lambda: all(len(peer.heard) > mark for peer in self.peers)

    def recovery(self, seconds, what):
        """How long it takes from now until both hear what is said from now on."""
        started = time.monotonic()
        self.need(self.flows(), seconds, "no line came after " + what)
        return time.monotonic() - started

    def need_always_connected(self):
        for peer in self.peers:
            other = next(each.name for each in self.peers if each is not peer)
            if any(line.startswith((f"* {other}: disconnected", f"* {other}: failed"))
                   for line in peer.told):
                self.fail(f"{peer.name} was not always connected")

    def finish(self):
        """Each hears every line of the other, once and in order; then both leave."""
        self.next_line = float("inf")
        self.until(lambda: all(len(peer.heard) >= self.said for peer in self.peers), LEAVING)
        for peer, other in (self.peers, self.peers[::-1]):
            expected = [f"{other.name}: line {number}" for number in range(self.said)]
            if peer.heard != expected:
                self.fail(f"{peer.name} heard {len(peer.heard)} lines of {self.said}, or others")
        for peer in self.peers:
            peer.leaves()
        self.need(lambda: not self.selector.get_map(), LEAVING, "the chats end")
        status = [peer.status() for peer in self.peers]
        if status != [0, 0]:
            self.fail(f"status {status}")


class Meeting:
    """Conversations that go on at once, by whatever tells one from the other. `starts` has the two
    functions for each that start its peers."""

    def __init__(self, machine, starts, connected=True):
        self.starts = starts
        self.talks = {}
        # Processes end with the thread that started them, so these stay.
        self.pool = concurrent.futures.ThreadPoolExecutor(len(starts))

        def begin(key, _):
            self.talks[key] = Conversation(machine, *starts[key], connected)
        self.each(begin)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for talk in self.talks.values():
            for peer in talk.peers:
                peer.process.kill()  # so that nobody waits for what it would say
        self.pool.shutdown()
        for talk in self.talks.values():
            talk.__exit__()

    def each(self, action):
        """What the action gives for each. All are awaited, also where one fails."""
        doing = {key: self.pool.submit(action, key, self.talks.get(key)) for key in self.starts}
        concurrent.futures.wait(doing.values())
        return {key: each.result() for key, each in doing.items()}
