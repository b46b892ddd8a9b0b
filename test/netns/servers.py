"""A machine one of whose namespaces has the servers: coturn for STUN and TURN, and signaling."""
import pathlib
import shutil
import socket
import subprocess
import tempfile

from kinds import SIGNALING_PORT, STUN_PORT, TLS_PORT
from namespaces import Machine, await_log, inside, own_name

USER, PASSWORD, REALM = "asiortc", "secret", "asiortc.example"
IPV6_OFF = {"ipv6__conf__all__disable_ipv6": 1, "ipv6__conf__default__disable_ipv6": 1}


class Servers:
    """What is made on entering ends with the block. Derived classes give the servers' namespace
    its name and addresses, and lay the cables in `build`."""

    namespace = ""
    addresses = ()

    def __init__(self):
        self.machine = Machine()
        self.folder = self.certificate = None

    def __enter__(self):
        self.machine.__enter__()
        try:
            self.folder = pathlib.Path(tempfile.mkdtemp(prefix=own_name("")))
            self.internet = self.machine.add(self.namespace)
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *what):
        self.machine.__exit__(*what)
        if self.folder:
            shutil.rmtree(self.folder)

    def build(self):
        raise NotImplementedError

    def make_certificate(self):
        self.certificate = self.folder / "server.pem"
        names = ",".join(f"IP:{address}" for address in self.addresses)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={REALM}",
                        "-addext", f"subjectAltName=DNS:{REALM},{names}",
                        "-keyout", self.folder / "server.key", "-out", self.certificate],
                       check=True, capture_output=True)

    def start_turn_server(self, *flags, addresses=()):
        """Starts coturn, and gives its process once it listens on the addresses; on all where none
        are given."""
        addresses = addresses or self.addresses
        if not self.certificate:
            self.make_certificate()
        listening = [word for address in addresses for word in ("--listening-ip", address)]
        # One of a family is enough, and the second of each is for RFC 5780.
        first = [next((each for each in addresses if (":" in each) == of_v6), None)
                 for of_v6 in (False, True)]
        relays = [word for address in first if address for word in ("--relay-ip", address)]
        name = addresses[0].replace(":", ".")
        with open(self.turn_log(addresses[0]), "ab") as log:
            process = self.machine.start(
                self.internet, "turnserver", "-n", *listening, *relays, "--lt-cred-mech",
                "--user", f"{USER}:{PASSWORD}", "--realm", REALM, "--cert", self.certificate,
                "--pkey", self.folder / "server.key", "--no-cli", "--no-dtls",
                "--relay-threads", "1", "--fingerprint", "--log-file", "stdout",
                "--pidfile", self.folder / f"{name}.pid", "--userdb", self.folder / f"{name}.db",
                "--min-port", "49152", "--verbose", *flags,
                cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        for address in addresses:
            self._await_port(address, STUN_PORT, log.name)
            self._await_port(address, TLS_PORT, log.name)
        return process

    def turn_log(self, address):
        """Where what the server of the address says is kept."""
        return self.folder / f"turnserver-{address.replace(':', '.')}.log"

    def start_signaling_server(self, program):
        with open(self.folder / "signaling.log", "wb") as log:
            self.machine.start(self.internet, program, "--listen", f"[::]:{SIGNALING_PORT}",
                               stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._await_port("127.0.0.1", SIGNALING_PORT, log.name)

    def _await_port(self, address, port, log):
        def listens():
            with inside(self.internet):
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                sock = socket.socket(family, socket.SOCK_STREAM)
            with sock:
                return sock.connect_ex((address, port)) == 0
        await_log(listens, log, 20, f"nothing listens on {address} port {port}")
