"""Who may do what in a room: roles, access, rooms of two people, and that a restart changes none of
it."""

import asyncio
import signal
import unittest
from datetime import UTC, datetime, timedelta

from _support import ACCOUNTS, Case, account, next_of, quicchat, scaled


class Rooms(Case):
    def test_who_makes_a_room_owns_it_and_others_see_it(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                await ada.create_room("#Tea", topic="all about tea")
                room = await ada.join("#tea", last=1)
                self.assertEqual((room.name, room.role, room.access, room.topic),
                                 ("#Tea", quicchat.Role.OWNER, quicchat.Access.EVERYBODY,
                                  "all about tea"))
                created = await next_of(ada, quicchat.RoomCreated)
                self.assertEqual((created.offset, created.sender, created.name, created.access,
                                  created.topic),
                                 (1, "ada", "#Tea", quicchat.Access.EVERYBODY, "all about tea"))
                self.assertEqual([(r.room, r.topic, r.role) for r in await bob.rooms()],
                                 [("#lobby", "", quicchat.Role.NONE),
                                  ("#Tea", "all about tea", quicchat.Role.NONE)])
                self.assertEqual((await bob.join("#tea")).role, quicchat.Role.MEMBER)
                error = await self.assert_refused("room_exists", bob.create_room("#TEA"))
                self.assertIn("#TEA", str(error))
                await self.assert_refused("room_exists", bob.create_room("#lobby"))
                await self.assert_refused("invalid_name", bob.create_room("tea"))
                await self.assert_refused("message_too_long",
                                          bob.create_room("#x", topic="x" * 513))

        self.talk(scenario)

    def test_the_same_room_again_under_the_same_id_is_made_once(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                first = await ada.create_room("#tea", id=b"1" * 16)
                self.assertEqual(await ada.create_room("#tea", id=b"1" * 16), first)

        self.talk(scenario)

    def test_many_rooms_and_people_come_in_pages(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                names = sorted(f"#room{n:02}" for n in range(70))
                for name in names:
                    await ada.create_room(name)
                self.assertEqual([room.room for room in await ada.rooms()], ["#lobby", *names])
                room = await ada.join("#room00")
                users = sorted(f"u{n:03}" for n in range(510))
                for first in range(0, len(users), 30):
                    await asyncio.gather(*map(room.invite, users[first:first + 30]))
                self.assertEqual([person.user for person in await room.members()],
                                 ["ada", *users])

        self.talk(scenario, limits={"room_bytes_per_owner_max": 2 << 30})

    def test_operators_own_every_room_and_may_be_the_only_ones_who_make_some(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                await self.assert_refused("forbidden", bob.create_room("#tea"))
                await ada.create_room("#tea", access=quicchat.Access.INVITATION)
                room = await ada.join("#lobby")
                self.assertEqual(room.role, quicchat.Role.OWNER)
                theirs = await bob.join("#lobby")
                await self.assert_refused("forbidden", theirs.set_topic("mine"))
                await room.set_topic("ours")

        self.talk(scenario, operators=["ADA"], anybody_makes_rooms=False)

    def test_a_room_by_invitation_looks_like_no_room(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                await ada.create_room("#cave", access=quicchat.Access.INVITATION, topic="hush")
                room = await ada.join("#cave")
                self.assertEqual([r.room for r in await bob.rooms()], ["#lobby"])
                words = set()
                for name in ("#cave", "#none"):
                    for request in (bob.join(name), bob.history(name)):
                        error = await self.assert_refused("no_such_room", request)
                        words.add((str(error).replace(name, ""), error.hint, error.reason))
                self.assertEqual(len(words), 1)
                await room.invite("BOB", "come in")
                self.assertEqual((await bob.join("#cave")).topic, "hush")
                await room.kick("bob", "go")
                left = await next_of(bob, quicchat.RoomLeft)
                self.assertEqual((left.error, left.text), ("removed", "go"))
                await self.assert_refused("no_such_room", bob.join("#cave"))

        self.talk(scenario)

    def test_an_archived_room_is_read_only(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                await ada.create_room("#old")
                room = await ada.join("#old")
                theirs = await bob.join("#old")
                sent = await room.send("last words")
                await self.assert_refused("forbidden",
                                          theirs.set_access(quicchat.Access.ARCHIVED))
                await room.set_access(quicchat.Access.ARCHIVED)
                self.assertEqual((await next_of(bob, quicchat.AccessChanged)).access,
                                 quicchat.Access.ARCHIVED)
                for act in (room.send("x"), room.edit(sent, "x"), room.react(sent, "x"),
                            theirs.send("x")):
                    await self.assert_refused("forbidden", act)
                self.assertEqual(len((await theirs.history()).messages), 1)
                await room.set_access(quicchat.Access.EVERYBODY)
                await theirs.send("back")

        self.talk(scenario)


class Roles(Case):
    def test_members_do_not_do_what_moderators_do(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                await ada.create_room("#tea")
                room = await ada.join("#tea")
                theirs = await bob.join("#tea")
                sent = await room.send("mine")
                for act in (theirs.set_topic("x"), theirs.kick("ada"), theirs.ban("ada"),
                            theirs.mute("ada"), theirs.invite("eve"), theirs.delete(sent),
                            theirs.set_role("bob", quicchat.Role.OWNER)):
                    await self.assert_refused("forbidden", act)
                await room.set_role("bob", quicchat.Role.MODERATOR, reason="trusted")
                change = await next_of(bob, quicchat.RoleChanged)
                self.assertEqual((change.user, change.role, change.until, change.reason,
                                  change.sender),
                                 ("bob", quicchat.Role.MODERATOR, None, "trusted", "ada"))
                await theirs.set_topic("x")
                await theirs.mute("eve")
                for act in (theirs.delete(sent), theirs.kick("ada"),
                            theirs.set_role("eve", quicchat.Role.MODERATOR),
                            theirs.set_access(quicchat.Access.INVITATION)):
                    await self.assert_refused("forbidden", act)
                await self.assert_refused("forbidden", room.leave_for_good())  # the last owner
                await theirs.leave_for_good("bye")
                self.assertEqual((await next_of(bob, quicchat.RoomLeft)).error, "removed")
                await self.assert_refused("invalid_name", room.invite("no name"))

        self.talk(scenario)

    def test_a_mute_and_a_ban_end_when_they_should(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                await ada.create_room("#tea")
                room = await ada.join("#tea")
                theirs = await bob.join("#tea")
                await room.mute("bob", "calm down", until=timedelta(seconds=scaled(2)))
                change = await next_of(bob, quicchat.RoleChanged)
                self.assertLess(abs(change.until - datetime.now(UTC)),
                                timedelta(seconds=scaled(3)))
                await self.assert_refused("forbidden", theirs.send("but"))
                await asyncio.sleep(scaled(2.2))
                await theirs.send("sorry")
                await room.ban("bob", until=datetime.now() + timedelta(seconds=scaled(2)))
                self.assertEqual((await next_of(bob, quicchat.RoomLeft)).error, "removed")
                await self.assert_refused("forbidden", bob.join("#tea"))
                await asyncio.sleep(scaled(2.2))
                await bob.join("#tea")
                await room.ban("bob")
                await room.unban("bob")
                await next_of(bob, quicchat.RoomLeft)
                again = await bob.join("#tea")
                await room.mute("bob")
                await room.unmute("bob")
                await again.send("thanks")

        self.talk(scenario)

    def test_a_moderator_deletes_what_members_wrote(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                await ada.create_room("#tea")
                room = await ada.join("#tea")
                theirs = await bob.join("#tea")
                sent = await theirs.send("spam")
                await room.delete(sent, "no spam")
                deleted = await next_of(bob, quicchat.Deleted)
                self.assertEqual((deleted.sender, deleted.reason), ("ada", "no spam"))
                await self.assert_refused("no_such_message", theirs.edit(sent, "more"))

        self.talk(scenario)


class Pairs(Case):
    def test_who_is_away_gets_messages_at_the_next_login_once(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                for n in range(3):
                    await ada.tell("bob", f"{n}")
                await self.assert_refused("no_such_user", ada.tell("zoe", "x"))
            async with connect("bob") as bob:
                for n in range(3):
                    told = await next_of(bob, quicchat.PrivateMessage)
                    self.assertEqual((told.sender, told.recipient, told.text),
                                     ("ada", "bob", f"{n}"))
                await asyncio.sleep(scaled(0.2))  # what was read is said
            async with connect("bob") as bob, connect("ada") as ada:
                await ada.tell("bob", "new")
                self.assertEqual((await next_of(bob, quicchat.PrivateMessage)).text, "new")

        self.talk(scenario)

    def test_two_share_a_room_that_can_be_joined(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob, connect("eve") as eve:
                told = await ada.tell("bob", "psst")
                room = await ada.join("@bob", last=10)
                self.assertEqual((room.name, room.head, room.role),
                                 ("@bob", 1, quicchat.Role.MEMBER))
                message = await next_of(ada, quicchat.Message)
                self.assertEqual((message.room, message.sender, message.offset),
                                 ("@bob", "ada", told.offset))
                theirs = await bob.join("@ADA")
                self.assertEqual(theirs.name, "@ada")
                await theirs.react(told, "🤫")
                self.assertEqual((await next_of(ada, quicchat.Reaction)).room, "@bob")
                await room.edit(told, "PSST")
                self.assertEqual((await next_of(bob, quicchat.Edited)).room, "@ada")
                for act in (room.set_topic("x"), room.invite("eve"), room.kick("bob"),
                            room.set_access(quicchat.Access.EVERYBODY)):
                    await self.assert_refused("forbidden", act)
                self.assertEqual([r.room for r in await ada.rooms()], ["#lobby", "@bob"])
                self.assertEqual([r.room for r in await eve.rooms()], ["#lobby"])
                await self.assert_refused("no_such_room", eve.history("@ada"))
                await self.assert_refused("no_such_user", eve.join("@nobody"))

        self.talk(scenario)


class Restart(Case):
    def test_topic_roles_access_markers_and_changes_are_there_after_a_crash(self):
        async def main():
            config = self.write_config()
            server = self.start_server(config=config)
            async with self.connect(server) as ada, self.connect(server, "bob") as bob:
                await ada.create_room("#tea", access=quicchat.Access.INVITATION, topic="old")
                room = await ada.join("#tea")
                await room.invite("bob")
                await room.set_role("eve", quicchat.Role.BANNED, reason="noise")
                theirs = await bob.join("#tea", last=100)
                sent = await theirs.send("helo")
                gone = await theirs.send("oops")
                await theirs.edit(sent, "hello")
                await theirs.delete(gone)
                await room.set_role("bob", quicchat.Role.MODERATOR)
                await theirs.set_topic("new")
                await ada.tell("eve", "sorry")
                theirs.mark_read(sent)
                await ada.tell("eve", "really")  # later, so the marker is safe as well
                before = await self.view(ada, bob)
            server.stop(signal.SIGKILL)
            server = self.start_server("--port", server.port, config=config)
            async with self.connect(server) as ada, self.connect(server, "bob") as bob:
                await ada.join("#tea")
                self.assertEqual(await self.view(ada, bob), before)
                self.assertEqual((await bob.join("#tea")).role, quicchat.Role.MODERATOR)
            async with self.connect(server, "eve") as eve:
                self.assertEqual((await next_of(eve, quicchat.PrivateMessage)).text, "sorry")
                await self.assert_refused("no_such_room", eve.join("#tea"))

        self.run_async(main)

    CODE = """
import asyncio, os, quicchat
async def main():
    chat = await quicchat.connect("127.0.0.1", {port}, user="ada", password={password!r},
                                  state="state")
    room = await chat.join("#tea")
    os.kill({pid}, 9)
    for act in (room.edit(3, "hello"), room.react(3, "x"), room.delete(4, "oops"),
                room.set_topic("new"), room.ban("bob", "bye"), room.send("re", reply_to=3)):
        asyncio.create_task(act)
    await asyncio.sleep({wait})
    os._exit(3)  # as a crash would
asyncio.run(main())
"""

    def test_acts_without_an_answer_outlive_the_program(self):
        config = self.write_config()
        server = self.start_server(config=config)

        async def prepare():
            async with self.connect(server) as ada:
                await ada.create_room("#tea")
                room = await ada.join("#tea")
                await room.set_topic("old")
                for text in ("helo", "gone"):
                    await room.send(text)

        self.run_async(prepare)
        result = self.python(self.CODE.format(
            wait=scaled(0.5), port=server.port, password=ACCOUNTS["ada"], pid=server.process.pid))
        self.assertEqual(result.returncode, 3, result.stderr)
        server = self.start_server("--port", server.port, config=config)

        async def main():
            async with self.connect(server, state=self.folder / "state") as ada:
                room = await ada.join("#tea", last=20)
                answer = await next_of(ada, quicchat.Message, reply_to=3)
                self.assertEqual((answer.text, answer.offset), ("re", 10))
                edited, reaction, deleted, topic, ban = (
                    await room.history(after=4, limit=5)).records
                self.assertEqual((edited.target, edited.text), (3, "hello"))
                self.assertEqual((reaction.target, reaction.text), (3, "x"))
                self.assertEqual((deleted.target, deleted.reason), (4, "oops"))
                self.assertEqual(topic.topic, "new")
                self.assertEqual((ban.user, ban.role, ban.reason),
                                 ("bob", quicchat.Role.BANNED, "bye"))

        self.run_async(main)

    def connect(self, server, name="ada", **options):
        return quicchat.connect("127.0.0.1", server.port, **account(name), **options)

    async def view(self, ada, bob):
        """Everything that can be asked about the room, but who is here."""
        page = await bob.history("#tea")
        self.assertEqual([message.text for message in page.messages], ["hello", ""])
        people = [(p.user, p.role) for p in await ada.members("#tea")]
        self.assertEqual(len(people), len(ACCOUNTS))
        [summary] = [room for room in await bob.rooms() if room.room == "#tea"]
        self.assertEqual((summary.topic, summary.marker), ("new", 4))
        return page, people, summary


if __name__ == "__main__":
    unittest.main()
