#!/usr/bin/env python3
"""Whether clang-format 14 would leave every file as it is. `format.py --fix` formats them."""
import shutil
import subprocess
import sys

from sources import ROOT, cpp_files, finish

tool = shutil.which("clang-format-14")
if not tool:
    print("format: SKIPPED, clang-format-14 is not installed")
    sys.exit(77)
if "--fix" in sys.argv:
    subprocess.run([tool, "-i", *cpp_files()], cwd=ROOT, check=True)
result = subprocess.run(
    [tool, "--dry-run", "-Werror", "-ferror-limit=1", *cpp_files()],
    cwd=ROOT, capture_output=True, text=True,
)
complaints = [line for line in result.stderr.splitlines() if "error:" in line]
if complaints:
    complaints.append("(test/lint/format.py --fix formats them)")
finish("format", complaints)
