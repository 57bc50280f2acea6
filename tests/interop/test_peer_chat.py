"""Rooms and files: the client of aioquic and a real server."""

import hashlib
import os
import unittest

from .cases import PeerCase, logged_in, soon
from .client import MESSAGE, act, send_bytes
from .codec import encode

EVERYBODY, INVITATION = 0, 1
MEMBER, MUTED, OWNER = 3, 2, 5


class Rooms(PeerCase):
    def test_records_come_in_order_and_again(self):
        async def scenario(port, server):
            async with logged_in(port) as ada, logged_in(port, "bob") as bob:
                in_ada, joined = await ada.join("#lobby")
                in_bob, _ = await bob.join("#Lobby")
                self.assertEqual((joined["role"], joined["access"]), (MEMBER, EVERYBODY))
                self.assertFalse(joined["recovered"])
                acks = [await ada.publish(in_ada, f"number {n}", id=bytes([n]) * 16)
                        for n in range(5)]
                self.assertEqual([ack["offset"] for ack in acks],
                                 list(range(joined["next"], joined["next"] + 5)))
                self.assertEqual({ack["durability"] for ack in acks}, {2})
                events = [await soon(in_bob.take("event")) for _ in range(5)]
                self.assertEqual([event["text"] for event in events],
                                 [f"number {n}" for n in range(5)])
                self.assertEqual({(event["from"], event["changed_by"]) for event in events},
                                 {("ada", 0)})

                # The same again is stored once; another one under its id is not it.
                again = await ada.publish(in_ada, "number 3", id=bytes([3]) * 16)
                self.assertEqual(again["offset"], acks[3]["offset"])
                await self.refused("conflict", ada.publish(in_ada, "else", id=bytes([3]) * 16))
                await bob.publish(in_bob, "number 3", id=bytes([3]) * 16)

            await self.catches_up(port, acks)

        self.meet(scenario)

    async def catches_up(self, port, acks):
        async with logged_in(port) as client:
            epoch, last = acks[0]["epoch"], acks[-1]["offset"]
            for kind, position, offsets, recovered in (
                    (0, {}, [], False),
                    (1, {"count": 2}, [last, last + 1], False),
                    (2, {"epoch": epoch, "offset": last - 2}, [last - 1, last, last + 1], True),
                    (2, {"epoch": epoch, "offset": last + 1}, [], True),
                    (2, {"epoch": epoch, "offset": last + 9}, [], False),
                    (2, {"epoch": bytes(8), "offset": last}, [], False)):
                with self.subTest(kind=kind, position=position):
                    stream, joined = await client.join("#lobby", kind, **position)
                    self.assertEqual(joined["recovered"], recovered)
                    self.assertEqual(joined["head"], last + 1)
                    self.assertEqual(joined["next"], offsets[0] if offsets else last + 2)
                    events = [await soon(stream.take("event")) for _ in offsets]
                    self.assertEqual([event["offset"] for event in events], offsets)
                    stream.finish()  # §2.1: leaves; the server finishes the other direction
                    await soon(stream.over())
                    self.assertTrue(stream.finished)

    def test_edits_reactions_and_deletions(self):
        async def scenario(port, server):
            async with logged_in(port) as ada, logged_in(port, "bob") as bob:
                stream, _ = await ada.join("#lobby")
                in_bob, _ = await bob.join("#lobby")
                said = (await ada.publish(stream, "helo"))["offset"]
                edit = (await ada.publish(stream, "hello", act("edit", target=said)))["offset"]
                await bob.publish(in_bob, "👍", act("reaction", target=said))
                await self.refused("no_change", bob.publish(
                    in_bob, "👍", act("reaction", target=said)))
                await self.refused("no_such_message", bob.publish(
                    in_bob, "👍", act("reaction", target=edit)))
                await self.refused("forbidden", bob.publish(
                    in_bob, "hi", act("edit", target=said)))
                await bob.publish(in_bob, "👍", act("unreaction", target=said))
                reply = await bob.publish(in_bob, "indeed", MESSAGE | {"target": said})
                events, _ = await ada.history("#lobby", said, after=1)
                self.assertEqual((events[0]["text"], events[0]["changed_by"]), ("hello", edit))

                gone = (await ada.publish(stream, "why", act("deletion", target=said)))["offset"]
                events, end = await ada.history("#lobby", said, after=100)
                self.assertEqual([(event["act"]["kind"], event["text"]) for event in events],
                                 [(9, ""), (1, ""), (3, "👍"), (4, "👍"), (0, "indeed"),
                                  (2, "why")])
                self.assertEqual([event["changed_by"] for event in events[:2]], [gone, gone])
                self.assertEqual(events[4]["act"]["target"], said)
                self.assertEqual(events[4]["offset"], reply["offset"])
                self.assertTrue(end["reaches_head"])

                for wrong in (MESSAGE | {"kind": 8}, MESSAGE | {"kind": 10},
                              MESSAGE | {"value": 1}, act("role", subject="bob", value=9),
                              act("access", value=3), act("topic", target=1)):
                    await self.refused("invalid_request", ada.publish(stream, "x", wrong))

        self.meet(scenario)

    def test_texts_and_attributes(self):
        async def scenario(port, server):
            async with logged_in(port) as client:
                stream, _ = await client.join("#lobby")
                for name, text, attributes in (
                        ("invalid_text", "", "{}"), ("invalid_text", "a\x1b[31m", "{}"),
                        ("invalid_text", "a\x85", "{}"), ("message_too_long", "x" * 32_769, "{}"),
                        ("invalid_request", "x", "[]"), ("invalid_request", "x", "{"),
                        ("invalid_request", "x", '{"a":' + "[" * 16 + "]" * 16 + "}"),
                        ("invalid_request", "x", '{"a":"\\ud800"}'),
                        ("invalid_text", "x", '{"a":"\x07"}'),
                        ("message_too_long", "x", '{"a":"' + "x" * 8192 + '"}')):
                    await self.refused(name, client.publish(stream, text, attributes=attributes))
                deep = '{"a":' + "[" * 15 + "]" * 15 + "}"
                await client.publish(stream, "a\tb\nc \u202e", attributes=deep)
                event = await stream.take("event")
                self.assertEqual((event["text"], event["attributes"]), ("a\tb\nc \u202e", deep))
                bad = encode({"frame": "publish", "request": 99, "id": bytes(16), "text": "abc",
                              "attributes": "{}", "act": MESSAGE}).replace(b"abc", b"a\xc0\xaf")
                stream.write(bad)
                await self.refused("invalid_text", stream.take("ack", request=99))

        self.meet(scenario)

    def test_rooms_members_roles_and_markers(self):
        async def scenario(port, server):
            async with logged_in(port) as ada, logged_in(port, "bob") as bob:
                made = await ada.ask(ada.control, "create_room", "ack", id=bytes(16), room="#Den",
                                     access=INVITATION, topic="quiet")
                self.assertEqual(made["offset"], 1)
                await self.refused("room_exists", ada.ask(
                    ada.control, "create_room", "ack", id=os.urandom(16), room="#den",
                    access=0, topic=""))
                await self.refused("no_such_room", bob.join("#den"))
                await self.refused("no_such_room", bob.join("#nowhere"))
                await self.refused("invalid_name", bob.join("nowhere"))
                stream, joined = await ada.join("#den")
                self.assertEqual((joined["room"], joined["role"], joined["topic"]),
                                 ("#Den", OWNER, "quiet"))
                await self.refused("already_joined", ada.join("#DEN"))
                await ada.publish(stream, "", act("role", subject="bob", value=MEMBER))
                in_bob, _ = await bob.join("#den")
                self.assertEqual((await soon(stream.take("presence")))["user"], "bob")
                await self.refused("forbidden", bob.publish(in_bob, "mine", act("topic")))

                members = await ada.ask(stream, "members_request", "members", after="")
                self.assertEqual([(one["user"], one["role"], one["present"])
                                  for one in members["people"]],
                                 [("ada", OWNER, True), ("bob", MEMBER, True)])
                await ada.publish(stream, "hello @bob")
                rooms = (await bob.ask(bob.control, "rooms_request", "rooms", after=""))["rooms"]
                den = next(room for room in rooms if room["room"] == "#Den")
                self.assertEqual([room["room"] for room in rooms], ["#Den", "#lobby"])
                self.assertEqual((den["head"], den["unread"], den["mentions"]), (3, 1, 1))
                bob.control.send("mark_read", room="#den", epoch=made["epoch"], offset=3,
                                 shared=True)
                marker = await soon(ada.control.take("marker"))
                self.assertEqual((marker["user"], marker["offset"]), ("bob", 3))

                await ada.publish(stream, "hush", act("role", subject="bob", value=MUTED))
                await self.refused("forbidden", bob.publish(in_bob, "mine"))
                await ada.publish(stream, "out", act("role", subject="bob", value=0))
                error = await soon(in_bob.take("error"))
                self.assertEqual((error["request"], error["code"], error["text"]), (0, 82, "out"))
                await soon(in_bob.over())
                self.assertTrue(in_bob.finished)

        self.meet(scenario)

    def test_names_typing_and_search(self):
        async def scenario(port, server):
            async with logged_in(port) as ada, logged_in(port, "bob") as bob:
                stream, _ = await ada.join("#lobby")
                in_bob, _ = await bob.join("#lobby")
                profile = await ada.ask(ada.control, "set_profile", "profile", display="Ada L.")
                self.assertEqual((profile["user"], profile["display"]), ("ada", "Ada L."))
                seen = await soon(bob.control.take("profile", user="ada"))
                self.assertEqual((seen["request"], seen["display"]), (0, "Ada L."))
                for name, text in (("invalid_text", " x"), ("invalid_text", "x" * 65),
                                   ("invalid_text", "a\u202eb"), ("forbidden", "Bob")):
                    await self.refused(name, ada.ask(ada.control, "set_profile", "profile",
                                                     display=text))
                ada.type_in(stream)
                typing = await soon(bob.typing())
                self.assertEqual((typing["user"], typing["stream"]), ("ada", in_bob.number))

                for text in ("Grüne Äpfel", "gar nichts", "GRÜNE ÄPFEL und mehr"):
                    await ada.publish(stream, text)
                events, end = await bob.search("#lobby", "äpfel grüne", before=1 << 40)
                self.assertEqual([event["text"] for event in events],
                                 ["GRÜNE ÄPFEL und mehr", "Grüne Äpfel"])
                self.assertEqual(end["next"], 0)
                await self.refused("invalid_request", bob.search("#lobby", " ", 1 << 40))
                await self.refused("message_too_long", bob.search("#lobby", "x" * 257, 1 << 40))

        self.meet(scenario)

    def test_private_messages(self):
        async def scenario(port, server):
            async with logged_in(port) as ada:
                ack = await ada.tell("bob", "hello")
                own = await soon(ada.control.take("told"))
                self.assertEqual((own["from"], own["to"], own["offset"]),
                                 ("ada", "bob", ack["offset"]))
                await self.refused("no_such_user", ada.tell("nobody", "hello"))
                async with logged_in(port, "bob") as bob:  # told while away
                    told = await soon(bob.control.take("told"))
                    self.assertEqual((told["text"], told["epoch"]), ("hello", ack["epoch"]))
                    stream, joined = await bob.join("@ada", 1, count=9)
                    self.assertEqual((joined["room"], joined["role"]), ("@ada", MEMBER))
                    self.assertEqual((await stream.take("event"))["text"], "hello")
                    await bob.publish(stream, "and back")
                    back = await soon(ada.control.take("told", offset=ack["offset"] + 1))
                    self.assertEqual((back["from"], back["text"]), ("bob", "and back"))
                async with logged_in(port, "eve") as eve:
                    _, joined = await eve.join("@ada")
                    self.assertNotEqual(joined["epoch"], ack["epoch"])

        self.meet(scenario)

    def test_pages_are_cut_at_100(self):
        async def scenario(port, server):
            async with logged_in(port) as client:
                stream, joined = await client.join("#lobby")
                first = joined["next"]
                requests = [client.request() for _ in range(150)]
                for request in requests:
                    stream.send("publish", request=request, id=os.urandom(16), text="x",
                                attributes="{}", act=MESSAGE)
                for request in requests:
                    await soon(stream.take("ack", request=request))
                for before, after, counts in ((60, 60, (60, 40)), (130, 10, (75, 0)),
                                              (0, 130, (0, 75)), (10, 5, (10, 5))):
                    events, end = await client.history("#lobby", first + 75, before, after)
                    offsets = [event["offset"] for event in events]
                    self.assertEqual(offsets, list(range(first + 75 - counts[0],
                                                         first + 75 + counts[1])))

        self.meet(scenario, limits={"messages_per_account": 1000, "messages_per_room": 1000})


class Files(PeerCase):
    data = os.urandom(150_000)

    def test_up_and_down(self):
        async def scenario(port, server):
            async with logged_in(port) as ada, logged_in(port, "bob") as bob:
                in_bob, _ = await bob.join("#lobby")
                id = os.urandom(16)
                ack = await soon(ada.upload("#lobby", "plan.pdf", self.data, id))
                event = await soon(in_bob.take("event"))
                self.assertEqual((event["text"], event["act"]), ("plan.pdf", MESSAGE | {
                    "kind": 10, "subject": hashlib.sha256(self.data).hexdigest(),
                    "value": len(self.data)}))
                head, data = await soon(bob.fetch("#lobby", ack["offset"]))
                self.assertEqual((head["name"], head["size"]), ("plan.pdf", len(self.data)))
                self.assertEqual(data, self.data)
                self.assertEqual(head["digest"], hashlib.sha256(self.data).digest())
                _, rest = await soon(bob.fetch("#lobby", ack["offset"], 100_000))
                self.assertEqual(rest, self.data[100_000:])
                _, rest = await soon(bob.fetch("#lobby", ack["offset"], len(self.data)))
                self.assertEqual(rest, b"")
                await self.refused("invalid_request", bob.fetch(
                    "#lobby", ack["offset"], len(self.data) + 1))
                await self.refused("no_such_file", bob.fetch("#lobby", ack["offset"] + 1))

                stream = ada.open()  # the same again is answered at once
                again = await ada.ask(
                    stream, "file_offer", "ack", id=id, room="#lobby", name="plan.pdf",
                    size=len(self.data), digest=hashlib.sha256(self.data).digest(),
                    attributes="{}", reply_to=0)
                self.assertEqual(again["offset"], ack["offset"])

        self.meet(scenario)

    def test_an_upload_goes_on(self):
        async def scenario(port, server):
            id, device = os.urandom(16), os.urandom(16)
            reached = 0
            for break_off in ("pause", "reset", "close"):
                async with logged_in(port, device=device) as client:
                    stream, offset = await client.offer("#lobby", "x", self.data, id)
                    self.assertEqual(offset > 0, reached > 0)
                    self.assertLessEqual(offset, reached)
                    reached = offset + 30_000
                    send_bytes(stream, self.data[offset:reached])
                    if break_off == "pause":
                        stream.finish()
                        await soon(stream.over())
                        self.assertEqual(list(stream.frames), [])
                    else:
                        await soon(stream.acknowledged())
                    if break_off == "reset":
                        self.assertEqual(offset, 30_000)
                        stream.reset()
                        await soon(stream.over())
            async with logged_in(port, device=device) as client:
                stream, offset = await client.offer("#lobby", "x", self.data, id)
                self.assertGreater(offset, 30_000)
                send_bytes(stream, self.data[offset:])
                stream.finish()
                ack = await soon(stream.take("ack"))
                _, data = await soon(client.fetch("#lobby", ack["offset"]))
                self.assertEqual(data, self.data)

        self.meet(scenario)

    def test_what_is_refused(self):
        async def scenario(port, server):
            async with logged_in(port) as client:
                id = os.urandom(16)
                for name, wrong in (("invalid_name", {"name": "../x"}),
                                    ("invalid_name", {"name": ""}),
                                    ("invalid_name", {"name": "a\nb"}),
                                    ("invalid_request", {"digest": bytes(31)}),
                                    ("file_too_large", {"size": 1 << 50}),
                                    ("no_such_room", {"room": "#nowhere"})):
                    await self.refused(name, client.offer("#lobby", "x", b"abc", id, **wrong))
                for data, sent in ((b"abc", b"abd"), (b"abc", b"abcd")):
                    stream, offset = await client.offer("#lobby", "x", data, id)
                    self.assertEqual(offset, 0)
                    stream.send("file_data", data=sent)
                    stream.finish()
                    await soon(stream.over())
                    self.assertEqual([frame["code"] for frame in stream.frames], [84])
                stream = client.open()
                stream.write(encode({"frame": "file_offer", "request": 9, "id": id,
                                     "room": "#lobby", "name": "x", "size": 1,
                                     "digest": bytes(32), "attributes": "{}", "reply_to": 0})
                             + encode({"frame": "file_data", "data": b"a"}))
                await self.closed_with("unexpected_frame", client)

        self.meet(scenario, limits={"file_bytes_max": 1 << 20})


if __name__ == "__main__":
    unittest.main()
