#!/usr/bin/env python3
"""Starts the real signaling_server and watches its first line, its end and its complaints."""

import base64
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import unittest

SERVER = sys.argv.pop(1)
# Under nohup it would be ignored, which the server respects.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def run(*flags):
    """The status and the error lines of a server that must not start to serve."""
    done = subprocess.run([SERVER, *flags], capture_output=True, text=True, timeout=20)
    return done.returncode, done.stderr.splitlines(), done.stdout


class Server:
    def __init__(self, *flags, **more):
        self.process = subprocess.Popen(
            [SERVER, *flags], stdout=subprocess.PIPE, text=True,
            **{"stderr": subprocess.PIPE, **more})
        self.line = self.process.stdout.readline()
        self.port = int(re.search(r":(\d+)/$", self.line).group(1))

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.communicate(timeout=20)
        return self.process.returncode


def upgrade(address, port, *headers, protocol="asiortc.v1"):
    """A socket after its upgrade request, and the status line of the answer."""
    peer = socket.create_connection((address, port), timeout=20)
    lines = ["GET / HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(),
             "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: " + protocol, *headers]
    peer.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = peer.recv(1)  # and nothing of what comes behind
        if not piece:
            break
        answer += piece
    return peer, answer.split(b"\r\n", 1)[0].decode()


class SignalingServer(unittest.TestCase):
    def test_first_line_and_clean_end(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            server = Server("--listen", "127.0.0.1:0")
            self.assertEqual(server.line, f"listening on ws://127.0.0.1:{server.port}/\n")
            self.assertGreater(server.port, 0)
            self.assertEqual(server.stop(number), 0)

    def test_an_ignored_hangup_stays_ignored(self):
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_IGN))
        server = Server("--listen", "127.0.0.1:0")
        server.process.send_signal(signal.SIGHUP)
        peer, status = upgrade("127.0.0.1", server.port)
        self.assertIn("101", status)
        peer.close()
        self.assertEqual(server.stop(), 0)

    def test_peers_are_told_1012(self):
        server = Server("--listen", "127.0.0.1:0")
        peer, status = upgrade("127.0.0.1", server.port)
        self.assertIn("101", status)
        self.assertEqual(self.masked_join(peer)["type"], "joined")
        server.process.send_signal(signal.SIGTERM)
        rest = b""
        while piece := peer.recv(4096):
            rest += piece
            if b"\x88" in rest:  # the close frame: answered, so that the server need not wait
                peer.sendall(b"\x88\x80" + os.urandom(4))
        self.assertIn(b"going-away", rest)
        self.assertIn((1012).to_bytes(2, "big"), rest)
        peer.close()
        server.process.communicate(timeout=20)
        self.assertEqual(server.process.returncode, 0)

    @staticmethod
    def say(peer, text):
        peer.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)

    @staticmethod
    def hear(peer):
        head = peer.recv(2, socket.MSG_WAITALL)
        size = head[1]
        if size == 126:
            size = int.from_bytes(peer.recv(2, socket.MSG_WAITALL), "big")
        return peer.recv(size, socket.MSG_WAITALL)

    def masked_join(self, peer):
        self.say(peer, b'{"type":"join","room":"room"}')
        return json.loads(self.hear(peer))

    def test_both_sides_close_at_once(self):
        for turn in range(25):
            server = Server("--listen", "127.0.0.1:0")
            peers = [upgrade("127.0.0.1", server.port)[0] for _ in range(30)]
            for peer in peers:
                self.masked_join(peer)
            halfway = len(peers) * turn // 25
            for number, peer in enumerate(peers):
                if number == halfway:
                    server.process.send_signal(signal.SIGTERM)
                leave = b'{"type":"leave"}'
                peer.sendall(bytes([0x81, 0x80 | len(leave)]) + bytes(4) + leave +
                             (b"\x88\x80" + bytes(4)) * (number % 2))
            for peer in peers[1::2]:
                peer.close()
            for peer in peers[::2]:
                peer.sendall(b"\x88\x80" + bytes(4))
                peer.close()
            server.process.communicate(timeout=20)
            self.assertEqual(server.process.returncode, 0)

    def test_a_log_that_nobody_reads_any_more(self):
        ours, theirs = os.pipe()
        server = Server("--listen", "127.0.0.1:0", "--log-level", "debug", stderr=theirs)
        os.close(theirs)
        os.close(ours)
        peer, status = upgrade("127.0.0.1", server.port)
        self.assertIn("101", status)
        self.assertEqual(self.masked_join(peer)["type"], "joined")
        peer.close()
        self.assertEqual(server.stop(), 0)

    @staticmethod
    def descriptors(soft, hard):
        return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))}

    def test_it_allows_itself_the_descriptors_that_it_needs(self):
        server = Server("--listen", "127.0.0.1:0", "--max-connections", "300",
                        **self.descriptors(64, 1000))
        soft, _ = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        self.assertGreater(soft, 300)
        peers = [upgrade("127.0.0.1", server.port) for _ in range(150)]
        self.assertTrue(all("101" in status for _, status in peers))
        for peer, _ in peers:
            peer.close()
        self.assertEqual(server.stop(), 0)

    def test_who_comes_when_no_descriptor_is_left_is_told(self):
        server = Server("--listen", "127.0.0.1:0", **self.descriptors(300, 300))
        told = server.process.stderr.readline()
        most = int(re.search(r"at most (\d+) connections", told).group(1))
        self.assertLess(most, 300)
        peers = [upgrade("127.0.0.1", server.port)[0] for _ in range(most)]
        refused, status = upgrade("127.0.0.1", server.port)
        self.assertIn("101", status)
        self.assertIn(b"server-full", self.hear(refused))
        self.assertIn((1013).to_bytes(2, "big"), self.hear(refused))
        for peer in (*peers, refused):
            peer.close()
        self.assertEqual(server.stop(), 0)

    # It asks the kernel about memory through a pipe, and takes all of it for bad without one.
    @unittest.skipIf("UBSAN_OPTIONS" in os.environ,
                     "UndefinedBehaviorSanitizer needs descriptors of its own")
    def test_a_want_of_descriptors_is_not_told_all_the_time(self):
        server = Server("--listen", "127.0.0.1:0", "--log-level", "warning",
                        **self.descriptors(40, 40))
        callers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
        told = iter(server.process.stderr.readline, "")
        self.assertTrue(any("accept failed" in line for line in told), "the server ended")
        with self.assertRaises(subprocess.TimeoutExpired):
            server.process.wait(timeout=1)  # it tries again ten times meanwhile
        for caller in callers:
            caller.close()
        server.process.terminate()
        _, errors = server.process.communicate(timeout=20)
        self.assertNotIn("accept failed", errors)
        self.assertEqual(server.process.returncode, 0)

    def test_data_is_passed_on_as_it_came(self):
        server = Server("--listen", "127.0.0.1:0")
        first, _ = upgrade("127.0.0.1", server.port)
        second, _ = upgrade("127.0.0.1", server.port)
        to = self.masked_join(first)["id"]
        self.masked_join(second)
        self.assertIn(b"peer-joined", self.hear(first))
        data = b'{ "z":12345678901234567890123, "a":[-0,1.10,1e400],"\\u0061" : "}" }'
        self.say(second, b'{"data": ' + data + b' ,"type":"signal","to":%d}' % to)
        self.assertIn(b'"data":' + data + b"}", self.hear(first))
        first.close()
        second.close()
        self.assertEqual(server.stop(), 0)

    def test_one_thread(self):
        server = Server("--listen", "127.0.0.1:0")
        self.assertEqual(len(os.listdir(f"/proc/{server.process.pid}/task")), 1)
        self.assertEqual(server.stop(), 0)

    def test_taken_port(self):
        server = Server("--listen", "127.0.0.1:0")
        status, errors, out = run("--listen", f"127.0.0.1:{server.port}")
        self.assertEqual((status, len(errors), out), (1, 1, ""))
        self.assertTrue(errors[0].endswith(f"127.0.0.1:{server.port}: Address already in use"),
                        errors)
        self.assertEqual(server.stop(), 0)

    def test_bad_flags(self):
        for flags in (("--frobnicate",), ("--listen", "nonsense"), ("--listen", "::1:5"),
                      ("--listen", "127.0.0.1:65536"), ("--log-level", "loud"),
                      ("--max-peers", "0"), ("--listen",), ("extra",),
                      ("--listen", "a\nb\033[31m"), ("--x\033[31m\ny",), ("a\nb",),
                      ("--stun", "a\n\033[31m"), ("--allow-origin", "a\n\033[31m")):
            status, errors, out = run(*flags)
            self.assertEqual((status, len(errors), out), (2, 1, ""), flags)
            self.assertTrue(errors[0].startswith("signaling_server: "), errors)
            self.assertTrue(errors[0].isprintable(), errors)

    def test_bad_address(self):
        for where in ("no.such.name:0", "192.0.2.1:0"):
            status, errors, _ = run("--listen", where)
            self.assertEqual((status, len(errors)), (1, 1), where)
            self.assertIn(where, errors[0])
            self.assertNotIn("[", errors[0])

    def test_help(self):
        status, errors, out = run("--help")
        self.assertEqual((status, errors), (0, []))
        self.assertIn("--allow-origin", out)
        status, errors, out = run("--version")
        self.assertEqual((status, errors), (0, []))
        self.assertTrue(out.startswith("signaling_server "), out)

    def test_origins(self):
        server = Server("--listen", "127.0.0.1:0", "--allow-origin", "https://good.example")
        for origin, expected in (("https://good.example", "101"), ("https://evil.example", "403")):
            peer, status = upgrade("127.0.0.1", server.port, "Origin: " + origin)
            self.assertIn(expected, status)
            peer.close()
        self.assertEqual(server.stop(), 0)

    def test_subprotocol(self):
        server = Server("--listen", "127.0.0.1:0")
        peer, status = upgrade("127.0.0.1", server.port, protocol="chat")
        self.assertIn("400", status)
        peer.close()
        for first, second in (("chat", "asiortc.v1"), ("asiortc.v1", "chat"),
                              ("chat, x", "y,asiortc.v1")):
            peer, status = upgrade("127.0.0.1", server.port, "Sec-WebSocket-Protocol: " + second,
                                   protocol=first)
            self.assertIn("101", status)
            peer.close()
        self.assertEqual(server.stop(), 0)

    def test_ipv6(self):
        if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("no IPv6 here")
        try:
            server = Server("--listen", "[::1]:0")
        except AttributeError:
            self.skipTest("no IPv6 loopback here")
        self.assertEqual(server.line, f"listening on ws://[::1]:{server.port}/\n")
        peer, status = upgrade("::1", server.port)
        self.assertIn("101", status)
        peer.close()
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
