#!/usr/bin/env python3
"""Nothing comes from or to the TURN server for a while, and meanwhile one side, the other or both
ask for an ICE restart. The server has kept what it gave them, and refuses to give it anew (437); the
connection recovers all the same, and nothing is lost.

Usage: outages.py RESTARTING_CHAT SIGNALING_SERVER
"""
import functools
import os
import sys

from conversation import Broken, Meeting
from kinds import KINDS, SIGNALING_PORT, STUN_PORT, TLS_PORT
from namespaces import end_on_signals, skip_where_impossible
from peers import Peer
from servers import PASSWORD, USER
from turn_faults import tell
from ways import Way
from world import SERVERS, World

SERVER = SERVERS[4][0]
CONNECTING = 15
BEFORE, AFTER = 11, 1  # seconds: the server counts as silent after ten
RECOVERING = 20
# Who asks, over which way.
RESTARTS = {f"{transport}, {' and '.join(who) or 'nobody'} restarting": (Way(transport), who)
            for transport, who in (("udp", ["a"]), ("udp", ["b"]), ("udp", ["a", "b"]), ("udp", []),
                                   ("tcp", ["a", "b"]), ("tls", ["a"]))}
PORTS = f"{{ {STUN_PORT}, {TLS_PORT} }}"
OUTAGE = f"""
table inet outage {{
  chain input {{
    type filter hook input priority filter;
    meta l4proto {{ tcp, udp }} th dport {PORTS} drop
  }}
  chain output {{
    type filter hook output priority filter;
    meta l4proto {{ tcp, udp }} th sport {PORTS} drop
  }}
}}
"""


def start_outage(world):
    world.machine.filter(world.internet, OUTAGE)


def end_outage(world):
    world.machine.filter(world.internet, "delete table inet outage\n")


def chat(world, program, site, name, key):
    way = RESTARTS[key][0]
    room = key.replace(", ", "-").replace(" ", "-")
    return Peer(world.machine, name, site.host, program, f"ws://{SERVER}:{SIGNALING_PORT}/", room,
                name, way.url(SERVER), USER, PASSWORD, world.certificate)


def restart_meanwhile(key, talk):
    talk.talk_on(BEFORE)
    for peer in talk.peers:
        if peer.name in RESTARTS[key][1]:
            peer.says("/restart")
    talk.talk_on(AFTER)


def run(world, program):
    sites = [world.site(KINDS["open"], side) for side in ("-a", "-b")]
    world.machine.await_links()
    starts = {key: [functools.partial(chat, world, program, site, name, key)
                    for site, name in zip(sites, "ab")] for key in RESTARTS}
    with Meeting(world.machine, starts) as meeting:
        meeting.each(lambda _, talk: talk.need(talk.flows(), CONNECTING, "a connection"))
        start_outage(world)
        meeting.each(restart_meanwhile)
        end_outage(world)
        tell("heard again", meeting.each(
            lambda _, talk: talk.recovery(RECOVERING, "the outage was over")))
        meeting.each(lambda _, talk: talk.finish())
    if "error 437" not in world.turn_log(SERVER).read_text("utf-8", "replace"):
        sys.exit("FAIL: the server never refused anything, so that shows nothing")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    skip_where_impossible("turnserver", "openssl")
    end_on_signals()
    with World() as world:
        world.start_signaling_server(os.path.abspath(sys.argv[2]))
        world.start_turn_server(addresses=[SERVER])
        try:
            run(world, os.path.abspath(sys.argv[1]))
        except Broken as why:
            sys.exit(f"FAIL {why}")


if __name__ == "__main__":
    main()
