#!/usr/bin/env python3
"""Plants each fault of faults.py in a copy of the tree, one at a time, and runs the tests that
docs/features.md names for the promise: all must pass before it, and one must fail with it. Prints a line
for each, then the sum:
  found      a test failed
  timed out  none failed, and one waits for what does not come, until meson's limit would end it
  MISSED     all passed
  BROKEN     a test fails or does not end without the fault
The status is 0 where none is MISSED or BROKEN. It takes about an hour, so it is no part of the tests; that
each fault still fits the tree is (`lint-features`).
  test/mutation/run.py            all faults
  test/mutation/run.py ID…        those of these promises"""
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

from faults import FAULTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST = re.compile(r'`([\w/.]+)` "([^"]+)"')
PATIENCE = 120  # s, several times what a test takes
TIMED_OUT = 124
# Test files that share a program with others, by how their names begin.
SHARED = {"mesh-": "net-mesh", "room-mesh": "net-room-mesh"}


def quiet(*command, cwd=None, timeout=None):
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return TIMED_OUT, "it takes too long"
    return done.returncode, done.stdout + done.stderr


def tests_of(promise):
    """The program of each test, as ninja calls it, and the test's name."""
    page = (ROOT / "docs/features.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| {promise} \|.*$", page, re.M).group()
    return [(program_of(pathlib.PurePath(path)), name) for path, name in TEST.findall(row)]


def program_of(path):
    stem = path.stem.removesuffix("_test").replace("_", "-")
    if path.parts[0] == "unit":
        return f"test/unit/{path.parts[1]}/unit-{path.parts[1]}"
    if path.parts[0] == "sim":
        return "test/sim/sim-peers"
    shared = [program for start, program in SHARED.items() if stem.startswith(start)]
    return "test/net/" + (shared[0] if shared else f"net-{stem}")


def outcome(build, tests):
    """"failed" where a test fails, else "timed out" where one does not end, else "passed"."""
    ended = set()
    for program, name in tests:
        # Doctest takes a comma for the end of a name.
        status, said = quiet(str(build / program), "-tc=" + name.replace(",", "\\,"), timeout=PATIENCE)
        if re.search(r"test cases:\s+0 ", said):
            sys.exit(f"{program} has no test \"{name}\"")
        if status not in (0, TIMED_OUT):
            return "failed"
        ended.add(status)
    return "timed out" if TIMED_OUT in ended else "passed"


def make(build, tests, what):
    status, said = quiet("ninja", "-C", str(build), *{program for program, _ in tests})
    if status != 0:
        sys.exit(f"{what} does not compile\n{said[-2000:]}")


def result_of(tree, build, fault):
    promise, path, old, new = fault
    tests = tests_of(promise)
    make(build, tests, f"{promise}: the tree")
    if outcome(build, tests) != "passed":
        return "BROKEN"
    file = tree / path
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(old, new), encoding="utf-8")
    try:
        make(build, tests, f"{promise}: the fault")
        return {"failed": "found", "passed": "MISSED"}.get(seen := outcome(build, tests), seen)
    finally:
        file.write_text(text, encoding="utf-8")


def main(wanted):
    unknown = set(wanted) - {fault[0] for fault in FAULTS}
    if unknown:
        sys.exit(f"no fault is of {', '.join(sorted(unknown))}")
    results = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        tree = pathlib.Path(folder) / "tree"
        quiet("cp", "-r", "--reflink=auto", str(ROOT), str(tree))
        for name in tree.glob("build*"):
            quiet("rm", "-rf", str(name))
        build = tree / "build"
        status, said = quiet("meson", "setup", "--buildtype=release", str(build), cwd=tree)
        if status != 0:
            sys.exit(said[-2000:])
        for fault in FAULTS:
            if wanted and fault[0] not in wanted:
                continue
            result = result_of(tree, build, fault)
            results[result] += 1
            print(f"{result:9} {fault[0]}", flush=True)
    total = results.total()
    print(f"{total} faults: " + ", ".join(f"{count} {each}" for each, count in results.items()))
    return 1 if results["MISSED"] or results["BROKEN"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
