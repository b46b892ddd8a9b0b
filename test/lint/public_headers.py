#!/usr/bin/env python3
"""Prints the public headers as a program includes them, one a line."""
from sources import cpp_files

for name in cpp_files("include"):
    print(name.removeprefix("include/"))
