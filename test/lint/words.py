#!/usr/bin/env python3
"""Words that have no place in our files: sleeping in tests, and work left for later."""
import re

from sources import ROOT, code_of, cpp_files, finish, line_at, text_of

SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(")
LATER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
OTHERS = {".py", ".sh", ".build", ".txt", ".md", ".js", ".mjs", ".html", ""}

complaints = []
for name in cpp_files():
    code = code_of(name)
    for match in SLEEP.finditer(code):
        complaints.append(
            f"{name}:{line_at(code, match.start())}: {match.group(1)}: wait for the event itself"
        )

names = cpp_files()
for folder in ("tools", "test", "docs", "lib", "apps", "include"):
    for path in sorted((ROOT / folder).rglob("*")):
        skipped = {"node_modules", "corpus", "lint"} & set(path.parts)
        if path.is_file() and path.suffix in OTHERS and not skipped:
            names.append(path.relative_to(ROOT).as_posix())
for name in names:
    sleeps = name.startswith("test/") and name.endswith(".py")
    try:
        text = text_of(name)
    except UnicodeDecodeError:
        continue
    for match in SLEEP.finditer(text) if sleeps else ():
        complaints.append(f"{name}:{line_at(text, match.start())}: wait for the event itself")
    for match in LATER.finditer(text):
        complaints.append(
            f"{name}:{line_at(text, match.start())}: {match.group()}: do it now or open an issue"
        )
finish("words", complaints)
