#!/usr/bin/env python3
"""Whether the API reference builds without a warning. The argument is the doxygen program."""
import subprocess
import sys
import tempfile

from sources import ROOT, finish

with tempfile.TemporaryDirectory() as output:
    settings = (ROOT / "docs/Doxyfile").read_text("utf-8") + f"\nOUTPUT_DIRECTORY = {output}\n"
    result = subprocess.run(
        [sys.argv[1], "-"], input=settings, cwd=ROOT, capture_output=True, text=True
    )
complaints = [line for line in result.stderr.splitlines() if line.strip()]
if result.returncode != 0 and not complaints:
    complaints = [f"doxygen ended with status {result.returncode}"]
finish("doxygen", complaints)
