#!/usr/bin/env python3
"""The examples that are several programs, as a reader runs them, over a real signaling server.

    examples_test.py OVER_SIGNALING CHAT ECHO_SERVER FILE_SENDER ROOM_MESH
                     SIGNALING_SERVER
"""
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

SERVER = sys.argv.pop()
ROOM_MESH = sys.argv.pop()
FILE_SENDER = sys.argv.pop()
ECHO_SERVER = sys.argv.pop()
CHAT = sys.argv.pop()
OVER_SIGNALING = sys.argv.pop()
PATIENCE = 60


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


class Examples(unittest.TestCase):
    def setUp(self):
        server = self.start(SERVER, "--listen", "127.0.0.1:0")
        self.addCleanup(server.terminate)
        self.url = server.stdout.readline().split()[-1]

    def start(self, *command):
        """A process that does not outlive the test, nor the patience."""
        process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        limit = threading.Timer(PATIENCE, process.kill)
        limit.start()
        for end in (process.stdin.close, process.stdout.close, process.stderr.close, process.wait,
                    process.kill, limit.cancel):
            self.addCleanup(end)
        return process

    def finish(self, process):
        """Closes its standard input, expects a good end and gives the rest of its output."""
        out, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, errors)
        return out, errors

    def test_over_signaling_two_greet_each_other(self):
        guests = {name: self.start(OVER_SIGNALING, self.url, "tea", name)
                  for name in ("alice", "bob")}
        for name, other in (("alice", "bob"), ("bob", "alice")):
            out, errors = self.finish(guests[name])
            self.assertEqual(errors, "")
            self.assertIn(f"hello from {other}\n", out)

    def test_chat_takes_lines_to_everybody(self):
        alice, bob, carol = (self.start(CHAT, self.url, "tea", name)
                             for name in ("alice", "bob", "carol"))
        here = {"* alice is here\n", "* bob is here\n", "* carol is here\n"}
        for guest, own in ((alice, "alice"), (bob, "bob"), (carol, "carol")):
            seen = {guest.stdout.readline(), guest.stdout.readline()}
            self.assertEqual(seen, here - {f"* {own} is here\n"})
        alice.stdin.write("good evening\nand \x1b[2Jhello\n")
        alice.stdin.flush()
        for guest in (bob, carol):
            self.assertEqual(guest.stdout.readline(), "alice: good evening\n")
            self.assertEqual(guest.stdout.readline(), "alice: and ?[2Jhello\n")
        bob.stdin.write("last words\n")
        self.finish(bob)
        for guest in (alice, carol):
            self.assertEqual(guest.stdout.readline(), "bob: last words\n")
            self.assertEqual(guest.stdout.readline(), "* bob has left\n")
        self.finish(alice)
        self.assertEqual(carol.stdout.readline(), "* alice has left\n")
        self.finish(carol)

    def leave(self, process):
        process.send_signal(signal.SIGINT)
        return self.finish(process)[0]

    def test_room_mesh_greets_who_comes(self):
        ids, guests = {}, {}
        for name in ("alice", "bob", "carol"):
            guests[name] = self.start(ROOM_MESH, self.url, "tea", name)
            joined = re.fullmatch(r"\* connection-succeeded (\d+)\n", guests[name].stdout.readline())
            ids[name] = joined[1]
        for name, guest in guests.items():
            others = [other for other in guests if other != name]
            expected = {line for other in others for line in
                        (f"* peer-connected {ids[other]}\n", f"{ids[other]}: hello from {other}\n")}
            self.assertEqual({guest.stdout.readline() for _ in range(4)}, expected)
        self.leave(guests["bob"])
        for name in ("alice", "carol"):
            self.assertEqual(guests[name].stdout.readline(), f"* peer-disconnected {ids['bob']}\n")
        self.leave(guests["alice"])
        self.leave(guests["carol"])

    def test_echo_server_forgets_a_visitor_that_vanishes(self):
        server = self.start(ECHO_SERVER, "127.0.0.1", "0")
        url = server.stdout.readline().split()[-1]
        visitor = self.start(OVER_SIGNALING, url, "echo", "ann")
        # The echo of its greeting is all it wants, and it says goodbye.
        self.assertIn("hello from ann\n", self.finish(visitor)[0])
        self.assertEqual(server.stdout.readline(), "ann opened chat\n")
        self.assertEqual(server.stdout.readline(), "ann is gone\n")
        before = descriptors(server)
        endless = self.start(FILE_SENDER, url, "echo", "send", "/dev/zero")
        self.assertEqual(server.stdout.readline(), "sender opened file\n")
        endless.kill()
        self.assertGreater(descriptors(server), before)
        # Its consent has to expire, which takes 30 s (RFC 7675 5.1).
        self.assertEqual(server.stdout.readline(), "sender is gone\n")
        self.assertLessEqual(descriptors(server), before)

    def bring(self, folder, content):
        """Sends a file of this content, checks what has come, and gives what the sender printed."""
        original, copy = pathlib.Path(folder, "original"), pathlib.Path(folder, "copy")
        original.write_bytes(content)
        receiver = self.start(FILE_SENDER, self.url, "files", "receive", copy)
        sender = self.start(FILE_SENDER, self.url, "files", "send", original)
        sent, progress = self.finish(sender)
        received, _ = self.finish(receiver)
        self.assertTrue(copy.read_bytes() == content)
        self.assertRegex(sent, rf"^sent {len(content)} bytes, [0-9a-f]+\n$")
        self.assertEqual(received, sent.replace("sent", "received"))
        return progress

    def test_file_sender_brings_the_same_bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            progress = self.bring(folder, random.Random(1).randbytes(10_000_000))
            self.assertRegex(progress, r"^(\d+ bytes arrived\n){2}$")

    def test_file_sender_brings_an_empty_file(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(self.bring(folder, b""), "")


unittest.main(verbosity=2)
