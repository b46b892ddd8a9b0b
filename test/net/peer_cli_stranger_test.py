#!/usr/bin/env python3
"""Lets peer_cli meet members of a room that send descriptions which make no sense."""

import base64
import hashlib
import json
import re
import socket
import subprocess
import sys
import threading
import unittest

from room_member import Member

if len(sys.argv) < 3:
    sys.exit("usage: peer_cli_stranger_test.py PEER_CLI SIGNALING_SERVER [unittest arguments]")
PEER_CLI = sys.argv.pop(1)
SERVER = sys.argv.pop(1)
PATIENCE = 60


class CrowdedServer:
    """Lets one client join a room of so many, and recommends servers."""

    def __init__(self, others, ice_servers=()):
        self.others = others
        self.ice_servers = list(ice_servers)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "ws://127.0.0.1:%d/" % self.listener.getsockname()[1]
        self.worker = threading.Thread(target=self.serve)
        self.worker.start()

    def serve(self):
        client, _ = self.listener.accept()
        with client, client.makefile("rb") as reader:
            head = list(iter(reader.readline, b"\r\n"))
            key = next(line.split()[1] for line in head if line.lower().startswith(b"sec-websocket-key"))
            magic = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
            client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                           b"Connection: Upgrade\r\nSec-WebSocket-Protocol: asiortc.v1\r\n"
                           b"Sec-WebSocket-Accept: " + base64.b64encode(magic) + b"\r\n\r\n")
            reader.read(2)  # of the join
            text = json.dumps({
                "type": "joined", "room": "crowd", "id": 2147483647, "host": 1,
                "peers": [{"id": number + 1, "name": f"member-{number}"} for number in range(self.others)],
                "ice_servers": self.ice_servers, "session": "s", "secret": "s", "resume_ms": 0}).encode()
            size = len(text)  # RFC 6455 5.2: in as few bytes as hold it
            client.sendall(b"\x81" + (bytes([size]) if size < 126
                                      else b"\x7e" + size.to_bytes(2, "big") if size < 65536
                                      else b"\x7f" + size.to_bytes(8, "big")) + text)
            try:
                while reader.read(65536):
                    pass
            except OSError:
                pass

    def close(self):
        self.listener.close()
        self.worker.join()


class Strangers(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen([SERVER, "--listen", "127.0.0.1:0"], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.server.stdout.close)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.terminate)
        self.port = int(re.search(r":(\d+)/$", self.server.stdout.readline()).group(1))

    def chat(self, room, *wait):
        return subprocess.Popen(
            [PEER_CLI, "chat", room, "--server", f"ws://127.0.0.1:{self.port}/", *wait],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def expect_refusal(self, chat):
        self.addCleanup(chat.kill)
        out, errors = chat.communicate("one\n", timeout=PATIENCE)
        self.assertEqual((chat.returncode, out), (1, ""), errors)
        said = [line for line in errors.splitlines() if "m=broken" in line]
        self.assertEqual(len(said), 1, errors)
        self.assertIn("stranger", said[0])
        self.assertIn("nobody could be reached", errors.splitlines()[-1])

    def test_a_newcomer_offers_what_makes_no_sense(self):
        chat = self.chat("offer", "--wait", "3")
        self.assertIn("joined", chat.stderr.readline())
        stranger = Member(self.port, "offer")
        stranger.describe(stranger.joined["peers"][0]["id"], "offer")
        self.expect_refusal(chat)
        stranger.close()

    def test_somebody_answers_what_makes_no_sense(self):
        stranger = Member(self.port, "answer")
        chat = self.chat("answer")
        newcomer = stranger.receive("peer-joined")["id"]
        stranger.receive("signal")  # its offer
        stranger.describe(newcomer, "answer")
        self.expect_refusal(chat)
        stranger.close()

    def in_a_crowd(self, others, *flags, ice_servers=()):
        server = CrowdedServer(others, ice_servers)
        self.addCleanup(server.close)
        chat = subprocess.Popen(
            [PEER_CLI, "chat", "crowd", "--server", server.url, *flags], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(chat.communicate)
        self.addCleanup(chat.kill)
        return chat

    def test_a_room_of_thousands_is_met_in_part(self):
        chat = self.in_a_crowd(3000)
        self.wait_for(chat, "too crowded: at most 512")
        chat.terminate()
        out, errors = chat.communicate(timeout=PATIENCE)
        self.assertEqual((chat.returncode, out), (0, ""), errors)
        self.assertNotIn("too crowded", errors)

    def test_a_recommended_turn_server_is_asked_unless_no_relay_is_wanted(self):
        with socket.create_server(("127.0.0.1", 0)) as turn:
            server = {"urls": [f"turn:127.0.0.1:{turn.getsockname()[1]}?transport=tcp"],
                      "username": "u", "credential": "p"}
            chat = self.in_a_crowd(1, "--no-relay", "--log-level", "debug", ice_servers=[server])
            self.wait_for(chat, "gathering is complete")  # a silent server would hold it for long
            chat.terminate()
            chat.communicate(timeout=PATIENCE)
            turn.setblocking(False)
            self.assertRaises(BlockingIOError, turn.accept)
            turn.settimeout(PATIENCE)
            chat = self.in_a_crowd(1, ice_servers=[server])
            client = turn.accept()[0]
            client.settimeout(PATIENCE)
            with client, client.makefile("rb") as reader:
                self.assertEqual(reader.read(2), b"\x00\x03")  # Allocate
            chat.terminate()
            chat.communicate(timeout=PATIENCE)

    def test_a_room_of_more_than_anybody_can_meet_is_refused(self):
        chat = self.in_a_crowd(5000)
        out, errors = chat.communicate("one\n", timeout=PATIENCE)
        self.assertEqual((chat.returncode, out), (3, ""), errors)
        self.assertIn("the room is too crowded", errors.splitlines()[-1])

    def talk(self, room, name, *flags):
        chat = subprocess.Popen(
            [PEER_CLI, "chat", room, "--server", f"ws://127.0.0.1:{self.port}/", "--name", name,
             *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(chat.communicate)
        self.addCleanup(chat.kill)
        return chat

    def wait_for(self, chat, text):
        while text not in (line := chat.stderr.readline()):
            self.assertNotEqual(line, "", text)

    def test_a_member_that_cannot_be_reached_is_said(self):
        stranger = Member(self.port, "unreached")
        listener = self.talk("unreached", "listener")
        self.wait_for(listener, "joined")
        speaker = self.talk("unreached", "speaker")
        out, errors = speaker.communicate("one\n", timeout=PATIENCE)
        self.assertEqual((speaker.returncode, out), (1, ""), errors)
        self.assertEqual(listener.stdout.readline(), "speaker: one\n")
        self.assertIn("waiting for stranger to be reached\n", errors)
        self.assertIn("stranger: not reached within 10 s; 1 line was said without it", errors)
        stranger.close()

    def test_who_left_before_it_was_reached_is_said_and_the_next_one_hears(self):
        speaker = self.talk("left", "speaker")
        self.wait_for(speaker, "joined")
        stranger = Member(self.port, "left")
        speaker.stdin.write("one\n")
        speaker.stdin.flush()
        stranger.send(type="leave")
        self.wait_for(speaker, "stranger: left before it was reached; lines that it missed: 1")
        stranger.close()
        listener = self.talk("left", "listener")
        self.assertEqual(listener.stdout.readline(), "speaker: one\n")


if __name__ == "__main__":
    unittest.main()
