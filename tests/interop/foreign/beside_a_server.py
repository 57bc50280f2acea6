"""Runs the clients of tests/interop/foreign.sh beside a real server.

    beside_a_server.py PROGRAM...

Each gets a port of 127.0.0.1, a user and the password. The exit status says how many failed.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import quicchat

PATIENCE = 120.0 * float(os.environ.get("QUICCHAT_TEST_TIMEOUT_SCALE", "1"))


async def run(program, port):
    process = await asyncio.create_subprocess_exec(program, str(port), "ada", "correct horse")
    async with asyncio.timeout(PATIENCE):
        return await process.wait()


async def main(programs):
    with tempfile.TemporaryDirectory(prefix="quicchat-foreign-") as folder:
        config = quicchat.ServerConfig(
            host="127.0.0.1", port=0, certfile=Path(folder) / "server.crt",
            keyfile=Path(folder) / "server.key", iterations=100_000,
            accounts=(quicchat.Account("ada", "correct horse"),))
        async with quicchat.serve(config) as server:
            return sum([await run(program, server.address[1]) != 0 for program in programs])


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
