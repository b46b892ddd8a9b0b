#!/usr/bin/env python3
"""Takes down the interface that a connection uses, while another one joins the same two hosts: what
is said flows again within five seconds, and no line is lost. On each side, in each ICE role.

Usage: links.py PEER_CLI SIGNALING_SERVER
"""
import os
import re
import sys

from conversation import Broken, Conversation
from kinds import SIGNALING_PORT
from namespaces import end_on_signals, ip_batch, skip_where_impossible, sysctl
from peers import Peer
from servers import IPV6_OFF, Servers

LINKS = ("red", "blue")  # both hosts are plugged into either; each is a network of its own
WITHIN = 5  # seconds in which messages must flow again
CONNECTING = 15
CONTROLLING, CONTROLLED = "controlling", "controlled"


class Host:
    def __init__(self, machine, middle, name, number):
        self.name = name
        self.machine = machine
        self.namespace = machine.add(name)
        # A host answers for all of its addresses on every link, unless it is told not to.
        sysctl(self.namespace, ipv4__conf__all__rp_filter=1,
               ipv4__conf__all__arp_announce=2, **IPV6_OFF)
        for index, link in enumerate(LINKS, 1):
            self._plug(middle, link, f"10.{index}.0.{number}", f"{link}-{number}")
            ip_batch([f"link set {link}-{number} master {link}"], middle)
        # A network of two for each host and the signaling server: no way from host to host.
        self._plug(middle, "green", f"10.9.{number}.2", f"green-{number}")
        self.server = f"10.9.{number}.1"
        ip_batch([f"address add {self.server}/24 dev green-{number}"], middle)

    def _plug(self, middle, link, address, port):
        ip_batch([f"link add {link} type veth peer name {port} netns {middle}",
                  f"address add {address}/24 dev {link}", f"link set {link} up"], self.namespace)
        ip_batch([f"link set {port} up"], middle)

    def set_link(self, link, state):
        ip_batch([f"link set {link} {state}"], self.namespace)

    def chat(self, program, room, *flags):
        return Peer(self.machine, self.name, self.namespace, program, "chat", room, "--name",
                    self.name, "--server", f"ws://{self.server}:{SIGNALING_PORT}/", *flags)


class TwoLinks(Servers):
    """Two hosts, the links between them, and servers: signaling is reached otherwise, and what is
    on an address of the first link over that."""

    namespace = "middle"
    addresses = ("10.1.0.254",)

    def build(self):
        sysctl(self.internet, **IPV6_OFF)
        ip_batch([line for link in LINKS for line in (
            f"link add {link} type bridge mcast_snooping 0", f"link set {link} up")]
            + [f"address add {self.addresses[0]}/24 dev {LINKS[0]}"], self.internet)
        self.hosts = [Host(self.machine, self.internet, name, number)
                      for number, name in enumerate(("anna", "otto"), 1)]
        self.machine.await_links()


def role_of(peer):
    """As peer_cli told last, at the log level `debug`; who was told nothing is controlled."""
    told = [match[1] for line in peer.told if (match := re.search(r"ice: now (\w+):", line))]
    return told[-1] if told else CONTROLLED


def link_of(peer):
    """The link of the pair that the peer sends over."""
    used = [match[1] for line in peer.told
            if (match := re.search(r": direct udp, \w+ 10\.([12])\.0\.\d+:\d+ ", line))]
    return LINKS[int(used[-1]) - 1] if used else None


def pairs_that_work(peer, link):
    """How often a pair over the link has begun to work."""
    net = rf"10\.{LINKS.index(link) + 1}\.0\.\d+:\d+"
    return sum(1 for line in peer.told if re.search(
        rf"pair {net} -> {net}: [\w-]+ -> succeeded", line))


def lose_link(talk, host, peer):
    """Takes down, at the host, the link that the peer uses, and gives it; both must soon hear each
    other again."""
    link = link_of(peer)
    was = role_of(peer)
    host.set_link(link, "down")
    seconds = talk.recovery(WITHIN, f"{link} went down at {host.name}, {peer.name} being {was}")
    print(f"ok   {host.name} lost {link}, {peer.name} {was}: heard again after {seconds:.2f} s",
          flush=True)
    talk.need(lambda: link_of(peer) != link, WITHIN, "another link is in use")
    return link


def restore_link(talk, host, link, watched):
    """Until those that are watched, who tell of the pairs that they check, can use it again."""
    before = [pairs_that_work(each, link) for each in watched]
    host.set_link(link, "up")
    talk.need(lambda: all(pairs_that_work(each, link) > count
                          for each, count in zip(watched, before)),
              CONNECTING, f"{link} is in reserve again")


def lose_each_in_turn(world, program, first, second):
    """Who comes first answers and is controlled, and an ICE restart keeps the roles (RFC 8445 6.1.1)."""
    with Conversation(world.machine,
                      lambda: first.chat(program, "links", "--log-level", "debug"),
                      lambda: second.chat(program, "links", "--log-level", "debug")) as talk:
        talk.need(lambda: all(map(link_of, talk.peers)), CONNECTING, "a connection")
        answerer, offerer = talk.peers
        talk.need(lambda: role_of(offerer) == CONTROLLING, CONNECTING, "roles")
        talk.need(lambda: all(pairs_that_work(peer, link) for peer in talk.peers for link in LINKS),
                  CONNECTING, "both links work")
        for host, peer, role in ((first, answerer, CONTROLLED), (second, offerer, CONTROLLING)):
            restore_link(talk, host, lose_link(talk, host, peer), talk.peers)
            if role_of(peer) != role:
                talk.fail(f"{peer.name} is {role_of(peer)}, not {role}")
        talk.need_always_connected()
        talk.finish()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    skip_where_impossible()
    end_on_signals()
    with TwoLinks() as world:
        world.start_signaling_server(os.path.abspath(sys.argv[2]))
        try:
            for first, second in (world.hosts, reversed(world.hosts)):
                lose_each_in_turn(world, os.path.abspath(sys.argv[1]), first, second)
        except Broken as why:
            sys.exit(f"FAIL {why}")


if __name__ == "__main__":
    main()
