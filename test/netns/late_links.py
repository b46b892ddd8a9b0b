#!/usr/bin/env python3
"""Chats through a TURN server alone, over each transport, also by its name. One side has no way to
the server, nor to DNS, until a link comes up, and then they connect. Later all links go down for a
while, on one side and on both; what is said flows again then, and nothing is lost.

Usage: late_links.py PEER_CLI SIGNALING_SERVER
"""
import functools
import os
import socket
import struct
import sys
import threading
import time

from conversation import Broken, Meeting
from kinds import SIGNALING_PORT
from links import LINKS, TwoLinks
from namespaces import end_on_signals, inside, skip_where_impossible
from peers import Peer
from servers import REALM
from turn_faults import need_route, tell
from ways import URLS, Way

LATE = "anna"
CONNECTING = RECOVERING = 15
DOWN = 3  # seconds
SERVER = TwoLinks.addresses[0]
WAYS = {f"{transport} to {host}": (Way(transport), host, [])
        for host in (SERVER, REALM) for transport in URLS}
WAYS |= {f"{transport} with one port": (Way(transport), host, ["--udp-mux", "0"])
         for transport, host in (("udp", REALM), ("tls", SERVER))}


class Dns(threading.Thread):
    """Answers questions for an A record with the server's address, and others with nothing."""

    def __init__(self, world):
        super().__init__(daemon=True)
        with inside(world.internet):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((SERVER, 53))
        self.settings = world.folder / "resolv.conf"
        self.settings.write_text(f"nameserver {SERVER}\n", "ascii")

    def run(self):
        while True:
            query, client = self.socket.recvfrom(512)
            end = query.index(0, 12) + 5  # of the question: labels, a zero, type and class
            of_a = query[end - 4:end - 2] == b"\0\1"
            answer = query[:2] + struct.pack("!5H", 0x8180, 1, of_a, 0, 0) + query[12:end]
            if of_a:
                answer += struct.pack("!3HIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(SERVER)
            self.socket.sendto(answer, client)


def chat(world, program, dns, host, name):
    """Takes the way of that name."""
    way, server, flags = WAYS[name]
    # A mount is seen by the process alone: it has a namespace of its own for them.
    return Peer(world.machine, host.name, host.namespace, "sh", "-c",
                'mount --bind "$0" /etc/resolv.conf && exec "$@"', dns.settings, program, "chat",
                name.replace(" ", "-"), "--name", host.name,
                "--server", f"ws://{host.server}:{SIGNALING_PORT}/", "--relay-only",
                "--log-level", "warning", *way.flags(world.certificate, server), *flags)


def set_links(hosts, state):
    for host in hosts:
        for link in LINKS:
            host.set_link(link, state)


def need_stuck(name, talk):
    """Until they have met, and the late one has found that it has no way to the server."""
    way, server, _ = WAYS[name]
    talk.need(lambda: any(": connecting" in line for peer in talk.peers for line in peer.told),
              CONNECTING, "they know of each other")
    if (way.transport, server) == ("udp", SERVER):
        return  # which is told only when the time is over
    url = way.url(server)
    told = next(peer.told for peer in talk.peers if peer.name == LATE)
    talk.need(lambda: any(url + ": " in line for line in told), CONNECTING,
              f"{url} has no address or cannot be reached")


def need_chat(_, talk):
    started = time.monotonic()
    talk.await_chat()
    talk.need(talk.flows(), CONNECTING, "lines")
    need_route(talk, talk.peers, f"relayed via {SERVER}")
    return time.monotonic() - started


def flap(meeting, hosts):
    set_links(hosts, "down")
    meeting.each(lambda _, talk: talk.talk_on(DOWN))
    set_links(hosts, "up")
    what = "all links of " + " and ".join(host.name for host in hosts) + " were down"
    tell(what, meeting.each(lambda _, talk: talk.recovery(RECOVERING, what)))


def run(world, program, dns):
    late = [host for host in world.hosts if host.name == LATE]
    set_links(late, "down")
    starts = {}
    for number, name in enumerate(WAYS):
        # By turns the one is there first, and the other.
        order = world.hosts[::-1] if number % 2 else world.hosts
        starts[name] = [functools.partial(chat, world, program, dns, host, name) for host in order]
    with Meeting(world.machine, starts, connected=False) as meeting:
        meeting.each(need_stuck)
        set_links(late, "up")
        tell("the link came up", meeting.each(need_chat))
        flap(meeting, late)
        flap(meeting, world.hosts)
        meeting.each(lambda _, talk: talk.finish())


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    skip_where_impossible("turnserver", "openssl")
    end_on_signals()
    with TwoLinks() as world:
        world.start_signaling_server(os.path.abspath(sys.argv[2]))
        world.start_turn_server()
        dns = Dns(world)
        dns.start()
        try:
            run(world, os.path.abspath(sys.argv[1]), dns)
        except Broken as why:
            sys.exit(f"FAIL {why}")


if __name__ == "__main__":
    main()
