#!/usr/bin/env python3
"""docs/features.md, row for row: each id is there once, each function is in the public headers, each
test exists under its name in a file that the build runs, and each operation of the interface has a
promise. And each fault of test/mutation still fits the tree."""
import functools
import pathlib
import re
import sys

from sources import ROOT, cpp_files, finish, text_of

sys.path.insert(0, str(ROOT / "test/mutation"))
from faults import FAULTS  # noqa: E402

PAGE = "docs/features.md"
ROW = re.compile(r"^\| ([a-z]+(?:-[a-z0-9]+)+) \| (.+?) \| (.+?) \| (.+) \|$", re.M)
TEST = re.compile(r'`([\w/.]+)` "([^"]+)"')

complaints = []
headers = "\n".join(text_of(name) for name in cpp_files("include"))


@functools.cache
def names_in(path):
    """The text of a test's file, with literals that go over lines joined."""
    return re.sub(r'"\s*\n\s*"', "", (ROOT / path).read_text(encoding="utf-8"))


@functools.cache
def is_run(path):
    """Whether a meson.build beside the file or above it names it, whole or by its stem; a script may
    be imported instead by one beside it."""
    if path.endswith(".mjs"):
        importing = f"from './{pathlib.Path(path).name}'"
        return any(importing in each.read_text() for each in (ROOT / path).parent.glob("*.mjs"))
    stem = re.sub(r"_test$", "", pathlib.Path(path).stem)
    wanted = re.compile(rf"'(?:[\w/]*/)?(?:{pathlib.Path(path).name}|{stem})'")
    folder = (ROOT / path).parent
    builds = [folder / "meson.build", folder.parent / "meson.build"]
    return any(build.is_file() and wanted.search(build.read_text()) for build in builds)


def check_test(where, path, name):
    path = "test/" + path
    if not (ROOT / path).is_file():
        complaints.append(f"{where}: there is no {path}")
    elif f'"{name}"' not in names_in(path) and f"'{name}'" not in names_in(path):
        complaints.append(f"{where}: {path} has no test \"{name}\"")
    elif not is_run(path):
        complaints.append(f"{where}: no meson.build runs {path}")


seen = set()
functions = set()
for line, row in enumerate(text_of(PAGE).splitlines(), 1):
    match = ROW.match(row)
    if not match:
        if row.startswith("|") and not row.startswith(("| id ", "| --- ")):
            complaints.append(f"{PAGE}:{line}: not a row of id, promise, function and test")
        continue
    identity, _, of_row, tests = match.groups()
    where = f"{PAGE}:{line}: {identity}"
    if identity in seen:
        complaints.append(f"{where}: the id is there twice")
    seen.add(identity)
    for function in re.findall(r"`([\w=]+)`", of_row):
        functions.add(function)
        if not re.search(rf"\b{function}(?!\w)", headers):
            complaints.append(f"{where}: no public header has {function}")
    found = TEST.findall(tests)
    if not found or TEST.sub("", tests).strip("; "):
        complaints.append(f"{where}: tests are `file` \"name\", with semicolons between")
    for path, name in found:
        check_test(where, path, name)

# What a user can call on the classes of the page must have a promise.
for header in ("peer_connection", "data_channel", "mesh", "room_mesh", "event_stream",
               "channel_stream"):
    public = re.split(r"\n private:", text_of(f"include/asiortc/{header}.hpp"))[0]
    for operation in re.findall(r"\bauto (async_\w+)\(", public):
        if operation not in functions:
            complaints.append(f"include/asiortc/{header}.hpp: {operation} has no row in {PAGE}")
for promise, path, old, _ in FAULTS:
    where = f"test/mutation/faults.py: {promise}"
    if promise not in seen:
        complaints.append(f"{where}: {PAGE} has no such promise")
    if text_of(path).count(old) != 1:
        complaints.append(f"{where}: its text is not in {path} once")
finish("features", complaints)
