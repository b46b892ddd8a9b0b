#!/usr/bin/env python3
"""Files of at most 500 lines, functions of at most 60. A function that must be longer says why in
a comment `// long: …` right above it."""
import re

from sources import code_of, cpp_files, finish, line_at, text_of

FILE_LIMIT = 500
FUNCTION_LIMIT = 60
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum)\b|\bextern\s*$")


def opens_scope(head):
    """Whether the brace after this text opens a namespace or a type, and not a function."""
    head = re.sub(r"template\s*<[^{};]*>", "", head)
    return bool(SCOPE.search(head)) and not re.search(r"\)\s*(const|noexcept|override|\s)*$", head)


def functions(code):
    """Yields the first and last line of each outermost function body."""
    stack, start, head = [], None, 0
    for match in re.finditer(r"[{};]", code):
        mark = match.group()
        if mark == "{":
            is_scope = start is None and opens_scope(code[head : match.start()])
            if not is_scope and start is None:
                start = (head, len(stack))
            stack.append(is_scope)
        elif mark == "}" and stack:
            stack.pop()
            if start is not None and len(stack) == start[1]:
                first = start[0] + len(code[start[0] :]) - len(code[start[0] :].lstrip())
                yield line_at(code, first), line_at(code, match.start())
                start = None
        if start is None:
            head = match.end()


complaints = []
for name in cpp_files():
    text = text_of(name)
    lines = text.split("\n")
    if len(lines) - 1 > FILE_LIMIT:
        complaints.append(f"{name}: {len(lines) - 1} lines, {FILE_LIMIT} are allowed")
    for first, last in functions(code_of(name)):
        length = last - first + 1
        if length > FUNCTION_LIMIT and "// long: " not in lines[max(0, first - 2)]:
            complaints.append(
                f"{name}:{first}: a function of {length} lines, {FUNCTION_LIMIT} are allowed"
            )
finish("sizes", complaints)
