"""The real client beside a server by aioquic."""

import asyncio
import functools

from _support import account, next_of, quicchat

from .cases import ACCOUNTS, PeerCase, soon
from .house import House
from .login import Verifier
from .peer import fingerprint_of
from .server import serve

SOON_BACK = quicchat.Reconnect(delay_min=0.5, delay_max=0.5)


@functools.cache
def verifiers():
    return {name: Verifier.of(password) for name, password in ACCOUNTS.items()}


class ServerCase(PeerCase):
    def host(self, scenario, **options):
        """Runs `scenario(connect, house, port, door)` beside a server by aioquic."""

        faults = []  # of the peer itself

        async def main():
            asyncio.get_running_loop().set_exception_handler(
                lambda loop, context: faults.append(context))
            house = House({})
            house.verifiers = dict(verifiers())
            async with serve(house, **options) as (port, door, certificate):
                trust = quicchat.TLS.pin(fingerprint_of(certificate))

                def connect(name="ada", port=port, **more):
                    more = {"tls": trust, "reconnect": SOON_BACK} | more
                    return quicchat.connect("127.0.0.1", port, **account(name) | more)

                await scenario(connect, house, port, door)

        try:
            self.run_async(main)
        finally:
            self.assertEqual(faults, [])

    async def talks(self, connect, house, **options):
        """Log in, join, send, read."""
        async with connect(**options) as chat:
            room = await chat.join("#lobby")
            receipt = await soon(room.send("hi"))
            self.assertEqual(receipt.offset, house.rooms["#lobby"].head)
            message = await soon(next_of(chat, quicchat.Message))
            self.assertEqual((message.text, message.sender), ("hi", "ada"))
