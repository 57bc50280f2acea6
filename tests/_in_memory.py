"""What tests of programs on a network in memory share."""

import asyncio

from _support import PATIENCE, Case, quicchat

try:
    from quicchat.testing import Network
except ImportError:
    Network = None  # `Case` says why


def kinds(events):
    return [type(event).__name__ for event in events]


def texts(events):
    return [event.text for event in events if isinstance(event, quicchat.Message)]


class InMemory(Case):
    def on(self, scenario, **options):
        """Runs `scenario(net)` on a network of its own."""

        async def main():
            async with asyncio.timeout(PATIENCE), Network(**options) as net:
                await scenario(net)

        asyncio.run(main())
