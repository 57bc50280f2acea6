"""The real client and servers by aioquic that break a rule: it ends the connection with the right
number of PROTOCOL.md §8."""

import asyncio
import functools
import os
import unittest

from _support import next_of, quicchat

from .cases import name_of, soon
from .client import send_bytes
from .codec import BEFORE_LOGIN, ERRORS, encode, varint
from .hosting import ServerCase


class Alter:
    """Changes the first frame of a name by `how(frame)`; the others go as they are."""

    def __init__(self, name, how):
        self.name, self.how, self.used = name, how, False

    def __call__(self, frame):
        if frame["frame"] == self.name and not self.used:
            self.used = True
            return self.how(frame)
        return frame


def changed(changes, frame):
    return frame | changes


def fields(**changes):
    return functools.partial(changed, changes)


def add(*frames):
    """That frame, and others behind it."""
    return lambda frame: b"".join(map(encode, (frame, *frames)))


def challenge(**changes):
    def change(frame):
        parts = dict(part.split("=", 1) for part in frame["data"].decode().split(","))
        parts |= {key: value(parts[key]) for key, value in changes.items()}
        return frame | {"data": ",".join(f"{k}={v}" for k, v in parts.items()).encode()}

    return change


ACK = {"frame": "ack", "request": 1, "epoch": bytes(8), "offset": 1, "durability": 0, "time": 0}
HEARTBEAT = {"frame": "heartbeat", "head": 99}


class BrokenLogins(ServerCase):
    def check(self, name, frame, how):
        async def scenario(connect, house, port, door):
            with self.assertRaises(quicchat.QuicChatError):
                async with connect() as chat:
                    await soon(chat.join("#lobby"))
            end = await soon(house.sessions[0].closed())
            self.assertEqual(name_of(end.error_code), name, end.reason_phrase)
            self.assertEqual(len(house.sessions), 1)  # it does not come back

        alter = Alter(frame, how)
        with self.subTest(f"{name}: {frame} {how}"):
            self.host(scenario, alter=alter)
            self.assertTrue(alter.used)

    def test_servers_that_prove_nothing(self):
        proof = "server_not_verified"
        self.check(proof, "login_done", fields(data=b"v=" + b"A" * 43 + b"="))
        self.check(proof, "login_done", fields(data=b""))
        self.check(proof, "login_done", fields(data=b"e=other-error"))
        self.check(proof, "login_challenge", fields(data=b"e=unknown-user"))
        self.check(proof, "login_challenge", challenge(i=lambda _: "4096"))
        self.check(proof, "login_challenge", challenge(i=lambda _: "20000000"))
        self.check(proof, "login_challenge", challenge(r=lambda nonce: "x" + nonce))
        self.check(proof, "login_challenge", challenge(r=lambda nonce: nonce[:24]))
        self.check(proof, "login_challenge", challenge(s=lambda _: "no base64!"))
        self.check(proof, "login_challenge", fields(data=b"\xff\x00"))
        self.check(proof, "login_challenge",
                   lambda frame: {"frame": "login_done", "user": "ada", "data": b""})

    def test_welcomes(self):
        self.check("version_mismatch", "welcome", fields(minor=1))
        self.check("malformed_frame", "welcome", fields(agent="x" * 1025))
        self.check("frame_too_large", "welcome", lambda frame: varint(4) + varint(
            BEFORE_LOGIN + 1))
        self.check("unknown_frame", "welcome", lambda frame: varint(0x14) + varint(0))
        self.check("unexpected_frame", "welcome", lambda frame: encode(frame) * 2)
        self.check("unexpected_frame", "welcome", lambda frame: HEARTBEAT)


class BrokenRooms(ServerCase):
    def check(self, name, frame, how, comes_back=False):
        async def scenario(connect, house, port, door):
            house.rooms["#lobby"].append("bob", bytes(16), os.urandom(16), "hi", "{}", {
                "kind": 0, "target": 0, "subject": "", "value": 0, "until": 0})
            async with connect() as chat:
                async def use():
                    room = await chat.join("#lobby", last=9)
                    await room.send("hello")
                    await room.history(before=9)
                    await room.search("hello")
                    receipt = await room.send_file(b"abc", name="x")
                    await room.read_file(receipt.offset)
                    async for _ in chat:
                        pass

                if comes_back:
                    await soon(self.reconnecting(chat))
                else:
                    with self.assertRaises(quicchat.QuicChatError):
                        await soon(use())
            end = await soon(house.sessions[0].closed())
            self.assertEqual(name_of(end.error_code), name, end.reason_phrase)
            self.assertEqual(len(house.sessions), 1)

        alter = Alter(frame, how)
        with self.subTest(f"{name}: {frame} {how}"):
            self.host(scenario, alter=alter)
            self.assertTrue(alter.used)

    async def reconnecting(self, chat):
        await chat.join("#lobby", last=9)
        async for event in chat:
            if isinstance(event, quicchat.Reconnecting):
                return

    def test_offsets(self):
        wrong = "unexpected_frame"
        self.check(wrong, "event", fields(offset=2))
        self.check(wrong, "event", lambda frame: encode(frame) * 2)
        self.check(wrong, "event", add({"frame": "gap", "first": 5, "last": 6}))
        self.check(wrong, "event", add({"frame": "gap", "first": 2, "last": 1}))
        self.check(wrong, "search_end", fields(next=1 << 41))
        self.check(wrong, "event", add(HEARTBEAT | {"head": 0}))
        self.check("events_missing", "event", add(HEARTBEAT), comes_back=True)

    def test_answers(self):
        wrong = "unexpected_frame"
        self.check(wrong, "joined", fields(request=77))
        self.check(wrong, "joined", lambda frame: encode(frame) * 2)
        self.check(wrong, "joined", lambda frame: HEARTBEAT)
        self.check(wrong, "joined", add(ACK | {"request": 99}))
        self.check(wrong, "ack", lambda frame: encode(frame) * 2)
        self.check(wrong, "history_end", fields(request=99))

    def test_streams(self):
        async def scenario(connect, house, port, door):
            async with connect() as chat:
                await chat.join("#lobby")
                page = asyncio.create_task(chat.history("#lobby"))
                session = house.sessions[0]
                while max(session.streams) < 8:
                    await asyncio.sleep(0.01)
                session.stream(8).reset()  # §2.1: a page that has no answer
                end = await soon(session.closed())
                self.assertEqual(name_of(end.error_code), "unexpected_frame")
                with self.assertRaises(quicchat.QuicChatError):
                    await page
            async with connect() as chat:
                room = await chat.join("#lobby")
                session = house.sessions[-1]
                session.stream(4).reset()  # the end of the membership
                self.assertEqual((await soon(next_of(chat, quicchat.RoomLeft))).room, "#lobby")
                with self.assertRaises(quicchat.QuicChatError):
                    await room.send("x")
                session.stream(0).finish()
                end = await soon(session.closed())
                self.assertEqual(name_of(end.error_code), "unexpected_frame")

        self.host(scenario, alter=lambda frame: None if frame["frame"] == "history_end" else frame)

    def test_a_file_that_is_shorter_than_what_was_fetched(self):
        data = os.urandom(5000)
        cut = []

        async def scenario(connect, house, port, door):
            def alter(frame):
                session = house.sessions[-1]
                if frame["frame"] == "file_data" and not cut:
                    send_bytes(session.stream(max(session.streams)), data[:3000])
                    cut.append(session)
                    asyncio.get_running_loop().call_later(0.3, lose, session)
                    return None
                if frame["frame"] == "file_head" and cut:
                    return frame | {"size": 2999}
                return frame

            def lose(session):
                session.close(error_code=ERRORS["server_shutdown"])
                session.transmit()

            alters.append(alter)
            async with connect() as chat:
                room = await chat.join("#lobby")
                receipt = await room.send_file(data, name="x")
                with self.assertRaises(quicchat.QuicChatError):
                    await soon(room.read_file(receipt.offset))
            self.assertEqual(len(house.sessions), 2)
            end = await soon(house.sessions[1].closed())
            self.assertEqual(name_of(end.error_code), "malformed_frame", end.reason_phrase)

        alters = []
        self.host(scenario, alter=lambda frame: alters[0](frame) if alters else frame)

    def test_texts_and_frames(self):
        wrong = "malformed_frame"
        self.check(wrong, "event", fields(text="a\x1b[31m"))
        self.check(wrong, "event", lambda frame: encode(frame | {"text": "abc"}).replace(
            b"abc", b"a\xc0\xaf"))
        self.check(wrong, "event", fields(**{"from": "x" * 33}))
        self.check(wrong, "joined", fields(topic="x" * 513))
        self.check(wrong, "joined", fields(room="#other"))
        self.check(wrong, "joined", fields(next=9))
        self.check(wrong, "joined", fields(next=0))
        self.check(wrong, "file_head", fields(digest=bytes(31)))
        self.check(wrong, "file_head", fields(name="../x"))
        self.check("unexpected_frame", "joined", fields(recovered=True))
        self.check(wrong, "joined", fields(room="#" + "x" * 64))
        self.check("frame_too_large", "event", lambda frame: varint(0x28) + varint(65_537))
        self.check("unknown_frame", "joined", lambda frame: encode(frame) + varint(0x14) + b"\0")


if __name__ == "__main__":
    unittest.main()
