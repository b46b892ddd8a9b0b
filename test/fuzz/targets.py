#!/usr/bin/env python3
"""Prints the fuzz targets' files, one a line."""
import pathlib

for path in sorted(pathlib.Path(__file__).parent.glob("*_*.cpp")):
    if path.name != "replay_main.cpp":
        print(path.name)
