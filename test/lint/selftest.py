#!/usr/bin/env python3
"""The checks find what they look for: each is run on a small tree with one fault of each kind."""
import pathlib
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


faults = 0
for check, name, text, wanted in CASES:
    if complains(check, name, text) != wanted:
        faults += 1
        print(f"{check} {'missed' if wanted else 'refused'} this in {name}:\n{text[:200]}")
print(f"selftest: {len(CASES)} cases, {faults} faults")
sys.exit(1 if faults else 0)
