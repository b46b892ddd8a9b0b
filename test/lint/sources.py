"""Which files are ours, and their text. Everything else under test/lint builds on this."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("include", "lib", "apps", "test", "docs")
CPP = {".hpp", ".cpp"}


def cpp_files(*folders):
    """Every C++ file under the folders (all of ours by default), as paths relative to the root."""
    found = []
    for folder in folders or FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in CPP and "node_modules" not in path.parts:
                found.append(path.relative_to(ROOT).as_posix())
    return found


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


_NOISE = re.compile(
    r'R"([^\s()\\]{0,16})\((?s:.*?)\)\1"'  # raw string
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'"
    r"|//[^\n]*|/\*(?s:.*?)\*/"
)


def code_of(name):
    """The text with comments and literals blanked out; the lines keep their numbers."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())

    return _NOISE.sub(blank, text_of(name))


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


def finish(what, complaints):
    """Prints the complaints and ends the program with the status that meson wants."""
    for complaint in complaints:
        print(complaint)
    print(f"{what}: " + (f"{len(complaints)} complaints" if complaints else "clean"))
    sys.exit(1 if complaints else 0)
