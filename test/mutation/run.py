#!/usr/bin/env python3
"""Plants each fault of faults.py in a copy of the tree, one at a time, and runs the tests that
docs/features.md names for the promise: one of them must fail. Prints a line for each, then the sum;
the status is 0 only where every fault was found. It takes about half an hour, so it is no part of the
tests; that each fault still fits the tree is (`lint-features`).
  test/mutation/run.py            all faults
  test/mutation/run.py ID…        those of these promises"""
import pathlib
import re
import subprocess
import sys
import tempfile

from faults import FAULTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST = re.compile(r'`([\w/.]+)` "([^"]+)"')


def quiet(*command, cwd=None, timeout=None):
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return 124, "it takes too long"
    return done.returncode, done.stdout + done.stderr


def tests_of(promise):
    """The program of each test, as ninja calls it, and the test's name."""
    page = (ROOT / "docs/features.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| {promise} \|.*$", page, re.M).group()
    for path, name in TEST.findall(row):
        yield program_of(pathlib.PurePath(path)), name


def program_of(path):
    stem = path.stem.removesuffix("_test").replace("_", "-")
    if path.parts[0] == "unit":
        return f"test/unit/{path.parts[1]}/unit-{path.parts[1]}"
    if path.parts[0] == "sim":
        return "test/sim/sim-peers"
    return "test/net/net-mesh" if stem.startswith("mesh-") else f"test/net/net-{stem}"


def fails(build, program, name):
    """Whether the test fails, by itself or by a limit of time that it never needs."""
    status, said = quiet(str(build / program), "-tc=" + name.replace(",", "\\,"), timeout=120)
    if re.search(r"test cases:\s+0 ", said):
        sys.exit(f"{program} has no test \"{name}\"")
    return status != 0


def is_found(tree, build, fault):
    promise, path, old, new = fault
    file = tree / path
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(old, new), encoding="utf-8")
    try:
        tests = list(tests_of(promise))
        programs = {program for program, _ in tests}
        status, said = quiet("ninja", "-C", str(build), *programs)
        if status != 0:
            sys.exit(f"{promise}: the fault does not compile\n{said[-2000:]}")
        return any(fails(build, program, name) for program, name in tests)
    finally:
        file.write_text(text, encoding="utf-8")


def main(wanted):
    chosen = [fault for fault in FAULTS if not wanted or fault[0] in wanted]
    missed = []
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        tree = pathlib.Path(folder) / "tree"
        quiet("cp", "-r", "--reflink=auto", str(ROOT), str(tree))
        for name in tree.glob("build*"):
            quiet("rm", "-rf", str(name))
        build = tree / "build"
        status, said = quiet("meson", "setup", "--buildtype=release", str(build), cwd=tree)
        if status != 0:
            sys.exit(said[-2000:])
        for fault in chosen:
            found = is_found(tree, build, fault)
            if not found:
                missed.append(fault[0])
            print("found " if found else "MISSED", fault[0], flush=True)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} faults found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
