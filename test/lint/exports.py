#!/usr/bin/env python3
"""Every public type carries ASIORTC_EXPORT: the library is built with hidden visibility, and what is
instantiated with a hidden type is hidden too, so that a shared library would lack it."""
import re

from sources import code_of, cpp_files, finish, line_at

TYPE = re.compile(r"^(class|struct|enum(?: class)?) ([\w:<>]+)[^;{]*([;{])", re.M)

complaints = []
declared = set()  # enums that have it in an earlier opaque declaration, where it must be
types = [(name, match) for name in cpp_files("include") for match in TYPE.finditer(code_of(name))]
for name, match in types:
    if re.match(r"enum.* ASIORTC_EXPORT \w+[^{]*;", match.group()):
        declared.add(match.group().split()[-1].strip(";"))
for name, match in types:
    keyword, type_name, end = match.groups()
    forward_class = end == ";" and not keyword.startswith("enum")
    scope = re.findall(r"^(?:inline )?namespace (\w+)", code_of(name)[: match.start()], re.M)
    foreign = bool(scope) and scope[-1] == "boost"  # declared anew, and not ours to mark
    # A specialization of a foreign template, and a member that is defined outside, inherit it.
    if type_name != "ASIORTC_EXPORT" and not forward_class and "::" not in type_name and not foreign:
        if type_name not in declared:
            where = f"{name}:{line_at(code_of(name), match.start())}"
            complaints.append(f"{where}: {type_name} lacks ASIORTC_EXPORT")
finish("exports", complaints)
