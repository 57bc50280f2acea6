"""The real client and a server by aioquic."""

import asyncio
import os
import unittest

from _support import next_of, quicchat

from .cases import ACCOUNTS, scaled, soon
from .codec import Assembler, encode
from .hosting import ServerCase
from .house import Room
from .link import link_to
from .login import PASSWORD, TOKEN
from .peer import V1, V2
from .server import NEW_TOKEN

HEARTBEAT = {"frame": "heartbeat", "head": 0}


class Handshakes(ServerCase):
    def test_versions(self):
        async def scenario(connect, house, port, door):
            await self.talks(connect, house)
            self.assertEqual(house.sessions[-1].alpn, "quicchat/1")
            self.assertEqual(house.sessions[-1].version, V1)

        for versions in ([V1], [V1, V2]):
            with self.subTest(versions):
                self.host(scenario, supported_versions=versions)

        async def has_none(connect, house, port, door):
            with self.assertRaises(quicchat.ProtocolVersionError):
                async with connect():
                    pass

        for versions in ([0x2A3A4A5A], [0x1A2A3A4A, 0xFF00001D]):
            with self.subTest(versions):
                self.host(has_none, supported_versions=versions)

    def test_another_application(self):
        async def scenario(connect, house, port, door):
            with self.assertRaises(quicchat.ProtocolVersionError):
                async with connect():
                    pass

        self.host(scenario, alpn_protocols=["h3"])

    def test_kinds_of_keys(self):
        async def scenario(connect, house, port, door):
            await self.talks(connect, house)

        for kind in ("P-384", "RSA", "Ed25519"):
            with self.subTest(kind):
                self.host(scenario, kind=kind)

    def test_another_key_than_the_pinned_one(self):
        async def scenario(connect, house, port, door):
            with self.assertRaises(quicchat.CertificateError):
                async with connect(tls=quicchat.TLS.pin("sha256:" + "0" * 64)):
                    pass
            self.assertIsNone(house.sessions[-1].hello)  # §9: not a byte of a login

        self.host(scenario)

    def test_retry_and_the_token_that_spares_it(self):
        async def scenario(connect, house, port, door):
            async with connect() as chat:
                room = await chat.join("#lobby")
                await soon(room.send("one"))
                self.assertTrue(door.shown[0] == b"" and len(door.shown[1]) > 0)  # by a Retry
                house.sessions[-1].close(20, "restart")
                await soon(next_of(chat, quicchat.Online))
                await soon(room.send("two"))
            self.assertEqual(door.shown[2:], [NEW_TOKEN])

        self.host(scenario, retry=True)

    def test_the_token_of_an_earlier_run(self):
        async def scenario(connect, house, port, door):
            file = self.folder / "ada.state"
            await self.talks(connect, house, state=file)
            self.assertEqual(len(door.shown), 2)  # by a Retry
            await self.talks(connect, house, state=file)
            self.assertEqual(door.shown[2:], [NEW_TOKEN])

            # It is of this server: another one at another port is shown none.
            async with link_to(port) as link:
                await self.talks(connect, house, port=link.port, state=file)
            self.assertEqual(door.shown[3], b"")
            # Nor does it belong to somebody else.
            async with connect("bob", state=file) as chat:
                await chat.join("#lobby")
            self.assertEqual(door.shown[5], b"")
            self.assertEqual(len(door.shown), 7)

        self.host(scenario, retry=True)

    def test_what_a_client_allows(self):
        async def scenario(connect, house, port, door):
            async with connect() as chat:
                await chat.join("#lobby")
                quic = house.sessions[-1]._quic
                self.assertEqual(quic._remote_max_streams_bidi, 0)
                self.assertEqual(quic._remote_max_streams_uni, 0)
                self.assertEqual(quic._remote_max_idle_timeout, 60)
                self.assertEqual(quic._remote_max_data, 1 << 20)
                self.assertEqual(quic._remote_max_stream_data_bidi_local, 256 << 10)

        self.host(scenario)


class Networks(ServerCase):
    def test_a_nat_rebinds(self):
        async def scenario(connect, house, port, door):
            async with link_to(port) as link, connect(port=link.port) as chat:
                room = await chat.join("#lobby")
                for number in range(6):
                    await link.rebind()
                    await soon(room.send(str(number)))
                await self.same_connection(house, chat)

        self.host(scenario)

    def test_keys_and_connection_ids_change(self):
        async def scenario(connect, house, port, door):
            async with connect() as chat:
                room = await chat.join("#lobby")
                session = house.sessions[-1]
                for number in range(1, 5):
                    await soon(session.update_keys())
                    session.change_connection_id()
                    await soon(room.send(str(number)))
                    await soon(session.ping())
                    self.assertEqual(session.key_phases, (number % 2, number % 2))
                await self.same_connection(house, chat)

        self.host(scenario)

    def test_a_link_that_loses_and_reorders(self):
        async def scenario(connect, house, port, door):
            async with link_to(port, seed=11) as link:
                link.loss, link.reordering = 0.1, 0.2
                async with connect(port=link.port) as chat:
                    room = await chat.join("#lobby")
                    for number in range(20):
                        await soon(room.send(f"{number}" * 100))
                    for number in range(20):
                        message = await soon(next_of(chat, quicchat.Message))
                        self.assertEqual(message.text, f"{number}" * 100)
                    await self.same_connection(house, chat)
                self.assertGreater(link.lost, 0)

        self.host(scenario)

    def test_a_path_that_shrinks(self):
        async def scenario(connect, house, port, door):
            async with link_to(port) as link, connect(port=link.port) as chat:
                room = await chat.join("#lobby")
                while link.longest < 1400:
                    await soon(room.send("x" * 2000))
                link.bytes_max = 1200
                for _ in range(2):
                    await soon(room.send("x" * 20_000), 6)

        self.host(scenario)

    def test_a_quiet_client_keeps_the_connection(self):
        idle_timeout = scaled(1.2)

        async def scenario(connect, house, port, door):
            async with connect() as chat:
                await asyncio.sleep(2 * idle_timeout)  # nothing has to happen in this time
                await self.same_connection(house, chat)
                await soon((await chat.join("#lobby")).send("still there"))

        self.host(scenario, idle_timeout=idle_timeout)  # §1.4: PINGs, three times in it

    async def same_connection(self, house, chat):
        self.assertEqual(len(house.sessions), 1)
        self.assertFalse(house.sessions[0].end)


class Chats(ServerCase):
    def test_rooms(self):
        async def scenario(connect, house, port, door):
            async with connect() as ada, connect("bob") as bob:
                room, in_bob = await ada.join("#lobby"), await bob.join("#lobby")
                self.assertEqual((await soon(next_of(ada, quicchat.MemberJoined))).user, "bob")
                said = await room.send("helo", attributes={"a": [1]})
                await room.edit(said, "hello")
                await self.assert_refused("forbidden", in_bob.edit(said, "mine"))
                await in_bob.react(said, "👍")
                await in_bob.send("indeed", reply_to=said)
                message = await soon(next_of(bob, quicchat.Message))
                self.assertEqual((message.text, message.attributes),
                                 ("helo", {"a": [1]}))
                self.assertEqual((await soon(next_of(bob, quicchat.Edited))).text, "hello")
                self.assertEqual((await soon(next_of(ada, quicchat.Reaction))).text, "👍")
                answer = await soon(next_of(ada, quicchat.Message))
                self.assertEqual((answer.text, answer.reply_to), ("indeed", said.offset))
                page = await room.history(after=0)
                self.assertEqual(len(page.records), 4)
                self.assertTrue(page.reaches_start and page.reaches_head)
                await room.delete(said, "why")
                found = await room.search("INDEED")
                self.assertEqual([one.offset for one in found.messages], [answer.offset])
                self.assertEqual([one.user for one in await room.members()], ["ada", "bob"])
                await ada.create_room("#den", topic="quiet")
                self.assertEqual([one.room for one in await ada.rooms()], ["#den", "#lobby"])
                await ada.set_display_name("Ada L.")
                self.assertEqual((await room.members())[0].display_name, "Ada L.")
                await self.assert_refused("no_such_room", ada.join("#nowhere"))

        self.host(scenario)

    def test_typing(self):
        async def scenario(connect, house, port, door):
            async with connect() as chat:
                room = await chat.join("#lobby")
                session, stream = house.rooms["#lobby"].members[0]
                room.typing()
                assembler = Assembler()
                assembler.feed(await soon(session.datagrams.get()))
                self.assertEqual(assembler.next(), {"frame": "typing", "stream": stream.number,
                                                    "user": ""})
                typing = {"frame": "typing", "stream": stream.number, "user": "bob"}
                for data in (b"\x31", encode(HEARTBEAT), encode(typing)):  # §2.4
                    session._quic.send_datagram_frame(data)
                session.transmit()
                event = await soon(next_of(chat, quicchat.Typing))
                self.assertEqual((event.user, event.typing), ("bob", True))

        self.host(scenario)

    def test_private_messages(self):
        async def scenario(connect, house, port, door):
            async with connect() as ada, connect("bob") as bob:
                receipt = await soon(ada.tell("bob", "hello"))
                told = await soon(next_of(bob, quicchat.PrivateMessage))
                self.assertEqual((told.sender, told.recipient, told.text, told.epoch),
                                 ("ada", "bob", "hello", receipt.epoch))
                room = await bob.join("@ada", last=5)
                self.assertEqual((await soon(next_of(bob, quicchat.Message))).text, "hello")
                await room.send("and back")
                back = await soon(next_of(ada, quicchat.PrivateMessage, sender="bob"))
                self.assertEqual(back.offset, receipt.offset + 1)
                await self.assert_refused("no_such_user", ada.tell("nobody", "hi"))

        self.host(scenario)

    def test_files(self):
        data = os.urandom(300_000)

        async def scenario(connect, house, port, door):
            async with connect() as ada, connect("bob") as bob:
                room, in_bob = await ada.join("#lobby"), await bob.join("#lobby")
                await soon(room.send_file(data, name="plan.pdf"))
                message = await soon(next_of(bob, quicchat.Message))
                self.assertEqual((message.text, message.file.size), ("plan.pdf", len(data)))
                self.assertEqual(await soon(in_bob.read_file(message)), data)

        self.host(scenario)

    def test_an_upload_and_a_download_go_on(self):
        data = os.urandom(1_500_000)

        async def scenario(connect, house, port, door):
            cut = {"up": 400_000, "down": 700_000}

            def cut_at(way, sent):
                if way in cut and sent >= cut[way]:
                    del cut[way]
                    house.sessions[-1].close(20, "restart")

            async with connect() as chat:
                room = await chat.join("#lobby")
                receipt = await soon(room.send_file(
                    data, name="x", progress=lambda sent, all: cut_at("up", sent)))
                got = await soon(room.read_file(
                    receipt.offset, progress=lambda sent, all: cut_at("down", sent)))
                self.assertEqual(got, data)
                self.assertEqual(cut, {})
                self.assertEqual(len(house.sessions), 3)
                self.assertEqual(len(house.files), 1)

        self.host(scenario)

    def test_a_device_logs_in_by_its_token(self):
        async def scenario(connect, house, port, door):
            state = self.folder / "state"
            for password in (ACCOUNTS["ada"], None, None):
                async with connect(state=state, password=password) as chat:
                    await chat.join("#lobby")
                    await soon(chat.send("#lobby", "hi"))
            self.assertEqual([mechanism for _, mechanism in house.logins],
                             [PASSWORD, TOKEN, TOKEN])
            self.assertEqual(len({session.device for session in house.sessions}), 1)

        self.host(scenario)


class Losses(ServerCase):
    def test_what_was_not_acknowledged_is_sent_again(self):
        dropped = []

        def without_first_ack(frame):
            if frame["frame"] == "ack" and not dropped:
                dropped.append(frame)
                return None
            return frame

        async def scenario(connect, house, port, door):
            async with connect() as chat:
                room = await chat.join("#lobby")
                sent = asyncio.create_task(room.send("once"))
                while not dropped:
                    await asyncio.sleep(0.01)
                house.sessions[-1].close(20, "restart")
                self.assertEqual((await soon(sent)).offset, 1)
                await soon(next_of(chat, quicchat.Joined, recovered=True))
            self.assertEqual(house.rooms["#lobby"].head, 1)

        self.host(scenario, alter=without_first_ack)

    def test_records_that_are_gone(self):
        async def scenario(connect, house, port, door):
            async with connect() as chat:
                room = await chat.join("#lobby")
                await soon(room.send("one"))
                house.sessions[-1].close(20, "restart")
                await soon(next_of(chat, quicchat.Online))
                kept = await soon(room.send("two"))
                gap = {"frame": "gap", "first": kept.offset + 1, "last": kept.offset + 8}
                for session, stream in house.rooms["#lobby"].members:
                    session.show(stream, gap)
                    session.say(stream, "heartbeat", head=kept.offset + 8)
                seen = await soon(next_of(chat, quicchat.Gap))
                self.assertEqual((seen.first, seen.last, seen.cause),
                                 (gap["first"], gap["last"], "retention"))
                # The log is begun anew: another epoch, and offsets from 1 on.
                house.rooms["#lobby"] = Room("#lobby")
                house.sessions[-1].close(20, "restart")
                seen = await soon(next_of(chat, quicchat.Gap))
                self.assertEqual(seen.cause, "new_epoch")
                self.assertEqual((await soon(room.send("three"))).offset, 1)

        self.host(scenario)

    def test_a_server_that_goes_away(self):
        async def scenario(connect, house, port, door):
            async with connect() as chat:
                room = await chat.join("#lobby")
                session = house.sessions[-1]
                session.say(session.stream(0), "goaway", code=20, grace_ms=3000, text="restart")
                away = await soon(next_of(chat, quicchat.GoingAway))
                self.assertEqual((away.error, away.grace, away.text),
                                 ("server_shutdown", 3.0, "restart"))
                session.close(20, "restart")
                await soon(next_of(chat, quicchat.Online))
                await soon(room.send("still here"))

        self.host(scenario)

    def test_ends_have_their_classes(self):
        async def scenario(connect, house, port, door):
            for code in (20, 22, 25, 27, 35, 0):  # retry
                async with connect() as chat:
                    house.sessions[-1].close(code, "why")
                    await soon(next_of(chat, quicchat.Reconnecting))
                    await soon(next_of(chat, quicchat.Online))
            for code in (1, 3, 17, 33):  # give up, or other credentials
                async with connect() as chat:
                    house.sessions[-1].close(code, "why")
                    with self.assertRaises(quicchat.QuicChatError):
                        await soon(next_of(chat, quicchat.Online))
            for code in (19, 23, 24, 36, 4711):  # retry after; an unknown number is 23
                async with connect() as chat:
                    house.sessions[-1].close(code, "why")
                    again = await soon(next_of(chat, quicchat.Reconnecting))
                    self.assertGreaterEqual(again.delay, 2.5)  # §6.8: 5 s less a half at most

        self.host(scenario)


if __name__ == "__main__":
    unittest.main()
