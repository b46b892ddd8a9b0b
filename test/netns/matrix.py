#!/usr/bin/env python3
"""Lets two peers meet for every pair of NAT kinds, in both orders, and compares the route that they
find with the one that RFC 8445 allows: direct wherever it can be, and relayed elsewhere.

Usage: matrix.py PEER_CLI SIGNALING_SERVER [--row FIRST SECOND] [--table FILE] [--keep] [--jobs N]
       [--documented FILE] [--without-relay] [--peer-flag=--FLAG]
The second peer comes later, offers, and controls.
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import signal
import sys
import time

import nat_kinds
from kinds import KINDS
from namespaces import end_on_signals, skip_where_impossible
from peers import Program, Talk
from rows import FAILED, RELAYED, TCP_FLAG, all_rows, row_of
from table import same_routes, write_table
from world import World

SIDES = ("-a", "-b")
# RFC 8863: for 39.5 s no peer may give up; without the end of the candidates, for 15 s more.
PATIENCE = 60


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer_cli")
    parser.add_argument("signaling_server")
    parser.add_argument("--row", nargs=2, choices=KINDS, metavar="KIND",
                        help="this pair alone, with all that the peers say")
    parser.add_argument("--table", help="a file for the outcomes, in Markdown")
    parser.add_argument("--keep", action="store_true",
                        help="go on until a signal, with the namespaces and the servers")
    parser.add_argument("--jobs", type=int, default=4, help="rows at once")
    parser.add_argument("--documented", help="the file of outcomes that these must agree with")
    parser.add_argument("--without-relay", action="store_true",
                        help="tell peers of no TURN server, and see those fail that need one")
    parser.add_argument("--peer-flag", action="append", default=[], help="a flag more for peer_cli")
    return parser.parse_args()


def chosen_rows(arguments):
    rows = [row_of(*arguments.row)] if arguments.row else all_rows()
    if not arguments.without_relay:
        return rows
    return [dataclasses.replace(row, expected=FAILED, needs="") if row.expected == RELAYED else row
            for row in rows]


def outcome_of(world, program, row, arguments):
    """What came of a row; nothing where peer_cli lacks what it needs."""
    if row.needs and not program.has(row.needs):
        return None
    flags = [*arguments.peer_flag, *([TCP_FLAG] if row.needs == TCP_FLAG else [])]
    sites = [world.site(kind, side) for kind, side in zip(row.pair, SIDES)]
    return Talk(world, program, sites, PATIENCE, flags).run(row.expected)


def tell(row, outcome, verbose):
    if outcome is None:
        print(f"SKIP {row.name}: needs {row.needs}", flush=True)
        return
    good = outcome.route == row.expected
    print(f"{'ok  ' if good else 'FAIL'} {row.name}: {outcome.route} in {outcome.seconds:.2f} s"
          + (f" ({outcome.why})" if outcome.why else "")
          + ("" if good else f", expected {row.expected}"), flush=True)
    print(f"       {outcome.pairs}", flush=True)
    if verbose or not good:
        print("".join(f"       {line}\n" for line in outcome.log.splitlines()), flush=True)


def prepare(world, rows, signaling_server):
    """Makes the sites and starts the servers; whether each site is what it is called."""
    for row in rows:
        for kind, side in zip(row.pair, SIDES):
            world.site(kind, side)
    world.machine.await_links()
    world.start_turn_server()
    world.start_signaling_server(signaling_server)
    sites = list(world.sites.values())
    wrong = {name: text for name, text in nat_kinds.verify(sites).items() if text}
    for name, text in wrong.items():
        print(f"FAIL {name} is not what it is called: {text}")
    if not wrong:
        print(f"{len(sites)} sites are what they are called", flush=True)
    return not wrong


def run(world, program, rows, arguments):
    """The outcomes by row, a few at once: they mostly wait."""
    results = {}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        waiting = {pool.submit(outcome_of, world, program, row, arguments): row for row in rows}
        try:
            for done in concurrent.futures.as_completed(waiting):
                results[waiting[done]] = done.result()
                tell(waiting[done], done.result(), verbose=bool(arguments.row))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            world.machine.end_all()
            raise
    return {row: results[row] for row in rows}


def main():
    arguments = parse_arguments()
    skip_where_impossible("turnserver", "openssl")
    end_on_signals()
    started = time.monotonic()
    rows = chosen_rows(arguments)
    program = Program(arguments.peer_cli, with_relay=not arguments.without_relay)
    with World() as world:
        if not prepare(world, rows, arguments.signaling_server):
            sys.exit(1)
        results = run(world, program, rows, arguments)
        if arguments.keep:
            print(f"running until a signal comes: {world.folder} "
                  + " ".join(world.machine.names), flush=True)
            signal.pause()
    if arguments.table:
        write_table(arguments.table, results)
    stale = arguments.documented and not same_routes(arguments.documented, results)
    if stale:
        print(f"FAIL {arguments.documented} says otherwise: write it anew with --table")
    counts = collections.Counter(
        "skipped" if outcome is None else "passed" if outcome.route == row.expected else "failed"
        for row, outcome in results.items())
    print(f"{time.monotonic() - started:.0f} s")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(1 if stale or counts["failed"] or not counts["passed"] else 0)


if __name__ == "__main__":
    main()
