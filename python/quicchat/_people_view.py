"""Who comes on line at a server and who goes, for the server's own program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from ._plain import Plain
from ._program import Program
from .errors import ServerShutdown

__all__ = ["PeopleView", "Person"]


@dataclass(frozen=True, slots=True)
class Person(Plain):
    """Somebody, as the server's program sees them."""

    user: str  #: as the account is spelled
    display_name: str  #: what they want to be called; empty: nothing else
    connections: int  #: on which they were logged in at that moment

    @property
    def is_online(self) -> bool:
        """Logged in on some connection."""
        return self.connections > 0


class PeopleView(AsyncIterator[Person]):
    """One reader of who comes on line and who goes. It holds one entry for each account at most,
    the newest, however slow it is read."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._asks = False  # who is here; before that nothing need be known
        self._begun = False
        self._changed: dict[str, Person] = {}  # by name in lower case, in the order of the news
        self._here: set[str] = set()  # who was given as on line
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()  # of tasks that read it together
        program.hear_people(self)

    def came_or_went(self, person: Person | None) -> None:
        """Of the server: somebody is on line or away now; None: the server ends."""
        if person is not None:
            self._note(person)
        self._news.set()

    def __aiter__(self) -> PeopleView:
        return self

    async def __anext__(self) -> Person:
        try:
            async with self._turn:
                return await self._next()
        except ServerShutdown:
            raise StopAsyncIteration from None

    async def _next(self) -> Person:
        if not self._begun:
            await self._begin()
        while True:
            while self._changed:
                name = next(iter(self._changed))
                person = self._changed.pop(name)
                if person.is_online != (name in self._here):
                    (self._here.add if person.is_online else self._here.discard)(name)
                    return person
            if self._program.is_over:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()

    async def _begin(self) -> None:
        self._asks = True
        try:
            for person in await online(self._program):
                # What has come meanwhile is newer.
                self._changed.setdefault(person.user.lower(), person)
            self._begun = True
        finally:
            if not self._begun:
                self._asks = False
                self._changed.clear()

    def _note(self, person: Person) -> None:
        if not self._asks:
            return
        name = person.user.lower()
        self._changed.pop(name, None)
        if self._begun and person.is_online == (name in self._here):
            return  # came and went, or went and came, before that was read
        self._changed[name] = person


async def online(program: Program) -> list[Person]:
    """Who is logged in, sorted by name."""
    found: list[Person] = []
    complete = False
    while not complete:
        rows: list[Any]
        rows, complete = await program.ask("", program.core.request_online,
                                           found[-1].user if found else "")
        found += [Person(*row) for row in rows]
    return found
