"""The application of the full screen: where its widgets stand, and what keys do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from ..cli._screen import Desk
from ..terminal import clean_line
from ._editing import edited
from ._entry import Entry
from ._help import Found, Reading, help_lines
from ._keys import know_alt_keys
from ._layout import Block, Row, member_rows, room_rows, row_width
from ._messages import Messages
from ._rows import Members, Rooms, Rows
from ._status import status_row, topic_row

if TYPE_CHECKING:
    from ._panes import Panes

THEMES = ("textual-dark", "textual-light", "nord", "gruvbox", "solarized-light", "textual-ansi")
_WIDE = 100  # columns from which on the members are shown
_OFFERED_MAX = 6  # candidates on the screen
_WIDGETS = "#rooms, #members, #topic, #messages, #entry, #status"
_WIDGET_COUNT = 6
_TICK = 1.0  # seconds; who types, and how late it is


class Bar(Rows, can_focus=False):
    """One row."""

    def tell(self, row: Row) -> None:
        self.show([Block([row])])


class ChatApp(App[None]):
    """Shows what the panes know. Commands are the session's: a line that is typed goes there."""

    TITLE = "quicchat"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layout: vertical; }
    #top { height: 1fr; }
    #rooms { width: 20; border-right: solid $panel; }
    #members { width: 24; border-left: solid $panel; }
    #middle { width: 1fr; }
    #topic, #status { height: 1; background: $panel; scrollbar-size: 0 0; }
    #messages { height: 1fr; scrollbar-size-vertical: 1; }
    #offer { height: auto; max-height: 6; background: $panel; display: none;
             scrollbar-size-vertical: 1; }
    #rooms, #members { scrollbar-size-vertical: 1; }
    #entry { height: auto; max-height: 8; border: none; border-top: solid $panel; padding: 0 1; }
    #rooms, #members, #messages { scrollbar-size-horizontal: 0; }
    Rows { overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", show=False, priority=True),
        Binding("f2", "next_theme", show=False, priority=True),
        Binding("f3", "toggle_pane('members')", show=False, priority=True),
        Binding("f4", "toggle_pane('rooms')", show=False, priority=True),
        Binding("f5,ctrl+f", "search", show=False, priority=True),
        Binding("f6,alt+u", "unread", show=False, priority=True),
        Binding("f7", "edit", show=False, priority=True),
        Binding("ctrl+n", "room_by(1)", show=False, priority=True),
        Binding("ctrl+p", "room_by(-1)", show=False, priority=True),
        *(Binding(f"alt+{n}", f"room({n})", show=False, priority=True) for n in range(1, 10)),
        Binding("ctrl+z", "suspend_process", show=False, priority=True),
        Binding("ctrl+q", "leave", show=False, priority=True),
        Binding("ctrl+c", "interrupt", show=False),
        Binding("question_mark", "help", show=False),
        Binding("escape", "to_entry", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("ctrl+home", "oldest", show=False),
        Binding("ctrl+end", "newest", show=False),
    ]

    def __init__(self) -> None:
        know_alt_keys()
        super().__init__()
        self.desk: Desk | None = None
        self.panes: Panes | None = None
        self.loose: list[str] = []  #: what is said where there is no room
        self.on_line: Callable[[str | None], None] = lambda _: None  #: called with what is typed
        self.on_theme: Callable[[str], None] = lambda _: None  #: called with the one that is chosen
        self.failure: Exception | None = None  #: a mistake of ours that has ended it
        self.is_away = False  #: an editor has the terminal
        self.interrupted = False  #: it was ended by Ctrl-C
        self._is_begun = False
        self._at_begin: list[Callable[[], None]] = []
        self._toggled: dict[str, bool] = {}  # panes that a person has shown or hidden
        self._drawing = False
        self._title = ""

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Rooms(id="rooms")
            with Vertical(id="middle"):
                yield Bar(id="topic")
                yield Messages(id="messages")
            yield Members(id="members")
        yield Rows(id="offer")
        yield Entry(id="entry")
        yield Bar(id="status")

    def on_mount(self) -> None:
        self.messages.on_look = self._look
        self.set_interval(_TICK, self.draw)
        self.entry.focus()
        self._is_begun = True
        for call in self._at_begin:
            call()
        self.draw()

    def on_begin(self, call: Callable[[], None]) -> None:
        """Calls that once there are widgets."""
        if self._is_begun:
            call()
        else:
            self._at_begin.append(call)

    @property
    def messages(self) -> Messages:
        return self.screen_stack[0].query_one("#messages", Messages)

    @property
    def entry(self) -> Entry:
        return self.screen_stack[0].query_one("#entry", Entry)

    # What is shown.

    def news(self) -> None:
        """Something has changed; it is drawn soon."""
        if not self._drawing and self.is_running:
            self._drawing = True
            self.call_later(self.draw)

    def draw(self) -> None:
        """Everything as it is now."""
        self._drawing = False
        base = self.screen_stack[0] if self.screen_stack else None
        if base is None or not self._is_begun or self.panes is None or self.desk is None:
            return
        if not self._has_all_widgets():
            return
        front = self.panes.front
        rooms, members = base.query_one("#rooms", Rooms), base.query_one("#members", Members)
        rooms.show(room_rows(self.panes.all(), front, rooms.content_width))
        members.show(member_rows(front, members.content_width))
        self.messages.show_pane(front, self.desk.pending(front), self.loose)
        base.query_one("#topic", Bar).tell(topic_row(front))
        status = base.query_one("#status", Bar)
        status.tell(status_row(self.desk, front, status.size.width))
        self._tell_title()

    def _has_all_widgets(self) -> bool:
        """False at the end, when a timer may come once more while they are taken away."""
        stack = self.screen_stack
        return bool(stack) and len(stack[0].query(_WIDGETS)) == _WIDGET_COUNT

    def go_to(self, offset: int) -> None:
        """To that record of the room in front, when it is drawn."""
        def go() -> None:
            self.draw()
            if self._has_all_widgets():
                self.messages.go_to(offset)

        self.call_later(go)

    def _look(self) -> None:
        """What is on the screen is read; what is not here yet is fetched."""
        if not self._has_all_widgets():
            return
        messages, panes = self.messages, self.panes
        pane = messages.pane
        if panes is None or pane is None or pane is not panes.front:
            return
        messages.remember()
        if self.is_away or len(self.screen_stack) > 1:
            return  # something else covers it
        before = pane.unread
        panes.see(pane, messages.records_in_view())
        if pane.unread != before:
            self.news()
        hole = messages.hole_in_view()
        if hole is not None:
            panes.fill(pane, hole[0], from_below=hole[1])
        panes.quote(pane)

    def _tell_title(self) -> None:
        assert self.desk is not None
        title = clean_line(self.desk.title())
        if title != self._title and not self.is_away:
            self._title = title
            self.write_raw(f"\x1b]2;{title}\x07")

    def write_raw(self, text: str) -> None:
        """Something for the terminal itself, that is no part of the screen."""
        if self._driver is not None and not (self.is_headless or self.is_away):
            self._driver.write(text)
            self._driver.flush()

    def on_resize(self, event: events.Resize) -> None:
        wide = event.size.width >= _WIDE
        for name, shown in (("members", wide), ("rooms", True)):
            self.screen_stack[0].query_one(f"#{name}").display = self._toggled.get(name, shown)
        self.call_after_refresh(self.draw)

    # What is typed.

    def on_entry_line(self, event: Entry.Line) -> None:
        self.messages.chosen = None
        self.messages.action_follow()
        if self.panes is not None and self.panes.front is not None:
            self.panes.front.divider = None
        self.on_line(event.text)

    def on_text_area_changed(self) -> None:
        if self.desk is not None:
            self.desk.note_key(self.entry.text)

    def on_entry_offer(self, event: Entry.Offer) -> None:
        offer = self.screen_stack[0].query_one("#offer", Rows)
        offer.display = bool(event.found)
        width = max((row_width([(text, "")]) for text, _ in event.found), default=0)
        offer.chosen = ("offer", event.at)
        offer.styles.height = min(_OFFERED_MAX, len(event.found))
        offer.show([Block([[(f"{text:{width}}", "body"), (f"  {remark}", "dim")]], ("offer", n))
                    for n, (text, remark) in enumerate(event.found)])
        if event.at >= 0:
            self.call_after_refresh(offer.choose, event.at)

    def on_entry_key(self, event: Entry.Key) -> None:
        match event.key:
            case "escape":
                self.messages.focus()
                self.messages.choose_newest()
            case "pageup" | "pagedown":
                self.action_page(-1 if event.key == "pageup" else 1)
            case "ctrl+home":
                self.action_oldest()
            case "ctrl+end":
                self.action_newest()
            case "ctrl+d":
                self.action_leave()
            case "ctrl+c":
                self.action_interrupt()

    def on_messages_prefill(self, event: Messages.Prefill) -> None:
        self.entry.begin(event.text)

    def on_messages_jump(self, event: Messages.Jump) -> None:
        self._show_record(event.offset)

    def _show_record(self, offset: int) -> None:
        front = self.panes.front if self.panes is not None else None
        if front is not None and self.panes is not None:
            self.run_worker(self.panes.show(front, offset), exit_on_error=False)
            self.messages.chosen = ("record", offset)

    def on_rows_taken(self, event: Rows.Taken) -> None:
        kind, number = event.block.key
        if event.rows.id == "rooms":
            self.action_room(number)
            self.entry.focus()
        elif event.rows.id == "members":
            self.entry.insert(f"{kind} ")
            self.entry.focus()
        elif event.rows.id == "messages":
            self.messages.follows = False

    # Keys.

    def action_help(self) -> None:
        if isinstance(self.screen, Reading):
            self.screen.action_close()
        else:
            self.read_out("help", help_lines())

    def read_out(self, title: str, lines: list[tuple[str, str]]) -> None:
        """A text over everything else."""
        self.push_screen(Reading(title, lines), lambda _: self.news())

    def show_found(self, found: list[tuple[int, str]], remark: str) -> None:
        """What was found, to choose from."""
        def chosen(what: tuple[int, str] | None) -> None:
            self.news()
            if what is not None and what[0]:
                self._show_record(what[0])
            elif what is not None:
                self.on_line(what[1])

        self.push_screen(Found(found, remark), chosen)

    def action_next_theme(self) -> None:
        at = THEMES.index(self.theme) + 1 if self.theme in THEMES else 0
        self.theme = THEMES[at % len(THEMES)]
        self.on_theme(self.theme)

    def action_toggle_pane(self, name: str) -> None:
        pane = self.screen_stack[0].query_one(f"#{name}")
        self._toggled[name] = pane.display = not pane.display
        self.call_after_refresh(self.draw)

    def action_search(self) -> None:
        if len(self.screen_stack) == 1:
            self.entry.begin("/search ")

    def action_edit(self) -> None:
        if len(self.screen_stack) == 1 and not (self.is_away or self.is_headless):
            self.is_away = True
            # The entry still has to take the keys that came before.
            self.entry.call_later(self._begin_edit)

    def _begin_edit(self) -> None:
        self.run_worker(self._edit())

    async def _edit(self) -> None:
        """The line that is typed, in an editor of the person's. The chat goes on meanwhile."""
        text: str | None = None
        try:
            with self.batch_update(), self.suspend():
                text = await edited(self.entry.text)
        finally:
            self.is_away = False
        if text is None:
            self.bell()
        else:
            self.entry.begin(text)
        self.draw()

    def action_unread(self) -> None:
        self.on_line("/unread")

    def action_room(self, number: int) -> None:
        if self.desk is not None:
            self.desk.go_to(number)

    def action_room_by(self, step: int) -> None:
        if self.desk is not None:
            self.desk.go_by(step)

    def action_page(self, step: int) -> None:
        self.messages.scroll_by(step)

    def action_oldest(self) -> None:
        self.messages.scroll_by(-1e6)

    def action_newest(self) -> None:
        self.messages.action_follow()

    def action_to_entry(self) -> None:
        self.messages.chosen = None
        self.messages.refresh()
        self.entry.focus()

    def action_leave(self) -> None:
        self.on_line(None)

    def action_interrupt(self) -> None:
        self.interrupted = True
        self.end()

    # The end.

    def end(self) -> None:
        """Gives the terminal back."""
        self.write_raw("\x1b]2;\x07")
        self.exit()

    def _fatal_error(self) -> None:
        # Not textual's own: it would show what peers and the person said as part of a traceback.
        self._close_messages_no_wait()

    def _handle_exception(self, error: Exception) -> None:
        if self.failure is None:
            self.failure = error
        super()._handle_exception(error)


async def run(app: ChatApp) -> None:
    """Until it ends. Raises KeyboardInterrupt at Ctrl-C, and what was wrong with the program."""
    try:
        await app.run_async()
    except asyncio.CancelledError:
        app.exit()
        raise
    if app.failure is not None:
        raise app.failure
