"""The rows of the matrix: which kinds meet, and what RFC 8445 lets come of it."""
import dataclasses
import itertools

from kinds import ADDRESS, ENDPOINT, KINDS, Kind

DIRECT, TCP, RELAYED, FAILED = "direct", "tcp", "relayed", "failed"
# Peers of different families meet over relays alone.
ACROSS = (("port-restricted", "firewall-port-6"), ("udp-blocked", "tls-only-6"))
# Where one side is open, RFC 6544 helps another one that cannot use UDP.
OVER_TCP = (("open", "udp-blocked"), ("open-6", "udp-blocked-6"))
RELAY_FLAG, TCP_FLAG = "--turn", "--ice-tcp"


@dataclasses.dataclass(frozen=True)
class Row:
    first: Kind  # is there when the second comes
    second: Kind  # offers, and so controls
    expected: str
    needs: str = ""  # a flag of peer_cli

    @property
    def pair(self):
        return self.first, self.second

    @property
    def name(self):
        more = f" with {self.needs}" if self.needs == TCP_FLAG else ""
        return f"{self.first.name} x {self.second.name}{more}"


def gets_in(sender, receiver):
    """Whether a check from the sender to the receiver's server-reflexive candidate arrives, both
    having sent to each other's."""
    if receiver.filtering == ENDPOINT:
        return True
    # What the receiver sent towards the sender left by another mapping, and opened that one only.
    if receiver.mapping != ENDPOINT:
        return False
    # The check must come from the very port that the receiver has sent to.
    return receiver.filtering == ADDRESS or sender.mapping == ENDPOINT


def connects_directly(a, b):
    """Whether ICE (RFC 8445) finds a pair without a relay: one check that arrives is enough, since
    its response and the check that it triggers go back the way it came."""
    same_family = a.family == b.family
    return same_family and a.udp and b.udp and (gets_in(a, b) or gets_in(b, a))


def row_of(first, second):
    first, second = KINDS[first], KINDS[second]
    if connects_directly(first, second):
        return Row(first, second, DIRECT)
    return Row(first, second, RELAYED, RELAY_FLAG)


def all_rows():
    """Every ordered pair within a family, and what goes beyond that."""
    found = []
    for family in (4, 6):
        same = [name for name in KINDS if KINDS[name].family == family]
        found += [row_of(*pair) for pair in itertools.product(same, repeat=2)]
    for pair in ACROSS:
        found += [row_of(*pair), row_of(*reversed(pair))]
    for pair in OVER_TCP:
        kinds = [KINDS[name] for name in pair]
        found += [Row(*kinds, TCP, TCP_FLAG), Row(*reversed(kinds), TCP, TCP_FLAG)]
    return found
