"""Logins and closes: the client of aioquic and a real server."""

import asyncio
import contextlib
import os
import unittest

from _support import quicchat

from .cases import ACCOUNTS, PeerCase, logged_in, soon
from .client import MESSAGE, dial
from .codec import AFTER_LOGIN, BEFORE_LOGIN, ERRORS, encode, varint
from .login import PASSWORD, TOKEN, DeviceToken, ScramClient
from .peer import Refused

HELLO = {"frame": "hello", "minor_min": 0, "minor_max": 0, "features": [], "agent": "{}"}


def begin(client, user="ada", header="p=tls-exporter,,"):
    first = ScramClient(user, "", client.binding()).first().decode().split(",,")[1]
    client.hello()
    client.control.send("login_begin", mechanism=PASSWORD, device=bytes(16),
                        data=(header + first).encode())


class Passwords(PeerCase):
    def test_the_right_one(self):
        async def scenario(port, server):
            async with dial(port) as client:
                await client.login("ADA", ACCOUNTS["ada"])
                self.assertEqual(client.user, "ada")  # as others see it
                self.assertEqual(client.welcome["minor"], 0)
                self.assertLessEqual(client.welcome["message_bytes_max"], 32_768)
                await client.tell("bob", "hi")
                names = [frame["frame"] for frame in client.control.log]
                self.assertNotIn("token", names)  # §5.8: "a login that named a device"

        self.meet(scenario)

    def test_wrong_ones_end_alike(self):
        async def scenario(port, server):
            challenges = []
            for user, password in (("ada", "wrong"), ("nobody", "wrong"), ("nobody", "wrong")):
                async with dial(port) as client:
                    await self.refused("login_failed", client.login(user, password))
                    names = [frame["frame"] for frame in client.control.log]
                    self.assertEqual(names, ["welcome", "login_challenge"])
                    values = client.control.log[1]["data"].decode().split(",")
                    challenges.append(values[1:])
            # §5.5: the same salt each time, the usual iterations
            self.assertEqual(challenges[1], challenges[2])
            self.assertEqual(challenges[0][1], challenges[1][1])

        self.meet(scenario)

    def test_a_binding_of_another_connection(self):
        async def scenario(port, server):
            async with dial(port) as client, dial(port) as other:
                self.assertNotEqual(client.binding(), other.binding())
                await self.refused("login_failed", client.login(
                    "ada", ACCOUNTS["ada"], binding=other.binding()))

        self.meet(scenario)

    def test_other_bindings_and_mechanisms(self):
        async def scenario(port, server):
            for header in ("n,,", "y,,", "p=tls-unique,,", "p=tls-exporter,a=bob,"):
                async with dial(port) as client:
                    begin(client, header=header)
                    await self.closed_with("login_failed", client)
            for mechanism, data, name in (("SCRAM-SHA-256", b"n,,n=ada,r=abc", "login_failed"),
                                          ("", b"", "login_failed"),
                                          (PASSWORD, b"", "login_failed"),
                                          (PASSWORD, b"\xff\0", "login_failed"),
                                          (TOKEN, b"", "token_refused"),
                                          (TOKEN, b"\3ada", "token_refused")):
                async with dial(port) as client:
                    client.hello()
                    client.control.send("login_begin", mechanism=mechanism, device=bytes(16),
                                        data=data)
                    await self.closed_with(name, client)
            async with dial(port) as client:
                begin(client)
                await soon(client.control.take("login_challenge"))
                client.control.send("login_begin", mechanism=PASSWORD, device=bytes(16), data=b"")
                await self.closed_with("unexpected_frame", client)

        self.meet(scenario)

    def test_too_many_wrong_ones(self):
        async def scenario(port, server):
            codes = []
            while not codes or codes[-1] == ERRORS["login_failed"]:
                self.assertLess(len(codes), 100)
                async with dial(port) as client:
                    begin(client, "bob")
                    with contextlib.suppress(Refused):
                        await soon(client.control.take("login_challenge"))
                        client.control.send("login_response", data=b"c=,r=,p=AAAA")
                    codes.append((await soon(client.closed())).error_code)
            self.assertEqual(codes[-1], ERRORS["too_many_attempts"])

        self.meet(scenario)


class Tokens(PeerCase):
    def test_a_device_logs_in_by_its_tokens(self):
        device = os.urandom(16)

        async def scenario(port, server):
            async with logged_in(port, device=device) as client:
                first = await client.token(device)
                self.assertEqual(len(first.key), 32)
            tokens = [first]
            for _ in range(2):
                async with dial(port) as client:
                    await client.login_with(tokens[-1])
                    tokens.append(await client.token(device))
            generations = [token.generation for token in tokens]
            self.assertEqual(generations, sorted(set(generations)))

            # The previous one: refused, and the device is forgotten.
            for token in (tokens[0], tokens[2]):
                async with dial(port) as client:
                    await self.refused("token_refused", client.login_with(token))

        self.meet(scenario)

    def test_tokens_of_others(self):
        device = os.urandom(16)

        async def scenario(port, server):
            async with logged_in(port, device=device) as client:
                good = await client.token(device)
            for wrong in (DeviceToken("ada", device, good.generation, os.urandom(32)),
                          DeviceToken("ada", device, good.generation + 1, good.key),
                          DeviceToken("ada", os.urandom(16), good.generation, good.key),
                          DeviceToken("bob", device, good.generation, good.key),
                          DeviceToken("nobody", device, good.generation, good.key)):
                async with dial(port) as client:
                    await self.refused("token_refused", client.login_with(wrong))
            async with dial(port) as client:
                await self.refused("token_refused", client.login_with(good, os.urandom(32)))
            async with dial(port) as client:  # a claim that is not proven changes nothing
                await client.login_with(good)

        self.meet(scenario)

    def test_joins_of_the_first_flight(self):
        device = os.urandom(16)

        async def scenario(port, server):
            async with logged_in(port, device=device) as client:
                token = await client.token(device)
                stream, _ = await client.join("#lobby")
                ack = await client.publish(stream, "before")
            async with dial(port) as client:
                client.begin_with(token)
                stream = client.open()
                stream.send("join", request=client.request(), room="#lobby", kind=2,
                            epoch=ack["epoch"], offset=ack["offset"] - 1)
                await client.logged_in_with(token)
                self.assertTrue((await stream.take("joined"))["recovered"])
                self.assertEqual((await stream.take("event"))["text"], "before")
            async with dial(port) as client:  # §5.1: 16 384 bytes, each stream 128 more
                client.hello()
                client.open().write(varint(0x31) + varint(17_000) + bytes(17_000))
                await self.closed_with("unexpected_frame", client)

        self.meet(scenario)


class Closes(PeerCase):
    """PROTOCOL.md §8: what closes a connection, and with which number."""

    def test_before_the_login(self):
        frames = [
            ("version_mismatch", [HELLO | {"minor_min": 7, "minor_max": 9}]),
            ("version_mismatch", [HELLO | {"minor_min": 1, "minor_max": 0}]),
            ("malformed_frame", [HELLO | {"agent": "no JSON"}]),
            ("malformed_frame", [HELLO | {"agent": "[]"}]),
            ("unexpected_frame", [HELLO, HELLO]),
            ("unexpected_frame", [{"frame": "rooms_request", "request": 1, "after": ""}]),
            ("unexpected_frame", [{"frame": "login_response", "data": b""}]),
            ("frame_too_large", varint(0x02) + varint(BEFORE_LOGIN + 1)),
            ("frame_too_large", varint(0x33) + varint(BEFORE_LOGIN + 1)),
            ("unknown_frame", varint(0x14) + varint(0)),
            ("malformed_frame", varint(0x02) + varint(2) + b"\0\0"),
        ]

        async def scenario(port, server):
            for name, sent in frames:
                with self.subTest(f"{name}: {sent!r:.60}"):
                    async with dial(port) as client:
                        data = sent if isinstance(sent, bytes) else b"".join(map(encode, sent))
                        client.control.write(data)
                        await self.closed_with(name, client)
            async with dial(port) as client:
                client.control.finish()
                await self.closed_with("unexpected_frame", client)
            # Features that nobody knows, also empty and doubled; an unknown odd frame.
            async with dial(port) as client:
                client.control.write(varint(0x35) + varint(2) + b"xx")
                client.hello(minor_max=5, features=["", "flying", "flying"])
                self.assertEqual((await soon(client.control.take("welcome")))["features"], [])

        self.meet(scenario)

    def test_after_the_login(self):
        publish = {"frame": "publish", "request": 7, "id": bytes(16), "text": "x",
                   "attributes": "{}", "act": MESSAGE}
        join = {"frame": "join", "request": 8, "room": "#lobby", "kind": 0}
        broken = [
            ("control", "malformed_frame", {"frame": "rooms_request", "request": 0, "after": ""}),
            ("control", "malformed_frame", {"frame": "rooms_request", "request": 1,
                                            "after": "x" * 65}),
            ("control", "unexpected_frame", HELLO),
            ("control", "unexpected_frame", publish),
            ("control", "frame_too_large", varint(0x35) + varint(AFTER_LOGIN + 1)),
            ("room", "unexpected_frame", join),
            ("room", "malformed_frame", publish | {"act": MESSAGE | {"kind": 11}}),
            ("room", "unknown_frame", varint(0x14) + varint(0)),
            ("room", "malformed_frame", varint(0x24) + varint(1) + b"\1"),
            ("new", "unexpected_frame", publish),
            ("new", "unexpected_frame", {"frame": "file_data", "data": b"x"}),
            ("new", "unexpected_frame", {"frame": "heartbeat", "head": 1}),
        ]

        async def scenario(port, server):
            for place, name, sent in broken:
                with self.subTest(f"{place} {name}: {sent!r:.60}"):
                    async with logged_in(port) as client:
                        stream = client.control
                        if place == "room":
                            stream, _ = await client.join("#lobby")
                        elif place == "new":
                            stream = client.open()
                        stream.write(sent if isinstance(sent, bytes) else encode(sent))
                        await self.closed_with(name, client)
            async with logged_in(port) as client:
                stream, _ = await client.join("#lobby")
                stream.write(b"\x24\x10\x01", fin=True)  # ends inside a frame
                await self.closed_with("malformed_frame", client)
            async with logged_in(port) as client:
                client.control.reset()
                await self.closed_with("unexpected_frame", client)

        self.meet(scenario, limits={"requests_per_account": 1000})

    def test_who_says_nothing(self):
        async def scenario(port, server):
            async with dial(port) as client:
                await self.closed_with("login_timeout", client)

        self.meet(scenario, limits={"login_timeout": 0.3})

    def test_a_server_that_ends(self):
        async def main():
            async with quicchat.serve(self.config(limits={"drain_timeout": 0.2})) as server:
                async with logged_in(server.address[1]) as client:
                    stream, _ = await client.join("#lobby")
                    ending = asyncio.create_task(server.close())
                    away = await soon(client.control.take("goaway"))
                    self.assertEqual(away["code"], ERRORS["server_shutdown"])
                    self.assertEqual(away["grace_ms"], 200)
                    await self.closed_with("server_shutdown", client)
                    await ending

        self.run_async(main)


if __name__ == "__main__":
    unittest.main()
