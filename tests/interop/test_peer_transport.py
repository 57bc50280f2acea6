"""QUIC itself: the client of aioquic and a real server."""

import asyncio
import os
import socket
import unittest

from aioquic.tls import CipherSuite

from .cases import PeerCase, logged_in, soon
from .client import dial, make_client
from .link import link_to
from .peer import V1, V2, Ended, Refused, fingerprint_of

NO_APPLICATION_PROTOCOL = 0x178  # §1.2
RESERVED = 0x1A2A3A4A  # RFC 9000 §15


class Handshakes(PeerCase):
    async def assert_talks(self, port, version, **options):
        async with logged_in(port, **options) as client:
            self.assertEqual(client.version, version)
            self.assertEqual(client.alpn, "quicchat/1")
            stream, joined = await client.join("#lobby")
            ack = await client.publish(stream, "hi")
            self.assertEqual(ack["offset"], joined["next"])
            return client

    def test_both_versions(self):
        async def scenario(port, server):
            await self.assert_talks(port, V1, supported_versions=[V1])
            await self.assert_talks(port, V2, supported_versions=[V2])
            await self.assert_talks(port, V1, supported_versions=[V1, V2], original_version=V1)
            await self.assert_talks(port, V2, supported_versions=[V2, V1])

        self.meet(scenario)

    def test_a_version_that_nobody_has(self):
        async def scenario(port, server):
            for strange in (RESERVED, 0x2A3A4A5A, 0xFF00001D):
                await self.assert_talks(port, V1, supported_versions=[strange, V1])
            negotiated = server.stats().transport.strangers["versions_negotiated"]
            self.assertGreaterEqual(negotiated, 3)

        self.meet(scenario)

    def test_another_application_is_refused(self):
        async def scenario(port, server):
            for names in (["h3"], ["quicchat/2"], ["quicchat"], None):
                with self.assertRaises(Refused) as caught:
                    async with dial(port, alpn_protocols=names) as client:
                        await soon(client.closed())
                        client.raise_end()
                self.assertEqual(caught.exception.code, NO_APPLICATION_PROTOCOL)
            await self.assert_talks(port, V1, alpn_protocols=["h3", "quicchat/1"])

        self.meet(scenario)

    def test_each_suite_has_its_exporter(self):
        async def scenario(port, server):
            for suite in CipherSuite:
                if suite != CipherSuite.EMPTY_RENEGOTIATION_INFO_SCSV:
                    client = await self.assert_talks(port, V1, cipher_suites=[suite])
                    self.assertEqual(client._quic.tls.key_schedule.cipher_suite, suite)

        self.meet(scenario)

    def test_the_key_has_the_name_that_the_server_says(self):
        async def scenario(port, server):
            async with dial(port) as client:
                certificate = client._quic.tls._peer_certificate
                self.assertEqual(fingerprint_of(certificate), server.fingerprint)

        self.meet(scenario)

    def test_no_early_data_and_no_streams_of_the_server(self):
        async def scenario(port, server):
            tickets = []
            async with logged_in(port, tickets=tickets) as client:
                stream, _ = await client.join("#lobby")
                await client.publish(stream, "hi")
                self.assertEqual(set(client.streams), {0, stream.number})
                self.assertEqual(client._quic._remote_max_streams_uni, 0)
                self.assertGreaterEqual(client._quic._remote_max_streams_bidi,
                                        client.welcome["rooms_max"] + 8)
                self.assertEqual(client._quic._remote_max_idle_timeout, 60)
                self.assertEqual(client._quic._remote_max_data, 1 << 20)
                self.assertEqual(tickets, [])

        self.meet(scenario)


class Addresses(PeerCase):
    def test_retry_and_the_token_that_spares_it(self):
        async def scenario(port, server):
            shown = []
            async with logged_in(port, tokens=shown) as client:
                self.assertEqual(client.retries, 0)
                stream, _ = await client.join("#lobby")
                await client.publish(stream, "hi")
                await client.ping()
            tokens = list(dict.fromkeys(shown))  # one may have come twice
            self.assertEqual(len(tokens), 2)  # §1.4: by the handshake, and by the login
            self.half_open(port, 64)
            while server.stats().transport.handshakes_open < 64:
                await asyncio.sleep(0.01)
            async with logged_in(port) as client:
                self.assertEqual(client.retries, 1)
            async with logged_in(port, token=b"no token of this server") as client:
                self.assertEqual(client.retries, 1)
            for token in tokens:
                async with logged_in(port, token=token) as client:
                    self.assertEqual(client.retries, 0)
            self.assertGreaterEqual(server.stats().transport.strangers["retries"], 2)

        self.meet(scenario, limits={"handshake_timeout": 600})  # so long do the 64 stay

    def half_open(self, port, count):
        """First packets of clients that say no more."""
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sender.close)
        loop = asyncio.get_running_loop()
        for _ in range(count):
            client = make_client()
            client._quic.connect(("127.0.0.1", port), loop.time())
            for data, address in client._quic.datagrams_to_send(loop.time()):
                sender.sendto(data, address)

    def test_a_client_moves(self):
        async def scenario(port, server):
            for change_id in (True, False) * 3:
                with self.subTest(change_id=change_id):
                    await self.moves(port, change_id)

        self.meet(scenario)

    async def moves(self, port, change_id):
        async with logged_in(port) as client, logged_in(port, "bob") as other:
            stream, _ = await client.join("#lobby")
            others, _ = await other.join("#lobby")
            for _ in range(5):
                old = client.port
                ack = await soon(client.publish(stream, "from there"))
                await client.move(change_id)
                self.assertNotEqual(client.port, old)
                # Both directions: what the server says first, and what the client says first.
                await soon(other.publish(others, "to there"))
                await soon(stream.take("event", offset=ack["offset"] + 1))
                await soon(client.publish(stream, "from here"))
                self.assertIsNone(client.end)

    def test_a_nat_rebinds(self):
        async def scenario(port, server):
            async with link_to(port) as link, logged_in(link.port) as client:
                stream, _ = await client.join("#lobby")
                data = os.urandom(200_000)
                upload, _ = await client.offer("#lobby", "data", data, os.urandom(16))
                for place in range(0, len(data), 10_000):
                    if place % 50_000 == 0:
                        await link.rebind()
                    upload.send("file_data", data=data[place:place + 10_000])
                    await soon(client.publish(stream, str(place)))
                upload.finish()
                await soon(upload.take("ack"))

        self.meet(scenario)

    def test_packets_of_no_connection_get_a_shorter_reset(self):
        async def scenario(port, server):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.setblocking(False)
                stranger.connect(("127.0.0.1", port))
                stranger.send(b"\x40" + os.urandom(99))
                loop = asyncio.get_running_loop()
                answer = await soon(loop.sock_recv(stranger, 2000))
                self.assertTrue(21 <= len(answer) < 100, len(answer))
                self.assertEqual(answer[0] & 0xC0, 0x40)  # RFC 9000 §5.9: as a short header

        self.meet(scenario)


class Keys(PeerCase):
    def test_keys_are_updated_again_and_again(self):
        async def scenario(port, server):
            async with logged_in(port) as client:
                stream, _ = await client.join("#lobby")
                await client.publish(stream, "before")
                for number in range(1, 5):
                    await soon(client.update_keys())
                    await soon(client.publish(stream, f"with key {number}"))
                    await soon(client.ping())
                    self.assertEqual(client.key_phases, (number % 2, number % 2))

        self.meet(scenario)


class Links(PeerCase):
    def test_a_link_that_loses_and_reorders(self):
        async def scenario(port, server):
            async with link_to(port, seed=7) as link:
                link.loss, link.reordering = 0.1, 0.2
                async with logged_in(link.port) as client:
                    stream, joined = await client.join("#lobby")
                    for number in range(20):
                        await client.publish(stream, f"{number}" * 100)
                    texts = [await stream.take("event") for _ in range(20)]
                    self.assertEqual([event["offset"] for event in texts],
                                     list(range(joined["next"], joined["next"] + 20)))
                    self.assertEqual(texts[19]["text"], "19" * 100)
                self.assertGreater(link.lost, 0)

        self.meet(scenario)

    def test_a_path_of_1200_bytes(self):
        async def scenario(port, server):
            async with link_to(port) as link:
                link.bytes_max = 1200
                await self.pages(link, port)

        self.meet(scenario)

    def test_a_path_that_shrinks(self):
        async def scenario(port, server):
            async with link_to(port) as link, logged_in(port, "bob") as other:
                others, _ = await other.join("#lobby")
                async with logged_in(link.port) as client:
                    stream, _ = await client.join("#lobby")
                    while link.longest < 1400:  # until the server has measured the path
                        await soon(other.publish(others, "x" * 2000))
                        await stream.take("event")
                    link.bytes_max = 1200
                    for _ in range(2):
                        ack = await soon(other.publish(others, "x" * 20_000))
                        await soon(self.comes(stream, ack["offset"]), 6)

        self.meet(scenario)

    @staticmethod
    async def comes(stream, offset):
        try:
            await stream.take("event", offset=offset)
        except (Ended, Refused) as error:
            raise AssertionError(f"the connection ended: {error}") from None

    async def pages(self, link, port):
        async with logged_in(link.port) as client:
            stream, joined = await client.join("#lobby")
            for _ in range(5):
                await soon(client.publish(stream, "y" * 10_000))
            events, end = await soon(client.history("#lobby", 1 << 40, before=100))
            self.assertEqual(sum(len(event["text"]) for event in events), 50_000)
            self.assertTrue(end["reaches_head"])


if __name__ == "__main__":
    unittest.main()
