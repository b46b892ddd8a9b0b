"""The kinds of NAT (RFC 4787) and of IPv6 firewall that peers stand behind, as nftables rules."""
import dataclasses
import string

# RFC 4787, sections 4.1 and 5: what a mapping, or the filtering of what comes in, depends on.
ENDPOINT, ADDRESS, PORT = "endpoint-independent", "address-dependent", "address-and-port-dependent"
STUN_PORT, TLS_PORT, SIGNALING_PORT = 3478, 5349, 8765


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    family: int
    mapping: str = ENDPOINT
    filtering: str = ENDPOINT
    router: bool = True  # without one, the host itself has a public address
    udp: bool = True
    tcp_ports: tuple = ()  # all, where none is named

    @property
    def translates(self):
        return self.router and self.family == 4


KINDS = {kind.name: kind for kind in (
    Kind("open", 4, router=False),
    Kind("full-cone", 4),
    Kind("address-restricted", 4, filtering=ADDRESS),
    Kind("port-restricted", 4, filtering=PORT),
    Kind("symmetric", 4, mapping=PORT, filtering=PORT),
    Kind("address-mapped", 4, mapping=ADDRESS, filtering=PORT),
    Kind("udp-blocked", 4, filtering=PORT, udp=False),
    Kind("tls-only", 4, filtering=PORT, udp=False, tcp_ports=(TLS_PORT, SIGNALING_PORT)),
    Kind("open-6", 6, router=False),
    Kind("firewall-endpoint-6", 6),
    Kind("firewall-address-6", 6, filtering=ADDRESS),
    Kind("firewall-port-6", 6, filtering=PORT),
    Kind("udp-blocked-6", 6, filtering=PORT, udp=False),
    Kind("tls-only-6", 6, filtering=PORT, udp=False, tcp_ports=(TLS_PORT, SIGNALING_PORT)),
)}


# What all routers do. The rule that drops the unsolicited in `input` is needed: what is delivered
# to the router itself is remembered by connection tracking, takes the port, and so makes a NAT with
# endpoint-independent mapping choose another port for that remote endpoint.
COMMON = """
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname "lan" accept
    meta l4proto { icmp, ipv6-icmp } accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    $learn
    ct state established,related accept
    iifname "lan" oifname "wan" $permitted accept
    $admitted
  }
"""

# The mapping is chosen in `outgoing`; `learn` notes which inner endpoint an outer port stands for,
# and which remote endpoints it was used for, as they are after translation; `incoming` lets in by
# these notes what connection tracking does not know.
NAT = string.Template("""
table ip nat {
  map inner {
    type inet_service : ipv4_addr . inet_service; flags dynamic, timeout; timeout 10m;
  }
  set contacted { type ipv4_addr . inet_service; flags dynamic, timeout; timeout 10m; }
  chain outgoing {
    type nat hook postrouting priority srcnat;
    oifname "wan" meta l4proto udp $translate
    oifname "wan" snat to $outer
  }
  chain learn {
    type filter hook postrouting priority srcnat + 10;
    oifname "wan" ct direction original update @inner { \
udp sport : ct original ip saddr . ct original proto-src }
    oifname "wan" update @contacted { ip daddr . udp sport }
  }
  chain incoming {
    type nat hook prerouting priority dstnat;
    $incoming
  }
""" + COMMON + "}\n")

FIREWALL = string.Template("""
table ip6 firewall {
  set open { type ipv6_addr . inet_service; flags dynamic, timeout; timeout 10m; }
  set contacted { type ipv6_addr . ipv6_addr . inet_service; flags dynamic, timeout; timeout 10m; }
""" + COMMON + "}\n")

OUTER_PORTS = "20000-60000"
TRANSLATE = {
    # Connection tracking keeps a source port that is free, and with one host behind it, it is.
    ENDPOINT: "snat to $outer",
    ADDRESS: "snat ip to $outer : jhash ip daddr . udp sport mod 40000 offset 20000",
    PORT: f"snat to $outer:{OUTER_PORTS} fully-random",
}
INCOMING = {
    ENDPOINT: 'iifname "wan" dnat ip to udp dport map @inner',
    ADDRESS: 'iifname "wan" ip saddr . udp dport @contacted dnat ip to udp dport map @inner',
    PORT: "",
}
LEARN_6 = """iifname "lan" update @open { ip6 saddr . udp sport }
    iifname "lan" update @contacted { ip6 daddr . ip6 saddr . udp sport }"""
ADMITTED_6 = {
    ENDPOINT: 'iifname "wan" ip6 daddr . udp dport @open accept',
    ADDRESS: 'iifname "wan" ip6 saddr . ip6 daddr . udp dport @contacted accept',
    PORT: "",
}


def rules(kind, outer):
    """The nftables rules of the router, whose outer address is given."""
    permitted = ""
    if kind.tcp_ports:
        permitted = "tcp dport { " + ", ".join(map(str, kind.tcp_ports)) + " }"
    elif not kind.udp:
        permitted = "meta l4proto != udp"
    if kind.family == 6:
        return FIREWALL.substitute(learn=LEARN_6, permitted=permitted,
                                   admitted=ADMITTED_6[kind.filtering])
    translate = string.Template(TRANSLATE[kind.mapping]).substitute(outer=outer)
    return NAT.substitute(learn="", permitted=permitted, admitted="ct status dnat accept",
                          translate=translate, incoming=INCOMING[kind.filtering], outer=outer)
