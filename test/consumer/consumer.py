#!/usr/bin/env python3
"""Installs asiortc into a folder of its own, builds programs against that and runs them.

    consumer.py static|shared BUILD-ROOT SOURCE-ROOT PREFIX LIBDIR COMPILER...
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import symbols

form, build, source, prefix, libdir, *compiler = sys.argv[1:]
here = pathlib.Path(__file__).resolve().parent


def output_of(*command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with status {result.returncode}")
    return result.stdout


def flags(root, package):
    """The words of pkg-config for a package under the root, to link it in the wanted form."""
    environment = dict(os.environ, PKG_CONFIG_PATH=str(root / libdir / "pkgconfig"))
    static = ["--static"] if form == "static" else []
    words = output_of("pkg-config", f"--define-variable=prefix={root}", "--cflags", "--libs",
                      *static, package, env=environment).split()
    if form == "static":
        words = [f"-l:lib{word[2:]}.a" if word.startswith("-lasiortc") else word for word in words]
    return words


def build_and_run(root, program, *packages, extra=()):
    target = root / program.stem
    words = [word for package in packages for word in flags(root, package)]
    output_of(*compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", program, "-o", target, *words,
              *extra)
    environment = dict(os.environ, LD_LIBRARY_PATH=str(root / libdir))
    print(f"{program.name}, {form}: {output_of(target, env=environment, timeout=60).strip()}")
    linked = output_of("ldd", target, env=environment)
    if ("libasiortc" in linked) != (form == "shared"):
        sys.exit(f"{program.name} is not linked in the form asked for:\n{linked}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        output_of("meson", "install", "--no-rebuild", "--quiet", "-C", build, "--destdir", folder)
        root = pathlib.Path(folder + prefix)
        symbols.check(root / libdir)
        build_and_run(root, here / "same_errors.cpp", "asiortc-signaling")
        build_and_run(root, here / "beside_usrsctp.cpp", "asiortc", extra=["-lusrsctp"])
        build_and_run(root, pathlib.Path(source, "docs/examples/two_peers.cpp"), "asiortc")


main()
