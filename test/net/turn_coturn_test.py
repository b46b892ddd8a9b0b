#!/usr/bin/env python3
"""The TURN client against coturn on loopback, over UDP and TCP, with nonces that last a second and
allocations that last four, which are given back at the end, and against one that checks credentials by a shared secret.

    turn_coturn_test.py TURN_RELAY
"""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

SKIPPED = 77


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(turnserver, port, folder, checks):
    """Starts the server and waits until it listens."""
    server = subprocess.Popen(
        [turnserver, "-n", "-L", "127.0.0.1", "-E", "127.0.0.1", "-p", str(port),
         *checks, "-r", "example.org",
         "--stale-nonce=1", "--max-allocate-lifetime=4", "--allow-loopback-peers",
         "--no-cli", "--no-tls", "--no-dtls", "--log-file", "stdout", "--verbose",
         "--pidfile", folder / "pid", "--userdb", folder / "db"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    words = ""
    for line in server.stdout:
        words += line
        if "TCP listener opened" in words and "UDP listener opened" in words:
            return server
    sys.exit("turnserver did not start:\n" + words)


def relay(turnserver, checks, credentials):
    """The relaying program's status, and the server's words."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        port = free_port()
        server = start(turnserver, port, folder, checks)
        # Its words are read on, so that it does not stand still at a full pipe.
        with open(folder / "log", "wb") as log:
            reader = subprocess.Popen(["cat"], stdin=server.stdout, stdout=log)
            try:
                status = subprocess.run([sys.argv[1], "127.0.0.1", str(port), *credentials],
                                        timeout=100).returncode
            finally:
                server.terminate()
                server.wait()
                reader.wait()
        words = (folder / "log").read_text("utf-8", "replace")
        if status != 0:
            print(words[-5000:])
        return status, words


def main():
    turnserver = shutil.which("turnserver")
    if turnserver is None:
        print("skipped: turnserver (coturn) is not installed")
        sys.exit(SKIPPED)
    status, words = relay(turnserver, ["--lt-cred-mech", "-u", "user:secret"], ["user", "secret"])
    if status == 0 and "438" not in words and "Stale nonce" not in words:
        print("no nonce turned stale: the test showed nothing about them")
        status = 1
    given_back = words.count("lifetime=0")
    if status == 0 and given_back != 4:
        print(f"{given_back} allocations of 4 were given back\n{words[-5000:]}")
        status = 1
    if status == 0:
        status, _ = relay(turnserver, ["--use-auth-secret", "--static-auth-secret=shared secret"],
                          ["--secret", "shared secret"])
    sys.exit(status)


main()
