"""What tests of programs on a network in memory share."""

import asyncio

from _support import PATIENCE, Case, quicchat

try:
    from quicchat.testing import Network
except ImportError:
    Network = None  # `Case` says why

MANY = 1_000_000
FAST = {"limits": None}
if quicchat:
    FAST = {"limits": quicchat.Limits(
        messages_per_account=MANY, messages_per_room=MANY, messages_per_prefix=MANY,
        requests_per_connection=MANY, requests_per_account=MANY, room_log_records_max=4000,
        room_age_min=0)}


def kinds(events):
    return [type(event).__name__ for event in events]


def texts(events):
    return [event.text for event in events if isinstance(event, quicchat.Message)]


async def drained(net, view):
    """What waits in a view, once all is at rest."""
    await net.settle()
    found = []
    while view.waiting:
        found.append(await anext(view))
    return found


async def behind(net, count=1200):
    """A room, and a view that so many messages were too many for."""
    ada, bob = await net.connect("ada"), await net.connect("bob")
    room, slow = await ada.join("#lobby"), (await bob.join("#lobby")).events()
    for n in range(count):
        await room.send(str(n))
    await net.settle()
    return bob, room, slow


class InMemory(Case):
    def on(self, scenario, **options):
        """Runs `scenario(net)` on a network of its own."""

        async def main():
            async with asyncio.timeout(PATIENCE), Network(**options) as net:
                await scenario(net)

        asyncio.run(main())
