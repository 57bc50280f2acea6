"""Streams of PROTOCOL.md §2 and how they end: the client of aioquic and a real server."""

import os
import unittest

from .cases import ACCOUNTS, PeerCase, logged_in, soon
from .client import MESSAGE, dial
from .codec import encode, varint
from .login import PASSWORD, ScramClient

FLOW_CONTROL_ERROR, STREAM_LIMIT_ERROR = 0x3, 0x4  # RFC 9000 §20.1

JOIN = {"frame": "join", "request": 90, "room": "#lobby", "kind": 0}
HISTORY = {"frame": "history_request", "request": 91, "room": "#lobby", "offset": 1, "before": 9,
           "after": 9}
PUBLISH = {"frame": "publish", "request": 92, "id": bytes(16), "text": "x", "attributes": "{}",
           "act": MESSAGE}


class Ends(PeerCase):
    def test_a_refused_request_ends_its_stream(self):
        async def scenario(port, server):
            async with logged_in(port) as client:
                stream = client.open()
                stream.write(encode(JOIN | {"room": "#nowhere"}))
                self.assertEqual((await soon(stream.take("error")))["request"], 90)
                await soon(stream.over())
                self.assertTrue(stream.finished)
                stream.write(encode(JOIN) + encode(PUBLISH))  # is ignored
                stream, _ = await soon(client.join("#lobby"))
                await soon(client.publish(stream, "x"))

        self.meet(scenario)

    def test_resets_are_leaving(self):
        async def scenario(port, server):
            async with logged_in(port) as client, logged_in(port, "bob") as other:
                watching, _ = await other.join("#lobby")
                for how in ("reset", "stop", "both", "finish"):
                    stream, _ = await client.join("#lobby")
                    await soon(watching.take("presence", user="ada", present=True))
                    if how == "finish":
                        stream.finish()
                    if how in ("reset", "both"):
                        stream.reset(1234)
                    if how in ("stop", "both"):
                        client._quic.stop_stream(stream.number, 4321)
                        client.transmit()
                    await soon(watching.take("presence", user="ada", present=False))
                    if how in ("stop", "both"):
                        continue  # aioquic says no more of a stream that it has stopped
                    await soon(stream.over())
                    self.assertEqual(stream.reset_code is not None, how == "reset")
                self.assertIsNone(client.end)

        self.meet(scenario)

    def test_what_may_not_come_behind_a_request(self):
        cases = [[HISTORY, HISTORY], [HISTORY, PUBLISH], [JOIN, HISTORY], [JOIN, JOIN],
                 [{"frame": "search_request", "request": 93, "room": "#lobby", "words": "x",
                   "before": 9, "count": 1}, HISTORY]]

        async def scenario(port, server):
            for frames in cases:
                with self.subTest([frame["frame"] for frame in frames]):
                    async with logged_in(port) as client:
                        client.open().write(b"".join(map(encode, frames)))
                        await self.closed_with("unexpected_frame", client)

        self.meet(scenario)

    def test_a_page_is_answered_before_its_stream_is_finished(self):
        async def scenario(port, server):
            async with logged_in(port) as client:
                stream = client.open()
                stream.write(encode(HISTORY))
                await soon(stream.take("history_end", request=91))
                await soon(stream.over())
                self.assertTrue(stream.finished)

        self.meet(scenario)

    def test_who_finishes_too_early_gives_up_the_answer_alone(self):
        async def scenario(port, server):
            async with logged_in(port) as client, logged_in(port, "bob") as other:
                watching, _ = await other.join("#lobby")
                stream, _ = await client.join("#lobby")
                stream.write(encode(PUBLISH), fin=True)
                await soon(stream.over())
                ack = await soon(self.again(client))  # stored or not: once at the end
                event = await soon(watching.take("event"))
                self.assertEqual(event["offset"], ack["offset"])
                self.assertEqual((await client.history("#lobby", 1 << 40, 100))[0], [event])

        self.meet(scenario)

    async def again(self, client):
        stream, _ = await client.join("#lobby")
        return await client.publish(stream, "x", id=bytes(16))


class Limits(PeerCase):
    async def ended_by_quic(self, code, client):
        end = await soon(client.closed())
        self.assertEqual(end.error_code, code, end)
        self.assertIsNotNone(end.frame_type)  # CONNECTION_CLOSE of QUIC, not of the application

    def test_more_than_was_allowed(self):
        async def scenario(port, server):
            async with logged_in(port) as client:
                client._quic._remote_max_streams_uni = 1
                client._quic._remote_max_stream_data_uni = 1
                client._quic.send_stream_data(2, b"x")
                client.transmit()
                await self.ended_by_quic(STREAM_LIMIT_ERROR, client)
            async with logged_in(port) as client:
                allowed = client._quic._remote_max_streams_bidi
                client._quic._remote_max_streams_bidi = 1 << 20
                for _ in range(allowed + 8):
                    client.open().write(encode(JOIN)[:1])
                await self.ended_by_quic(STREAM_LIMIT_ERROR, client)

        self.meet(scenario)

    def test_bytes_beyond_the_credit(self):
        async def beyond(port, offset, data):
            async with logged_in(port) as client:
                stream, _ = await client.join("#lobby")
                state = client._quic._streams[stream.number]
                allowed = state.max_stream_data_remote
                state.max_stream_data_remote = client._quic._remote_max_data = 1 << 50
                # Nothing of what is between is ever sent.
                state.sender._buffer_start = state.sender._buffer_stop = offset(allowed)
                stream.write(data)
                if offset(allowed) + len(data) > allowed:
                    await self.ended_by_quic(FLOW_CONTROL_ERROR, client)
                else:
                    await soon(client.ping())
                    self.assertIsNone(client.end)

        async def scenario(port, server):
            await beyond(port, lambda allowed: allowed, b"x")
            await beyond(port, lambda allowed: 1 << 40, b"x")
            await beyond(port, lambda allowed: allowed - 1, b"x")  # the last one that is allowed

        self.meet(scenario)

    def test_all_that_comes_before_the_login_is_counted_together(self):
        # §5.1: 16 384 bytes in all, where each stream counts 128 more than it has.
        join = encode(JOIN)[:1]
        cases = [(40, 282), (60, 146)]

        async def scenario(port, server):
            for streams, size in cases:
                with self.subTest(f"{streams} streams of {size} bytes"):
                    async with dial(port) as client:
                        client.hello()
                        for _ in range(streams):
                            # A Join that never becomes whole.
                            client.open().write(join + varint(1000) + bytes(size - 3))
                        await self.closed_with("unexpected_frame", client)

        self.meet(scenario)

    def test_hints_that_are_none_are_ignored(self):
        async def scenario(port, server):
            async with logged_in(port) as client, logged_in(port, "bob") as other:
                watching, _ = await other.join("#lobby")
                stream, _ = await client.join("#lobby")
                for data in (b"", b"\x40", b"\xff" * 8, encode(JOIN), os.urandom(100),
                             encode({"frame": "typing", "stream": 4000, "user": ""})):
                    client._quic.send_datagram_frame(data)
                client.type_in(stream)
                typing = await soon(other.typing())
                self.assertEqual((typing["user"], typing["stream"]), ("ada", watching.number))
                await soon(client.publish(stream, "x"))

        self.meet(scenario)

    def test_bytes_come_one_by_one(self):
        async def scenario(port, server):
            async with dial(port) as client:
                scram = ScramClient("ada", ACCOUNTS["ada"], client.binding())
                await self.slowly(client, client.control, {
                    "frame": "hello", "minor_min": 0, "minor_max": 0, "features": [],
                    "agent": "{}"})
                await self.slowly(client, client.control, {
                    "frame": "login_begin", "mechanism": PASSWORD, "device": bytes(16),
                    "data": scram.first()})
                challenge = await soon(client.control.take("login_challenge"))
                client.control.send("login_response", data=scram.final(challenge["data"]))
                scram.check((await soon(client.control.take("login_done")))["data"])
                stream = client.open()
                await self.slowly(client, stream, JOIN)
                await soon(stream.take("joined"))

        self.meet(scenario)

    async def slowly(self, client, stream, frame):
        for byte in encode(frame):
            stream.write(bytes([byte]))  # a packet of its own


class Again(PeerCase):
    """§6.3: "CreateRoom, Tell and FileOffer follow the same rule."."""

    def test_the_same_id_is_the_same_act(self):
        async def scenario(port, server):
            async with logged_in(port) as client:
                first = await client.tell("bob", "hello", id=bytes(16))
                again = await client.tell("bob", "hello", id=bytes(16))
                self.assertEqual(first["offset"], again["offset"])
                await self.refused("conflict", client.tell("bob", "bye", id=bytes(16)))
                for _ in range(2):
                    made = await client.ask(client.control, "create_room", "ack", id=bytes(16),
                                            room="#den", access=0, topic="")
                    self.assertEqual(made["offset"], 1)
                # Another device has ids of its own.
            async with logged_in(port, device=os.urandom(16)) as client:
                other = await client.tell("bob", "bye", id=bytes(16))
                self.assertEqual(other["offset"], first["offset"] + 1)

        self.meet(scenario)


if __name__ == "__main__":
    unittest.main()
