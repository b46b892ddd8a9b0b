"""A network namespace for tests that need a network with nothing but a loopback interface in it."""
import os
import shutil
import subprocess

IN_OWN_NETWORK = "ASIORTC_TEST_IN_OWN_NETWORK"


def run_in_own_network(command):
    """The command's status in such a namespace; none where the machine refuses to make one."""
    everywhere = os.environ["PATH"] + ":/usr/sbin:/sbin"
    unshare, ip = shutil.which("unshare"), shutil.which("ip", path=everywhere)
    if unshare is None or ip is None:
        return None
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    enter = [unshare, *as_root, "--net"]
    if subprocess.run([*enter, ip, "link", "set", "lo", "up"], capture_output=True).returncode != 0:
        return None
    inside = ["sh", "-c", '"$0" link set lo up && exec "$@"', ip]
    return subprocess.run([*enter, *inside, *command],
                          env={**os.environ, IN_OWN_NETWORK: "1"}).returncode
