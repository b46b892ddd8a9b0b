#!/usr/bin/env python3
"""Every ```cpp block of README.md and docs/*.md stands, line by line, in a compiled example."""
import re
import textwrap

from sources import ROOT, finish, line_at

BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.M | re.S)
EXAMPLES = "docs/examples"


def plain(text):
    """Without indentation and blank lines, so that a part of a function can be shown alone."""
    return "\n".join(line.strip() for line in textwrap.dedent(text).split("\n") if line.strip())


examples = [plain(path.read_text("utf-8")) for path in sorted((ROOT / EXAMPLES).rglob("*.?pp"))]
complaints = []
pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
for page in pages:
    if not page.is_file():
        continue
    text = page.read_text("utf-8")
    for match in BLOCK.finditer(text):
        block = plain(match.group(1))
        if not any(block in example for example in examples):
            complaints.append(
                f"{page.relative_to(ROOT)}:{line_at(text, match.start())}: this code is not part "
                f"of any file in {EXAMPLES}, so nothing says that it compiles"
            )
finish("snippets", complaints)
