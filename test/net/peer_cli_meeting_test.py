#!/usr/bin/env python3
"""Who is in the room hears what is said there, whoever comes, goes or falls silent meanwhile."""

import os
import signal
import unittest

from peer_cli_support import Case, IN_OWN_NETWORK, PATIENCE, ServedCase, main


class Together:
    """Over a server and without."""

    def test_three_pipes_that_start_together_hear_all_of_each_other(self):
        names = ("first", "second", "third")
        for _ in range(8):
            peers = [self.peer(name) for name in names]
            for peer in peers:
                peer.says(peer.name + " one", peer.name + " two")
                peer.process.stdin.close()
            for peer in peers:
                heard = peer.out.rest()
                for other in names:
                    said = [line for line in heard if line.startswith(other + ": ")]
                    expected = [f"{other}: {other} one", f"{other}: {other} two"]
                    self.assertEqual(said, expected if other != peer.name else [], peer.err.seen)
                self.assertEqual(peer.ends(), 0)


class OverServer(Together, ServedCase):
    def test_a_line_that_is_said_while_somebody_comes_reaches_them(self):
        speaker = self.peer("speaker").joined()
        listener = self.peer("listener").meets("speaker")
        speaker.meets("listener")
        for number in range(5):
            newcomer = self.peer(f"newcomer-{number}")
            speaker.err.until(f"newcomer-{number}: connecting")
            speaker.says(f"hello {number}")
            listener.hears(f"speaker: hello {number}")
            newcomer.out.until(f"^speaker: hello {number}$")
            self.assertEqual(newcomer.ends(), 0)
        self.assertEqual((speaker.ends(), listener.ends()), (0, 0))

    def test_two_whose_connection_failed_meet_again(self):
        first, second = self.peer("first").joined(), self.peer("second")
        first.meets("second")
        second.meets("first")
        second.process.send_signal(signal.SIGSTOP)
        first.err.until("^\\* second: failed ", patience=PATIENCE + 30)
        first.says("while nobody listens")
        second.process.send_signal(signal.SIGCONT)
        first.meets("second")
        second.meets("first")
        first.says("again")
        second.hears("first: while nobody listens", "first: again")
        second.says("once more")
        first.hears("second: once more")
        self.assertEqual((first.ends(), second.ends()), (0, 0))

    def test_the_wait_begins_anew_when_nobody_is_left(self):
        speaker = self.peer("speaker", "--wait", "2").joined()
        self.assertEqual(self.pipe(b"hello\n")[0], 0)
        speaker.err.until("pipe: closed")
        speaker.says("too late")
        self.assertEqual(speaker.process.wait(timeout=PATIENCE), 4)
        self.assertIn("nobody came", speaker.err.rest()[-1])

    def test_the_end_that_waits_for_somebody_says_so(self):
        speaker, silent = self.peer("speaker").joined(), self.peer("silent")
        speaker.meets("silent")
        silent.process.send_signal(signal.SIGSTOP)
        speaker.says("into the void")
        speaker.process.stdin.close()
        speaker.err.until("waiting for silent to take what was said")
        speaker.process.send_signal(signal.SIGTERM)
        self.assertEqual(speaker.process.wait(timeout=15), 0)


@unittest.skipUnless(IN_OWN_NETWORK in os.environ, "needs a network of its own")
class OnThisMachine(Together, Case):
    pass


if __name__ == "__main__":
    main()
