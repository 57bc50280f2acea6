"""The programs in examples/ that are no other test's: a bot, and a web back end."""

import asyncio
import contextlib
import importlib.util
import io
import json
import random
import re
import subprocess
import sys
import unittest

from _in_memory import InMemory
from _support import EXAMPLES, PATIENCE, Case, account, environment, next_of, quicchat


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class DiceBot(InMemory):
    def test_it_rolls_notes_and_greets(self):
        bot = example("dice_bot").make_bot(["#lobby"], random.Random(7))
        wanted = random.Random(7)

        async def scenario(net):
            task = asyncio.create_task(bot.start(await net.connect("dice", pace=True)))
            await net.settle()
            ada = await net.connect("ada")
            room = await ada.join("#lobby")
            for line in ("!roll", "!r 20 2", "!roll 1", "!note tea", "!note tea green leaf"):
                await room.send(line)
            said = [e.text for e in await net.received(ada)
                    if isinstance(e, quicchat.Message) and e.sender == "dice"]
            rolls = [wanted.randint(1, 6), wanted.randint(1, 20), wanted.randint(1, 20)]
            self.assertEqual(said, [
                "Hello ada! Try !help.", f"ada rolled {rolls[0]}",
                f"ada rolled {rolls[1]}, {rolls[2]}", "2 to 1000 sides, 1 to 20 times, please",
                "nobody has told me about tea", "green leaf"])
            bot.stop()
            await task

        with contextlib.redirect_stdout(io.StringIO()) as shown:
            self.on(scenario)
        self.assertEqual(shown.getvalue(), "at work in #lobby\n")


class Programs(Case):
    async def start(self, name, *arguments, ready):
        process = await asyncio.create_subprocess_exec(
            sys.executable, EXAMPLES / name, *map(str, arguments), cwd=self.folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        self.addCleanup(lambda: process.returncode is None and process.kill())
        line = (await process.stdout.readline()).decode()
        self.assertRegex(line, ready)
        return process, line

    async def end(self, process, said=""):
        process.terminate()
        _, errors = await process.communicate()
        self.assertEqual(process.returncode, 0, errors)
        self.assertIn(said, errors.decode())
        self.assertNotIn("Traceback", errors.decode())

    def test_the_bot_as_a_program(self):
        async def main():
            config = self.write_config()
            async with quicchat.serve(config) as server:
                known = ["--config", config, "--port", server.address[1]]
                process, _ = await self.start("dice_bot.py", *known, ready="at work in #lobby")
                async with quicchat.connect("127.0.0.1", server.address[1],
                                            **account("bob")) as bob:
                    room = await bob.join("#lobby")
                    sent = await room.send("!roll 2")
                    answer = await next_of(bob, quicchat.Message, sender="ada",
                                           reply_to=sent.offset)
                    self.assertRegex(answer.text, r"bob rolled [12]$")
                    await self.end(process, "new server")

        self.run_async(main)

    def test_the_web_back_end(self):
        async def main():
            process, line = await self.start("web_chat.py", "--config", self.write_config(),
                                             "--web", 0, ready="page on")
            port, self.web = map(int, re.findall(r":?(\d+)[,/]", line)[-2:])
            async with quicchat.connect("127.0.0.1", port, **account("ada")) as ada:
                room = await ada.join("#lobby")
                self.assertIn(b"<!doctype html>", (await self.get("GET /"))[1])
                self.assertIn("403", (await self.get("POST /say", {"text": "x"}))[0])
                self.assertIn("403", (await self.get("GET /events"))[0])
                self.assertIn("400", (await self.get("POST /login", {}))[0])
                head, _ = await self.get("POST /login", {"user": "zoe"})
                cookie = re.search(r"Set-Cookie: (session=[^;]+)", head).group(1)

                events = await self.follow(cookie)
                head, body = await self.get("POST /say", {"text": "from a page"}, cookie=cookie)
                self.assertIn("200", head)
                seen = await next_of(ada, quicchat.Message)
                self.assertEqual((seen.sender, seen.text), ("zoe", "from a page"))
                self.assertEqual(json.loads(body)["offset"], seen.offset)
                await room.send("from ada")
                found = [await self.event(events) for _ in range(2)]
                self.assertEqual([data["text"] for _, data in found], ["from a page", "from ada"])
                events[1].close()

                await room.send("while the page is away")
                events = await self.follow(cookie, found[-1][0])
                self.assertEqual((await self.event(events))[1]["text"], "while the page is away")
                events[1].close()
                head, body = await self.get("POST /say", {"text": "\x1b"}, cookie=cookie)
                self.assertIn("400", head)
                still = await self.follow(cookie)  # which holds up no end
            await self.end(process)
            await still[0].read()
            still[1].close()

        self.run_async(main)

    def test_the_web_back_end_forgets_pages_that_have_gone(self):
        async def main():
            web_chat = example("web_chat")
            async with quicchat.serve(self.config()) as server:
                web = web_chat.Web(server, "#lobby")
                web.sessions["x"] = "zoe"
                listening = await asyncio.start_server(web.accept, "127.0.0.1", 0)
                self.web = listening.sockets[0].getsockname()[1]
                opened = [await self.follow("session=x") for _ in range(3)]
                self.assertEqual(len(web.pages), 3)
                for _, writer in opened[:2]:
                    writer.close()
                while len(web.pages) > 1:  # nobody says anything
                    await asyncio.sleep(0.01)
                opened[2][1].close()
                listening.close()
                await web.end()
                self.assertFalse(web.pages)

        self.run_async(main)

    async def open(self, what, body=None, **fields):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.web)
        data = b"" if body is None else json.dumps(body).encode()
        fields = {"Content-Length": len(data), "Content-Type": "application/json", **fields}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        writer.write(f"{what} HTTP/1.1\r\n{lines}\r\n".encode() + data)
        return reader, writer

    async def get(self, what, body=None, **fields):
        reader, writer = await self.open(what, body, **fields)
        head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        return head.decode(), rest

    async def follow(self, cookie, last=""):
        reader, writer = await self.open("GET /events", cookie=cookie, last_event_id=last)
        self.assertIn(b"200 OK", await reader.readuntil(b"\r\n\r\n"))
        return reader, writer

    async def event(self, events):
        async with asyncio.timeout(PATIENCE):
            text = ":"
            while text.startswith(":"):  # nothing for a while
                text = (await events[0].readuntil(b"\n\n")).decode()
        return (re.search(r"^id: (.*)$", text, re.MULTILINE).group(1),
                json.loads(re.search(r"^data: (.*)$", text, re.MULTILINE).group(1)))


if __name__ == "__main__":
    unittest.main()
