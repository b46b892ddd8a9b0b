#!/usr/bin/env python3
"""Starts real peer_cli processes, and lets them talk over real servers and real sockets."""

import os
import pty
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from peer_cli_support import (Case, IN_OWN_NETWORK, LOCAL_PORT, NEEDS_DESCRIPTORS, Output,
                              PATIENCE, PEER_CLI, ServedCase, UBSAN, main, run)
from room_member import Member


class Pipes:
    """Over a server and without."""

    def test_piped_lines_arrive_each_time(self):
        for _ in range(25):
            listener = self.peer("listener").joined()
            status, _, errors = self.pipe(b"one\ntwo\n")
            self.assertEqual(status, 0, errors)
            listener.hears("pipe: one", "pipe: two")
            self.assertEqual(listener.ends(), 0)
            self.assertEqual(listener.out.rest(), [])


class OverServer(Pipes, ServedCase):
    """Everything that needs a server."""

    def test_lines_wait_for_who_comes_first(self):
        early = self.peer("early").joined()
        early.says("first", "second")
        early.process.stdin.close()
        listener = self.peer("listener")
        listener.hears("early: first", "early: second")
        self.assertEqual(early.ends(), 0)
        self.assertEqual(listener.ends(), 0)

    def test_two_pipes_hear_each_other(self):
        for _ in range(5):
            first, second = self.peer("first"), self.peer("second")
            first.says("from the first")
            second.says("from the second")
            first.process.stdin.close()
            second.process.stdin.close()
            first.hears("second: from the second")
            second.hears("first: from the first")
            self.assertEqual((first.ends(), second.ends()), (0, 0))

    def test_both_talk(self):
        first, second = self.peer("first").joined(), self.peer("second")
        first.meets("second")
        second.meets("first")
        first.says("hello", "", "tab\there")
        second.hears("first: hello", "first: ", "first: tab\there")
        second.says("grüße 👋")
        first.hears("second: grüße 👋")
        for peer in (first, second):
            self.assertTrue(any(re.search(r"direct udp, host .*, \d+\.\d ms\)$", line)
                                for line in peer.err.seen), peer.err.seen)
        self.assertEqual((first.ends(), second.ends()), (0, 0))

    def test_everyone_in_the_room_hears_all_of_a_pipe(self):
        listeners = [self.peer(f"listener-{number}").joined() for number in range(3)]
        status, _, errors = self.pipe(b"one\ntwo\n")
        self.assertEqual(status, 0, errors)
        for listener in listeners:
            listener.hears("pipe: one", "pipe: two")
            self.assertEqual(listener.ends(), 0)
            self.assertEqual(listener.out.rest(), [])

    def test_a_long_input_arrives_complete_and_in_order(self):
        listener = self.peer("listener").joined()
        count = 20000
        lines = [f"line {number} {'x' * (number % 200)}" for number in range(count)]
        status, _, errors = self.pipe("".join(line + "\n" for line in lines).encode())
        self.assertEqual(status, 0, errors)
        self.assertEqual(listener.ends(), 0)
        self.assertEqual(listener.out.rest(), ["pipe: " + line for line in lines])

    def test_the_last_line_may_lack_its_end(self):
        listener = self.peer("listener").joined()
        self.assertEqual(self.pipe(b"one\nlast")[0], 0)
        listener.hears("pipe: one", "pipe: last")

    def test_lines_up_to_256_kib(self):
        listener = self.peer("listener").joined()
        status, _, errors = self.pipe(b"a" * 262144 + b"\n" + b"b" * 262145 + b"\nafter\n")
        listener.hears("pipe: " + "a" * 262144, "pipe: after")
        self.assertEqual(status, 1)
        self.assertTrue(any("262145 bytes was not sent" in line for line in errors), errors)

    def test_what_is_not_utf8_is_replaced_before_it_is_sent(self):
        listener = self.peer("listener").joined()
        self.assertEqual(self.pipe(b"a\xff\xc0\x80b\n")[0], 0)
        listener.hears("pipe: a\ufffd\ufffd\ufffdb")

    def test_controls_of_others_are_harmless(self):
        listener = self.peer("listener").joined()
        self.assertEqual(self.pipe("\x1b[2J\a\u202eevil\u2066\u0085\x7f\n".encode())[0], 0)
        listener.hears("pipe: ␛[2J␇\ufffdevil\ufffd\ufffd␡")

    def test_inputs_of_every_kind(self):
        listener = self.peer("listener").joined()
        with tempfile.TemporaryFile() as file:
            file.write(b"skipped\nfrom a file\n")
            file.flush()
            os.lseek(file.fileno(), len(b"skipped\n"), os.SEEK_SET)
            self.assertEqual(self.peer("file", stdin=file).ends(), 0)
        listener.hears("file: from a file")
        ours, theirs = socket.socketpair()
        with ours, theirs:
            reader = self.peer("socket", stdin=theirs)
            reader.joined()
            ours.sendall(b"from a socket\n")
            listener.hears("socket: from a socket")
            self.assertTrue(os.get_blocking(theirs.fileno()))
            ours.shutdown(socket.SHUT_WR)
            self.assertEqual(reader.ends(), 0)
        self.assertEqual(self.peer("null", stdin=subprocess.DEVNULL).ends(), 0)

    def test_a_terminal_is_read_and_left_as_it_was(self):
        listener = self.peer("listener").joined()
        master, terminal = pty.openpty()
        reader = self.peer("terminal", stdin=terminal)
        os.write(master, b"typed\n")
        listener.hears("terminal: typed")
        self.assertTrue(os.get_blocking(terminal))
        os.write(master, b"\x04")  # the end of input
        self.assertEqual(reader.ends(), 0)
        os.close(master)
        os.close(terminal)

    def test_unread_output_is_kept_until_it_is_read(self):
        listener, output = self.unread("listener")
        lines = [f"line {number} {'x' * 100}" for number in range(10000)]
        status, _, errors = self.pipe("".join(line + "\n" for line in lines).encode())
        self.assertEqual(status, 0, errors)  # acknowledged although nothing was read
        listener.process.stdin.close()
        listener.err.until("pipe: closed")
        heard = Output(os.fdopen(os.dup(output), "rb")).rest()
        self.assertEqual(heard, ["pipe: " + line for line in lines])
        self.assertEqual(listener.ends(), 0)

    def test_outputs_of_every_kind(self):
        line = "x" * 200000
        text = f"{line}\nlast\n".encode()
        expected = [f"pipe: {line}", "pipe: last"]
        with tempfile.TemporaryFile() as file:
            file.write(b"before\n")
            file.flush()
            listener = self.peer("file", stdout=file).joined()
            self.assertEqual(self.pipe(text)[0], 0)
            self.assertEqual(listener.ends(), 0)
            file.seek(0)
            self.assertEqual(file.read().decode().splitlines(), ["before", *expected])
        for ours, theirs in (pty.openpty(), [end.detach() for end in socket.socketpair()]):
            listener = self.peer("listener", stdout=theirs).joined()
            self.assertEqual(self.pipe(text)[0], 0)
            self.assertTrue(os.get_blocking(theirs))
            heard = os.fdopen(ours, "rb")
            for line in expected:
                self.assertEqual(heard.readline().decode().rstrip(), line)
            self.assertEqual(listener.ends(), 0)
            os.close(theirs)
            heard.close()
        listener = self.peer("null", stdout=subprocess.DEVNULL).joined()
        self.assertEqual(self.pipe(text)[0], 0)
        self.assertEqual(listener.ends(), 0)

    def test_a_signal_does_not_wait_for_output(self):
        listener, _ = self.unread("listener")
        self.assertEqual(self.pipe(b"a" * 200000 + b"\n")[0], 0)
        listener.process.send_signal(signal.SIGTERM)
        self.assertEqual(listener.process.wait(timeout=15), 0)

    def test_output_whose_reader_is_gone(self):
        ours, theirs = os.pipe()
        listener = self.peer("listener", stdout=theirs).joined()
        os.close(theirs)
        os.close(ours)
        self.assertEqual(self.pipe(b"one\n")[0], 0)
        self.assertEqual(listener.process.wait(timeout=PATIENCE), 1)  # its input goes on
        self.assertIn("standard output cannot be written", listener.err.rest()[-1])

    def test_one_who_takes_nothing_does_not_hold_the_others(self):
        listener = self.peer("listener").joined()
        stopped = self.peer("stopped").joined()
        speaker = self.peer("speaker").meets("listener", "stopped")
        stopped.process.send_signal(signal.SIGSTOP)
        lines = [f"{number} {'x' * 100000}" for number in range(100)]
        speaking = threading.Thread(target=speaker.says, args=lines)
        speaking.start()
        listener.hears(*("speaker: " + line for line in lines))
        speaking.join()
        self.assertEqual(speaker.ends(), 1)
        told = [line for line in speaker.err.rest() if line.startswith("* stopped: took nothing")]
        self.assertEqual(len(told), 1, speaker.err.seen)
        self.assertEqual(listener.ends(), 0)

    def test_an_input_that_cannot_be_read(self):
        directory = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, directory)
        reader = self.peer("reader", stdin=directory)
        self.assertEqual(reader.process.wait(timeout=PATIENCE), 1)
        self.assertIn("peer_cli: standard input cannot be read: Is a directory", reader.err.rest())

    def test_lines_that_end_in_cr_lf(self):
        listener = self.peer("listener").joined()
        status, _, errors = self.pipe(b"one\r\n\r\ntwo\r\r\n" + b"a" * 262144 + b"\r\nlast\n")
        self.assertEqual(status, 0, errors)
        listener.hears("pipe: one", "pipe: ", "pipe: two\u240d", "pipe: " + "a" * 262144,
                       "pipe: last")

    def test_a_hangup_that_is_ignored(self):
        """As under nohup."""
        reader = self.peer("reader", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        reader.joined().process.send_signal(signal.SIGHUP)
        listener = self.peer("listener").meets("reader")
        reader.says("still here")
        listener.hears("reader: still here")

    def test_signals_leave_cleanly(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            first, second = self.peer("first").joined(), self.peer("second")
            first.meets("second")
            second.meets("first")
            first.process.send_signal(number)
            self.assertEqual(first.process.wait(timeout=PATIENCE), 0)
            second.err.until("first: closed")
            self.assertEqual(second.ends(), 0)

    def test_a_signal_does_not_wait_for_somebody_who_is_silent(self):
        first, second = self.peer("first").joined(), self.peer("second")
        first.meets("second")
        second.meets("first")
        second.process.send_signal(signal.SIGSTOP)
        first.says("into the void")
        first.process.send_signal(signal.SIGTERM)
        self.assertEqual(first.process.wait(timeout=15), 0)

    def test_one_thread_also_with_names(self):
        first = self.peer("first", "--stun", f"stun:localhost:{self.server.port}").joined()
        second = self.peer("second").joined()
        first.meets("second")
        self.assertEqual((first.threads(), second.threads()), (1, 1))

    def test_one_port_for_all_connections(self):
        middle = self.peer("middle", "--udp-mux", "0")
        line = middle.err.until(r"all connections use UDP port \d+$")
        port = line.rsplit(" ", 1)[1]
        middle.joined()
        first, second = self.peer("first"), self.peer("second", "--udp-mux", "0")
        middle.meets("first", "second")
        first.meets("middle", "second")
        second.meets("first", "middle")
        for name in ("first", "second"):
            pairs = [line for line in middle.err.seen if line.startswith(f"* {name}: direct udp")]
            self.assertTrue(pairs, middle.err.seen)
            for pair in pairs:
                self.assertRegex(pair, rf"\w+ \S+:{port} <->")
        middle.says("to both")
        for peer in (first, second):
            peer.hears("middle: to both")
        taken, _, errors = self.pipe(b"one\n", "--udp-mux", port)
        self.assertEqual(taken, 2)
        self.assertIn(port, errors[-1])

    def test_nobody_comes(self):
        for text in (b"one\n", b""):
            status, _, errors = self.pipe(text, "--wait", "1")
            self.assertEqual(status, 4)
            self.assertEqual(len(errors), 2, errors)  # that it joined, and why it ends
            self.assertIn("nobody came", errors[1])

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            reader = subprocess.Popen([PEER_CLI, "chat", self.room, *self.flags],
                                      stdin=subprocess.PIPE, stdout=full, stderr=subprocess.PIPE)
        errors = Output(reader.stderr)
        errors.until("joined")
        self.assertEqual(self.pipe(b"one\n")[0], 0)
        reader.stdin.close()
        self.assertEqual(reader.wait(timeout=PATIENCE), 1)
        self.assertIn("standard output", errors.rest()[-1])


class Complaints(unittest.TestCase):
    """One clear line on standard error, and a status that says what kind of mistake it was."""

    def expect(self, expected, *arguments, text=b"one\n"):
        status, out, errors = run(*arguments, text=text)
        self.assertEqual((status, len(errors), out), (expected, 1, []), (arguments, errors))
        self.assertTrue(errors[0].startswith("peer_cli: "), errors)
        return errors[0]

    def test_usage(self):
        self.assertIn("--frobnicate", self.expect(2, "--frobnicate"))
        self.assertIn("--frobnicate", self.expect(2, "chat", "room", "--frobnicate"))
        self.assertIn("chat", self.expect(2))
        self.assertIn("ROOM", self.expect(2, "chat"))
        for room in ("", "a b", "ä", "x" * 65, "a\nb"):
            self.assertIn("1 to 64", self.expect(2, "chat", room))
        for port in ("x", "-1", "65536"):
            self.assertIn("--udp-mux", self.expect(2, "chat", "room", "--udp-mux", port))
        for wait in ("0", "x", "-1", "86401"):
            self.assertIn("--wait", self.expect(2, "chat", "room", "--wait", wait))
        for name in ("x" * 65, "a\nb", "\x1b[31m", b"\xff"):
            self.assertIn("--name", self.expect(2, "chat", "room", "--name", name))
        for stun in ("nonsense", "stun:", "http://localhost", "stun:localhost:0"):
            self.assertIn(stun, self.expect(2, "chat", "room", "--stun", stun))
        turn = ("--turn", "turns:localhost", "--turn-user", "u", "--turn-pass", "p")
        for path in ("/dev/null", "/no/such/file"):
            self.assertIn(path, self.expect(2, "chat", "room", *turn, "--turn-ca", path))

    def test_servers(self):
        for url in ("nonsense", "http://localhost/", "ws://localhost:99999/", "wss://localhost/"):
            self.assertIn(url, self.expect(2, "chat", "room", "--server", url))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            free = taken.getsockname()[1]
        for url in (f"ws://127.0.0.1:{free}/", f"ws://localhost:{free}/", "ws://name.invalid/"):
            for text in (b"one\n", b""):
                self.assertIn(url, self.expect(3, "chat", "room", "--server", url, text=text))
        with socket.create_server(("127.0.0.1", 0)) as mute:
            url = f"ws://127.0.0.1:{mute.getsockname()[1]}/"
            line = self.expect(3, "chat", "room", "--server", url, "--wait", "1", text=b"one\n")
        self.assertIn(f"{url}: no answer within 1 s; 1 line was not delivered", line)

    def test_help_of_the_demo(self):
        demo = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "demo")
        for argument, status in (("--help", 0), ("--frobnicate", 2)):
            done = subprocess.run([demo, argument], capture_output=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, status)
            told, silent = (done.stdout, done.stderr)[::-1 if status else 1]
            self.assertIn(b"--interactive", told)
            self.assertEqual(silent, b"")

    def test_help(self):
        for arguments in (("--help",), ("chat", "--help")):
            status, out, errors = run(*arguments)
            self.assertEqual((status, errors), (0, []))
            self.assertIn(b"Exit status", b"\n".join(out))
        status, out, errors = run("--version")
        self.assertEqual((status, errors, len(out)), (0, [], 1))


@unittest.skipUnless(IN_OWN_NETWORK in os.environ, "needs a network of its own")
class OnThisMachine(Pipes, Case):
    """Without any server, where the only interface is the loopback."""

    def test_two_that_start_together_sort_it_out(self):
        for _ in range(10):
            first, second = self.peer("first"), self.peer("second")
            first.says("from the first")
            second.says("from the second")
            first.hears("second: from the second")
            second.hears("first: from the first")
            self.assertEqual((first.threads(), second.threads()), (1, 1))
            self.assertEqual((first.ends(), second.ends()), (0, 0))

    def leaves(self, peer, others, number):
        """The one that serves goes; the others enter the room of another one, and meet anew."""
        if number:
            peer.process.send_signal(number)
            peer.process.wait(timeout=PATIENCE)
        else:
            self.assertEqual(peer.ends(), 0)
        for other in others:
            other.err.until("joined")
        names = [other.name for other in others]
        for other in others:
            other.meets(*(name for name in names if name != other.name))

    def test_another_takes_over(self):
        for number in (0, signal.SIGTERM, signal.SIGKILL):
            serving = self.peer("serving").joined()
            others = [self.peer("second").joined(), self.peer("third").joined()]
            for other in others:
                other.meets("serving")
            others[0].meets("third")
            self.leaves(serving, others, number)
            newcomer = self.peer("newcomer").joined()
            for other in others:
                other.meets("newcomer")
            newcomer.meets("second", "third")
            everyone = [*others, newcomer]
            for speaker in everyone:
                speaker.says("I am " + speaker.name)
                for listener in everyone:
                    if listener is not speaker:
                        listener.hears(f"{speaker.name}: I am {speaker.name}")
            for one in everyone:
                # Who was killed has not acknowledged a line, and is given up only in half a minute.
                one.process.send_signal(signal.SIGTERM) if number == signal.SIGKILL else None
                self.assertEqual(one.ends(), 0)
                self.assertEqual(one.out.rest(), [])  # nobody heard a line twice

    def test_newcomers_are_met_while_the_output_of_the_one_that_serves_is_unread(self):
        serving, output = self.unread("serving")
        second = self.peer("second").meets("serving")
        lines = [f"line {number} {'x' * 40000}" for number in range(300)]  # more than is kept unread
        speaking = threading.Thread(target=second.says, args=lines)
        speaking.start()
        for name in ("third", "fourth"):
            newcomer = self.peer(name).joined().meets("serving", "second")
            newcomer.says("hello")
            second.hears(f"{name}: hello")
        heard = Output(os.fdopen(os.dup(output), "rb"))
        speaking.join()
        self.assertEqual(second.ends(), 0)
        serving.process.stdin.close()
        heard = heard.rest()
        self.assertEqual([line for line in heard if line.startswith("second: ")],
                         ["second: " + line for line in lines])
        self.assertEqual(set(heard) - {"second: " + line for line in lines},
                         {"third: hello", "fourth: hello"})
        self.assertEqual(serving.ends(), 0)

    def test_the_one_port_follows_the_interfaces(self):
        def ip(*arguments):
            command = shutil.which("ip", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
            subprocess.run([command, *arguments], check=True)

        def add(name, address):
            ip("link", "add", name, "type", "veth", "peer", "name", name + "-end")
            self.addCleanup(subprocess.run, ["ip", "link", "del", name], capture_output=True)
            ip("address", "add", address + "/24", "dev", name)
            ip("link", "set", name + "-end", "up")
            ip("link", "set", name, "up")

        add("one", "10.97.1.1")
        first = self.peer("first", "--udp-mux", "0")
        port = first.err.until(r"all connections use UDP port").rsplit(" ", 1)[1]
        second = self.peer("second")
        first.meets("second")
        second.meets("first")
        self.assertTrue(any(f" 10.97.1.1:{port} <->" in line for line in first.err.seen))
        add("two", "10.97.2.1")
        ip("link", "del", "one")
        first.err.until(rf" 10\.97\.2\.1:{port} <->")
        first.says("still here")
        second.hears("first: still here")

    def test_web_pages_are_refused(self):
        self.peer("serving").joined()
        with socket.create_connection(("127.0.0.1", LOCAL_PORT), timeout=PATIENCE) as page:
            page.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                         b"Connection: Upgrade\r\nOrigin: https://evil.example\r\n"
                         b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                         b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: asiortc.v1\r\n\r\n")
            self.assertIn(b" 403 ", page.recv(4096).split(b"\r\n")[0] + b" ")

    def test_who_serves_says_that_it_leaves_before_its_server_ends(self):
        for _ in range(5):
            serving = self.peer("serving").joined()
            member = Member(LOCAL_PORT, self.room)
            self.addCleanup(member.close)
            serving.process.send_signal(signal.SIGTERM)
            self.assertEqual(member.receive("peer-left")["reason"], "left")
            self.assertEqual(serving.process.wait(timeout=PATIENCE), 0)

    def test_a_signal_to_who_serves_does_not_wait_for_somebody_who_is_silent(self):
        serving = self.peer("serving").joined()
        silent = self.peer("silent")
        serving.meets("silent")
        silent.process.send_signal(signal.SIGSTOP)
        serving.process.send_signal(signal.SIGTERM)
        self.assertEqual(serving.process.wait(timeout=4), 0)

    def test_a_port_that_something_else_has(self):
        answers = (None, b"", b"220 ready\r\n", b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
        for answer, wait in [(each, ()) for each in answers] + [(None, ("--wait", "1"))]:
            with socket.create_server(("127.0.0.1", LOCAL_PORT)) as taken:
                worker = threading.Thread(target=self.answer_all, args=(taken, answer))
                worker.start()
                status, out, errors = run("chat", "room", *wait, text=b"one\n")
                taken.shutdown(socket.SHUT_RDWR)
                worker.join()
            self.assertEqual((status, out, len(errors)), (3, [], 1), (answer, errors))
            self.assertIn(f"127.0.0.1:{LOCAL_PORT}", errors[0])

    @unittest.skipIf(UBSAN, NEEDS_DESCRIPTORS)
    def test_too_few_descriptors(self):
        for allowed in (5, 7, 9, 12, 16):
            limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
            done = subprocess.run([PEER_CLI, "chat", "room", "--wait", "1"], input=b"one\n",
                                  capture_output=True, timeout=PATIENCE, preexec_fn=limit)
            errors = done.stderr.decode().splitlines()
            self.assertIn(done.returncode, (1, 3, 4), (allowed, errors))
            self.assertTrue(errors[-1].startswith("peer_cli: "), (allowed, errors))
            self.assertNotIn("Bad file descriptor", errors[-1])

    def test_without_any_interface(self):
        done = subprocess.run(["unshare", "--net", PEER_CLI, "chat", "room"], input=b"one\n",
                              capture_output=True, timeout=PATIENCE)
        errors = done.stderr.decode().splitlines()
        self.assertEqual((done.returncode, len(errors)), (3, 1), errors)
        self.assertNotIn("taken", errors[0])

    @staticmethod
    def answer_all(listener, answer):
        kept = []
        try:
            while True:
                caller, _ = listener.accept()
                if answer is None:
                    kept.append(caller)
                    continue
                with caller:
                    if answer:
                        caller.recv(4096)
                        caller.sendall(answer)
        except OSError:
            for caller in kept:
                caller.close()


if __name__ == "__main__":
    main()
