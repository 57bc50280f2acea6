"""What a wheel must do on a computer that has nothing but Python: a server and its clients talk.

    python wheel_check.py

Run by `bindings/wheels.sh --test` with the Python of an environment that has the wheel. It needs
nothing else of this repository. QUICCHAT_PYTHON is the command that starts another such Python, if
that is not the name of the running one, as in an emulator.
"""

import asyncio
import hashlib
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time
from importlib.metadata import distribution
from pathlib import Path

import quicchat
from quicchat import _core

PATIENCE = 120 * float(os.environ.get("QUICCHAT_TEST_TIMEOUT_SCALE") or 1)  # in seconds
PYTHON = shlex.split(os.environ.get("QUICCHAT_PYTHON") or sys.executable)
ACCOUNTS = {"ada": "correct horse", "bob": "battery staple"}
#: The C library, by its parts. Whatever else an extension module needs may not be there.
MAY_NEED = re.compile(r"(libc|libm|libpthread|libdl|librt|ld-linux-[\w-]+|libutil)\.so\.[0-9]+")


def check_module():
    """The module is the wheel's own, and says which libraries it looks for."""
    path = Path(_core.__file__)
    package = distribution("quicchat")
    assert path.parent == Path(package.locate_file("quicchat")), f"{path} is not the wheel's"
    needed = set(re.findall(rb"(?<=\0)lib[\w+-]+\.so(?:\.[0-9]+)*(?=\0)", path.read_bytes()))
    strange = sorted(name.decode() for name in needed if not MAY_NEED.fullmatch(name.decode()))
    assert not strange, f"the module needs {strange}"
    licences = {path.parent.name for path in package.files if "licenses" in path.parts}
    missing = {"wolfssl", "ngtcp2", "sqlite", "pybind11", "nlohmann-json"} - licences
    assert not missing, f"no licence of {missing}"


def start_server(folder):
    """`quicchat serve` in a process of its own; returns it and its port."""
    (folder / "config.json").write_text(json.dumps({
        "host": "127.0.0.1", "port": 0, "certfile": "server.crt", "keyfile": "server.key",
        "auth": {"users": [{"username": name, "password": password}
                           for name, password in ACCOUNTS.items()]}}))
    (folder / "config.json").chmod(0o600)
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen([*PYTHON, "-m", "quicchat", "serve"], cwd=folder,
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    deadline = time.monotonic() + PATIENCE
    while not (found := re.search(r"listening on .*:(\d+) ", log.read_text())):
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            raise AssertionError(f"the server did not start:\n{log.read_text()}")
        time.sleep(0.05)
    return server, int(found.group(1))


async def next_message(chat):
    async for event in chat:
        if isinstance(event, quicchat.Message):
            return event
    raise AssertionError("the events ended before a message")


async def talk(port, certificate):
    """Two log in by password; a message and a file go from one to the other."""
    def connect(name):
        return quicchat.connect("127.0.0.1", port, user=name, password=ACCOUNTS[name],
                                tls=quicchat.TLS.ca(certificate))

    data = bytes(range(256)) * 1200
    async with asyncio.timeout(PATIENCE), connect("ada") as ada, connect("bob") as bob:
        room = await ada.join("#lobby")
        theirs = await bob.join("#lobby")
        receipt = await room.send("hello")
        message = await next_message(bob)
        assert (message.text, message.sender, message.id) == ("hello", "ada", receipt.id)
        await room.send_file(data, name="bytes")
        message = await next_message(bob)
        assert message.file.sha256 == hashlib.sha256(data).hexdigest()
        assert await theirs.read_file(message) == data


def main():
    check_module()
    with tempfile.TemporaryDirectory(prefix="quicchat-wheel-") as name:
        folder = Path(name)
        server, port = start_server(folder)
        try:
            asyncio.run(talk(port, folder / "server.crt"))
        finally:
            server.terminate()
            status = server.wait(PATIENCE)
        assert status == 0, f"the server ended with {status}"
    print(f"quicchat {quicchat.__version__} works: Python {platform.python_version()}, "
          f"{platform.machine()}, {'-'.join(platform.libc_ver())}")


if __name__ == "__main__":
    main()
