#!/usr/bin/env python3
"""Takes down the interface that a connection uses, while another one joins the same two hosts: what
is said flows again within five seconds, and no line is lost. On each side, in each ICE role.

Usage: links.py PEER_CLI SIGNALING_SERVER
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from conversation import Broken, Conversation
from kinds import SIGNALING_PORT
from namespaces import (
    Machine, await_log, end_on_signals, ip_batch, own_name, skip_where_impossible, sysctl)
from peers import Peer
from world import IPV6_OFF

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


class TwoLinks:
    """Two hosts, the links between them, and a signaling server that is reached otherwise."""

    def __init__(self, signaling_server):
        self.program = signaling_server
        self.machine = Machine()
        self.log = tempfile.NamedTemporaryFile(prefix=own_name(""))

    def __enter__(self):
        self.machine.__enter__()
        try:
            middle = self.machine.add("middle")
            sysctl(middle, **IPV6_OFF)
            ip_batch([line for link in LINKS for line in (
                f"link add {link} type bridge mcast_snooping 0", f"link set {link} up")], middle)
            self.hosts = [Host(self.machine, middle, name, number)
                          for number, name in enumerate(("anna", "otto"), 1)]
            self.machine.await_links()
            self.machine.start(middle, self.program, "--listen", f"0.0.0.0:{SIGNALING_PORT}",
                               stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
            log = pathlib.Path(self.log.name)
            await_log(lambda: "listening on" in log.read_text("utf-8"), log, 20,
                      "the signaling server did not start")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *what):
        self.machine.__exit__(*what)
        self.log.close()


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


def lose_each_in_turn(world, program):
    """On either side, as the controlled and as the controlling one: who is controlled asks for a
    restart when its link goes, and so controls from then on."""
    first, second = world.hosts
    with Conversation(world.machine,
                      lambda: first.chat(program, "links", "--log-level", "debug"),
                      lambda: second.chat(program, "links", "--log-level", "debug")) as talk:
        talk.need(lambda: all(map(link_of, talk.peers)), CONNECTING, "a connection")
        answerer, offerer = talk.peers
        talk.need(lambda: role_of(offerer) == CONTROLLING, CONNECTING, "roles")
        talk.need(lambda: all(pairs_that_work(peer, link) for peer in talk.peers for link in LINKS),
                  CONNECTING, "both links work")
        for host, peer, role in ((first, answerer, CONTROLLED), (first, answerer, CONTROLLING),
                                 (second, offerer, CONTROLLED), (second, offerer, CONTROLLING)):
            if role_of(peer) != role:
                talk.fail(f"{peer.name} is {role_of(peer)}, not {role}")
            restore_link(talk, host, lose_link(talk, host, peer), talk.peers)
        talk.need_always_connected()
        talk.finish()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    skip_where_impossible()
    end_on_signals()
    with TwoLinks(os.path.abspath(sys.argv[2])) as world:
        try:
            lose_each_in_turn(world, os.path.abspath(sys.argv[1]))
        except Broken as why:
            sys.exit(f"FAIL {why}")


if __name__ == "__main__":
    main()
