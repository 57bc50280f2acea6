"""The chat in a terminal, read from the screen: nothing is lost, hidden or mixed up."""

import asyncio
import importlib.metadata
import unittest

from _support import Case, account, quicchat

if quicchat:
    from _screen import open_chat


class Screens(Case):
    def connect(self, server, name):
        return quicchat.connect("127.0.0.1", server.port, **account(name))

    async def open(self, *arguments, **options):
        return await asyncio.to_thread(open_chat, self, *arguments, **options)

    async def see(self, screen, *texts, times=1):
        for text in texts:
            await asyncio.to_thread(screen.see, text, times)

    async def unread(self, server, name, room, expected):
        """Waits until that many messages of a room are unread."""
        async with self.connect(server, name) as chat:
            while (count := next(r.unread for r in await chat.rooms()
                                 if r.room == room)) != expected:
                self.assertGreater(count, expected)
                await asyncio.sleep(0.05)


class NothingIsLost(Screens):
    def test_what_comes_in_stays_out_of_the_line_that_is_typed(self):
        server = self.start_server()

        async def main():
            screen = await self.open(server, "ada")
            async with self.connect(server, "bob") as bob:
                room = await bob.join("#lobby")
                screen.type("I am typing a long li")
                await asyncio.to_thread(screen.see_prompt, "#lobby> I am typing a long li")
                await room.send("interrupting you")
                await self.see(screen, "<bob> interrupting you")
                screen.type("ne\x1b[D\x1b[Dx")
                await asyncio.to_thread(screen.see_prompt, "#lobby> I am typing a long lixne")
                screen.type("\r")
                await self.see(screen, "<ada> I am typing a long lixne")
                await asyncio.to_thread(screen.see_prompt, "#lobby>")
            self.assertEqual("\n".join(screen.all_lines()).count("typing a long"), 1)

        self.run_async(main)

    def test_who_types_while_many_speak_sees_each_line_whole(self):
        server = self.start_server()

        async def main():
            screen = await self.open(server, "ada")
            await asyncio.to_thread(screen.see_prompt, "#lobby>")
            typed = ""
            async with self.connect(server, "bob") as bob:
                room = await bob.join("#lobby")
                for n in range(1, 101):
                    await room.send(f"line {n}")
                    typed += "abcdefghij"[n % 10] if n % 2 else ""
                    screen.type(typed[-1:] if n % 2 else "")
                await self.see(screen, "<bob> line 100\n")
            await asyncio.to_thread(screen.see_prompt, f"#lobby> {typed}")
            said = [line for line in screen.all_lines() if "line " in line]
            self.assertEqual([line[6:] for line in said],
                             [f"<bob> line {n}" for n in range(1, 101)])

        self.run_async(main)

    def test_all_that_is_unread_is_shown_below_a_divider(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "ada") as ada, self.connect(server, "bob") as bob:
                there, room = await ada.join("#lobby"), await bob.join("#lobby")
                read = [await room.send(f"line {n}") for n in range(1, 26)]
                there.mark_read(read[-1])
                await self.unread(server, "ada", "#lobby", 0)
                await ada.leave("#lobby")
                for n in range(26, 61):
                    await room.send(f"line {n}")
            screen = await self.open(server, "ada", rows=50)
            await self.see(screen, "── 35 unread ──")
            lines = "\n".join(screen.all_lines())
            after = lines[lines.index("35 unread"):]
            for n in range(26, 61):
                self.assertEqual(after.count(f"<bob> line {n}\n"), 1, lines)
            self.assertNotIn("<bob> line 25\n", after)
            await self.unread(server, "ada", "#lobby", 0)

        self.run_async(main)

    def test_what_was_not_shown_is_not_marked_as_read(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob:
                room = await bob.join("#lobby")
                for n in range(1, 131):
                    await room.send(f"line {n}")
            screen = await self.open(server, "ada", rows=50)
            await self.see(screen, "30 unread before these", "<bob> line 31", "<bob> line 130")
            async with self.connect(server, "bob") as bob:
                room = await bob.join("#lobby")
                await room.send("one more")
                await self.see(screen, "<bob> one more")
                self.assertEqual(await self.marker(server), 0)
                screen.type("/unread\r")
                await self.see(screen, "<bob> line 1", "<bob> line 30")
                await self.unread(server, "ada", "#lobby", 0)

        self.run_async(main)

    def test_a_script_marks_no_more_than_it_was_given(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob:
                room = await bob.join("#lobby")
                for n in range(1, 21):
                    await room.send(f"line {n}")
            await asyncio.to_thread(self.chat, server, ["/quit"])
            self.assertEqual(await self.marker(server), 0)

        self.run_async(main)

    async def marker(self, server):
        async with self.connect(server, "ada") as ada:
            return next(r.marker for r in await ada.rooms() if r.room == "#lobby")


class WithoutATerminal(Case):
    def test_the_line_editor_comes_with_the_package(self):
        required = importlib.metadata.requires("quicchat")
        self.assertTrue([line for line in required
                         if line.startswith("prompt_toolkit") and "extra" not in line], required)

    def test_nothing_of_the_line_editor_is_loaded(self):
        server = self.start_server()
        result = self.python(f"""
import sys
from quicchat.cli import main
status = main(["chat", "--port", "{server.port}"])
print([name for name in sys.modules if "prompt_toolkit" in name])
sys.exit(status)
""", input=b"ada\ncorrect horse\nhello\n")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertTrue(result.stdout.endswith(b"<ada> hello\n[]\n"), result.stdout)


if __name__ == "__main__":
    unittest.main()
