#!/usr/bin/env python3
"""Whether clang-format 14 would leave every file as it is. `format.py --fix` formats them."""
import shutil
import subprocess
import sys

from sources import ROOT, cpp_files, finish, text_of

tool = shutil.which("clang-format-14")
if not tool:
    print("format: SKIPPED, clang-format-14 is not installed")
    sys.exit(77)
if "--fix" in sys.argv:
    subprocess.run([tool, "-i", *cpp_files()], cwd=ROOT, check=True)
complaints = []
for name in cpp_files():
    # Not --dry-run, which also counts replacements that change nothing.
    wanted = subprocess.run([tool, name], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    given = text_of(name)
    if wanted != given:
        pairs = enumerate(zip(wanted.split("\n"), given.split("\n")), 1)
        line = next((number for number, (left, right) in pairs if left != right), 1)
        complaints.append(f"{name}:{line}: not as clang-format has it")
if complaints:
    complaints.append("(test/lint/format.py --fix formats them)")
finish("format", complaints)
