#!/usr/bin/env python3
"""The tutorial's second step, as a reader runs it: two programs that meet over the signaling server.

    examples_test.py OVER_SIGNALING SIGNALING_SERVER
"""
import subprocess
import sys
import unittest

SERVER = sys.argv.pop()
OVER_SIGNALING = sys.argv.pop()
PATIENCE = 60


class OverSignaling(unittest.TestCase):
    def test_two_greet_each_other(self):
        server = subprocess.Popen([SERVER, "--listen", "127.0.0.1:0"], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        url = server.stdout.readline().split()[-1]
        guests = {name: subprocess.Popen([OVER_SIGNALING, url, "tea", name], text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                  for name in ("alice", "bob")}
        for name, other in (("alice", "bob"), ("bob", "alice")):
            self.addCleanup(guests[name].kill)
            out, errors = guests[name].communicate(timeout=PATIENCE)
            self.assertEqual((guests[name].returncode, errors), (0, ""))
            self.assertIn(f"hello from {other}\n", out)


unittest.main(verbosity=2)
