"""A server's program speaks, reads and administers without a login."""

import asyncio
import os
import unittest

from _in_memory import InMemory, kinds, texts
from _support import Case, account, next_of, quicchat


class Speaking(InMemory):
    def test_it_speaks_for_an_account_and_for_itself(self):
        async def scenario(net):
            server, ada = net.server, await net.connect("ada")
            await ada.join("#lobby")
            one = await server.send("#lobby", "by bob", user="bob", attributes={"from": "web"})
            two = await server.send("#LOBBY", "by the server", reply_to=one)
            found = [e for e in await net.received(ada) if isinstance(e, quicchat.Message)]
            self.assertEqual([(m.sender, m.text, m.offset, m.id) for m in found],
                             [("bob", "by bob", one.offset, one.id),
                              ("server", "by the server", two.offset, two.id)])
            self.assertEqual((found[0].attributes, found[1].reply_to),
                             ({"from": "web"}, one.offset))
            self.assertEqual(one.durability, "memory")

        self.on(scenario)

    def test_the_same_again_is_stored_once(self):
        async def scenario(net):
            id = os.urandom(16)
            one = await net.server.send("#lobby", "x", user="bob", id=id)
            self.assertEqual(await net.server.send("#lobby", "x", user="bob", id=id), one)
            await self.assert_refused("conflict",
                                      net.server.send("#lobby", "y", user="bob", id=id))

        self.on(scenario)

    def test_nobody_logs_in_as_the_server(self):
        async def scenario(net):
            with self.assertRaises(quicchat.AuthError):
                await net.connect("Server")

        self.on(scenario)

    def test_roles_count_for_whom_it_speaks_for(self):
        async def scenario(net):
            server = net.server
            await server.create_room("#tea", owner="ada", access=quicchat.Access.INVITATION,
                                     topic="tea")
            for_bob = server.room("#tea", user="bob")
            await self.assert_refused("no_such_room", for_bob.send("let me in"))
            await self.assert_refused("no_such_room", for_bob.history())
            await server.room("#tea", user="ada").invite("bob")
            sent = await for_bob.send("here")
            await self.assert_refused("forbidden", for_bob.kick("ada"))
            await for_bob.edit(sent, "here I am")
            await for_bob.react(sent, "👋")
            await server.room("#tea").delete(sent, "tidy")
            await server.room("#tea").set_topic("no tea")
            await server.room("#tea").ban("bob")
            await self.assert_refused("no_such_room", for_bob.send("again"))
            self.assertEqual([(m.user, m.role.name) for m in await server.room("#tea").members()],
                             [("ada", "OWNER"), ("bob", "BANNED")])
            self.assertEqual(kinds((await server.room("#tea").history()).records),
                             ["RoomCreated", "RoleChanged", "Message", "Edited", "Reaction",
                              "Deleted", "TopicChanged", "RoleChanged"])

        self.on(scenario)

    def test_what_cannot_be_is_refused_in_words(self):
        async def scenario(net):
            server = net.server
            await self.assert_refused("no_such_room", server.send("#nowhere", "x"))
            await self.assert_refused("invalid_name", server.send("", "x"))
            await self.assert_refused("invalid_name", server.send("#lobby", "x", user="no name"))
            await self.assert_refused("invalid_text", server.send("#lobby", "\x1b"))
            await self.assert_refused("no_such_user", server.tell("nobody", "x"))
            await self.assert_refused("room_exists", server.create_room("#lobby"))
            await self.assert_refused("no_such_room", server.room("#nowhere").members())
            await self.assert_refused("no_such_room", server.remove_room("#nowhere"))
            with self.assertRaises(ValueError):
                await server.create_room("#tea", access=quicchat.Access.ARCHIVED)

        self.on(scenario, accounts=["ada"])

    def test_it_tells_one_person_who_may_answer(self):
        async def scenario(net):
            await net.server.tell("bob", "welcome")
            await net.server.tell("bob", "psst", user="ada")
            bob = await net.connect("bob")
            self.assertEqual(sorted((e.sender, e.text) for e in await net.received(bob)),
                             [("ada", "psst"), ("server", "welcome")])
            await bob.tell("server", "thanks")

        self.on(scenario, accounts=["ada", "bob"])

    def test_a_server_without_a_name_says_so(self):
        async def scenario(net):
            with self.assertRaises(quicchat.ConfigError) as caught:
                await net.server.send("#lobby", "x")
            self.assertEqual(caught.exception.code, "E-NO-SPEAKER")
            await net.server.send("#lobby", "x", user="ada")
            await net.connect("server")

        self.on(scenario, speaker="")

    def test_it_is_not_asked_to_check_what_it_says_and_has_no_rate(self):
        async def scenario(net):
            for n in range(200):
                await net.server.send("#lobby", str(n), user="ada")
            room = await (await net.connect("ada")).join("#lobby")
            await self.assert_refused("not_accepted", room.send("x"))

        self.on(scenario, check=lambda question: False,
                limits=quicchat.Limits(messages_per_account=1) if quicchat else None)


class Reading(InMemory):
    def test_pages_of_history(self):
        async def scenario(net):
            room = net.server.room("#lobby")
            empty = await room.history()
            self.assertEqual((empty.records, empty.reaches_start, empty.reaches_head),
                             ((), True, True))
            for n in range(1, 151):
                await room.send(str(n))
            as_client = await (await net.connect("ada")).join("#lobby")
            for wanted in ({}, {"before": 100}, {"after": 100}, {"around": 75}, {"before": 1},
                           {"after": 150}, {"after": 0, "limit": 100}, {"before": 30},
                           {"around": 1}, {"around": 150}):
                with self.subTest(wanted):
                    self.assertEqual(await room.history(**wanted),
                                     await as_client.history(**wanted))

        self.on(scenario)

    def test_a_search(self):
        async def scenario(net):
            room = net.server.room("#lobby")
            for text in ("Green leaf", "nothing", "green again"):
                await room.send(text)
            page = await room.search("green")
            self.assertEqual(texts(page.records), ["green again", "Green leaf"])
            self.assertIsNone(page.next)
            page = await room.search("green", limit=1)
            self.assertEqual(texts(page.records), ["green again"])
            page = await room.search("green", before=page.next)
            self.assertEqual(texts(page.records), ["Green leaf"])

        self.on(scenario)

    def test_rooms_as_the_program_and_as_an_account_see_them(self):
        async def scenario(net):
            await net.server.create_room("#tea", owner="ada",
                                         access=quicchat.Access.INVITATION)
            await net.server.send("#lobby", "hi @bob", user="ada")
            await (await net.connect("bob")).join("#lobby")
            found = {report.room: report for report in await net.server.list_rooms()}
            self.assertEqual((found["#lobby"].head, found["#lobby"].members,
                              found["#tea"].creator, found["#tea"].access.name),
                             (1, 1, "ada", "INVITATION"))
            self.assertEqual([(r.room, r.unread, r.mentions)
                              for r in await net.server.rooms_of("bob")], [("#lobby", 1, 1)])
            self.assertEqual([r.room for r in await net.server.rooms_of("ada")],
                             ["#lobby", "#tea"])
            self.assertEqual(found["#tea"].to_dict()["type"], "room_report")

        self.on(scenario)

    def test_a_room_is_followed_from_now_on_or_from_a_record(self):
        async def scenario(net):
            room = net.server.room("#lobby")
            first = await room.send("one")
            now, all_of_it = room.records(), room.records(after=0)
            after = room.records(after=first)
            for n in range(250):
                await room.send(str(n))
            for view, wanted in ((now, [str(n) for n in range(250)]),
                                 (after, [str(n) for n in range(250)]),
                                 (all_of_it, ["one", *map(str, range(250))])):
                self.assertEqual([(await anext(view)).text for _ in wanted], wanted)
            waiting = asyncio.create_task(anext(now))
            await net.settle()
            self.assertFalse(waiting.done())
            ada = await (await net.connect("ada")).join("#lobby")
            await ada.send("from ada")
            self.assertEqual((await waiting).text, "from ada")

        self.on(scenario)

    def test_a_reader_that_lags_has_a_gap(self):
        async def scenario(net):
            room = net.server.room("#lobby")
            view = room.records()
            await room.send("seen")
            self.assertEqual((await anext(view)).text, "seen")
            for n in range(300):
                await room.send(str(n))
            gap, record = await anext(view), await anext(view)
            self.assertEqual((type(gap), gap.first, gap.last + 1),
                             (quicchat.Gap, 2, record.offset))

        self.on(scenario, limits=quicchat.Limits(room_log_records_max=100, room_age_min=0)
                if quicchat else None)

    def test_following_ends_with_the_room_and_with_the_server(self):
        async def scenario(net):
            await net.server.create_room("#tea")

            async def all_of(view):
                return kinds([record async for record in view])

            tea, lobby = net.server.room("#tea"), net.server.room("#lobby")
            tasks = [asyncio.create_task(all_of(view))
                     for view in (tea.records(after=0), lobby.records())]
            await net.settle()
            await net.server.remove_room("#tea")
            self.assertEqual(await tasks[0], ["RoomCreated"])
            await net.server.close()
            self.assertEqual(await tasks[1], [])
            with self.assertRaises(quicchat.ServerShutdown):
                await net.server.send("#lobby", "x")
            with self.assertRaises(quicchat.ServerShutdown):
                lobby.records()

        self.on(scenario)

    def test_who_may_not_read_a_room_does_not_follow_it(self):
        async def scenario(net):
            await net.server.create_room("#tea", access=quicchat.Access.INVITATION)
            await self.assert_refused("no_such_room",
                                      anext(net.server.room("#tea", user="bob").records()))
            await self.assert_refused("no_such_room", anext(net.server.room("#no").records()))

        self.on(scenario)

    def test_connections_are_ended(self):
        async def scenario(net):
            one, two = await net.connect("bob"), await net.connect("bob")
            ada = await net.connect("ada")
            self.assertEqual(await net.server.disconnect("BOB"), 2)
            self.assertEqual(await net.server.disconnect("nobody"), 0)
            await net.settle()
            for chat in (one, two):
                self.assertFalse(chat.is_open)
                with self.assertRaises(quicchat.Kicked):
                    await anext(chat)
            self.assertTrue(ada.is_online)

        self.on(scenario)


class OnADatabase(Case):
    def test_it_is_as_safe_as_what_people_say(self):
        async def scenario(connect, server):
            receipt = await server.send("#lobby", "kept", user="bob")
            self.assertEqual(receipt.durability, "fsync")
            view = server.room("#lobby").records(after=0)
            self.assertEqual((await anext(view)).text, "kept")
            async with connect("ada") as ada:
                room = await ada.join("#lobby", last=1)
                self.assertEqual((await next_of(ada, quicchat.Message)).text, "kept")
                await room.send("from ada")
                self.assertEqual((await anext(view)).text, "from ada")

        self.talk(scenario)
        self.talk(self.still_there)

    async def still_there(self, connect, server):
        found = await server.room("#lobby").history()
        self.assertEqual(texts(found.records), ["kept", "from ada"])

    def test_accounts_come_and_go(self):
        async def scenario(connect, server):
            def login(name, password):
                return quicchat.connect("127.0.0.1", server.address[1], user=name,
                                        password=password)

            self.assertEqual(await server.accounts.list(), ["ada", "bob", "eve"])
            await server.accounts.add(quicchat.Account("zoe", "long enough"))
            async with login("zoe", "long enough"):
                pass
            for wrong in (quicchat.Account("ZOE", "x"), quicchat.Account("server", "x"),
                          quicchat.Account("new", "")):
                with self.assertRaises(quicchat.ConfigError):
                    await server.accounts.add(wrong)
            await server.accounts.set_password(quicchat.Account("zoe", "another one"))
            with self.assertRaises(quicchat.AuthError):
                await login("zoe", "long enough")
            async with login("zoe", "another one"):
                pass
            await server.accounts.remove("zoe")
            self.assertEqual(await server.accounts.list(), ["ada", "bob", "eve"])
            with self.assertRaises(quicchat.AuthError):
                await login("zoe", "another one")
            for call in (server.accounts.remove("zoe"),
                         server.accounts.set_password(quicchat.Account("zoe", "x"))):
                with self.assertRaises(quicchat.ConfigError):
                    await call

        self.talk(scenario)
        self.talk(scenario, database=None)

    def test_an_account_keeps_the_name_that_the_server_would_have(self):
        async def scenario(connect, server):
            self.assertEqual(server.speaker, "")
            async with quicchat.connect("127.0.0.1", server.address[1], user="server",
                                        password="long enough"):
                pass
            with self.assertRaises(quicchat.ConfigError):
                await server.send("#lobby", "x")

        self.talk(scenario, auth={"iterations": 100_000, "users": [
            {"username": "server", "password": "long enough"}]})

    def test_the_configuration_names_the_server(self):
        async def scenario(connect, server):
            self.assertEqual(server.speaker, "house")
            sent = await server.send("#lobby", "welcome")
            page = await server.room("#lobby", user="ada").history(around=sent)
            self.assertEqual([m.sender for m in page.messages], ["house"])
            with self.assertRaises(quicchat.AuthError):
                await quicchat.connect("127.0.0.1", server.address[1], user="house",
                                       password="long enough")
            told = await server.reload(self.config(speaker="home"))
            self.assertIn("speaker", " ".join(told.notices))
            self.assertEqual(server.speaker, "house")

        self.talk(scenario, speaker="house")

    def test_where_a_function_decides_about_logins_the_server_has_no_name(self):
        async def main():
            async with quicchat.serve(self.config(), authenticate=lambda question: True) as server:
                self.assertEqual(server.speaker, "")
                await server.send("#lobby", "x", user="ada")
                async with quicchat.connect("127.0.0.1", server.address[1], **account("ada")):
                    pass

        self.run_async(main)


if __name__ == "__main__":
    unittest.main()
