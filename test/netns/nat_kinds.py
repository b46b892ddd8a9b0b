#!/usr/bin/env python3
"""Makes each kind of NAT and firewall, and asks a STUN server what it is (RFC 5780).

Usage: nat_kinds.py [KIND …]
"""
import concurrent.futures
import sys
import time

from kinds import KINDS, STUN_PORT, TLS_PORT
from namespaces import end_on_signals, skip_where_impossible
from world import World


def complaint(site):
    """What is wrong with the site, or nothing."""
    kind = site.kind
    try:
        seen = site.probe()
    except TimeoutError as late:
        return str(late)
    for port in (STUN_PORT, TLS_PORT):
        expected = not kind.tcp_ports or port in kind.tcp_ports
        if site.reaches_by_tcp(port) != expected:
            return f"TCP port {port} " + ("cannot be reached" if expected else "can be reached")
    if not kind.udp:
        return "UDP is not blocked" if seen.answers else ""
    if not seen.answers:
        return "no answer over UDP"
    if seen.translates != kind.translates:
        return "it translates" if seen.translates else "it does not translate"
    if seen.mapping != kind.mapping:
        return f"mapping is {seen.mapping} instead of {kind.mapping}"
    if seen.filtering != kind.filtering:
        return f"filtering is {seen.filtering} instead of {kind.filtering}"
    if not seen.steady:
        return "the mapping changed after something unsolicited came"
    return ""


def verify(sites):
    """Probes the sites, all at once; the complaints by the site's name."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = pool.map(complaint, sites)
        return {site.name: text for site, text in zip(sites, found)}


def main():
    unknown = [name for name in sys.argv[1:] if name not in KINDS]
    if unknown:
        sys.exit(f"nat_kinds: {unknown[0]} is none of {', '.join(KINDS)}")
    skip_where_impossible("turnserver", "openssl")
    end_on_signals()
    started = time.monotonic()
    with World() as world:
        sites = [world.site(KINDS[name]) for name in sys.argv[1:] or KINDS]
        world.machine.await_links()
        world.start_turn_server()
        found = verify(sites)
    for name, text in found.items():
        print(f"{name}: {text or 'as it should be'}")
    wrong = sum(1 for text in found.values() if text)
    print(f"{len(found) - wrong} passed, {wrong} failed in {time.monotonic() - started:.1f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
