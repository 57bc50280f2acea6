"""The file of a client whose disk has no room for a while.

It runs where a small disk can be mounted: ``test_state_disk.py FOLDER`` is a process of its own.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from _support import ITERATIONS, PATIENCE, Case, account, environment, next_of, quicchat


def can_mount():
    """The command that runs another where it may mount a disk, or None."""
    if not shutil.which("mount") or not shutil.which("unshare"):
        return None
    for command in (["unshare", "-m"], ["unshare", "-r", "-m"]):
        with contextlib.suppress(OSError):
            tried = subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"],
                                   capture_output=True, check=False)
            if tried.returncode == 0:
                return command
    return None


class FullDisk(Case):
    def test_a_chat_goes_on_while_the_disk_of_its_state_is_full(self):
        command = can_mount()
        if command is None:
            self.skipTest("no disks here: they need the programs mount and unshare, and a right")
        result = subprocess.run([*command, sys.executable, __file__, str(self.folder)],
                                capture_output=True, timeout=PATIENCE, cwd=self.folder,
                                env=environment(), check=False)
        output = (result.stdout + result.stderr).decode(errors="replace")
        self.assertEqual(result.returncode, 0, output)


def fill(path):
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))


async def play(folder):
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", disk], check=True)
    state, filler = disk / "ada.state", disk / "filler"
    user = quicchat.Account("ada", account()["password"])
    config = quicchat.ServerConfig("127.0.0.1", 0, folder / "server.crt", folder / "server.key",
                                   accounts=(user,), iterations=ITERATIONS)
    async with quicchat.serve(config) as server:
        def connect(**options):
            return quicchat.connect("127.0.0.1", server.address[1], user="ada", state=state,
                                    **options)

        async with connect(password=account()["password"]) as chat:
            room = await chat.join("#lobby")
            await room.send("before")
            fill(filler)
            for number in range(20):  # what SQLite has allocated already is used up first
                await room.send(f"{number} " + 3000 * "x")
            trouble = await next_of(chat, quicchat.StorageTrouble)
            assert trouble.error == "storage_full", trouble
            assert "the disk is full" in trouble.text, trouble
            assert chat.is_online
            filler.unlink()
            over = await next_of(chat, quicchat.StorageTrouble)
            assert over.error == "", over
            await room.send("after")
        # Without a password: the token is the newest one, and nothing is sent twice.
        async with connect() as chat:
            room = await chat.join("#lobby", last=100)
            assert room.head == 22, room.head


if __name__ == "__main__":
    if len(sys.argv) == 2 and Path(sys.argv[1]).is_dir():
        os.environ["QUICCHAT_KNOWN_SERVERS"] = str(Path(sys.argv[1]) / "known_servers")
        asyncio.run(play(Path(sys.argv[1])))
    else:
        unittest.main()
