"""A widget that shows blocks of rows, of which one may be chosen."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ._layout import STYLES, Block, Row


class Rows(ScrollView, can_focus=True):
    """Blocks, one below the other. Their text is plain text, whatever is in it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"rows--{name}" for name in STYLES} | {"rows--chosen"}
    DEFAULT_CSS = """
    Rows {
        & > .rows--dim { color: $text-muted; }
        & > .rows--divider { color: $text-muted; }
        & > .rows--unread { color: $text-warning; text-style: bold; }
        & > .rows--error { color: $text-error; }
        & > .rows--private { color: $text-warning; }
        & > .rows--mention { color: $text-warning; text-style: bold reverse; }
        & > .rows--reaction { color: $text-secondary; }
        & > .rows--own { color: $text-accent; }
        & > .rows--file { color: $text-primary; }
        & > .rows--here { color: $text-success; text-style: bold; }
        & > .rows--bold { text-style: bold; }
        & > .rows--green { color: $text-success; }
        & > .rows--yellow { color: $text-warning; }
        & > .rows--cyan { color: $text-accent; }
        & > .rows--magenta { color: $text-secondary; }
        & > .rows--blue { color: $text-primary; }
        & > .rows--chosen { background: $panel; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose_by(-1)", show=False),
        Binding("down,j", "choose_by(1)", show=False),
        Binding("enter", "take", show=False),
    ]

    class Taken(Message):
        """Somebody clicked a block, or pressed Enter on it."""

        def __init__(self, rows: Rows, block: Block) -> None:
            super().__init__()
            self.rows = rows
            self.block = block

        @property
        def control(self) -> Rows:
            return self.rows

    #: Columns before each row, for marks.
    GUTTER = 0

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.blocks: list[Block] = []
        self.chosen: tuple[str, int] | None = None  #: the key of a block
        self._rows: list[tuple[Row, int]] = []  # each with the number of its block
        self._starts: list[int] = []  # the first row of each block

    # What is shown.

    def show(self, blocks: list[Block]) -> None:
        """These, from now on."""
        self.blocks = blocks
        self._rows, self._starts = [], []
        for number, block in enumerate(blocks):
            self._starts.append(len(self._rows))
            self._rows += [(row, number) for row in block.rows]
        size = Size(self.content_width, len(self._rows))
        if size != self.virtual_size:
            self.virtual_size = size
        self.refresh()

    @property
    def content_width(self) -> int:
        """Columns that rows may fill, gutter and all. The scroll bar's are kept free."""
        return max(1, self.container_size.width - self.styles.scrollbar_size_vertical)

    @property
    def page_height(self) -> int:
        return max(1, self.scrollable_content_region.height)

    def render_line(self, y: int) -> Strip:
        at = y + self.scroll_offset.y
        width = self.size.width
        if not 0 <= at < len(self._rows):
            return Strip.blank(width, self.rich_style)
        row, number = self._rows[at]
        block = self.blocks[number]
        segments = [Segment(text, self.get_component_rich_style(f"rows--{style}" if style
                                                                else "rows--body"))
                    for text, style in row]
        is_chosen = self.chosen is not None and block.key == self.chosen
        if self.GUTTER:
            mark = ">" if is_chosen else block.mark if self._starts[number] == at else ""
            segments.insert(0, Segment(mark[:self.GUTTER].ljust(self.GUTTER),
                                       self.get_component_rich_style("rows--mention")
                                       if mark == "!" else self.rich_style))
        strip = Strip(segments).adjust_cell_length(width, self.rich_style)
        if is_chosen:
            chosen = self.get_component_rich_style("rows--chosen")
            strip = strip.apply_style(Style(bgcolor=chosen.bgcolor, bold=chosen.bold))
        return strip

    # What is chosen.

    def choosable(self) -> list[int]:
        """The numbers of the blocks that may be chosen."""
        return list(range(len(self.blocks)))

    def chosen_block(self) -> Block | None:
        return next((block for block in self.blocks if block.key == self.chosen), None)

    def action_choose_by(self, step: int) -> None:
        numbers = self.choosable()
        if not numbers:
            return
        now = next((n for n in numbers if self.blocks[n].key == self.chosen), None)
        if now is None:
            at = numbers[-1] if step < 0 else numbers[0]
        else:
            at = numbers[min(max(0, numbers.index(now) + step), len(numbers) - 1)]
        self.choose(at)

    def choose(self, number: int) -> None:
        """Chooses a block, and scrolls there."""
        self.chosen = self.blocks[number].key
        first = self._starts[number]
        last = first + len(self.blocks[number].rows) - 1
        if first < self.scroll_offset.y:
            self.scroll_to(y=first, animate=False)
        elif last >= self.scroll_offset.y + self.page_height:
            self.scroll_to(y=min(first, last - self.page_height + 1), animate=False)
        self.refresh()

    def action_take(self) -> None:
        block = self.chosen_block()
        if block is not None:
            self.post_message(self.Taken(self, block))

    def on_click(self, event: events.Click) -> None:
        at = event.y + self.scroll_offset.y
        if 0 <= at < len(self._rows):
            number = self._rows[at][1]
            if number in self.choosable():
                self.chosen = self.blocks[number].key
                self.refresh()
                self.post_message(self.Taken(self, self.blocks[number]))


class Rooms(Rows):
    """The rooms that are followed."""


class Members(Rows):
    """Who belongs to the room in front."""

    def choosable(self) -> list[int]:
        return [n for n, block in enumerate(self.blocks) if block.key[0] not in ("here", "away")
                or block.rows[0][0][0] in ("● ", "○ ")]
