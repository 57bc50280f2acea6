"""What a server's program does with how far people have read, what they are called, and who is
here."""

import unittest

from _in_memory import InMemory
from _support import quicchat


class Markers(InMemory):
    def test_a_room_is_read_for_an_account(self):
        async def scenario(net):
            server = net.server
            ada, bob = await net.connect("ada"), await net.connect("bob")
            await ada.join("#lobby")
            await bob.join("#lobby")
            sent = [await server.send("#lobby", str(n)) for n in range(3)]

            async def unread(user):
                [room] = await server.rooms_of(user)
                return room.unread

            await server.mark_read("#LOBBY", sent[1], user="ada")
            self.assertEqual(await unread("ada"), 1)
            await server.room("#lobby", user="ada").mark_read(sent[0])  # only up
            self.assertEqual(await unread("ada"), 1)
            moved = [e for e in await net.received(ada) if isinstance(e, quicchat.MarkerMoved)]
            self.assertEqual([(e.user, e.offset) for e in moved], [("ada", sent[1].offset)])
            await server.mark_read("#lobby", user="ada", shared=True)
            self.assertEqual(await unread("ada"), 0)
            moved = [e for e in await net.received(bob) if isinstance(e, quicchat.MarkerMoved)]
            self.assertEqual([(e.user, e.offset) for e in moved], [("ada", sent[2].offset)])
            self.assertEqual(await unread("eve"), 3)
            await server.mark_read("#lobby", user="eve")
            self.assertEqual(await unread("eve"), 0)

        self.on(scenario)

    def test_what_is_not_there_cannot_be_read(self):
        async def scenario(net):
            server = net.server
            await server.create_room("#tea", access=quicchat.Access.INVITATION)
            old = await server.send("#tea", "old")
            await self.assert_refused("no_such_room", server.mark_read("#nowhere", user="ada"))
            await self.assert_refused("no_such_room", server.mark_read("#tea", user="ada"))
            await self.assert_refused("invalid_name", server.mark_read("#tea", user="no name"))
            await server.mark_read("#tea", old)
            await server.remove_room("#tea")
            await server.create_room("#tea")
            await self.assert_refused("no_such_message", server.mark_read("#tea", old))

        self.on(scenario)


class People(InMemory):
    def test_names_and_who_is_here(self):
        async def scenario(net):
            server = net.server
            ada, bob = await net.connect("ada"), await net.connect("bob")
            await net.connect("bob")
            await ada.join("#lobby")
            await (await bob.join("#lobby")).send("hello")
            await server.set_display_name("Ada L.", user="ada")
            told = [e for e in await net.received(bob) if isinstance(e, quicchat.ProfileChanged)]
            self.assertEqual([(e.user, e.display_name) for e in told], [("ada", "Ada L.")])
            await server.set_display_name("The house")
            self.assertEqual(await server.person("SERVER"),
                             quicchat.Person("SERVER", "The house", 0))
            found = await server.person("ADA")
            self.assertEqual((found, found.is_online), (quicchat.Person("ada", "Ada L.", 1), True))
            self.assertFalse((await server.person("eve")).is_online)
            self.assertEqual(await server.online(), [quicchat.Person("ada", "Ada L.", 1),
                                                     quicchat.Person("bob", "", 2)])
            members = await server.room("#lobby").members()
            self.assertEqual([(m.user, m.display_name, m.present) for m in members],
                             [("ada", "Ada L.", True), ("bob", "", True)])
            await server.set_display_name("", user="ada")
            self.assertEqual((await server.person("ada")).display_name, "")
            self.assertEqual(found.to_dict()["type"], "person")

        self.on(scenario)

    def test_nobody_is_called_as_another(self):
        async def scenario(net):
            await net.connect("eve")
            await self.assert_refused("forbidden",
                                      net.server.set_display_name("Eve", user="bob"))
            await self.assert_refused("invalid_text",
                                      net.server.set_display_name("a\x1bz", user="bob"))
            await self.assert_refused("invalid_name",
                                      net.server.set_display_name("x", user="no name"))

        self.on(scenario)


if __name__ == "__main__":
    unittest.main()
