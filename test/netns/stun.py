"""Probes a NAT's behaviour with STUN, as RFC 5780 has it."""
import dataclasses
import ipaddress
import os
import select
import socket
import struct
import time

from kinds import ADDRESS, ENDPOINT, PORT

BINDING_REQUEST, BINDING_RESPONSE = 0x0001, 0x0101  # RFC 8489, section 18.2
MAGIC = 0x2112A442  # RFC 8489, section 5
XOR_MAPPED_ADDRESS = 0x0020
CHANGE_REQUEST, OTHER_ADDRESS = 0x0003, 0x802C  # RFC 5780, section 7
CHANGE_IP, CHANGE_PORT = 0x04, 0x02  # RFC 5780, section 7.2
PERIOD, TRIES = 0.15, 4  # on one machine no answer takes longer


@dataclasses.dataclass
class Answer:
    mapped: tuple
    other: tuple  # the server's other address and port, if it has one
    source: tuple


@dataclasses.dataclass
class Behaviour:
    answers: bool  # nothing else is known where no answer comes
    translates: bool = False
    mapping: str = ""
    filtering: str = ""
    # Whether the mapping stayed the same after something unsolicited had been dropped.
    steady: bool = True


def request(transaction, change):
    attributes = struct.pack("!HHI", CHANGE_REQUEST, 4, change) if change else b""
    return struct.pack("!HHI12s", BINDING_REQUEST, len(attributes), MAGIC, transaction) + attributes


def address_of(value, transaction, masked):
    family, port = struct.unpack_from("!xBH", value)
    raw = value[4:20] if family == 2 else value[4:8]
    if masked:
        port ^= MAGIC >> 16
        mask = struct.pack("!I", MAGIC) + transaction
        raw = bytes(a ^ b for a, b in zip(raw, mask))
    return str(ipaddress.ip_address(raw)), port


def parse(packet, transaction, source):
    """The answer to the transaction, or None where the packet is none."""
    if len(packet) < 20:
        return None
    kind, length, magic, echoed = struct.unpack_from("!HHI12s", packet)
    if (kind, magic, echoed) != (BINDING_RESPONSE, MAGIC, transaction):
        return None
    found = {}
    at = 20
    while at + 4 <= min(len(packet), 20 + length):
        attribute, size = struct.unpack_from("!HH", packet, at)
        value = packet[at + 4:at + 4 + size]
        if attribute in (XOR_MAPPED_ADDRESS, OTHER_ADDRESS):
            found[attribute] = address_of(value, transaction, attribute == XOR_MAPPED_ADDRESS)
        at += 4 + (size + 3) // 4 * 4
    if XOR_MAPPED_ADDRESS not in found:
        return None
    return Answer(found[XOR_MAPPED_ADDRESS], found.get(OTHER_ADDRESS), source[:2])


def ask(sock, server, change=0):
    """The answer of the server, asked a few times; None where none comes."""
    transaction = os.urandom(12)
    for _ in range(TRIES):
        sock.sendto(request(transaction, change), server)
        deadline = time.monotonic() + PERIOD
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([sock], [], [], left)[0]:
                break
            packet, source = sock.recvfrom(2048)
            if answer := parse(packet, transaction, source):
                return answer
    return None


def mapped_by(sock, server):
    """The outer address and port of a socket that is known to get answers."""
    if answer := ask(sock, server):
        return answer.mapped
    raise TimeoutError(f"no answer from {server[0]} port {server[1]}")


def udp_socket(local):
    sock = socket.socket(socket.AF_INET6 if ":" in local else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((local, 0))
    return sock


def mapping_of(sock, server, first):
    """RFC 5780, section 4.3."""
    second = mapped_by(sock, (first.other[0], server[1]))
    if second == first.mapped:
        return ENDPOINT
    return ADDRESS if mapped_by(sock, first.other) == second else PORT


def filtering_of(sock, server, first):
    """RFC 5780, section 4.4; what is answered from elsewhere than was asked for does not count."""
    for change, source, behaviour in ((CHANGE_IP | CHANGE_PORT, first.other, ENDPOINT),
                                      (CHANGE_PORT, (server[0], first.other[1]), ADDRESS)):
        answer = ask(sock, server, change)
        if answer and answer.source == source:
            return behaviour
    return PORT


def probe(local, server):
    """The behaviour of what lies between the local address and a server that follows RFC 5780."""
    with udp_socket(local) as sock:
        first = ask(sock, server)
        if first is None:
            return Behaviour(answers=False)
        if first.other is None:
            raise LookupError("the STUN server does not follow RFC 5780")
        mapping = mapping_of(sock, server, first)
    # A socket of its own, since asking the server's other addresses opens the filter for them.
    with udp_socket(local) as sock:
        mapped = mapped_by(sock, server)
        filtering = filtering_of(sock, server, first)
        translates = mapped != sock.getsockname()[:2]
        steady = mapping != ENDPOINT or mapped_by(sock, first.other) == mapped
    return Behaviour(True, translates, mapping, filtering, steady)
