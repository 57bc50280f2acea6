#!/usr/bin/env python3
"""Two network namespaces of Linux, joined by a link that delays packets and loses some. Needs root,
iproute2 and /dev/net/tun.

    with LossyLink(delay=0.020, loss=0.03, seed=1) as link:
        subprocess.Popen([*link.at_server, "qc_server", "--host", link.address])
        subprocess.run([*link.at_client, "qc_load", "--host", link.address])

netem of the kernel does the same where it is compiled in; on many virtual machines it is not.
"""

import collections
import contextlib
import ctypes
import fcntl
import os
import random
import select
import struct
import subprocess
import sys
import time

NAMES = "/run/netns/"
DEVICE = "lossy"
SET_INTERFACE = 0x400454CA  # TUNSETIFF of <linux/if_tun.h>
TUN, NO_HEADER = 0x0001, 0x1000
NEW_NETWORK = 0x40000000  # CLONE_NEWNET of <sched.h>


class LossyLink:
    """`delay` in seconds each way; `loss` is the share that is lost, each way, by `seed`."""

    address = "10.78.0.1"

    def __init__(self, delay, loss, seed):
        self.relay_options = [str(delay), str(loss), str(seed)]
        self.names = [f"quicchat-{os.getpid()}-{end}" for end in ("server", "client")]
        self.at_server, self.at_client = (["ip", "netns", "exec", name] for name in self.names)

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for number, name in enumerate(self.names, 1):
                ip("netns", "add", name)
                stack.callback(ip, "netns", "delete", name)
                ip("-n", name, "link", "set", "lo", "up")
                ip("-n", name, "tuntap", "add", "dev", DEVICE, "mode", "tun")
                ip("-n", name, "address", "add", f"10.78.0.{number}/24", "dev", DEVICE)
                ip("-n", name, "link", "set", DEVICE, "up")
            relay = subprocess.Popen([sys.executable, __file__, *self.names, *self.relay_options],
                                     stdout=subprocess.PIPE, text=True)
            stack.callback(relay.wait)
            stack.callback(relay.terminate)
            if relay.stdout.readline() != "ready\n":
                sys.exit("the link could not be made: is /dev/net/tun there?")
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()


def ip(*arguments):
    try:
        subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit("the link needs ip (Debian: iproute2)")
    except subprocess.CalledProcessError as error:
        sys.exit(f"the link could not be made, which needs root: ip {' '.join(arguments)}: "
                 f"{error.stderr.strip()}")


def open_device(namespace):
    """Its packets are read and written here."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(NAMES + namespace) as file:
        if libc.setns(file.fileno(), NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), f"setns to {namespace}")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    request = struct.pack("16sH14x", DEVICE.encode(), TUN | NO_HEADER)
    fcntl.ioctl(device, SET_INTERFACE, request)
    return device


def relay(devices, delay, loss, chance):
    """For ever. What comes first leaves first."""
    under_way = collections.deque()  # (when, where to, packet)
    other = {devices[0]: devices[1], devices[1]: devices[0]}
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        for device in select.select(devices, [], [], wait)[0]:
            with contextlib.suppress(BlockingIOError):
                while True:
                    packet = os.read(device, 65536)
                    if chance.random() >= loss:
                        under_way.append((time.monotonic() + delay, other[device], packet))
        while under_way and under_way[0][0] <= time.monotonic():
            _, device, packet = under_way.popleft()
            with contextlib.suppress(BlockingIOError):  # a full queue loses it
                os.write(device, packet)


if __name__ == "__main__":
    both = [open_device(name) for name in sys.argv[1:3]]
    print("ready", flush=True)
    relay(both, float(sys.argv[3]), float(sys.argv[4]), random.Random(int(sys.argv[5])))
