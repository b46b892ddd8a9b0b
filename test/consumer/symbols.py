"""What the installed libraries let be seen: the public interface, what is instantiated from Boost and
the standard library, and nothing else."""
import re
import subprocess
import sys


def defined(library, *options):
    listed = subprocess.run(["nm", "--defined-only", "-C", *options, library], check=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return [match.groups() for match in re.finditer(r"^[0-9a-f]+ (\w) (.+)$", listed, re.M)]


def is_ours(name):
    """Whether it is a name of ours, and not an instantiation of someone else's template."""
    name = re.sub(r"^(vtable|typeinfo|typeinfo name|VTT|guard variable|construction vtable) for ", "", name)
    name = re.sub(r"^(non-)?virtual thunk to ", "", name).replace("(anonymous namespace)", "unnamed")
    arguments = True
    while arguments:
        name, arguments = re.subn(r"<[^<>]*>", "", name)
    # Of a template the type that it returns stands in front; that of a conversion is its name.
    return name.split("(")[0].split("::operator ")[0].split(" ")[-1].startswith("asiortc::")


def check(libdir):
    faults = []
    core = defined(libdir / "libasiortc.so", "-D")
    signaling = defined(libdir / "libasiortc-signaling.so", "-D")
    for _, name in core + signaling:
        if is_ours(name) and not re.search(r"asiortc::boost_\d+::", name):
            faults.append(f"an inner name is exported: {name}")
        if re.match(r"\w*sctp", name):
            faults.append(f"a name of usrsctp is exported: {name}")
    # Inline functions are in both, weakly, and become one; what is defined once must be in one.
    strong = [{name for kind, name in names if kind not in "WVu"} for names in (core, signaling)]
    faults += [f"both libraries define {name}" for name in sorted(strong[0] & strong[1])]
    for kind, name in defined(libdir / "libasiortc.a", "-g"):
        if re.match(r"(usr)?sctp_", name):
            faults.append(f"libasiortc.a defines a name of usrsctp: {kind} {name}")
    print(f"exported: {len(core)} symbols of asiortc, {len(signaling)} of asiortc-signaling")
    if not 0 < len(strong[0]) < 1000:
        faults.append(f"{len(strong[0])} strong symbols cannot be right")
    if faults:
        print("\n".join(faults[:40]))
        sys.exit(f"{len(faults)} faults in the symbols")
