#!/usr/bin/env python3
"""`peer_cli doctor` in a network of its own, which has nothing but a loopback interface, with coturn on
two of its addresses.

    doctor_test.py PEER_CLI SIGNALING_SERVER [unittest arguments]
"""
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from own_network import IN_OWN_NETWORK, run_in_own_network

SKIPPED = 77
PATIENCE = 60
STUN_PORT, TLS_PORT = 3478, 5349
USER, PASSWORD = "user", "secret"
if len(sys.argv) < 3:
    sys.exit(__doc__)
PEER_CLI, SERVER = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))
TURNSERVER = shutil.which("turnserver")


def listens(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        return sock.connect_ex((address, port)) == 0


def await_port(address, port, log):
    """Tries again with each line that the server logs."""
    deadline = time.monotonic() + PATIENCE
    with subprocess.Popen(["tail", "-n", "+1", "-F", log], stdout=subprocess.PIPE) as tail:
        while not listens(address, port):
            left = max(0, deadline - time.monotonic())
            if not select.select([tail.stdout], [], [], left)[0]:
                tail.kill()
                raise TimeoutError(f"nothing listens on {address} port {port}")
            os.read(tail.stdout.fileno(), 65536)
        tail.kill()


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Case(unittest.TestCase):
    def doctor(self, expected, *arguments):
        """The report, after the exit status was compared."""
        done = subprocess.run([PEER_CLI, "doctor", *arguments], capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (expected, ""), done.stdout)
        self.assertEqual(done.stdout.count("Verdict: "), 1, done.stdout)
        return done.stdout

    def line(self, text, pattern):
        """The one line of the report in which the pattern is found."""
        found = [line for line in text.splitlines() if re.search(pattern, line)]
        self.assertEqual(len(found), 1, f"{pattern!r} in\n{text}")
        return found[0]


class Alone(Case):
    """Without coturn."""

    def test_no_server(self):
        text = self.doctor(1)
        self.line(text, r"^  lo 127\.0\.0\.1 \(this machine alone\)$")
        self.line(text, r"^  host 127\.0\.0\.1 port \d+ \(udp\)$")
        self.line(text, r"met in .* ms: direct udp, host .*, \d+\.\d ms\)$")
        self.line(text, r"^    local +remote +state ")
        self.line(text, r"in use .* ms ago$")
        self.line(text, "^Verdict: only peers on this machine")

    def test_stun_servers_that_are_none(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            text = self.doctor(1, "--stun", f"stun:127.0.0.1:{silent.getsockname()[1]}")
        self.line(text, r"stun:127.* over udp, IPv4: no answer$")
        self.line(text, r"stun:127.* over tcp, IPv4: Connection refused$")
        text = self.doctor(1, "--stun", f"stun:127.0.0.1:{free_port(socket.SOCK_DGRAM)}")
        self.line(text, r"over udp, IPv4: nothing listens there")
        text = self.doctor(1, "--stun", "stun:name.invalid")
        self.line(text, r"stun:name\.invalid: name\.invalid: ")

    def test_turn_servers_that_are_none(self):
        port = free_port(socket.SOCK_STREAM)
        text = self.doctor(1, "--turn", f"turn:127.0.0.1:{port}?transport=tcp", "--turn",
                           f"turns:127.0.0.1:{port}", "--turn-user", "u", "--turn-pass", "p")
        self.assertEqual(text.count("Connection refused"), 2, text)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            text = self.doctor(1, "--turn-user", "u", "--turn-pass", "p", "--turn",
                               f"turn:127.0.0.1:{silent.getsockname()[1]}?transport=udp")
        self.line(text, r"over udp, IPv4: no answer$")
        text = self.doctor(1, "--turn-user", "u", "--turn-pass", "p", "--turn",
                           "TURNS:127.0.0.1?transport=udp")
        self.line(text, r"over dtls, IPv4: TURN over DTLS is not supported$")

    def test_signaling(self):
        url = f"ws://127.0.0.1:{free_port(socket.SOCK_STREAM)}/"
        text = self.doctor(1, "--server", url)
        self.line(text, f"^Signaling: {url}: Connection refused$")
        self.line(text, "^Verdict: no peer can be met")
        closed = f"stun:127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
        server = subprocess.Popen([SERVER, "--listen", "127.0.0.1:0", "--stun", closed],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            port = re.search(rb":(\d+)/$", server.stdout.readline().strip())[1].decode()
            text = self.doctor(1, "--server", f"ws://127.0.0.1:{port}/")
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE)
            server.stdout.close()
        self.line(text, r"^Signaling: ws://.*: a room was entered in \d+\.\d ms$")
        self.line(text, f"{closed} over udp")  # what the room recommends is tried

    def test_usage(self):
        for wrong in (["--frobnicate"], ["--stun", "nonsense"], ["--stun", "turn:localhost"],
                      ["--turn", "turn:localhost"], ["--turn-user", "u"], ["room"],
                      ["--server", "http://localhost/"], ["--turn-ca", "/dev/null"]):
            done = subprocess.run([PEER_CLI, "doctor", *wrong], capture_output=True, text=True,
                                  timeout=PATIENCE)
            self.assertEqual((done.returncode, done.stdout), (2, ""), wrong)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        done = subprocess.run([PEER_CLI, "doctor", "--help"], capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("Exit status", done.stdout)

    def test_a_report_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PEER_CLI, "doctor"], stdout=full, stderr=subprocess.PIPE,
                                  timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)


@unittest.skipUnless(TURNSERVER, "turnserver (coturn) is not installed")
class WithServer(Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        cls.trusted = str(folder / "server.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem",
                        "-out", cls.trusted], check=True, capture_output=True)
        with open(folder / "log", "wb") as log:
            cls.server = subprocess.Popen(
                [TURNSERVER, "-n", "-L", "127.0.0.1", "-L", "127.0.0.2", "-L", "::1",
                 "-E", "127.0.0.1", "--lt-cred-mech", "-u", f"{USER}:{PASSWORD}", "-r", "test",
                 "--allow-loopback-peers", "--cert", cls.trusted, "--pkey", folder / "key.pem",
                 "--no-cli", "--no-dtls", "--log-file", "stdout", "--pidfile", folder / "pid",
                 "--userdb", folder / "db"], stdout=log, stderr=log, cwd=folder)
        for address in ("127.0.0.1", "127.0.0.2", "::1"):
            await_port(address, STUN_PORT, folder / "log")
            await_port(address, TLS_PORT, folder / "log")

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait(timeout=PATIENCE)
        cls.folder.cleanup()

    @staticmethod
    def turn(*urls, password=PASSWORD):
        named = [word for url in urls for word in ("--turn", url)]
        return [*named, "--turn-user", USER, "--turn-pass", password]

    def test_stun_over_each_transport_and_family(self):
        text = self.doctor(1, "--stun", "stun:127.0.0.1", "--stun", "stun:[::1]", "--stun",
                           "stuns:127.0.0.1", "--turn-ca", self.trusted)
        self.line(text, r"stun:127.* over udp, IPv4: answered in \d+\.\d ms, sees us as 127\.0\.0\.1:")
        self.line(text, r"stun:127.* over tcp, IPv4: answered in ")
        self.line(text, r"stun:\[::1\] over udp, IPv6: answered in \d+\.\d ms, sees us as \[::1\]:")
        self.line(text, r"stun:\[::1\] over tcp, IPv6: answered in ")
        self.line(text, r"stuns:127.* over tls, IPv4: answered in ")
        self.line(text, "no NAT; mapping: endpoint-independent; filtering: endpoint-independent$")
        self.line(text, "cannot be told: the server has no second address")  # of IPv6
        # A server that sees a loopback address is on this machine, and says nothing of elsewhere.
        self.line(text, "^Verdict: only peers on this machine")

    def test_turn_over_each_transport(self):
        # Who is lent a loopback address is reached by this machine alone.
        text = self.doctor(1, *self.turn("turn:127.0.0.1", "turns:127.0.0.1"), "--turn-ca",
                           self.trusted)
        works = r"works, relay 127\.0\.0\.1 port \d+ \(udp\), which is not public, in \d+\.\d ms$"
        self.line(text, r"turn:127.* over udp, IPv4: " + works)
        self.line(text, r"turn:127.* over tcp, IPv4: " + works)
        self.line(text, r"turns:127.* over tls, IPv4: " + works)
        self.line(text, r"met in .* ms: relayed via 127\.0\.0\.1 port \d+, ")
        self.line(text, "^Verdict: only peers on this machine")

    def test_wrong_password(self):
        text = self.doctor(1, *self.turn("turn:127.0.0.1", "turns:127.0.0.1", password="guessed"),
                           "--turn-ca", self.trusted)
        for transport in ("udp", "tcp", "tls"):
            self.line(text, rf"over {transport}, IPv4: .*refused the credentials \(401")

    def test_certificates_that_do_not_fit(self):
        text = self.doctor(1, *self.turn("turns:127.0.0.1"), "--stun", "stuns:127.0.0.1")
        for kind in ("stuns", "turns"):
            self.line(text, rf"{kind}:127.* over tls, IPv4: .*the certificate is refused: self.signed")
        text = self.doctor(1, *self.turn("turns:127.0.0.2"), "--turn-ca", self.trusted)
        self.line(text, "over tls, IPv4: .*the certificate is refused: it is not for 127.0.0.2$")


if __name__ == "__main__":
    if IN_OWN_NETWORK in os.environ:
        unittest.main(verbosity=2)
    status = run_in_own_network([sys.executable, os.path.abspath(__file__), PEER_CLI, SERVER,
                                 *sys.argv[1:]])
    if status is None:
        print("SKIPPED: no network namespace here")
    sys.exit(SKIPPED if status is None else status)
