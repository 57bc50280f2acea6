"""`quicchat.Bot` as a program: `run`, signals, and how it ends."""

import asyncio
import signal
import subprocess
import sys
import unittest

from _support import PATIENCE, Case, account, environment, quicchat


class AsAProgram(Case):
    PROGRAM = """
import quicchat, sys
bot = quicchat.Bot(rooms=["#lobby"])

@bot.command
async def hi(context):
    await context.send("hi")

@bot.command
async def fail(context):
    raise ValueError("\\x1b[2Jwrong")

@bot.on(quicchat.Joined)
def ready(event):
    print("ready", flush=True)

bot.run("127.0.0.1", int(sys.argv[1]), user="bob", password=sys.argv[2])
print("ended", flush=True)
"""

    def test_run_answers_and_ends_by_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.run_async(lambda number=number: self.one_run(number))

    async def one_run(self, number):
        async with quicchat.serve(self.config()) as server:
            port = server.address[1]
            process = subprocess.Popen(
                [sys.executable, "-c", self.PROGRAM, str(port), account("bob")["password"]],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder,
                env=environment())
            try:
                ready = await asyncio.to_thread(process.stdout.readline)
                self.assertEqual(ready, b"ready\n")
                async with quicchat.connect("127.0.0.1", port, **account("ada")) as ada:
                    room = await ada.join("#lobby")
                    await room.send("!fail")
                    await room.send("!hi")
                    async for event in room:
                        if isinstance(event, quicchat.Message) and event.text == "hi":
                            break
                    process.send_signal(number)
                    async for event in room:
                        if isinstance(event, quicchat.MemberLeft) and event.user == "bob":
                            break
                out, err = await asyncio.to_thread(process.communicate, None, PATIENCE)
            finally:
                process.kill()
                process.wait()
            self.assertEqual((process.returncode, out), (0, b"ended\n"), err)
            self.assertIn(b"ValueError", err)
            self.assertNotIn(b"\x1b", err)


if __name__ == "__main__":
    unittest.main()
