#!/usr/bin/env python3
"""Chromium and peer_cli, each in a network of its own: the link in use goes down at each, with
Chromium controlling, and Chromium, or both, go through coturn alone.

Usage: browser.py PEER_CLI SIGNALING_SERVER BROWSER_CHAT SCENARIO
"""
import os
import pathlib
import shutil
import sys

from conversation import Broken, Conversation
from kinds import KINDS, SIGNALING_PORT
from links import (
    CONTROLLED, LINKS, TwoLinks, lose_link, pairs_that_work, restore_link, role_of)
from namespaces import SKIPPED, end_on_signals, skip_where_impossible
from peers import Peer
from turn_faults import UDP, chat, need_route
from servers import PASSWORD, USER
from world import SERVERS, World

CONNECTING = 30  # a browser has to start
ONE = SERVERS[4][0]


def skip_without_browser(script):
    missing = [] if shutil.which("node") else ["Node.js"]
    if not any(map(os.path.exists, ("/usr/bin/chromium", "/usr/bin/chromium-browser"))):
        missing.append("Chromium")
    if not (pathlib.Path(script).parent / "node_modules" / "playwright-core").exists():
        missing.append("playwright-core (npm ci in test/interop)")
    if missing:
        print(f"SKIPPED: not installed: {', '.join(missing)}")
        sys.exit(SKIPPED)


def browser(machine, namespace, script, server, room, *turn):
    return Peer(machine, "browser", namespace, "node", script, server, room, "browser", *turn)


def links(program, signaling_server, script, lose):
    """Chromium comes later, so it offers, and controls."""
    with TwoLinks() as world:
        world.start_signaling_server(signaling_server)
        ours, other = world.hosts
        server = f"ws://{other.server}:{SIGNALING_PORT}/"
        with Conversation(world.machine,
                          lambda: ours.chat(program, "links", "--log-level", "debug"),
                          lambda: browser(world.machine, other.namespace, script, server,
                                          "links")) as talk:
            peer = talk.peers[0]
            talk.need(talk.flows(), CONNECTING, "a connection")
            talk.need(lambda: all(pairs_that_work(peer, link) for link in LINKS), CONNECTING,
                      "both links work")
            if role_of(peer) != CONTROLLED:
                talk.fail("Chromium does not control")
            lose(talk, ours, other)
            talk.finish()


def lose_ours_then_other(talk, ours, other):
    """Who is controlled asks for a restart when its link goes, and so controls from then on."""
    peer = talk.peers[0]
    restore_link(talk, ours, lose_link(talk, ours, peer), [peer])
    lose_link(talk, other, peer)


def lose_other(talk, _, other):
    lose_link(talk, other, talk.peers[0])


def relay(program, signaling_server, script, both=False):
    """Chromium goes through the TURN server alone."""
    with World() as world:
        world.start_signaling_server(signaling_server)
        world.start_turn_server(addresses=[ONE])
        ours, other = (world.site(KINDS["open"], side) for side in ("-a", "-b"))
        world.machine.await_links()
        server = f"ws://{ONE}:{SIGNALING_PORT}/"
        flags = [*UDP.flags(world.certificate, ONE), "--relay-only"] if both else []
        with Conversation(world.machine,
                          lambda: chat(world, program, ours, ours.name, "turn", *flags),
                          lambda: browser(world.machine, other.host, script, server, "turn",
                                          UDP.url(ONE), USER, PASSWORD)) as talk:
            talk.need(talk.flows(), CONNECTING, "a connection")
            told = talk.peers[1].told
            talk.need(lambda: any(f"* pair relay {ONE} <-> " in line for line in told), 5,
                      "Chromium says that it is relayed")
            if both:
                need_route(talk, talk.peers[:1], f"relayed via {ONE}")
            talk.finish()


SCENARIOS = {
    "links": lambda *programs: links(*programs, lose_ours_then_other),
    "its-link": lambda *programs: links(*programs, lose_other),
    "relay": relay,
    "relay-both": lambda *programs: relay(*programs, both=True),
}


def main():
    if len(sys.argv) != 5 or sys.argv[4] not in SCENARIOS:
        sys.exit(f"{__doc__}\nSCENARIO is one of {', '.join(SCENARIOS)}.")
    skip_where_impossible("turnserver", "openssl")
    skip_without_browser(sys.argv[3])
    end_on_signals()
    try:
        SCENARIOS[sys.argv[4]](*map(os.path.abspath, sys.argv[1:4]))
    except Broken as why:
        sys.exit(f"FAIL {why}")
    print("ok")


if __name__ == "__main__":
    main()
