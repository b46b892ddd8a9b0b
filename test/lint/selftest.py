#!/usr/bin/env python3
"""The checks find what they look for: each is run on a small tree with one fault of each kind, and
features.py on a copy of this one."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from xml.sax.saxutils import quoteattr

HERE = pathlib.Path(__file__).resolve().parent
LONG = "int long_one() {\n" + "  f();\n" * 60 + "}\n"
# What a check must complain of, and (marked False) what it must let pass.
CASES = [
    ("layers", "lib/stun/a.cpp", '#include "ice/agent.hpp"\n', True),
    ("layers", "lib/ice/a.cpp", '#include "stun/types.hpp"\n', False),
    ("layers", "lib/ice/a.cpp", "#include <boost/asio/post.hpp>\n", True),
    ("layers", "lib/io/a.cpp", "#include <boost/asio/post.hpp>\n", False),
    ("layers", "lib/sdp/a.cpp", "#include <asiortc/peer_connection.hpp>\n", True),
    ("layers", "lib/sctp/a.cpp", "#include <usrsctp.h>\n", True),
    ("layers", "lib/stun/a.cpp", "#include <openssl/evp.h>\n", True),
    ("layers", "lib/io/a.cpp", "#include <nlohmann/json.hpp>\n", True),
    ("layers", "include/asiortc/a.hpp", '#include "base/time.hpp"\n', True),
    ("layers", "lib/ice/a.cpp", "auto t = std::chrono::steady_clock::now();\n", True),
    ("layers", "lib/ice/a.cpp", "// ask steady_clock::now()\n", False),
    ("sizes", "lib/ice/a.cpp", LONG, True),
    ("sizes", "lib/ice/a.cpp", "// long: one switch\n" + LONG, False),
    ("sizes", "lib/ice/a.cpp", "class a {\n" + "  int b;\n" * 70 + "};\n", False),
    ("sizes", "lib/ice/a.cpp", "// a line\n" * 501, True),
    ("words", "test/unit/a.cpp", "void f() { std::this_thread::sleep_for(1s); }\n", True),
    ("words", "test/net/a.py", "time.sleep(1)\n", True),
    ("words", "lib/ice/a.cpp", "// TO" + "DO: later\n", True),
    ("exports", "include/asiortc/a.hpp", "class a {\n};\n", True),
    ("exports", "include/asiortc/a.hpp", "class ASIORTC_EXPORT a {\n};\nclass b;\n", False),
    ("snippets", "docs/a.md", "```cpp\nint main() {}\n```\n", True),
]


def complains(check, name, text):
    with tempfile.TemporaryDirectory() as folder:
        lint = pathlib.Path(folder, "test/lint")
        lint.mkdir(parents=True)
        for script in (f"{check}.py", "sources.py"):
            shutil.copy(HERE / script, lint)
        target = pathlib.Path(folder, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        return subprocess.run([sys.executable, lint / f"{check}.py"], capture_output=True).returncode != 0


ROOT = HERE.parents[1]
MESH_TEST = "test/net/mesh_life_test.cpp"
TWO_THREADS = r'TEST_CASE\("mesh: two threads may run it"\) {'
# What a build says of its tests, and what its one program lists.
TESTS = "build/meson-info/intro-tests.json"
LISTING = "build/test/all.xml"
# An edit of this tree, or of a build of it, that makes a row of docs/features.md stale: a file, what is there, what is instead.
STALE = [
    (MESH_TEST, TWO_THREADS, r"// \g<0>\nstatic void never() {"),
    (MESH_TEST, TWO_THREADS, r'TEST_CASE("mesh: two threads may run it" * doctest::skip()) {'),
    (MESH_TEST, TWO_THREADS, r"\g<0>\n  return;"),
    (MESH_TEST, f"({TWO_THREADS}\n).*?\n(?=}})", r"\1"),
    (MESH_TEST, f"{TWO_THREADS}.*?\n}}\n", r"/* \g<0> */\n"),
    ("docs/features.md", r"\n\| dc-dropped [^\n]*", ""),
    ("docs/features.md", r"\n(\| dc-dropped [^\n]*)", r"\n\1\n\1"),
    ("docs/features.md", r"(?<=\| )dc-dropped", "dc-invented"),
    ("test/interop/cases.mjs", r"\['100 channels at once'", r"// \g<0>"),
    ("test/interop/browser_cases_test.mjs", r"\nrunCases\(", r"\n// runCases("),
    ("test/interop/browser_cases_test.mjs", r"\nrunGlare[^\n]*", ""),
    ("test/interop/stack.mjs", r"(?<= )test\(", "test.skip("),
    ("test/interop/stack.mjs", r"timeout: 120_000", r"\g<0>, skip: true"),
    (LISTING, r'<TestCase name="mesh: two threads[^>]*>', ""),
    (LISTING, r'(name="mesh: two threads[^>]* skipped=)"false"', r'\1"true"'),
    (LISTING, "mesh_life_test.cpp", "another_test.cpp"),
    (TESTS, r'/test/all"', r'/test/all", "--test-case-exclude=*"'),
    (TESTS, '"asiortc:net"', '"asiortc:consumer"'),
    (TESTS, '"Firefox"', '"Chromium"'),
    (TESTS, "pion_test.mjs", "another_test.mjs"),
    ("include/asiortc/data_channel.hpp", r"\n( *void set_max_unread\()", r"\n//\1"),
    ("include/asiortc/mesh.hpp", r"  void close\(\);", r"\g<0>\n  void explode();"),
    ("include/asiortc/mesh.hpp", r"  void close\(\);", r"\g<0>\n  [[nodiscard]] auto async_explode();"),
    ("lib/mesh/mesh_members.cpp", r"options_.disconnected_grace == ", "nothing == "),
]


def make_build(tree):
    """A build of the tree, whose one program has every test of docs/features.md."""
    build = tree / "build"
    for folder in ("meson-info", "test"):
        (build / folder).mkdir(parents=True)
    program = build / "test/all"
    program.write_text('#!/bin/sh\n'
                       'case $1 in --test-case-exclude=*) echo "<doctest/>";; *) cat "$0.xml";; esac\n')
    program.chmod(0o755)
    named = re.findall(r'`([\w/.]+)` "([^"]+)"', (tree / "docs/features.md").read_text("utf-8"))
    cases = [f'<TestCase name={quoteattr(name)} filename="../test/{path}" skipped="false"/>'
             for path, name in named]
    (tree / LISTING).write_text("<doctest>" + "\n".join(cases) + "</doctest>", "utf-8")
    scripts = ("browser_cases_test.mjs Chromium", "browser_cases_test.mjs Firefox",
               "libdatachannel_test.mjs", "pion_test.mjs", "stats_test.mjs")
    tests = [{"name": each, "suite": ["asiortc:interop"], "cmd": ["node", *each.split()]} for each in scripts]
    tests.append({"name": "all", "suite": ["asiortc:net"], "cmd": [str(program)]})
    (tree / TESTS).write_text(json.dumps(tests), "utf-8")


def status_of_features(tree, *not_run):
    check = [sys.executable, tree / "test/lint/features.py", tree / "build", *not_run]
    return subprocess.run(check, capture_output=True).returncode


def goes_stale(tree, name, old, new):
    file = tree / name
    text = file.read_text("utf-8")
    edited = re.sub(old, new, text, flags=re.S)
    assert edited != text, f"{old} is not in {name}"
    file.write_text(edited, "utf-8")
    noticed = status_of_features(tree) == 1
    file.write_text(text, "utf-8")
    return noticed


def fits(tree):
    """What is as it should be is let pass, and what is not built or not run is told apart."""
    statuses = [status_of_features(tree)]
    tests = (tree / TESTS).read_text("utf-8")
    (tree / TESTS).write_text(tests.replace("_test.mjs", ".mjs"), "utf-8")
    statuses.append(status_of_features(tree, "interop/"))
    (tree / TESTS).write_text(tests.replace("/test/all", "/test/none"), "utf-8")
    statuses.append(status_of_features(tree))
    (tree / TESTS).write_text(tests, "utf-8")
    return statuses == [0, 0, 77]


faults = 0
for check, name, text, wanted in CASES:
    if complains(check, name, text) != wanted:
        faults += 1
        print(f"{check} {'missed' if wanted else 'refused'} this in {name}:\n{text[:200]}")
with tempfile.TemporaryDirectory() as folder:
    tree = pathlib.Path(folder)
    for name in ("docs", "include", "lib", "test"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("node_modules"))
    make_build(tree)
    if not fits(tree):
        faults += 1
        print("features takes a good build for a bad one, or one that is not there for a good one")
    for stale in STALE:
        if not goes_stale(tree, *stale):
            faults += 1
            print(f"features missed, in {stale[0]}, {stale[2]} in place of {stale[1]}")
print(f"selftest: {len(CASES) + len(STALE) + 1} cases, {faults} faults")
sys.exit(1 if faults else 0)
