#!/usr/bin/env python3
"""Lets `peer_cli doctor` examine each kind of NAT and firewall from behind it.

Usage: doctor.py PEER_CLI [KIND …]
"""
import concurrent.futures
import os
import subprocess
import sys
import time

from kinds import KINDS, STUN_PORT, TLS_PORT
from namespaces import end_on_signals, skip_where_impossible
from servers import PASSWORD, USER
from world import SERVERS, World

PATIENCE = 60


def flags_of(world, kind, with_relay):
    """STUN where UDP may pass, and TURN over what may pass."""
    plain = SERVERS[kind.family][0]
    host = f"[{plain}]" if kind.family == 6 else plain
    flags = [] if kind.tcp_ports else ["--stun", f"stun:{host}:{STUN_PORT}"]
    if not with_relay:
        return flags
    urls = [f"turns:{host}:{TLS_PORT}"]
    if kind.udp:
        urls.append(f"turn:{host}:{STUN_PORT}?transport=udp")
    for url in urls:
        flags += ["--turn", url]
    return flags + ["--turn-user", USER, "--turn-pass", PASSWORD, "--turn-ca",
                    str(world.certificate)]


def expected_of(kind, with_relay):
    """The lines that the report must hold, and the exit status."""
    if not kind.udp:
        if with_relay and kind.tcp_ports and kind.family == 6:
            return ["no STUN server has confirmed it; turns:"], 0  # UDP was not tried
        if with_relay:
            return ["Verdict: peers elsewhere reach this machine through turns:"], 0
        return ["over udp", ": no answer", "Verdict: only peers on this network"], 1
    nat = "a NAT" if kind.translates else "no NAT"
    lines = [f"{nat}; mapping: {kind.mapping}; filtering: {kind.filtering}", "Two peers"]
    return lines + (["relayed via"] if with_relay else ["no TURN server relays"]), 0


def complaint(world, program, site, with_relay):
    """What is wrong with the report of that site, or nothing."""
    process = world.machine.start(site.host, program, "doctor",
                                  *flags_of(world, site.kind, with_relay),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
    try:
        text = process.communicate(timeout=PATIENCE)[0]
    finally:
        world.machine.end(process)
    lines, status = expected_of(site.kind, with_relay)
    missing = [line for line in lines if line not in text]
    if missing or process.returncode != status:
        return f"status {process.returncode}, expected {status}; missing: {missing}\n{text}"
    return ""


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    unknown = [name for name in sys.argv[2:] if name not in KINDS]
    if unknown:
        sys.exit(f"doctor: {unknown[0]} is none of {', '.join(KINDS)}")
    skip_where_impossible("turnserver", "openssl")
    end_on_signals()
    started = time.monotonic()
    kinds = [KINDS[name] for name in sys.argv[2:] or KINDS]
    runs = [(kind, with_relay) for kind in kinds for with_relay in (True, False)
            if with_relay or not kind.tcp_ports]
    with World() as world:
        sites = {kind: world.site(kind) for kind in kinds}
        world.machine.await_links()
        world.start_turn_server()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            found = list(pool.map(
                lambda run: complaint(world, program, sites[run[0]], run[1]), runs))
    for (kind, with_relay), text in zip(runs, found):
        print(f"{kind.name} {'with' if with_relay else 'without'} a relay: "
              f"{text or 'as it should be'}")
    wrong = sum(1 for text in found if text)
    print(f"{len(found) - wrong} passed, {wrong} failed in {time.monotonic() - started:.1f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
