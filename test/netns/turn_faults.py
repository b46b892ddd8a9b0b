#!/usr/bin/env python3
"""Two chats that reach each other through coturn alone, while the server fails, forgets or expires
what it gave them.

Usage: turn_faults.py PEER_CLI SIGNALING_SERVER SCENARIO
"""
import os
import re
import sys
import time

from conversation import Broken, Conversation
from kinds import KINDS, SIGNALING_PORT, STUN_PORT
from namespaces import end_on_signals, skip_where_impossible
from peers import Peer
from world import PASSWORD, SERVERS, USER, World

ONE, OTHER = SERVERS[4]
CONNECTING = 15
URL = {"udp": "turn:{}:%d" % STUN_PORT, "tcp": "turn:{}:%d?transport=tcp" % STUN_PORT}


def chat(world, program, site, *flags):
    return Peer(world.machine, site.name, site.host, program, "chat", "turn", "--name", site.name,
                "--server", f"ws://{ONE}:{SIGNALING_PORT}/", *flags)


def turn_flags(*servers, over="udp"):
    urls = [word for server in servers for word in ("--turn", URL[over].format(server))]
    return [*urls, "--turn-user", USER, "--turn-pass", PASSWORD]


def converse(world, program, *flags):
    sites = [world.site(KINDS["open"], side) for side in ("-a", "-b")]
    world.machine.await_links()
    talk = Conversation(world.machine, lambda: chat(world, program, sites[0], *flags),
                        lambda: chat(world, program, sites[1], *flags))
    talk.need(talk.flows(), CONNECTING, "a connection")
    return talk


def need_route(talk, peers, words):
    for peer in peers:
        if not any(words in line for line in peer.told):
            talk.fail(f"{peer.name} is not connected {words}")


def expiries(world, program, over="udp"):
    """Nonces last a second and allocations four, so each is renewed several times."""
    world.start_turn_server("--stale-nonce=1", "--max-allocate-lifetime=4", addresses=[ONE])
    with converse(world, program, *turn_flags(ONE, over=over), "--relay-only") as talk:
        need_route(talk, talk.peers, f"relayed via {ONE}")
        talk.talk_on(12)
        talk.need(talk.flows(), 2, "lines after three lifetimes")
        talk.need_always_connected()
        talk.finish()
    log = world.turn_log(ONE).read_text("utf-8", "replace")
    renewed = len(re.findall(r"refreshed.*lifetime=[1-4]\b", log))
    stale = len(re.findall(r"438", log)) + len(re.findall(r"Stale nonce", log))
    print(f"allocations were renewed {renewed} times, and nonces {stale}")
    if renewed < 6 or stale < 6:
        sys.exit("FAIL: that shows nothing\n" + log[-3000:])


def forgotten_peers(world, program):
    """Permissions and channels live three seconds, which RFC 8656 does not allow and coturn does:
    then they are asked for anew when nothing comes any more."""
    world.start_turn_server("--permission-lifetime=3", "--channel-lifetime=3", addresses=[ONE])
    with converse(world, program, *turn_flags(ONE), "--relay-only") as talk:
        need_route(talk, talk.peers, f"relayed via {ONE}")
        for _ in range(3):
            talk.talk_on(4)
            talk.need(talk.flows(), 4, "lines after permissions and channels were forgotten")
        talk.need_always_connected()
        talk.finish()


def killed(world, program, over="udp"):
    """The only server goes for good: the end says that it was the server."""
    server = world.start_turn_server(addresses=[ONE])
    with converse(world, program, *turn_flags(ONE, over=over), "--relay-only") as talk:
        need_route(talk, talk.peers, f"relayed via {ONE}")
        started = time.monotonic()
        world.machine.end(server)
        cause = re.compile(rf": failed \(the TURN (allocation was lost|server did not answer)\): "
                           rf".*turn:{re.escape(ONE)}")
        talk.need(lambda: all(any(map(cause.search, peer.told)) for peer in talk.peers), 45,
                  "both say that the server was lost")
        print(f"both said so after {time.monotonic() - started:.1f} s")


def restarted(world, program, *flags):
    """The only server forgets everything: both ask it anew, and the connection goes on."""
    server = world.start_turn_server(addresses=[ONE])
    with converse(world, program, *turn_flags(ONE), "--relay-only", *flags) as talk:
        need_route(talk, talk.peers, f"relayed via {ONE}")
        world.machine.end(server)
        world.start_turn_server(addresses=[ONE])
        print(f"heard again after {talk.recovery(15, 'the server was restarted'):.2f} s")
        talk.finish()


def chat_in_family(world, program, site):
    host = SERVERS[site.kind.family][0]
    host = f"[{host}]" if ":" in host else host
    return Peer(world.machine, site.name, site.host, program, "chat", "turn", "--name", site.name,
                "--server", f"ws://{host}:{SIGNALING_PORT}/", "--turn", f"turn:{host}:{STUN_PORT}",
                "--turn-user", USER, "--turn-pass", PASSWORD)


def restarted_between_families(world, program):
    """The server has what each of the two lacks, IPv6 and IPv4, and forgets it."""
    server = world.start_turn_server()
    sites = [world.site(KINDS[kind]) for kind in ("port-restricted", "firewall-port-6")]
    world.machine.await_links()
    with Conversation(world.machine, lambda: chat_in_family(world, program, sites[0]),
                      lambda: chat_in_family(world, program, sites[1])) as talk:
        talk.need(talk.flows(), CONNECTING, "a connection")
        world.machine.end(server)
        world.start_turn_server()
        print(f"heard again after {talk.recovery(15, 'the server was restarted'):.2f} s")
        talk.finish()


def second_server(world, program):
    """There is another server, and the one in use goes."""
    servers = {address: world.start_turn_server(addresses=[address]) for address in (ONE, OTHER)}
    with converse(world, program, *turn_flags(ONE, OTHER), "--relay-only") as talk:
        used = [re.search(r"relayed via (\S+) port", line)[1] for line in talk.peers[0].told
                if "relayed via" in line][-1]
        world.machine.end(servers[used])
        print(f"heard again after {talk.recovery(20, used + ' was killed'):.2f} s")
        talk.finish()


def direct_path(world, program):
    """The way does not lead through the server that goes."""
    server = world.start_turn_server("--max-allocate-lifetime=4", addresses=[ONE])
    with converse(world, program, *turn_flags(ONE)) as talk:
        need_route(talk, talk.peers, "direct udp")
        world.machine.end(server)
        talk.talk_on(8)  # the allocations have lapsed
        talk.need(talk.flows(), 2, "lines without the server")
        talk.need_always_connected()
        talk.finish()


SCENARIOS = {
    "expiries": expiries,
    "expiries-tcp": lambda world, program: expiries(world, program, "tcp"),
    "forgotten-peers": forgotten_peers,
    "killed": killed,
    "killed-tcp": lambda world, program: killed(world, program, "tcp"),
    "restarted": restarted,
    "restarted-mux": lambda world, program: restarted(world, program, "--udp-mux", "0"),
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
