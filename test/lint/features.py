#!/usr/bin/env python3
"""docs/features.md, row for row: the rows are those of promises.txt, each function is in the code of a
public header, each test is compiled, not skipped and run by meson, and each operation of the classes of
the page has a promise. And each fault of test/mutation still fits the tree."""
import functools
import pathlib
import re
import sys

from sources import ROOT, code_of, cpp_files, finish, text_of

sys.path.insert(0, str(ROOT / "test/mutation"))
from faults import FAULTS  # noqa: E402

PAGE = "docs/features.md"
PROMISES = "test/lint/promises.txt"
ROW = re.compile(r"^\| ([a-z]+(?:-[a-z0-9]+)+) \| (.+?) \| (.+?) \| (.+) \|$", re.M)
TEST = re.compile(r'`([\w/.]+)` "([^"]+)"')
# The classes whose operations need a promise, with the sections that may have it.
CLASSES = {
    "peer_connection": {"Peer connection", "Data channels", "Statistics"},
    "negotiation": {"Peer connection"},
    "certificate": {"Peer connection"},
    "data_channel": {"Data channels"},
    "channel_stream": {"Data channels"},
    "event_stream": {"Event streams"},
    "mesh": {"Mesh"},
    "room_mesh": {"Mesh"},
}
# What hands out a part of the object, and does nothing.
HANDLES = {"get_executor", "native_handle", "channel"}
COMMENT_OR_LITERAL = re.compile(
    r"""(//[^\n]*|/\*.*?\*/)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""", re.S)
MEMBER = re.compile(r"^  (?! )(?:\[\[nodiscard\]\] )?(?!using|friend|template|requires|explicit)"
                    r"[\w:<>,&* ]+[ &*>](\w+)\(", re.M)

complaints = []
headers = {name: code_of(name) for name in cpp_files("include")}


@functools.cache
def names_in(path):
    """The names of the tests that a file has, without those that are skipped or commented out."""
    text = (ROOT / path).read_text(encoding="utf-8")
    text = COMMENT_OR_LITERAL.sub(lambda match: "" if match[1] else match[0], text)
    if path.endswith(".mjs"):
        return set(re.findall(r"\['([^']+)', ", text))
    text = re.sub(r"^#if (?:0|false)\n.*?^#endif", "", text, flags=re.M | re.S)
    text = re.sub(r'"\s*\n\s*"', "", text)  # a literal that goes over lines
    return set(re.findall(r'\bTEST_CASE\(\s*"([^"]+)"\)', text))


@functools.cache
def tests_of(folder):
    """The statements of a meson.build that run something: calls of test(), loops with one, and what
    is assigned to a variable that one of those names."""
    build = folder / "meson.build"
    text = build.read_text(encoding="utf-8") if build.is_file() else ""
    text = re.sub(r"('[^'\n]*')|#[^\n]*", lambda match: match[1] or "", text)
    whole, depth = [""], 0
    for line in text.splitlines(keepends=True):
        whole[-1] += line
        code = re.sub(r"'[^'\n]*'", "", line)
        depth += sum(code.count(each) for each in "([{") - sum(code.count(each) for each in ")]}")
        depth += len(re.findall(r"^\s*foreach\b", code)) - len(re.findall(r"^\s*endforeach\b", code))
        if depth <= 0:
            whole.append("")
            depth = 0
    running = [each for each in whole if re.search(r"(?<![\w.])test\(", each)]
    named = set(re.findall(r"\w+", re.sub(r"'[^'\n]*'", "", "".join(running))))
    assigned = [(each, re.match(r"\s*(\w+) = ", each)) for each in whole]
    return running + [each for each, match in assigned if match and match[1] in named]


@functools.cache
def is_run(path):
    """Whether a test of the meson.build beside the file or above it names it, whole or by its stem. All
    that import a script must be run, and somebody must."""
    folder = (ROOT / path).parent
    if path.endswith(".mjs") and not path.endswith("_test.mjs"):
        importing = f"from './{pathlib.Path(path).name}'"
        users = [each for each in folder.glob("*.mjs") if importing in each.read_text()]
        return bool(users) and all(is_run(each.relative_to(ROOT).as_posix()) for each in users)
    names = {pathlib.Path(path).name}
    if path.endswith("_test.cpp"):
        names.add(pathlib.Path(path).name.removesuffix("_test.cpp"))
    wanted = re.compile(rf"'(?:[\w./]*/)?(?:{'|'.join(names)})'")
    return any(wanted.search(each) for build in (folder, folder.parent) for each in tests_of(build))


def check_test(where, path, name):
    path = "test/" + path
    if not (ROOT / path).is_file():
        complaints.append(f"{where}: there is no {path}")
    elif name not in names_in(path):
        complaints.append(f"{where}: {path} has no test \"{name}\", or skips it")
    elif not is_run(path):
        complaints.append(f"{where}: no test of a meson.build runs {path}")


def check_rows():
    """The ids of the rows in their order, and the functions that each section has."""
    seen, section, functions = [], "", {}
    for line, row in enumerate(text_of(PAGE).splitlines(), 1):
        section = row[3:] if row.startswith("## ") else section
        match = ROW.match(row)
        if not match:
            if row.startswith("|") and not row.startswith(("| id ", "| --- ")):
                complaints.append(f"{PAGE}:{line}: not a row of id, promise, function and test")
            continue
        identity, _, of_row, tests = match.groups()
        where = f"{PAGE}:{line}: {identity}"
        seen.append(identity)
        for function in re.findall(r"`([\w=]+)`", of_row):
            functions.setdefault(section, set()).add(function)
            if not any(re.search(rf"\b{function}(?!\w)", code) for code in headers.values()):
                complaints.append(f"{where}: no public header has {function}")
        found = TEST.findall(tests)
        if not found or TEST.sub("", tests).strip("; "):
            complaints.append(f"{where}: tests are `file` \"name\", with semicolons between")
        for path, name in found:
            check_test(where, path, name)
    return seen, functions


def check_promises(seen):
    """A row that is taken out is taken out of promises.txt too: a promise does not go unnoticed."""
    promised = text_of(PROMISES).split()
    if promised != sorted(set(promised)):
        complaints.append(f"{PROMISES}: its lines are not sorted, or one is there twice")
    for identity in sorted(set(seen) | set(promised)):
        if seen.count(identity) > 1:
            complaints.append(f"{PAGE}: {identity} is there twice")
        elif identity not in seen:
            complaints.append(f"{PAGE}: {PROMISES} has {identity}, which has no row")
        elif identity not in promised:
            complaints.append(f"{PROMISES}: it lacks {identity}, which has a row")


def check_operations(functions):
    """What a user can call on the classes of the page has a promise."""
    for name, sections in CLASSES.items():
        begin = re.compile(rf"^class ASIORTC_EXPORT {name} {{\n(.*?)^}};", re.M | re.S)
        found = [(path, match[1]) for path, code in headers.items() for match in begin.finditer(code)]
        if len(found) != 1:
            complaints.append(f"{len(found)} public headers have a class {name}")
            continue
        path, body = found[0]
        promised = set().union(*(functions.get(section, set()) for section in sections))
        for operation in sorted(set(MEMBER.findall(body.split("\n private:")[0])) - HANDLES):
            if operation not in promised:
                complaints.append(f"{path}: {name}::{operation} has no row in {PAGE}")


def check_faults(seen):
    for promise, path, old, _ in FAULTS:
        where = f"test/mutation/faults.py: {promise}"
        if promise not in seen:
            complaints.append(f"{where}: {PAGE} has no such promise")
        if text_of(path).count(old) != 1:
            complaints.append(f"{where}: its text is not in {path} once")


rows, functions_of = check_rows()
check_promises(rows)
check_operations(functions_of)
check_faults(rows)
finish("features", complaints)
