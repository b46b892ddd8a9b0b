"""Network namespaces and processes in them, all of which end with this process."""
import contextlib
import ctypes
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PREFIX = "asiortc-"
MOUNTS = pathlib.Path("/run/netns")
CLONE_NEWNET = 0x40000000
NETLINK_ROUTE, RTMGRP_LINK = 0, 1
LIBC = ctypes.CDLL(None, use_errno=True)
SKIPPED = 77
# What cables are called here.
CABLES = ("wan", "lan", "eth0", "bridge", "red", "blue", "green")
os.environ["PATH"] += ":/usr/sbin:/sbin"


def skip_where_impossible(*programs):
    """Ends this process as skipped, saying why, where namespaces cannot be made."""
    missing = [name for name in ("ip", "nft", "setpriv", *programs) if not shutil.which(name)]
    reason = f"not installed: {', '.join(missing)}" if missing else ""
    if os.geteuid() != 0:
        reason = "needs root"
    elif not missing:
        # Entering mounts its own /sys, which a plain chroot does not allow.
        probe = f"asiortc-probe-{os.getpid()}"
        tried = subprocess.run(
            ["sh", "-c", 'ip netns add "$0" && ip netns exec "$0" nft add table ip nat; '
             'status=$?; ip netns delete "$0"; exit $status', probe],
            capture_output=True, text=True)
        if tried.returncode:
            reason = f"no namespaces with nftables here: {tried.stderr.strip()}"
    if reason:
        print(f"SKIPPED: {reason}")
        sys.exit(SKIPPED)


def end_on_signals():
    """Lets a signal unwind the stack, so that everything is cleaned up."""
    def end(number, _):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)


def await_event(condition, sources, seconds, what):
    """Looks at a condition, and again each time that one of the sources has something to read."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        ready, _, _ = select.select(sources, [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError(f"{what} within {seconds} s")
        for source in ready:
            os.read(source.fileno(), 65536)
    return result


def await_log(condition, log, seconds, what):
    """Looks at a condition, and again each time that a server writes to its log."""
    with subprocess.Popen(["tail", "-n", "+1", "-F", log], stdout=subprocess.PIPE) as tail:
        try:
            await_event(condition, [tail.stdout], seconds, what)
        finally:
            tail.kill()


def ip_batch(lines, namespace=None):
    where = ["-n", namespace] if namespace else []
    done = subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(lines) + "\n", text=True,
                          capture_output=True)
    if done.returncode:
        raise RuntimeError(f"ip in {namespace}: {done.stderr.strip()}\n" + "\n".join(lines))


@contextlib.contextmanager
def inside(namespace):
    """The sockets that this thread makes meanwhile, and /proc/sys/net, are the namespace's."""
    with open("/proc/thread-self/ns/net", "rb") as home, open(MOUNTS / namespace, "rb") as other:
        if LIBC.setns(other.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
        try:
            yield
        finally:
            if LIBC.setns(home.fileno(), CLONE_NEWNET):
                os._exit(1)  # whatever this thread did next would be done in the wrong network


def sysctl(namespace, **values):
    """Names are written with double underscores for slashes: ipv4__ip_forward."""
    with inside(namespace):
        for name, value in values.items():
            path = pathlib.Path("/proc/sys/net", *name.split("__"))
            path.write_text(str(value), encoding="ascii")


def own_name(name):
    return f"{PREFIX}{os.getpid()}-{name}"


def left_behind(folder):
    """What runs that were killed before they could clean up have left in the folder."""
    for path in folder.iterdir() if folder.is_dir() else ():
        owner = re.match(re.escape(PREFIX) + r"(\d+)-", path.name)
        if owner and not pathlib.Path("/proc", owner[1]).exists():
            yield path


def sweep():
    for mount in left_behind(MOUNTS):
        subprocess.run(["ip", "netns", "delete", mount.name], capture_output=True)
    for folder in left_behind(pathlib.Path(tempfile.gettempdir())):
        shutil.rmtree(folder, ignore_errors=True)


class Machine:
    """The namespaces and processes of one run; names carry its process id."""

    def __init__(self):
        self.names = []
        self.processes = set()
        self.lock = threading.Lock()
        self.ended = False

    def __enter__(self):
        sweep()
        return self

    def end_all(self):
        """Ends all processes, and lets nobody start more."""
        with self.lock:
            self.ended = True
            running = list(self.processes)
        for process in running:
            process.kill()
            process.wait()

    def __exit__(self, *_):
        self.end_all()
        if self.names:
            ip_batch([f"netns delete {name}" for name in self.names])

    def add(self, name):
        full = own_name(name)
        self.names.append(full)
        ip_batch([f"netns add {full}"])
        sysctl(full, ipv6__conf__all__accept_dad=0, ipv6__conf__default__accept_dad=0)
        ip_batch(["link set lo up"], full)
        return full

    def start(self, namespace, *command, **options):
        """A process in the namespace; it does not outlive this one."""
        with self.lock:
            if self.ended:
                raise RuntimeError("the run has ended")
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", namespace, *command],
                **options)
            self.processes.add(process)
        return process

    def end(self, process):
        """Ends a process at once, and lets its pipes go."""
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):  # what it did not read is not for it
                    stream.close()
        with self.lock:
            self.processes.discard(process)

    @staticmethod
    def filter(namespace, rules):
        done = subprocess.run(["ip", "netns", "exec", namespace, "nft", "-f", "-"], input=rules,
                              text=True, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"nft in {namespace}: {done.stderr}\n{rules}")

    def await_links(self):
        """The kernel takes up to a second to call a new cable up; until then nobody uses it."""
        def all_up():
            for name in self.names:
                shown = subprocess.run(["ip", "-n", name, "-brief", "link"], capture_output=True,
                                       text=True, check=True).stdout
                for line in shown.splitlines():
                    link, state = line.split()[:2]
                    if state != "UP" and link.split("@")[0] in CABLES:
                        return False
            return True
        with contextlib.ExitStack() as watchers:
            sources = []
            for name in self.names:
                with inside(name):
                    sources.append(watchers.enter_context(
                        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)))
                sources[-1].bind((0, RTMGRP_LINK))
            await_event(all_up, sources, 20, "the cables did not come up")
