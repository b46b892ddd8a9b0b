"""Real peer_cli processes for the tests that let them meet.

Tests that use the default port get a network of their own, with nothing but a loopback interface.
"""

import itertools
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import unittest

from own_network import IN_OWN_NETWORK, run_in_own_network

if len(sys.argv) < 3:
    sys.exit("usage: SCRIPT PEER_CLI SIGNALING_SERVER [unittest arguments]")
PEER_CLI = sys.argv.pop(1)
SERVER = sys.argv.pop(1)
PATIENCE = 30
# Under nohup it would be ignored, which the programs respect.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# It asks the kernel about memory through a pipe, and takes all of it for bad without a descriptor.
UBSAN = "UBSAN_OPTIONS" in os.environ
NEEDS_DESCRIPTORS = "UndefinedBehaviorSanitizer needs descriptors of its own"
LOCAL_PORT = 8765
ROOMS = itertools.count()


def run(*arguments, text=b"", patience=PATIENCE):
    """The status, the lines on standard output and those on standard error."""
    done = subprocess.run([PEER_CLI, *arguments], input=text, capture_output=True, timeout=patience)
    return done.returncode, done.stdout.splitlines(), done.stderr.decode().splitlines()


class Output:
    """The lines of a stream, read as they come."""

    def __init__(self, stream):
        self.lines = queue.Queue()
        self.seen = []
        self.reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self.reader.start()

    def _read(self, stream):
        with stream:
            for line in stream:
                self.lines.put(line.decode().rstrip("\n"))
        self.lines.put(None)

    def next(self, patience=PATIENCE):
        line = self.lines.get(timeout=patience)
        if line is not None:
            self.seen.append(line)
        return line

    def until(self, pattern, patience=PATIENCE):
        """The first line, from here on, in which the pattern is found."""
        while (line := self.next(patience)) is not None:
            if re.search(pattern, line):
                return line
        raise AssertionError(f"no {pattern!r} in {self.seen}")

    def rest(self):
        found = []
        while (line := self.next()) is not None:
            found.append(line)
        return found


class Peer:
    """A chat that runs, with its input held open."""

    def __init__(self, room, name, *flags, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more):
        self.name = name
        self.process = subprocess.Popen(
            [PEER_CLI, "chat", room, "--name", name, *flags],
            stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, **more)
        self.out = Output(self.process.stdout) if self.process.stdout else None
        self.err = Output(self.process.stderr)

    def joined(self):
        self.err.until(r"^\* signaling: joined ")
        return self

    def meets(self, *names):
        """Waits until it can talk with each of them."""
        missing = set(names)
        while missing:
            line = self.err.until(r": chat is open$")
            missing.discard(line[2:].rsplit(":", 1)[0])
        return self

    def says(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines).encode())
        self.process.stdin.flush()

    def hears(self, *lines):
        for line in lines:
            heard = self.out.next()
            assert heard == line, f"{self.name} heard {heard!r} instead of {line!r}"

    def ends(self):
        """The status, after the end of its input."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        return self.process.wait(timeout=PATIENCE)

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def gone(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()
        if self.out:
            self.out.reader.join()
        self.err.reader.join()


class Server:
    def __init__(self):
        self.process = subprocess.Popen([SERVER, "--listen", "127.0.0.1:0"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        line = self.process.stdout.readline().decode()
        self.port = int(re.search(r":(\d+)/$", line).group(1))
        self.url = f"ws://localhost:{self.port}/"

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()


class Case(unittest.TestCase):
    flags = ()

    def setUp(self):
        self.room = f"room-{next(ROOMS)}"

    def peer(self, name, *flags, **more):
        made = Peer(self.room, name, *self.flags, *flags, **more)
        self.addCleanup(made.gone)
        return made

    def unread(self, name, *flags):
        """A chat whose output nobody reads, and where it can be read from."""
        ours, theirs = os.pipe()
        made = self.peer(name, *flags, stdout=theirs)
        self.assertTrue(os.get_blocking(theirs))
        os.close(theirs)
        self.addCleanup(os.close, ours)
        return made.joined(), ours

    def pipe(self, text, *flags):
        """A chat that reads all of the text from a pipe."""
        return run("chat", self.room, "--name", "pipe", *self.flags, *flags, text=text)


class ServedCase(Case):
    """With a server of a known address, on a port of its own."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.flags = ("--server", cls.server.url)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()


def main():
    if IN_OWN_NETWORK in os.environ or len(sys.argv) > 1:
        unittest.main()
    ended = unittest.main(exit=False, verbosity=2)
    own = run_in_own_network([sys.executable, os.path.abspath(sys.argv[0]), PEER_CLI, SERVER, "-v",
                              "OnThisMachine"])
    if own is None:
        print("SKIPPED: no network namespace here, so nothing was tried on the default port")
    failed = not ended.result.wasSuccessful() or own not in (0, None)
    sys.exit(1 if failed else 77 if own is None else 0)
