#!/usr/bin/env python3
"""The checks find what they look for: each is run on a small tree with one fault of each kind, and
features.py on a copy of this one."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

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
# An edit of this tree that makes a row of docs/features.md stale: a file, what is there, what is instead.
STALE = [
    (MESH_TEST, TWO_THREADS, r"// \g<0>\nstatic void never() {"),
    (MESH_TEST, TWO_THREADS, r'TEST_CASE("mesh: two threads may run it" * doctest::skip()) {'),
    (MESH_TEST, f"{TWO_THREADS}.*?\n}}\n", r"#if 0\n\g<0>#endif\n"),
    (MESH_TEST, f"{TWO_THREADS}.*?\n}}\n", r"/* \g<0> */\n"),
    ("docs/features.md", r"\n\| dc-dropped [^\n]*", ""),
    ("docs/features.md", r"\n(\| dc-dropped [^\n]*)", r"\n\1\n\1"),
    ("docs/features.md", r"(?<=\| )dc-dropped", "dc-invented"),
    ("test/net/meson.build", r"test\('net-mesh',", "unused = ("),
    ("test/net/meson.build", r"'mesh_life_test.cpp', ", ""),
    ("test/net/meson.build", r", 'room_mesh_test.cpp'", ""),
    ("test/sim/meson.build", r"(?<!\w)test\('sim-", "# "),
    ("test/interop/meson.build", r"test\('interop-pion'", "# test('interop-pion'"),
    ("test/interop/meson.build", r"test\('interop-libdatachannel'", "unused = ("),
    ("test/interop/cases.mjs", r"\['100 channels at once'", r"// \g<0>"),
    ("include/asiortc/data_channel.hpp", r"\n( *void set_max_unread\()", r"\n//\1"),
    ("include/asiortc/mesh.hpp", r"  void close\(\);", r"\g<0>\n  void explode();"),
    ("include/asiortc/mesh.hpp", r"  void close\(\);", r"\g<0>\n  [[nodiscard]] auto async_explode();"),
    ("lib/mesh/mesh_members.cpp", r"options_.disconnected_grace == ", "nothing == "),
]


def goes_stale(tree, name, old, new):
    file = tree / name
    text = file.read_text("utf-8")
    edited = re.sub(old, new, text, flags=re.S)
    assert edited != text, f"{old} is not in {name}"
    file.write_text(edited, "utf-8")
    check = [sys.executable, tree / "test/lint/features.py"]
    noticed = subprocess.run(check, capture_output=True).returncode != 0
    file.write_text(text, "utf-8")
    return noticed


faults = 0
for check, name, text, wanted in CASES:
    if complains(check, name, text) != wanted:
        faults += 1
        print(f"{check} {'missed' if wanted else 'refused'} this in {name}:\n{text[:200]}")
with tempfile.TemporaryDirectory() as folder:
    tree = pathlib.Path(folder)
    for name in ("docs", "include", "lib", "test"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("node_modules"))
    for stale in STALE:
        if not goes_stale(tree, *stale):
            faults += 1
            print(f"features missed, in {stale[0]}, {stale[2]} in place of {stale[1]}")
print(f"selftest: {len(CASES) + len(STALE)} cases, {faults} faults")
sys.exit(1 if faults else 0)
