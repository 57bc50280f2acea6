"""What the tests of the peers share."""

import asyncio
import contextlib

from _support import ACCOUNTS, PATIENCE, Case, quicchat, scaled

from .client import dial
from .codec import ERRORS
from .peer import Refused

#: Soon enough for what takes a round trip, on a machine that does other things as well.
SOON = 30.0


class PeerCase(Case):
    def meet(self, scenario, **config):
        """Runs `scenario(port, server)` beside a real server."""
        # It need not wait for clients whose last packet went astray.
        config["limits"] = {"drain_timeout": 0.1} | config.get("limits", {})

        async def main():
            async with quicchat.serve(self.config(**config)) as server:
                await scenario(server.address[1], server)

        self.run_async(main)

    async def refused(self, name, awaitable):
        """It is refused with that error of §8, by an Error frame or a close."""
        with self.assertRaises(Refused) as caught:
            await soon(awaitable)
        self.assertEqual(name_of(caught.exception.code), name, str(caught.exception))
        return caught.exception

    async def closed_with(self, name, client):
        """The server closed the connection with that application error."""
        end = await soon(client.closed())
        self.assertEqual((name_of(end.error_code), end.frame_type), (name, None),
                         end.reason_phrase)


def name_of(code):
    return next((name for name, number in ERRORS.items() if number == code), hex(code))


async def soon(awaitable, seconds=SOON):
    async with asyncio.timeout(scaled(seconds)):
        return await awaitable


@contextlib.asynccontextmanager
async def logged_in(port, name="ada", device=bytes(16), **options):
    async with dial(port, **options) as client:
        await soon(client.login(name, ACCOUNTS[name], device=device))
        yield client


__all__ = ["ACCOUNTS", "PATIENCE", "PeerCase", "logged_in", "name_of", "scaled", "soon"]
