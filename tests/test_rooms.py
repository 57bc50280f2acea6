"""What happens in a room beside plain messages: each call, what others see of it, and refusals."""

import asyncio
import unittest
from datetime import UTC, datetime, timedelta

from _support import Case, next_of, quicchat


class Messages(Case):
    def test_a_reply_names_what_it_answers(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                theirs = await bob.join("#lobby")
                first = await room.send("who is there?")
                question = await next_of(bob, quicchat.Message)
                self.assertIsNone(question.reply_to)
                await theirs.send("I", reply_to=question)
                answer = await next_of(ada, quicchat.Message, sender="bob")
                self.assertEqual((answer.reply_to, answer.text), (first.offset, "I"))

        self.talk(scenario)

    def test_an_edit_is_seen_by_all_and_by_those_who_come_later(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                await bob.join("#lobby")
                sent = await room.send("helo", attributes={"n": 1})
                await room.edit(sent, "hello", attributes={"n": 2})
                edited = await next_of(bob, quicchat.Edited)
                self.assertEqual((edited.target, edited.text, edited.attributes, edited.sender,
                                  edited.deleted), (sent.offset, "hello", {"n": 2}, "ada", False))
                # By an event, and by a number.
                await room.edit(await next_of(ada, quicchat.Message), "hello!")
                await room.edit(sent.offset, "hello?")
            async with connect("eve") as eve:
                await eve.join("#lobby", last=10)
                message = await next_of(eve, quicchat.Message)
                self.assertEqual((message.text, message.edited, message.deleted),
                                 ("hello?", True, False))

        self.talk(scenario)

    def test_a_deleted_message_has_no_text_any_more_nor_have_its_edits(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                await bob.join("#lobby")
                sent = await room.send("secret one")
                await room.edit(sent, "secret two")
                await room.delete(sent, "it was secret")
                deleted = await next_of(bob, quicchat.Deleted)
                self.assertEqual((deleted.target, deleted.sender, deleted.reason),
                                 (sent.offset, "ada", "it was secret"))
                page = await room.history()
                message, edited, gone = page.records
                self.assertEqual((message.text, message.deleted, message.edited), ("", True, False))
                self.assertEqual((edited.text, edited.deleted), ("", True))
                self.assertEqual(gone, deleted)
                for request in (room.edit(sent, "again"), room.delete(sent),
                                room.react(sent, "x"), room.send("x", reply_to=sent)):
                    await self.assert_refused("no_such_message", request)

        self.talk(scenario)

    def test_reactions_come_and_go(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                theirs = await bob.join("#lobby")
                sent = await room.send("party?")
                await theirs.react(sent.offset, "👍🏽")
                await theirs.unreact(sent.offset, "👍🏽")
                await self.assert_refused("no_change", theirs.unreact(sent, "👍🏽"))
                for removed in (False, True):
                    reaction = await next_of(ada, quicchat.Reaction)
                    self.assertEqual((reaction.sender, reaction.target, reaction.text,
                                      reaction.removed), ("bob", sent.offset, "👍🏽", removed))
                await self.assert_refused("message_too_long", room.react(sent, "x" * 65))
                await self.assert_refused("invalid_text", room.react(sent, ""))

        self.talk(scenario)

    def test_what_others_wrote_is_theirs(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                theirs = await bob.join("#lobby")
                sent = await room.send("mine")
                error = await self.assert_refused("forbidden", theirs.edit(sent, "yours"))
                self.assertIn("#lobby", str(error))
                self.assertIn("moderator", error.hint)
                await self.assert_refused("forbidden", theirs.delete(sent))
                for nothing in (sent.offset + 1, 10_000):
                    await self.assert_refused("no_such_message", theirs.edit(nothing, "x"))

        self.talk(scenario)

    def test_an_act_is_no_message(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                await ada.create_room("#own")
                room = await ada.join("#own", last=5)
                created = await next_of(ada, quicchat.RoomCreated)
                await self.assert_refused("no_such_message", room.edit(created, "x"))
                await self.assert_refused("no_such_message", room.send("x", reply_to=created))

        self.talk(scenario)

    def test_a_message_of_another_life_of_the_room_is_not_mistaken(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                await room.send("new")
                old = quicchat.Receipt(room.epoch ^ 1, 1, b"", "memory", datetime.now(UTC))
                with self.assertRaises(quicchat.RequestError) as caught:
                    await room.edit(old, "x")
                self.assertEqual(caught.exception.name, "no_such_message")

        self.talk(scenario)

    def test_wrong_arguments_are_said_at_once(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                soon = datetime.now(UTC) + timedelta(minutes=1)
                for call, error in (
                    (lambda: room.edit("1", "x"), TypeError),
                    (lambda: room.edit(True, "x"), TypeError),
                    (lambda: room.edit(-1, "x"), ValueError),
                    (lambda: room.edit(1, b"x"), TypeError),
                    (lambda: room.set_role("bob", 17), ValueError),
                    (lambda: room.set_role("bob", quicchat.Role.MEMBER, until=soon), ValueError),
                    (lambda: room.mute("bob", until=timedelta(0)), ValueError),
                    (lambda: room.mute("bob", until=datetime(1960, 1, 1)), ValueError),
                    (lambda: room.mute("bob", until=60), TypeError),
                    (lambda: room.set_access(3), ValueError),
                    (lambda: room.mark_read(-1), ValueError),
                    (lambda: ada.create_room("#x", access=quicchat.Access.ARCHIVED), ValueError),
                    (lambda: ada.mark_read("#other"), quicchat.RequestError),
                    (lambda: ada.typing("\ud800"), quicchat.RequestError),
                    (lambda: ada.history("\ud800"), quicchat.RequestError),
                    (lambda: room.react(1, "\ud800"), quicchat.RequestError),
                ):
                    with self.assertRaises(error):
                        await call()
                for options in ({"limit": 0}, {"limit": 101}, {"limit": 1.5},
                                {"before": 1, "after": 1}):
                    with self.subTest(options), self.assertRaises(ValueError):
                        await room.history(**options)

        self.talk(scenario)


class History(Case):
    def test_pages_are_cut_where_they_were_asked_to_be(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                for n in range(1, 11):
                    await room.send(f"{n}")

                async def offsets(**options):
                    page = await room.history(**options)
                    self.assertEqual((page.room, page.epoch), ("#lobby", room.epoch))
                    found = [record.offset for record in page.records]
                    self.assertEqual([message.text for message in page.messages],
                                     [str(offset) for offset in found])
                    self.assertEqual((page.first, page.last),
                                     (found[0], found[-1]) if found else (0, 0))
                    return found, page.reaches_start, page.reaches_head

                self.assertEqual(await offsets(), ([*range(1, 11)], True, True))
                self.assertEqual(await offsets(limit=3), ([8, 9, 10], False, True))
                self.assertEqual(await offsets(before=8, limit=3), ([5, 6, 7], False, False))
                self.assertEqual(await offsets(before=3), ([1, 2], True, False))
                self.assertEqual(await offsets(before=1), ([], True, False))
                self.assertEqual(await offsets(after=7, limit=2), ([8, 9], False, False))
                self.assertEqual(await offsets(after=8, limit=100), ([9, 10], False, True))
                self.assertEqual(await offsets(around=5, limit=4), ([3, 4, 5, 6], False, False))

        self.talk(scenario)

    def test_a_room_need_not_be_joined(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                await (await ada.join("#lobby")).send("hello")
                page = await bob.history("#lobby")
                self.assertEqual([message.text for message in page.messages], ["hello"])
                await self.assert_refused("no_such_room", bob.history("#nowhere"))
                await self.assert_refused("invalid_name", bob.history("lobby"))

        self.talk(scenario)


class Hints(Case):
    def test_markers_go_to_other_devices_and_to_others_if_they_are_shared(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("ada") as phone, connect("bob") as bob:
                room = await ada.join("#lobby")
                await phone.join("#lobby")
                theirs = await bob.join("#lobby")
                for n in range(4):
                    await theirs.send(f"{n}")
                self.assertEqual((await bob.rooms())[0].unread, 0)
                [lobby] = await ada.rooms()
                self.assertEqual((lobby.room, lobby.unread, lobby.marker, lobby.head),
                                 ("#lobby", 4, 0, 4))
                second = await next_of(ada, quicchat.Message, offset=2)
                room.mark_read(second)
                self.assertEqual(await next_of(phone, quicchat.MarkerMoved),
                                 quicchat.MarkerMoved("#lobby", "ada", 2))
                [lobby] = await ada.rooms()
                self.assertEqual((lobby.unread, lobby.marker), (2, 2))
                await next_of(ada, quicchat.Message, offset=3)
                room.mark_read(3, shared=True)
                self.assertEqual((await next_of(bob, quicchat.MarkerMoved)).offset, 3)
                await next_of(ada, quicchat.Message, offset=4)
                room.mark_read(shared=True)
                self.assertEqual((await next_of(bob, quicchat.MarkerMoved)).offset, 4)
                room.mark_read(1)  # goes only up
                [lobby] = await ada.rooms()
                self.assertEqual((lobby.unread, lobby.marker), (0, 4))
                await room.leave()
                self.assertEqual((await ada.join("#lobby")).marker, 4)

        self.talk(scenario)

    def test_who_types_is_told_to_the_others(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                await bob.join("#lobby")
                await next_of(ada, quicchat.MemberJoined)
                room.typing()
                self.assertEqual(await next_of(bob, quicchat.Typing),
                                 quicchat.Typing("#lobby", "ada", True))
                await room.send("done")
                self.assertFalse((await next_of(bob, quicchat.Typing)).typing)

        self.talk(scenario)


class Rates(Case):
    def test_who_says_too_much_is_told_when_to_go_on(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                theirs = await bob.join("#lobby")
                sent = [room.send(str(i)) for i in range(25)]
                answers = await asyncio.gather(*sent, return_exceptions=True)
                refused = [a for a in answers if isinstance(a, quicchat.RateLimited)]
                self.assertGreaterEqual(len(answers) - len(refused), 20)
                self.assertTrue(refused)
                self.assertTrue(0 < refused[0].retry_after <= 1)
                self.assertIn("try again in", refused[0].hint)
                await theirs.send("nobody else has to wait")
                await asyncio.sleep(max(error.retry_after for error in refused))
                await room.send("again")

        self.talk(scenario, limits={"messages_per_account": 1})

    def test_a_rate_that_is_none_is_refused_in_words(self):
        with self.assertRaises(quicchat.ConfigError) as caught:
            quicchat.Limits(messages_per_account=0)
        self.assertIn("messages a second", str(caught.exception))


class Blocking(Case):
    def test_the_same_calls_without_asyncio(self):
        async def scenario(connect, server):
            await asyncio.to_thread(self.converse, server.address[1])

        self.talk(scenario)

    def converse(self, port):
        sync = quicchat.sync
        with (sync.connect("127.0.0.1", port, user="ada", password="correct horse") as ada,
              sync.connect("127.0.0.1", port, user="bob", password="battery staple") as bob):
            self.assertTrue(ada.is_open and ada.is_online)
            ada.timeout = bob.timeout = 60
            self.assertEqual(ada.create_room("#team", access=quicchat.Access.INVITATION,
                                             topic="work").offset, 1)
            room = ada.join("#team")
            self.assertEqual((room.role, room.access, room.topic),
                             (quicchat.Role.OWNER, quicchat.Access.INVITATION, "work"))
            with self.assertRaises(quicchat.RequestError):
                bob.join("#team")
            room.invite("bob")
            theirs = bob.join("#team")
            sent = theirs.send("hello")
            room.react(sent, "👋")
            room.send("welcome", reply_to=sent)
            theirs.edit(sent, "hello!")
            room.delete(sent, "spam")
            room.mark_read()
            room.typing()
            room.set_topic("fun")
            self.assertEqual([type(record) for record in room.history(limit=3).records],
                             [quicchat.Edited, quicchat.Deleted, quicchat.TopicChanged])
            self.assertEqual([(p.user, p.role) for p in room.members()],
                             [("ada", quicchat.Role.OWNER), ("bob", quicchat.Role.MEMBER)])
            self.assertEqual([(r.room, r.topic, r.unread) for r in bob.rooms()],
                             [("#lobby", "", 0), ("#team", "fun", 1)])
            kinds = set()
            while quicchat.TopicChanged not in kinds:
                kinds.add(type(bob.next_event()))
            self.assertLess({quicchat.Reaction, quicchat.Message, quicchat.Deleted}, kinds)
            theirs.leave_for_good("bye")
            with self.assertRaises(quicchat.RequestError):
                theirs.send("still here?")
            ada.timeout = 0
            with self.assertRaises(TimeoutError):
                room.set_topic("late")


if __name__ == "__main__":
    unittest.main()
