#!/usr/bin/env python3
"""Every public type carries ASIORTC_EXPORT: the library is built with hidden visibility, and what is
instantiated with a hidden type is hidden too, so that a shared library would lack it."""
import re

from sources import code_of, cpp_files, finish, line_at

TYPE = re.compile(r"^(?:class|struct|enum(?: class)?) (\S+)[^;{]*\{", re.M)
OPAQUE_ENUM = re.compile(r"^enum(?: class)? (\S+)[^;{]*;", re.M)

complaints = []
for name in cpp_files("include"):
    code = code_of(name)
    for match in [*TYPE.finditer(code), *OPAQUE_ENUM.finditer(code)]:
        # A specialization of a foreign template, and a member that is defined outside, inherit it.
        if match.group(1) != "ASIORTC_EXPORT" and "::" not in match.group(1):
            complaints.append(
                f"{name}:{line_at(code, match.start())}: {match.group(1)} lacks ASIORTC_EXPORT"
            )
finish("exports", complaints)
