"""A link between one client and a server, as bad as a test wants it."""

import asyncio
import contextlib
import random


class Link:
    """Carries datagrams, on the loop of the test."""

    def __init__(self, server_port, seed=1):
        self.bytes_max = 65_536  #: longer ones vanish
        self.loss = 0.0  #: this part of them vanishes, too
        self.reordering = 0.0  #: this part comes later
        self.longest = 0
        self.lost = 0
        self.port = 0
        self._server = ("127.0.0.1", server_port)
        self._client = None
        self._random = random.Random(seed)
        self._front = self._back = None

    async def start(self):
        self._front = await self._bind(self._from_client)
        self._back = await self._bind(self._from_server)
        self.port = self._front.get_extra_info("sockname")[1]

    @staticmethod
    async def _bind(receive):
        class End(asyncio.DatagramProtocol):
            def datagram_received(self, data, sender):
                receive(data, sender)

        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            End, local_addr=("127.0.0.1", 0))
        return transport

    def _from_client(self, data, sender):
        self._client = sender
        self._carry(lambda: self._back.sendto(data, self._server), data)

    def _from_server(self, data, sender):
        self._carry(lambda: self._front.sendto(data, self._client), data)

    def _carry(self, send, data):
        self.longest = max(self.longest, len(data))
        if len(data) > self.bytes_max or self._random.random() < self.loss:
            self.lost += 1
        elif self._random.random() < self.reordering:
            asyncio.get_running_loop().call_later(0.005, self._later, send)
        else:
            send()

    def _later(self, send):
        if not self._front.is_closing():
            send()

    async def rebind(self):
        """What a NAT does: the server sees another port, and the client does not know."""
        old, self._back = self._back, await self._bind(self._from_server)
        old.close()

    def close(self):
        self._front.close()
        self._back.close()


@contextlib.asynccontextmanager
async def link_to(server_port, **options):
    link = Link(server_port, **options)
    await link.start()
    try:
        yield link
    finally:
        link.close()
