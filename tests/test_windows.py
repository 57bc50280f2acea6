"""What a room shows that comes to the front, while more comes. Needs no server."""

import unittest
from datetime import UTC, datetime
from types import SimpleNamespace
from unittest import mock

from quicchat.cli._window import KEPT_MAX
from quicchat.cli._windows import Windows
from quicchat.errors import QuicChatError
from quicchat.records import Message
from quicchat.roles import Role


def message(offset):
    return Message(room="#tea", offset=offset, epoch=1, id=offset.to_bytes(16, "big"), sender="bob",
                   time=datetime(2026, 1, 1, tzinfo=UTC), text=f"line {offset}", attributes="{}")


class Tea:
    """A room of a server that answers with what it has; `meanwhile` comes while it looks."""

    name, topic, marker, role = "#tea", "", 0, Role.MEMBER

    def __init__(self):
        self.head, self.next = 0, 1
        self.meanwhile = []
        self.fails_after = 100

    async def history(self, before, limit):
        if self.meanwhile:
            self.meanwhile.pop(0)()
        self.fails_after -= 1
        if self.fails_after < 0:
            raise QuicChatError("no answer")
        first = max(1, before - limit)
        return SimpleNamespace(records=[message(n) for n in range(first, before)], first=first,
                               reaches_start=first == 1)

    async def mark_read(self, *_, **__):
        pass


class WhatComesMeanwhile(unittest.IsolatedAsyncioTestCase):
    async def shown(self, at_first, *later, fails_after=100):
        """The lines that are shown of so many records, of which `later` come while the server is
        asked, and up to where all was shown."""
        room, said = Tea(), []
        room.fails_after = fails_after
        screen = mock.Mock(is_terminal=True, is_live=False)
        screen.say.side_effect = said.append
        windows = Windows(SimpleNamespace(user="ada"), screen, last=20)
        window = windows._add(room)

        def come(count):
            for _ in range(count):
                room.head += 1
                room.next += 1
                window.keep(message(room.head))

        come(at_first)
        room.meanwhile = [lambda count=count: come(count) for count in later]
        with mock.patch.object(windows, "mark_soon"):
            await windows.bring(window)
        return said, window.readable()

    async def test_nothing_is_left_out(self):
        for counts in ((3,), (KEPT_MAX,), (KEPT_MAX + 14,), (KEPT_MAX + 14, 36),
                       (KEPT_MAX + 1, 1, 1, 5), (KEPT_MAX + 60, 90, 30)):
            with self.subTest(counts=counts):
                lines, readable = await self.shown(*counts)
                self.assertEqual(lines, [f"<bob> line {n}" for n in range(1, sum(counts) + 1)])
                self.assertEqual(readable, sum(counts))

    async def test_what_a_server_does_not_give_is_not_read(self):
        lines, readable = await self.shown(KEPT_MAX + 14, 36, fails_after=1)
        self.assertEqual(readable, 14)
        self.assertEqual(len(lines), 14 + KEPT_MAX)
