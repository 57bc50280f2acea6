"""The messages of the room in front."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from ._layout import Block, Layout, loose_blocks
from ._pane import Pane
from ._room_log import Hole, Said
from ._rows import Rows

_WIDTH_MIN = 8  # columns of text


class Messages(Rows):
    """Stays where one reads while other things change; at the end it follows what comes."""

    GUTTER = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "prefill('/reply')", show=False),
        Binding("e", "prefill('/edit')", show=False),
        Binding("d", "prefill('/delete')", show=False),
        Binding("plus", "prefill('/react')", show=False),
        Binding("s", "prefill('/save')", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "follow", show=False),
    ]

    class Prefill(Message):
        """The line that is typed should begin like that."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Jump(Message):
        """Somebody wants to see a message that another one answers."""

        def __init__(self, offset: int) -> None:
            super().__init__()
            self.offset = offset

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.pane: Pane | None = None
        self.follows = True  #: what comes next is shown at once
        self.on_look: Callable[[], None] = lambda: None  #: called when other rows are on the screen
        self._layout = Layout()
        self._placing = False
        self._begins = False  # the room has just come to the front
        self._goal: int | None = None  # a record to go to, once it is there

    # What is shown.

    def show_pane(self, pane: Pane | None, pending: list[str], loose: list[str]) -> None:
        """A room as it is now; or the lines that are said where there is none."""
        other = pane is not self.pane
        if other:
            self.remember()
            self.pane, self.chosen = pane, None
            self._layout = Layout()
            self.follows = True
            self._begins = pane is not None
        self._layout.width = max(_WIDTH_MIN, self.content_width - self.GUTTER)
        anchor = self._anchor()
        last = self._last_key()
        self.show(loose_blocks(loose, self._layout.width) if pane is None
                  else self._layout.blocks(pane, pending))
        if self._begins and pane is not None and not pane.is_loading:
            self._begins = False
            self._begin(pane)
        elif self._goal is not None:
            self.go_to(self._goal)
        elif self.follows:
            self._follow(last)
        elif anchor is not None:
            self._to_anchor(*anchor)
        self.call_after_refresh(self.on_look)

    def _last_key(self) -> tuple[str, int] | None:
        return next((block.key for block in reversed(self.blocks)
                     if block.key[0] in ("record", "remark")), None)

    def _follow(self, last: tuple[str, int] | None) -> None:
        """To the end, but past nothing that others said since that block was the last one."""
        number = None if last is None else self._number_of(last)
        if number is not None and self.pane is not None:
            row = self._starts[number] + len(self.blocks[number].rows)
            news = any(isinstance(block.item, Said)
                       and block.item.sender.lower() != self.pane.lines.me.lower()
                       for block in self.blocks[number + 1:])
            if news and len(self._rows) - row > self.page_height:
                self._to_row(row)
                return
        self._place(self.max_scroll_y)

    def remember(self) -> None:
        """Where one is, for the pane."""
        if self.pane is not None:
            anchor = None if self.follows else self._anchor()
            self.pane.top = anchor[0][1] if anchor is not None and anchor[0][0] == "record" else 0

    def _begin(self, pane: Pane) -> None:
        """Where what is new begins, if all of it is here; or else where one was, or the end."""
        number = self._number_of(("unread", 0))
        if number is not None and pane.hole_at(pane.shown + 1) is None:
            self._to_row(self._starts[number] - self.page_height // 3)
        elif pane.top and number is None:
            self.go_to(pane.top)
        else:
            self.action_follow()

    def _anchor(self) -> tuple[tuple[str, int], int] | None:
        """The first block on the screen that stays what it is, and how far it is from the top."""
        top = self.scroll_offset.y
        for _, number in self._rows[top:top + self.page_height]:
            block = self.blocks[number]
            if block.key[0] in ("record", "remark"):
                return block.key, self._starts[number] - top
        return None

    def _to_anchor(self, key: tuple[str, int], distance: int) -> None:
        number = self._number_of(key)
        if number is not None:
            self._to_row(self._starts[number] - distance, is_ours=False)

    def _number_of(self, key: tuple[str, int]) -> int | None:
        return next((n for n, block in enumerate(self.blocks) if block.key == key), None)

    def _to_row(self, row: int, *, is_ours: bool = True) -> None:
        self._place(row)
        if is_ours:
            self.follows = row >= self.max_scroll_y

    # Where one goes.

    def go_to(self, offset: int) -> None:
        """To that record, or the next one that one sees; as soon as it is there, if it comes."""
        is_loading = self.pane is not None and self.pane.is_loading
        self._goal = offset if is_loading else None
        number = next((n for n, block in enumerate(self.blocks) if block.offset >= offset), None)
        if number is None or self.pane is None or (is_loading and self.pane.hole_at(offset)):
            return
        self._goal = None
        self._to_row(self._starts[number] - self.page_height // 3)
        self.refresh()

    def action_follow(self) -> None:
        """To the end."""
        self.follows, self._goal = True, None
        self._place(self.max_scroll_y)

    def scroll_by(self, pages: float) -> None:
        """So many pages down."""
        self._goal = None
        self._to_row(self.scroll_offset.y + round(pages * max(1, self.page_height - 1)))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._placing:  # a person scrolls
            self._goal = None
            self.follows = new_value >= self.max_scroll_y
        if self.is_attached:
            self.call_after_refresh(self.on_look)

    def _place(self, row: int) -> None:
        self._placing = True
        self.scroll_to(y=max(0, row), animate=False, force=True)
        self._placing = False

    # What is on the screen.

    def in_view(self) -> list[Block]:
        """The blocks whose last row is on the screen."""
        top = self.scroll_offset.y
        bottom = top + self.page_height
        numbers = sorted({number for _, number in self._rows[top:bottom]})
        return [self.blocks[n] for n in numbers
                if self._starts[n] + len(self.blocks[n].rows) <= bottom]

    def records_in_view(self) -> set[int]:
        """The records whose last row is on the screen; none where nobody could read it."""
        if self.content_width - self.GUTTER < _WIDTH_MIN:
            return set()
        return {block.offset for block in self.in_view() if block.offset}

    def hole_in_view(self) -> tuple[Hole, bool] | None:
        """A hole on the screen, and whether one comes to it from below."""
        blocks = self.in_view()
        for n, block in enumerate(blocks):
            if isinstance(block.item, Hole):
                return block.item, not any(b.offset for b in blocks[:n])
        return None

    # What is chosen.

    def choosable(self) -> list[int]:
        return [n for n, block in enumerate(self.blocks) if isinstance(block.item, Said)]

    def choose_newest(self) -> None:
        """The newest on the screen."""
        seen = [block.key for block in self.in_view() if isinstance(block.item, Said)]
        self.chosen = seen[-1] if seen else None
        self.refresh()

    def action_choose_by(self, step: int) -> None:
        self.follows = False
        super().action_choose_by(step)

    def action_prefill(self, command: str) -> None:
        block = self.chosen_block()
        if self.pane is None or block is None or not isinstance(block.item, Said):
            return
        text = f"{command} #{block.item.offset} "
        if command == "/edit":
            if block.item.sender.lower() != self.pane.lines.me.lower():
                self.app.bell()
                return
            text += block.item.text
        self.post_message(self.Prefill(text))

    def action_take(self) -> None:
        """To the message that this one answers, or an answer to it."""
        block = self.chosen_block()
        if block is not None and isinstance(block.item, Said):
            if block.item.reply_to:
                self.post_message(self.Jump(block.item.reply_to))
            else:
                self.action_prefill("/reply")
