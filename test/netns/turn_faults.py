#!/usr/bin/env python3
"""Chats that reach each other through coturn alone, over each transport and in each family of
addresses, while the server fails, forgets or expires what it gave them.

Usage: turn_faults.py PEER_CLI SIGNALING_SERVER SCENARIO
"""
import functools
import os
import re
import sys
import time

from conversation import Broken, Conversation, Meeting
from kinds import KINDS, SIGNALING_PORT
from namespaces import end_on_signals, skip_where_impossible
from peers import Peer
from ways import WAYS, Way, bracketed
from world import SERVERS, World

CONNECTING = 15
# One server for each family, so that nothing is relayed in the other one.
ONLY = [SERVERS[4][0], SERVERS[6][0]]
UDP = Way("udp")


def chat(world, program, site, name, room, *flags):
    server = f"ws://{bracketed(SERVERS[site.kind.family][0])}:{SIGNALING_PORT}/"
    return Peer(world.machine, name, site.host, program, "chat", room, "--name", name,
                "--server", server, *flags)


def meet(world, program, ways, *flags, hosts=None):
    """Lets two talk over each of the ways."""
    hosts = hosts or {family: both[:1] for family, both in SERVERS.items()}
    starts = {}
    for way in ways:
        kind = KINDS["open" if way.family == 4 else "open-6"]
        known = [*way.flags(world.certificate, *hosts[way.family]), *flags]
        starts[way] = [functools.partial(chat, world, program, world.site(kind, side),
                                         way.name + side, way.name, *known)
                       for side in ("-a", "-b")]
    world.machine.await_links()
    meeting = Meeting(world.machine, starts)
    meeting.each(lambda _, talk: talk.need(talk.flows(), CONNECTING, "a connection"))
    return meeting


def need_route(talk, peers, words):
    for peer in peers:
        if not any(words in line for line in peer.told):
            talk.fail(f"{peer.name} is not connected {words}")


def need_relay(way, talk):
    need_route(talk, talk.peers, f"relayed via {SERVERS[way.family][0]}")


def tell(what, seconds):
    print(f"{what}: " + "; ".join(f"{getattr(way, 'name', way)} after {took:.2f} s"
                                  for way, took in seconds.items()), flush=True)


def start_servers(world, *flags):
    return [world.start_turn_server(*flags, addresses=[address]) for address in ONLY]


def expiries(world, program):
    """Nonces last a second and allocations four, so each is renewed several times."""
    start_servers(world, "--stale-nonce=1", "--max-allocate-lifetime=4")

    def outlive(way, talk):
        need_relay(way, talk)
        talk.talk_on(12)
        talk.need(talk.flows(), 2, "lines after three lifetimes")
        talk.need_always_connected()
        talk.finish()

    with meet(world, program, WAYS, "--relay-only") as meeting:
        meeting.each(outlive)
    for address in ONLY:
        log = world.turn_log(address).read_text("utf-8", "replace")
        renewed = len(re.findall(r"refreshed.*lifetime=[1-4]\b", log))
        stale = len(re.findall(r"438", log)) + len(re.findall(r"Stale nonce", log))
        print(f"{address}: allocations were renewed {renewed} times, and nonces {stale}")
        if renewed < 3 * len(WAYS) or stale < 3 * len(WAYS):
            sys.exit("FAIL: that shows nothing\n" + log[-3000:])


def forgotten_peers(world, program):
    """Permissions and channels live three seconds, which RFC 8656 does not allow and coturn does:
    then they are asked for anew when nothing comes any more."""
    start_servers(world, "--permission-lifetime=3", "--channel-lifetime=3")

    def outlive(way, talk):
        need_relay(way, talk)
        for _ in range(3):
            talk.talk_on(4)
            talk.need(talk.flows(), 4, "lines after permissions and channels were forgotten")
        talk.need_always_connected()
        talk.finish()

    with meet(world, program, WAYS, "--relay-only") as meeting:
        meeting.each(outlive)


def killed(world, program):
    """The only server goes for good: the end says that it was the server."""
    servers = start_servers(world)

    def end(way, talk):
        started = time.monotonic()
        lost = "allocation was lost" + ("" if way.transport == "udp" else "|server did not answer")
        server = re.escape(way.url(SERVERS[way.family][0]))
        cause = re.compile(rf": failed \(the TURN ({lost})\): .*{server}")
        talk.need(lambda: all(any(map(cause.search, peer.told)) for peer in talk.peers), 45,
                  "both say that the server was lost")
        return time.monotonic() - started

    with meet(world, program, WAYS, "--relay-only") as meeting:
        meeting.each(need_relay)
        for server in servers:
            world.machine.end(server)
        tell("the end says so", meeting.each(end))


def recover(what, seconds):
    """Makes the action that awaits it, and that nothing was lost."""
    def action(_, talk):
        took = talk.recovery(seconds, what)
        talk.finish()
        return took
    return action


def restarted(world, program, ways, flags=()):
    """The only server forgets everything: both ask it anew, and the connection goes on."""
    servers = start_servers(world)
    with meet(world, program, ways, "--relay-only", *flags) as meeting:
        meeting.each(need_relay)
        for server in servers:
            world.machine.end(server)
        start_servers(world)
        tell("heard again", meeting.each(recover("the server was restarted", 15)))


def restarted_between_families(world, program):
    """The server has what each of the two lacks, IPv6 and IPv4, and forgets it."""
    server = world.start_turn_server()
    sites = [world.site(KINDS[kind]) for kind in ("port-restricted", "firewall-port-6")]
    world.machine.await_links()
    starts = [functools.partial(chat, world, program, site, site.name, "families", *UDP.flags(
        world.certificate, SERVERS[site.kind.family][0])) for site in sites]
    with Conversation(world.machine, *starts) as talk:
        talk.need(talk.flows(), CONNECTING, "a connection")
        world.machine.end(server)
        world.start_turn_server()
        print(f"heard again after {talk.recovery(15, 'the server was restarted'):.2f} s")
        talk.finish()


def second_server(world, program):
    """There is another server, and the one in use goes."""
    for way in WAYS:
        both = SERVERS[way.family]
        servers = {address: world.start_turn_server(addresses=[address]) for address in both}
        with meet(world, program, [way], "--relay-only", hosts={way.family: both}) as meeting:
            used = [re.search(r"relayed via (\S+) port", line)[1]
                    for line in meeting.talks[way].peers[0].told if "relayed via" in line][-1]
            world.machine.end(servers.pop(used))
            tell("heard again", meeting.each(recover(used + " was killed", 20)))
        for server in servers.values():
            world.machine.end(server)


def direct_path(world, program):
    """The way does not lead through the server that goes."""
    servers = start_servers(world, "--max-allocate-lifetime=4")

    def outlive(_, talk):
        need_route(talk, talk.peers, "direct udp")
        talk.talk_on(8)  # the allocations have lapsed
        talk.need(talk.flows(), 2, "lines without the server")
        talk.need_always_connected()
        talk.finish()

    with meet(world, program, WAYS) as meeting:
        for server in servers:
            world.machine.end(server)
        meeting.each(outlive)


SCENARIOS = {
    "expiries": expiries,
    "forgotten-peers": forgotten_peers,
    "killed": killed,
    "restarted": functools.partial(restarted, ways=WAYS),
    "restarted-mux": functools.partial(restarted, ways=[UDP], flags=["--udp-mux", "0"]),
    "restarted-families": restarted_between_families,
    "second-server": second_server,
    "direct-path": direct_path,
}


def main():
    if len(sys.argv) != 4 or sys.argv[3] not in SCENARIOS:
        sys.exit(f"{__doc__}\nSCENARIO is one of {', '.join(SCENARIOS)}.")
    skip_where_impossible("turnserver", "openssl")
    end_on_signals()
    with World() as world:
        world.start_signaling_server(os.path.abspath(sys.argv[2]))
        try:
            SCENARIOS[sys.argv[3]](world, os.path.abspath(sys.argv[1]))
        except Broken as why:
            sys.exit(f"FAIL {why}")


if __name__ == "__main__":
    main()
