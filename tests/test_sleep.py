"""Processes that stand still, as on a laptop that sleeps: for longer than a connection lives
without packets."""

import asyncio
import signal
import sys
import time
import unittest

from _support import Case, account, environment, next_of, quicchat, scaled

#: Seconds without a packet after which a connection is gone.
IDLE = scaled(2)

#: A client that says what happens, and sends what it reads.
CLIENT = """
import asyncio, sys
import quicchat

async def main():
    idle = float(sys.argv[2])
    limits = quicchat.Limits(idle_timeout=idle, keep_alive=idle / 3)
    async with quicchat.connect("127.0.0.1", int(sys.argv[1]), user="ada",
                                password="correct horse", limits=limits) as chat:
        room = await chat.join("#lobby")
        print("joined")
        loop = asyncio.get_running_loop()

        async def type_lines():
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                await room.send(line.strip())

        typing = asyncio.create_task(type_lines())
        async for event in chat:
            if isinstance(event, quicchat.Message):
                print("message", event.offset, event.text)
            elif isinstance(event, quicchat.Reconnecting | quicchat.Online | quicchat.Gap):
                print(type(event).__name__)

asyncio.run(main())
"""


class SleepingClient:
    def __init__(self, process):
        self.process = process
        self.lines = []

    @classmethod
    async def start(cls, port):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CLIENT, str(port), str(IDLE), stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, env=environment())
        return cls(process)

    async def expect(self, line):
        while line not in self.lines:
            read = await self.process.stdout.readline()
            if not read:
                raise AssertionError(f"never said: {line!r}; said: {self.lines}")
            self.lines.append(read.decode().strip())

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")

    async def end(self):
        self.process.kill()
        await self.process.wait()


class Sleep(Case):
    def test_a_client_that_slept_goes_on(self):
        async def scenario(connect, server):
            client = await SleepingClient.start(server.address[1])
            try:
                await client.expect("joined")
                client.type("before")
                await client.expect("message 1 before")
                client.process.send_signal(signal.SIGSTOP)
                async with connect("bob") as bob:
                    room = await bob.join("#lobby")
                    await room.send("meanwhile")
                    async for event in server:
                        if isinstance(event, quicchat.PeerDisconnected) and event.user == "ada":
                            break
                    self.assertEqual(event.error, "idle_timeout")
                    client.type("after")
                    begin = time.monotonic()
                    client.process.send_signal(signal.SIGCONT)
                    await client.expect("message 2 meanwhile")
                    await client.expect("message 3 after")
                    seconds = time.monotonic() - begin
                    print(f"\ntest_sleep: {seconds:.2f} s after waking")
                    self.assertLess(seconds, scaled(10))
                self.assertEqual([line for line in client.lines if "message" in line],
                                 ["message 1 before", "message 2 meanwhile", "message 3 after"])
                self.assertNotIn("Gap", client.lines)
            finally:
                await client.end()

        self.talk(scenario, limits={"idle_timeout": IDLE})

    def test_a_server_that_slept_goes_on(self):
        server = self.start_server(config=self.write_config(limits={"idle_timeout": IDLE}))
        limits = quicchat.Limits(idle_timeout=IDLE, keep_alive=IDLE / 3)

        async def scenario():
            async with (quicchat.connect("127.0.0.1", server.port, **account("ada"),
                                         limits=limits) as ada,
                        quicchat.connect("127.0.0.1", server.port, **account("bob"),
                                         limits=limits) as bob):
                room = await ada.join("#lobby")
                await bob.join("#lobby")
                await room.send("before")
                server.process.send_signal(signal.SIGSTOP)
                sent = asyncio.create_task(room.send("meanwhile"))
                await next_of(ada, quicchat.Reconnecting)
                self.assertFalse(sent.done())
                server.process.send_signal(signal.SIGCONT)
                await sent
                await room.send("after")
                texts = [(await next_of(bob, quicchat.Message)).text for _ in range(3)]
                self.assertEqual(texts, ["before", "meanwhile", "after"])

        try:
            self.run_async(scenario)
        finally:
            server.process.send_signal(signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
