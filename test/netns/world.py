"""An internet with a STUN, TURN and signaling server, and sites behind the kinds of NAT."""
import socket

import stun
from kinds import STUN_PORT, rules
from namespaces import inside, ip_batch, sysctl
from servers import IPV6_OFF, Servers

# Addresses for documentation (RFC 5737 and 3849). Two of each family, for RFC 5780.
SERVERS = {4: ("198.51.100.1", "198.51.100.2"), 6: ("2001:db8::1", "2001:db8::2")}


class Site:
    """A host, and the NAT or firewall that it is behind."""

    def __init__(self, world, kind, name, number):
        self.kind = kind
        self.name = name
        self.machine = world.machine
        self.internet = world.internet
        self.host = self.machine.add(name)
        four = kind.family == 4
        self.outer = f"198.51.100.{10 + number}" if four else f"2001:db8::1:{number:x}"
        self.bits = 24 if four else 64
        self.inner = f"10.0.{number}" if four else f"2001:db8:{number:x}:"
        if four:
            sysctl(self.host, **IPV6_OFF)
        if kind.router:
            self._stand_behind_router(f"p{number}")
        else:
            self._plug(self.host, "eth0", self.outer, self.internet, f"p{number}")
            ip_batch([f"route add default via {SERVERS[kind.family][0]}"], self.host)
            self.address = self.outer

    def _plug(self, namespace, link, address, other, port):
        """A cable from the namespace to the bridge of the internet."""
        ip_batch([f"link add {link} type veth peer name {port} netns {other}",
                  f"address add {address}/{self.bits} dev {link}", f"link set {link} up"],
                 namespace)
        ip_batch([f"link set {port} master bridge up"], other)

    def _stand_behind_router(self, port):
        router = self.machine.add(self.name + "-nat")
        four = self.kind.family == 4
        if four:
            sysctl(router, ipv4__ip_forward=1, **IPV6_OFF)
        else:
            sysctl(router, ipv6__conf__all__forwarding=1)
        self._plug(router, "wan", self.outer, self.internet, port)
        gateway = self.inner + (".1" if four else ":1")
        self.address = self.inner + (".2" if four else ":2")
        ip_batch([f"link add lan type veth peer name eth0 netns {self.host}",
                  f"address add {gateway}/{self.bits} dev lan", "link set lan up",
                  f"route add default via {SERVERS[self.kind.family][0]}"], router)
        ip_batch([f"address add {self.address}/{self.bits} dev eth0", "link set eth0 up",
                  f"route add default via {gateway}"], self.host)
        if not four:
            ip_batch([f"route add {self.inner}:/64 via {self.outer}"], self.internet)
        self.machine.filter(router, rules(self.kind, self.outer))

    def probe(self):
        with inside(self.host):
            return stun.probe(self.address, (SERVERS[self.kind.family][0], STUN_PORT))

    def reaches_by_tcp(self, port):
        with inside(self.host):
            family = socket.AF_INET if self.kind.family == 4 else socket.AF_INET6
            sock = socket.socket(family, socket.SOCK_STREAM)
        with sock:
            sock.settimeout(1)
            return sock.connect_ex((SERVERS[self.kind.family][0], port)) == 0


class World(Servers):
    """The internet: one bridge that all sites are plugged into. It forwards IPv6, and drops IPv4
    to private addresses silently."""

    namespace = "internet"
    addresses = SERVERS[4] + SERVERS[6]

    def __init__(self):
        super().__init__()
        self.sites = {}

    def build(self):
        sysctl(self.internet, ipv6__conf__all__forwarding=1)
        addresses = [f"{address}/{24 if family == 4 else 64}"
                     for family, both in SERVERS.items() for address in both]
        ip_batch(["link add bridge type bridge mcast_snooping 0", "link set bridge up",
                  *(f"address add {address} dev bridge" for address in addresses),
                  # What goes nowhere is lost, as out there: without a route the TURN server
                  # would be told, and coturn ends the allocation that sent it.
                  "link add nowhere type veth peer name nobody",
                  "link set nowhere arp off up", "link set nobody up",
                  "route add default dev nowhere", "route add ::/0 dev nowhere"],
                 self.internet)

    def site(self, kind, side=""):
        """The site of that kind, made when first asked for; each side has its own."""
        name = kind.name + side
        if name not in self.sites:
            self.sites[name] = Site(self, kind, name, len(self.sites) + 1)
        return self.sites[name]
