#!/usr/bin/env python3
"""Who may include whom. The table is that of docs/decisions/build.md; change both together."""
import re

from sources import code_of, cpp_files, finish, line_at, text_of

# Every layer may include itself and base.
LAYERS = {
    "base": "",
    "crypto": "",
    "stun": "crypto",
    "turn": "stun crypto",
    "ice": "stun",
    "dtls": "crypto",
    "mdns": "",
    "sctp": "",
    "datachannel": "sctp",
    "sdp": "",
    "peer": "crypto ice turn dtls sctp datachannel sdp",
    "io": "peer ice turn stun mdns sctp crypto dtls",
    "api": "io peer crypto sdp datachannel",
    "mesh": "",
    "signaling": "crypto",
}
# The public words that every layer may use, since no Asio is behind them.
VOCABULARY = set(
    "candidate_pair certificate config configuration data_channel_init error ice_candidate "
    "log message nat_behaviour session_description states stats".split()
)
# Layers that may include any public header, and those that may include some more.
ALL_PUBLIC = {"api", "mesh", "signaling"}
MORE_PUBLIC = {"io": {"detail/context_listener", "name_resolver", "interface_address"}}
# The files of signaling that are no core but a shell over it.
SHELLS = tuple(
    "lib/signaling/" + start
    for start in ("client.", "client_room.", "client_state.", "room_mesh", "server.",
                  "wake_timer.", "websocket.")
)
ASIO = ("include/", "lib/io/", "lib/api/", "lib/mesh/", "apps/", "test/", "docs/") + SHELLS
CLOCKS = ("lib/io/", "lib/api/", "apps/", "test/", "docs/") + SHELLS
JSON = ("lib/api/", "lib/signaling/", "apps/", "test/", "docs/")
OPENSSL = ("lib/crypto/", "lib/dtls/", "lib/io/tls", "test/")
USRSCTP = ("lib/sctp/usrsctp/", "test/consumer/")

EXTERNAL = (
    (re.compile(r"<boost/(asio|beast)"), ASIO, "Asio belongs to io, api and the shells"),
    (re.compile(r"<nlohmann/"), JSON, "JSON belongs to api, signaling and the apps"),
    (re.compile(r"<openssl/"), OPENSSL, "OpenSSL belongs to crypto, dtls and io's TLS file"),
    (re.compile(r"<usrsctp\.h>"), USRSCTP, "usrsctp.h belongs to lib/sctp/usrsctp"),
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"][^>"]+[>"])', re.M)
CLOCK = re.compile(r"::now\s*\(|\b(gettimeofday|clock_gettime)\s*\(|(?<![\w.>:])time\s*\(\s*(NULL|nullptr)")


def own_include_fault(name, target):
    """What is wrong with a file of lib/ including another file of ours, if anything."""
    layer = name.split("/")[1]
    if target.startswith('"'):
        other = target[1:-1].split("/")[0]
        allowed = {layer, "base", *LAYERS[layer].split()}
        if name.startswith(SHELLS):
            allowed.add("api")  # for the one idiom of an asynchronous operation
        if other in LAYERS and other not in allowed:
            return f"{layer} may include {LAYERS[layer] or 'nothing'} and base, not {target}"
    elif target.startswith("<asiortc/") and layer not in ALL_PUBLIC:
        header = target[len("<asiortc/") : -len(".hpp>")]
        if header not in VOCABULARY | MORE_PUBLIC.get(layer, set()):
            return f"{layer} may include the public vocabulary only, not {target}"
    return None


def include_faults(name):
    text = text_of(name)
    for match in INCLUDE.finditer(text):
        target, where = match.group(1), f"{name}:{line_at(text, match.start())}"
        for pattern, allowed, reason in EXTERNAL:
            if pattern.match(target) and not name.startswith(allowed):
                yield f"{where}: {target}: {reason}"
        if name.startswith("include/") and target.startswith('"'):
            yield f"{where}: {target}: a public header includes <asiortc/…> and no header of lib/"
        if name.startswith("apps/") and re.match(r'"(%s)/' % "|".join(LAYERS), target):
            if not target.startswith('"signaling/'):
                yield f"{where}: {target}: an app includes <asiortc/…> and signaling only"
        if name.startswith("lib/"):
            fault = own_include_fault(name, target)
            if fault:
                yield f"{where}: {fault}"


def clock_faults(name):
    if name.startswith(CLOCKS):
        return
    code = code_of(name)
    for match in CLOCK.finditer(code):
        yield (
            f"{name}:{line_at(code, match.start())}: {match.group().strip()}: a core is told the "
            "time and reads no clock"
        )


complaints = []
for name in cpp_files():
    complaints += include_faults(name)
    complaints += clock_faults(name)
finish("layers", complaints)
