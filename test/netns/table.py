"""The outcomes of the matrix as Markdown."""
import re


def cell(row, outcome):
    if outcome is None:
        return f"needs `{row.needs}`"
    text = f"{outcome.route} {outcome.seconds:.1f} s"
    return text if outcome.route == row.expected else f"**{text}**"


def square(family, found):
    """The lines of a family's table: who is there first, by who comes later."""
    names = list(dict.fromkeys(first for first, _ in found))
    lines = [f"| IPv{family} | " + " | ".join(names) + " |",
             "| --- |" + " --- |" * len(names)]
    for first in names:
        cells = [found.get((first, second), "") for second in names]
        lines.append(f"| {first} | " + " | ".join(cells) + " |")
    return lines


HEADING = """# What came of each pair of NATs

Written by `test/netns/matrix.py` with `--table`. Rows are who was there first, columns who came
later, offered, and controls. The seconds are those from the start of the second peer until both had
heard a line; several pairs ran at once on one machine.
"""


def table_of(results):
    squares, others = {4: {}, 6: {}}, []
    for row, outcome in results.items():
        first, second = row.pair
        found = squares[first.family]
        names = first.name, second.name
        if first.family == second.family and names not in found:
            found[names] = cell(row, outcome)
        else:
            others.append(f"| {row.name} | {cell(row, outcome)} |")
    lines = [HEADING]
    for family, found in squares.items():
        if found:
            lines += [*square(family, found), ""]
    if others:
        lines += ["| across families, and ICE-TCP | |", "| --- | --- |", *others, ""]
    return "\n".join(lines)


def write_table(path, results):
    with open(path, "w", encoding="utf-8") as file:
        file.write(table_of(results))


def same_routes(path, results):
    """Whether the file tells of the same routes, however long they took."""
    with open(path, encoding="utf-8") as file:
        told, found = (re.sub(r" \d+\.\d s", "", text) for text in (file.read(), table_of(results)))
    return told == found
