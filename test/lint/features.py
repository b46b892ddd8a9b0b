#!/usr/bin/env python3
"""docs/features.md, row for row: the rows are those of promises.txt, each function is in the code of a
public header, each test is in its file, and each operation of the classes of the page has a promise. And
each fault of test/mutation still fits the tree.
  test/lint/features.py                     of the text alone
  test/lint/features.py BUILD [NOT_RUN…]    also that `meson test` runs each test in this build folder,
                                            but those of files below test/ that begin with NOT_RUN"""
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
from xml.etree import ElementTree

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
# Each case of test/interop/cases.mjs is run by each of these, the script and what it is told first; and what
# makes a script run them.
STACKS = (("browser_cases_test.mjs", "Chromium"), ("browser_cases_test.mjs", "Firefox"),
          ("libdatachannel_test.mjs",), ("pion_test.mjs",))
CALLS = {
    "browser_cases_test.mjs": ("\nrunCases(stack,", "\nrunGlare(stack,",
                               "\nfor (const [what, how, run] of mediaCases)", "churn(meeting, 10_000)"),
    "libdatachannel_test.mjs": ("\nrunCases(",),
    "pion_test.mjs": ("\nrunCases(stack,",),
    "stack.mjs": (" of casesFor(stack))", "await glare("),
}
OMISSION = re.compile(r"\.(?:skip|todo|only)\(|\b(?:skip|todo|only): ")
DOCTEST_SUITES = {"asiortc:unit", "asiortc:net", "asiortc:sim"}

complaints = []
headers = {name: code_of(name) for name in cpp_files("include")}


@functools.cache
def code_without_comments(path):
    return COMMENT_OR_LITERAL.sub(lambda match: "" if match[1] else match[0], text_of(path))


@functools.cache
def names_in(path):
    """The names of the tests that a file has, without those that do nothing."""
    text = code_without_comments(path)
    if path.endswith(".mjs"):
        return set(re.findall(r"(?:\[|\btest\()\s*(?:\w+ \+ )?'(?:: )?([^']+)',\s", text))
    text = re.sub(r'"\s*\n\s*"', "", text)  # a literal that goes over lines
    return set(re.findall(r'\bTEST_CASE\(\s*"([^"]+)"\) \{(?!\s*(?:return;|\}))', text))


def check_test(where, path, name):
    if not (ROOT / path).is_file():
        complaints.append(f"{where}: there is no {path}")
    elif name not in names_in(path):
        complaints.append(f"{where}: {path} has no test \"{name}\", or skips it")


def check_rows():
    """The ids of the rows in their order, the functions that each section has, and the tests."""
    seen, section, functions, named = [], "", {}, []
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
            check_test(where, "test/" + path, name)
            named.append((where, path, name))
    return seen, functions, named


def check_interop():
    """The scripts of test/interop run what cases.mjs has, and skip none of it."""
    for path in sorted((ROOT / "test/interop").glob("*.mjs")):
        name = path.relative_to(ROOT).as_posix()
        text = code_without_comments(name)
        complaints.extend(f"{name}: it runs nothing of {call.strip()}"
                          for call in CALLS.get(path.name, ()) if call not in text)
        if OMISSION.search(text):
            complaints.append(f"{name}: a test is left out, or all others are")


def listed_by(build, test):
    """The files and names of the test cases that a test of the build runs."""
    command = [*test["cmd"], "--list-test-cases", "--reporters=xml"]
    said = subprocess.run(command, cwd=build, capture_output=True, text=True, timeout=60).stdout
    listed = set()
    for each in ElementTree.fromstring(said).iter("TestCase"):
        path = os.path.relpath(os.path.realpath(build / each.get("filename")), ROOT / "test")
        if each.get("skipped") == "false":
            listed.add((path, each.get("name")))
    return listed


def is_run(path, commands):
    """Whether tests of the build run a script; what is no test itself is run for each other stack."""
    name = pathlib.PurePath(path).name
    of_its_own = [each for each in STACKS if each[0] == name] or [(name,)]
    wanted = of_its_own if name.endswith("_test.mjs") else STACKS
    return all(any(script in command and command[command.index(script) + 1:][:len(rest)] == rest
                   for command in commands) for script, *rest in wanted)


def check_build(build, not_run, named):
    """Each test is one that `meson test` runs in this build, but for what its configuration leaves out.
    True if not all programs are built, so that nothing could be said."""
    tests = json.loads((build / "meson-info/intro-tests.json").read_text(encoding="utf-8"))
    programs = [each for each in tests if DOCTEST_SUITES.intersection(each["suite"])
                and pathlib.Path(each["cmd"][0]).is_relative_to(build / "test")]
    if missing := [each["name"] for each in programs if not pathlib.Path(each["cmd"][0]).exists()]:
        print(f"SKIPPED: {len(missing)} test programs are not built, the first of them {missing[0]}")
        return True
    listed = set().union(*(listed_by(build, each) for each in programs))
    commands = [[pathlib.PurePath(word).name for word in each["cmd"]] for each in tests]
    for where, path, name in named:
        if path.startswith(tuple(not_run)):
            print(f"{where}: not looked at, since this configuration does not run {path}")
        elif not (is_run(path, commands) if path.endswith(".mjs") else (path, name) in listed):
            complaints.append(f"{where}: no test of {build} runs \"{name}\" of {path} as it was built")
    return False


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


rows, functions_of, tests_of = check_rows()
check_promises(rows)
check_operations(functions_of)
check_faults(rows)
check_interop()
unbuilt = len(sys.argv) > 1 and check_build(pathlib.Path(sys.argv[1]), sys.argv[2:], tests_of)
if unbuilt and not complaints:
    sys.exit(77)
finish("features", complaints)
