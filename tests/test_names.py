"""What people want to be called."""

import asyncio
import json
import sys
import unittest
from pathlib import Path

from _support import EXAMPLES, Case, Terminal, account, next_of, quicchat

CORPUS = Path(__file__).parent / "vectors" / "display_names.txt"


def corpus():
    """Pairs: whether it is a display name, and the text."""
    for line in CORPUS.read_text().splitlines():
        if line and not line.startswith("#"):
            kind, _, name = line.partition(" ")
            yield kind == "good", json.loads(name)


class Names(Case):
    def test_a_name_is_told_kept_and_taken_back(self):
        path = self.write_config(database="chat.db")

        async def first():
            async with quicchat.serve(path) as server:
                tls = quicchat.TLS.pin(server.fingerprint)
                port = server.address[1]
                async with (quicchat.connect("127.0.0.1", port, **account("ada"), tls=tls) as ada,
                            quicchat.connect("127.0.0.1", port, **account("ada"), tls=tls) as two,
                            quicchat.connect("127.0.0.1", port, **account("bob"), tls=tls) as bob):
                    room = await ada.join("#lobby")
                    await bob.join("#lobby")
                    self.assertIsNone(await ada.set_display_name("Ada \u00cb. Lovelace"))
                    for chat in (bob, two):
                        told = await next_of(chat, quicchat.ProfileChanged)
                        self.assertEqual((told.user, told.display_name),
                                         ("ada", "Ada \u00cb. Lovelace"))
                    await self.assert_refused("forbidden", ada.set_display_name("BOB"))
                    for good, name in corpus():
                        if good or name == "":
                            continue
                        with self.subTest(name):
                            await self.assert_refused("invalid_text", ada.set_display_name(name))
                    await self.assert_refused("invalid_text", ada.set_display_name("\udc80"))
                    with self.assertRaises(TypeError):
                        await ada.set_display_name(7)
                    self.assertEqual([(m.user, m.display_name) for m in await room.members()],
                                     [("ada", "Ada \u00cb. Lovelace"), ("bob", "")])

        async def second():
            async with quicchat.serve(path) as server:
                tls = quicchat.TLS.pin(server.fingerprint)
                port = server.address[1]
                async with quicchat.connect("127.0.0.1", port, **account("bob"), tls=tls) as bob:
                    await bob.join("#lobby")
                    async with quicchat.connect("127.0.0.1", port, **account("ada"),
                                                tls=tls) as ada:
                        await ada.join("#lobby")
                        came = await next_of(bob, quicchat.MemberJoined)
                        self.assertEqual(came.display_name, "Ada \u00cb. Lovelace")
                        await ada.set_display_name("")
                        told = await next_of(bob, quicchat.ProfileChanged)
                        self.assertEqual(told.display_name, "")

        self.run_async(first)
        self.run_async(second)

    def test_the_same_without_asyncio(self):
        server = self.start_server()
        with quicchat.sync.connect("127.0.0.1", server.port, **account()) as chat:
            room = chat.join("#lobby")
            chat.set_display_name("Ada L.")
            self.assertEqual(room.members()[0].display_name, "Ada L.")
            with self.assertRaises(quicchat.RequestError):
                chat.set_display_name("bob")

    def test_a_good_name_is_shown_as_it_is(self):
        for good, name in corpus():
            if good:
                with self.subTest(name):
                    self.assertEqual(quicchat.clean_line(name), name)
            elif name.strip() == name and name.isprintable() and len(name.encode()) <= 64:
                with self.subTest(name):
                    self.assertTrue(name in ("", ) or quicchat.clean_line(name) != name
                                    or name.strip("\u200c\u200d") != name)

    def test_others_see_it_in_the_chat(self):
        server = self.start_server()
        screen = Terminal(self, [sys.executable, EXAMPLES / "chat_client.py", "--server-ip",
                                 "127.0.0.1", "--port", server.port])
        screen.expect("Enter User name: ")
        screen.type("ada\n")
        screen.expect("Enter Password: ")
        screen.type(account()["password"] + "\n")
        screen.expect("connected to")

        async def main():
            async with quicchat.connect("127.0.0.1", server.port, **account("bob")) as bob:
                await bob.set_display_name("Bob B.")
                room = await bob.join("#lobby")
                await asyncio.to_thread(screen.expect, "* Bob B. (bob) is here")
                await room.send("hello")
                await asyncio.to_thread(screen.expect, "<bob> hello")
                await bob.set_display_name("Bobby")
                await asyncio.to_thread(screen.expect, "* bob is called Bobby now")
                await bob.set_display_name("")
                await asyncio.to_thread(screen.expect, "* bob is called by the user name again")

        self.run_async(main)


if __name__ == "__main__":
    unittest.main()
