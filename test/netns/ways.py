"""The ways to a TURN server: over a transport, in a family of addresses."""
import dataclasses

from kinds import STUN_PORT, TLS_PORT
from servers import PASSWORD, USER

URLS = {"udp": f"turn:{{}}:{STUN_PORT}", "tcp": f"turn:{{}}:{STUN_PORT}?transport=tcp",
        "tls": f"turns:{{}}:{TLS_PORT}"}


def bracketed(address):
    return f"[{address}]" if ":" in address else address


@dataclasses.dataclass(frozen=True)
class Way:
    transport: str
    family: int = 4

    @property
    def name(self):
        return self.transport + ("-6" if self.family == 6 else "")

    def url(self, host):
        return URLS[self.transport].format(bracketed(host))

    def flags(self, certificate, *hosts):
        """What peer_cli is told of the servers."""
        urls = [word for host in hosts for word in ("--turn", self.url(host))]
        return [*urls, "--turn-user", USER, "--turn-pass", PASSWORD, "--turn-ca", str(certificate)]


WAYS = tuple(Way(transport, family) for family in (4, 6) for transport in URLS)
