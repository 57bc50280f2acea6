"""A full screen in this process, driven by textual's pilot, whose text is read."""

import asyncio
import contextlib
import re
import time
from functools import partial
from types import SimpleNamespace

from _support import Case, scaled

try:
    import textual  # noqa: F401

    from quicchat.cli._session import Session
    from quicchat.tui._app import ChatApp
    from quicchat.tui._full_screen import FullScreen

    NO_TEXTUAL = ""
except ImportError as problem:
    NO_TEXTUAL = f"the full screen needs textual: {problem}"


PATIENCE = scaled(30.0)  # in seconds
SIZES = ((80, 24), (200, 60))


class FullCase(Case):
    """Tests with ada at a full screen; skipped where there is no textual."""

    def setUp(self):
        if NO_TEXTUAL:
            self.skipTest(NO_TEXTUAL)
        super().setUp()

    def meet(self, scenario, size=(80, 24), before=None, keeps_typed=False):
        """Runs `scenario(ada, bob)` with bob a Chat that has a lobby. `before(bob)` comes first."""
        history = self.folder / "typed" if keeps_typed else None

        async def main(connect, server):
            async with connect("bob") as chat, contextlib.AsyncExitStack() as stack:
                bob = SimpleNamespace(chat=chat, lobby=await chat.join("#lobby"))
                if before is not None:
                    await before(bob)
                ada = await stack.enter_async_context(connect("ada"))
                ada = await stack.enter_async_context(full_screen(ada, size, history=history))
                await ada.see("F1 help")
                await scenario(ada, bob)

        self.talk(main, database=None)


class Full:
    """One person at a full screen."""

    def __init__(self, pilot, screen, session):
        self.pilot, self.screen, self.session = pilot, screen, session
        self.app = pilot.app
        self.chat = session.chat

    def lines(self):
        """The text on the screen, without spaces at the ends."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    def text(self):
        return "\n".join(self.lines())

    def pane(self, name):
        """The text of one widget."""
        base = self.app.screen_stack[0]
        return self._text_in(base, base.query_one(f"#{name}").scrollable_content_region)

    def box(self):
        """The text of what stands over everything else."""
        return self._text_in(self.app.screen, self.app.screen.query_one("Vertical").region)

    @staticmethod
    def _text_in(screen, region):
        strips = screen._compositor.render_strips()[region.y:region.bottom]
        return [strip.crop(region.x, region.right).text.rstrip() for strip in strips]

    async def wait_for(self, holds, what):
        """Until something is true of the screen."""
        deadline = time.monotonic() + PATIENCE
        while True:
            await self.pilot.pause()
            if found := holds():
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"never: {what}; the screen:\n{self.text()}")
            await asyncio.sleep(0.01)

    async def see(self, *texts):
        for text in texts:
            await self.wait_for(partial(self._has, text), repr(text))

    def _has(self, text):
        return text in self.text()

    async def get(self, record):
        """Until the room in front has that record; it need not be on the screen."""
        log = self.session.windows.front.log
        await self.wait_for(lambda: log.head >= record.offset, f"record {record.offset}")

    async def see_not(self, text):
        await self.wait_for(lambda: text not in self.text(), f"the end of {text!r}")

    async def see_room(self, pattern):
        """Until a row of the rooms is like that."""
        await self.wait_for(lambda: any(re.fullmatch(pattern, row.strip())
                                        for row in self.pane("rooms")), pattern)

    async def type(self, text):
        """A line and Enter."""
        self.app.entry.begin(text)
        await self.pilot.press("enter")

    async def press(self, *keys):
        await self.pilot.press(*keys)

    async def settle(self):
        """Until nothing changes any more for a moment."""
        before = None
        while before != (before := self.text()):
            await asyncio.sleep(scaled(0.05))
            await self.pilot.pause()


@contextlib.asynccontextmanager
async def full_screen(chat, size=(80, 24), room="#lobby", history=None, last=10):
    """The full screen of somebody who is connected."""
    app = ChatApp()
    async with app.run_test(size=size) as pilot:
        screen = FullScreen(app=app, history=history)
        session = Session(chat, screen, last)
        await session.begin(room)
        tasks = [asyncio.ensure_future(session.show_events()),
                 asyncio.ensure_future(session.read_lines())]
        try:
            yield Full(pilot, screen, session)
        finally:
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception) and not isinstance(result, asyncio.CancelledError):
                    raise result
            await screen.close()
