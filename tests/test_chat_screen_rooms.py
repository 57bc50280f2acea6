"""The chat in a terminal, read from the screen: many rooms at once, and what is told about them."""

import asyncio
import os
import signal
import termios
import unittest
from datetime import UTC, datetime, timedelta
from unittest import mock

from _support import next_of, quicchat
from _terminal import shown
from test_chat_screen import Screens


class ManyRooms(Screens):
    def test_all_rooms_are_followed_and_counted(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob, self.connect(server, "eve") as eve:
                await bob.create_room("#tea", topic="green")
                tea, lobby = await bob.join("#tea"), await bob.join("#lobby")
                await eve.join("#lobby")
                screen = await self.open(server, "ada")
                screen.type("/join #tea\r")
                await self.see(screen, "── #tea: green ──")
                await self.status(screen, "1:#lobby", "2:#tea")
                await lobby.send("anyone in the lobby?")
                await self.status(screen, "1:#lobby 1 ")
                self.assertEqual(screen.emulator.bells, 0)
                await lobby.send("second, @ada")
                await self.status(screen, "1:#lobby 2 (1@)")
                await asyncio.to_thread(screen.wait_for, lambda: screen.emulator.bells == 1, "bell")
                await asyncio.to_thread(screen.wait_for, lambda: screen.emulator.title ==
                                        "(1) quicchat #tea", "the title")
                await tea.send("in front")
                await self.see(screen, "<bob> in front")
                self.assertNotIn("second", "\n".join(screen.all_lines()))
                screen.type("\x1b1")
                await self.see(screen, "── 2 unread ──", "<bob> anyone in the lobby?",
                               "<bob> second, @ada")
                await asyncio.to_thread(screen.see_prompt, "#lobby>")
                await self.status(screen, "1:#lobby 2:#tea")
                await self.unread(server, "ada", "#lobby", 0)
                # Nobody was told that she left, since she did not.
                await lobby.send("end")
                async for event in eve:
                    self.assertFalse(isinstance(event, quicchat.MemberLeft), event)
                    if isinstance(event, quicchat.Message) and event.text == "end":
                        break

        self.run_async(main)

    def test_keys_and_commands_lead_to_rooms(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "ada") as ada:
                for name in ("#one", "#two"):
                    await ada.create_room(name)
            screen = await self.open(server, "ada")
            await self.status(screen, "1:#lobby 2:#one 3:#two")
            screen.type("\x1b2for one\r")
            await self.see(screen, "<ada> for one")
            async with self.connect(server, "ada") as ada:
                self.assertEqual((await ada.history("#one")).messages[-1].text, "for one")
            for typed, room in (("\x1b3", "#two"), ("\x1b1", "#lobby"), ("\x0e", "#one"),
                                ("\x0e", "#two"), ("\x0e", "#lobby"), ("\x10", "#two"),
                                ("/win 2\r", "#one"), ("/win #two\r", "#two"),
                                ("/part\r", "#lobby")):
                screen.type(typed)
                await asyncio.to_thread(screen.see_prompt, f"{room}>")
            await self.status(screen, "1:#lobby 2:#one")
            screen.type("/win\r")
            await self.see(screen, "* 1 #lobby", "* 2 #one")

        self.run_async(main)

    def test_what_waits_is_bounded_and_comes_whole(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob, self.connect(server, "ada") as ada:
                await ada.create_room("#tea")
                tea = await bob.join("#tea")
                screen = await self.open(server, "ada")
                await self.status(screen, "2:#tea")
                await asyncio.gather(*(tea.send(f"line {n}") for n in range(1, 551)))
                await self.status(screen, "2:#tea 99+")
                screen.type("\x1b2")
                await self.see(screen, " unread ──", "<bob> line 550")
            text = "\n".join(screen.all_lines()) + "\n"
            for n in range(1, 551):
                self.assertIn(f"<bob> line {n}\n", text)
            await self.unread(server, "ada", "#tea", 0)

        self.run_async(main)

    def test_who_is_taken_out_writes_nowhere_else(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob:
                await bob.create_room("#tea")
                tea = await bob.join("#tea")
                screen = await self.open(server, "ada")
                screen.type("/join #tea\r")
                await asyncio.to_thread(screen.see_prompt, "#tea>")
                screen.type("for tea o")
                await tea.kick("ada", "tea time is over")
                await self.see(screen, "you are out of #tea: somebody removed you: tea time is")
                screen.type("nly\r")
                await self.see(screen, "! not sent: you are in no room")
                screen.type("/join #tea\r")
                await asyncio.to_thread(screen.see_prompt, "#tea>")
                screen.type("/leave\r")
                await self.see(screen, "* you are out of #tea\n")

        self.run_async(main)

    async def status(self, screen, *texts):
        await asyncio.to_thread(screen.see_status, *texts)


class OwnLines(Screens):
    def test_a_line_is_pending_until_it_is_stored(self):
        server = self.start_server()

        async def main():
            screen = await self.open(server, "ada")
            os.kill(server.process.pid, signal.SIGSTOP)
            try:
                screen.type("hello there\r")
                await self.see(screen, "… hello there\n#lobby>")
                self.assertNotIn("<ada> hello", "\n".join(screen.all_lines()))
            finally:
                os.kill(server.process.pid, signal.SIGCONT)
            await self.see(screen, "<ada> hello there")
            self.assertRegex("\n".join(screen.all_lines()), r"\d\d:\d\d <ada> hello there")
            self.assertNotIn("… hello", "\n".join(screen.all_lines()))

        self.run_async(main)

    def test_a_line_that_is_refused_is_shown_with_the_reason(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob:
                await bob.create_room("#tea")
                await (await bob.join("#tea")).mute("ada")
            screen = await self.open(server, "ada", "--room", "#tea", columns=200)
            screen.type("hello\r")
            await self.see(screen, "! not sent: #tea: the account may not do that", ': "hello"\n')
            await asyncio.to_thread(screen.see_prompt, "#tea>")

        self.run_async(main)


class Days(Screens):
    def test_a_line_says_which_day_begins(self):
        from quicchat.cli._show import Lines, day_text
        from quicchat.cli._window import Window

        today = datetime.now().astimezone().replace(hour=12, minute=0)
        times = [today - timedelta(2), today - timedelta(1), today - timedelta(1), today,
                 datetime.max.replace(tzinfo=UTC)]
        said = []
        screen = mock.Mock(is_live=True, say=said.append,
                           divide=lambda text: said.append(f"-- {text}"))
        window = Window(mock.Mock(head=0, next=1), Lines("ada"), 0)
        for number, when in enumerate(times, 1):
            window.show(quicchat.Message("#tea", 1, number, when, bytes(16), "bob", f"{number}",
                                         "{}"), screen)
        days = [f"-- {day_text((today - timedelta(n)).date())}" for n in (2, 1, 0)]
        self.assertEqual(said[:7], [days[0], "12:00 <bob> 1", days[1], "12:00 <bob> 2",
                                    "12:00 <bob> 3", days[2], "12:00 <bob> 4"])
        self.assertRegex(said[-1], r"^(\d\d|--):(\d\d|--) <bob> 5$")
        self.assertEqual(day_text(datetime(2026, 11, 8).date()), "Sunday, 8 November 2026")


class TheEnd(Screens):
    def test_keys_that_leave_give_the_terminal_back(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob:
                await bob.join("#lobby")
                for key, status in (("\x03", 130), ("\x04", 0)):
                    screen = await self.open(server, "ada", "--no-save")
                    await asyncio.to_thread(screen.see_prompt, "#lobby>")
                    before = termios.tcgetattr(screen.master)
                    self.assertFalse(before[3] & termios.ICANON)
                    screen.type(key)
                    self.assertEqual(await asyncio.to_thread(screen.wait), status, screen.seen)
                    self.assertNotIn("Traceback", screen.seen)
                    self.assertTrue(termios.tcgetattr(screen.master)[3] & termios.ICANON)
                    self.assertTrue(screen.seen.rstrip().endswith("\x1b]2;\x07"), screen.seen)
                    await next_of(bob, quicchat.MemberLeft, user="ada")

        self.run_async(main)

    def test_others_see_at_once_that_a_terminal_was_closed(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob:
                await bob.join("#lobby")
                for number in (signal.SIGHUP, signal.SIGTERM):
                    screen = await self.open(server, "ada", "--no-save")
                    await next_of(bob, quicchat.MemberJoined, user="ada")
                    screen.process.send_signal(number)
                    await next_of(bob, quicchat.MemberLeft, user="ada")
                    self.assertEqual(await asyncio.to_thread(screen.wait), 128 + number)
                    self.assertNotIn("Traceback", screen.seen)

        self.run_async(main)

    def test_an_outage_is_one_line(self):
        server = self.start_server(config=self.write_config())

        async def main():
            screen = await self.open(server, "ada", columns=120)
            await asyncio.to_thread(server.stop)
            await self.see(screen, "* connection lost: ")
            await asyncio.to_thread(screen.see_status, "offline since ")
            screen.type("/rooms\r")
            await self.see(screen, "! /rooms: there is no connection just now; try again when it "
                                   "is back")
            screen.type("typed meanwhile\r")
            await self.see(screen, "… typed meanwhile")
            again = self.start_server("--port", server.port, config=self.folder / "config.json")
            await self.see(screen, "* back online", "<ada> typed meanwhile")
            self.assertEqual("\n".join(screen.all_lines()).count("connection lost"), 1)
            self.assertNotIn("offline", screen.status())
            self.assertEqual(again.process.poll(), None)

        self.run_async(main)

    def test_of_many_attempts_the_first_is_told(self):
        from quicchat.cli._screen import Screen
        from quicchat.cli._session import Session

        async def main():
            session = Session(mock.Mock(user="ada"), Screen(mock.Mock(is_terminal=False),
                                                            plain=True), 10)
            lost = quicchat.Reconnecting(quicchat.ConnectError("it is down"), 1.0, 1)
            online = quicchat.Online("ada", 1, 1, 1, "127.0.0.1:1", "")
            for event in (lost, lost, lost, online, lost, online):
                session._show(event)

        with shown() as output:
            self.run_async(main)
        self.assertEqual(output.getvalue().splitlines(), [
            "* connection lost: it is down; trying again in 1 s", "* back online"] * 2)


if __name__ == "__main__":
    unittest.main()
