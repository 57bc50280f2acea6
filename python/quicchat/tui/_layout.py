"""What rooms, messages and members look like: rows of plain text in named styles. What peers chose
is cleaned here, and nowhere is any of it markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from rich.cells import cell_len, chop_cells

from ..cli._followed import count_text
from ..cli._progress import size_text
from ..cli._show import clock, colour_of, day_of, day_text, role_name
from ..events import Member
from ..roles import Role
from ..terminal import clean_line, clean_text, uncoloured
from ._pane import Pane
from ._room_log import Happened, Hole, Item, Remark, Said

#: A text and the name of its style.
Span = tuple[str, str]
Row = list[Span]

STYLES = ("body", "dim", "divider", "unread", "error", "private", "mention", "reaction", "own",
          "file", "here", "bold", "green", "yellow", "cyan", "magenta", "blue")

_INDENT = 6  # of what follows under a message: as wide as its time
_BODY_MIN = 12  # columns; where a name leaves less, the text begins below it
_QUOTE_MAX = 60
_SPECIAL = (Role.OWNER, Role.MODERATOR, Role.MUTED, Role.BANNED)


@dataclass(slots=True)
class Block:
    """Rows that belong together: one message, say."""

    rows: list[Row]
    key: tuple[str, int] = ("", 0)  #: what it is, over changes
    item: Item | None = None
    offset: int = 0  #: of the record that one has seen when one has seen the last row
    mark: str = ""  #: what stands before the first row


# Text.

def wrap(text: str, width: int, first: int | None = None) -> list[str]:
    """A text in lines of that many cells; the first of them may have another width."""
    width = max(1, width)
    left = width if first is None else max(1, first)
    lines: list[str] = []
    for paragraph in text.expandtabs(4).split("\n"):
        line, used = "", 0
        for word in re.findall(r" +|[^ ]+", paragraph):
            size = cell_len(word)
            if used + size > left and used:
                lines.append(line.rstrip(" "))
                line, used, left = "", 0, width
                if word[0] == " ":
                    continue
            if size > left:
                first_piece = _chopped(word, left)[0]
                pieces = _chopped(word[len(first_piece):], width) or [""]
                lines += [first_piece, *pieces[:-1]]
                word, left = pieces[-1], width
                size = cell_len(word)
            line, used = line + word, used + size
        lines.append(line)
        left = width
    return lines


def _chopped(word: str, width: int) -> list[str]:
    """A word in pieces of that many cells."""
    return chop_cells(word, width) if width > 1 else list(word)


def cut(text: str, width: int) -> str:
    """A line, cut to so many cells."""
    if cell_len(text) <= width:
        return text
    if width < 2:
        return "…" * max(0, width)
    return chop_cells(text, width - 1)[0] + "…"


def across(text: str, width: int, style: str) -> Row:
    """A line across the pane with a text in it."""
    text = f" {cut(text, max(0, width - 6))} " if text else ""
    rest = max(0, width - cell_len(text) - 2)
    return [("──" + text + "─" * rest, style)]


def row_width(row: Row) -> int:
    return sum(cell_len(text) for text, _ in row)


# Messages.

def loose_blocks(lines: Iterable[str], width: int) -> list[Block]:
    """Lines that belong to no room."""
    return [Block([[(row, "dim")] for row in wrap(clean_line(line), width)]) for line in lines]


@dataclass(slots=True)
class Layout:
    """Makes blocks of a pane's items, and keeps them as long as nothing changes."""

    width: int = 80
    _kept: dict[int, tuple[tuple[object, ...], Block]] = field(default_factory=dict)

    def blocks(self, pane: Pane, pending: Iterable[str]) -> list[Block]:
        """All of a room, from the oldest to what is on its way."""
        found: list[Block] = []
        kept: dict[int, tuple[tuple[object, ...], Block]] = {}
        day: date | None = None
        divided = pane.divider is None
        items = [item for item in pane.log.items() if not self._is_hidden(pane, item)]
        below = [item.offset for item in items if isinstance(item, Said | Happened)][1:]
        below.append(1 << 62)
        seen = 0
        for item in items:
            if not isinstance(item, Hole):
                today = day_of(item.time)
                if today is not None and today != day and (day or today != date.today()):
                    found.append(Block([across(day_text(today), self.width, "divider")],
                                       ("day", today.toordinal())))
                day = today or day
            if not divided and isinstance(item, Said) and item.offset > (pane.divider or 0) \
                    and item.sender.lower() != pane.lines.me.lower():
                divided = True
                found.append(Block([across("unread", self.width, "unread")], ("unread", 0)))
            readers: list[str] = []
            if isinstance(item, Said | Happened):
                if pane.lines.wishes.markers:
                    readers = pane.readers_of(item.offset, below[seen])
                seen += 1
            block = self._block(pane, item, readers, kept)
            found.append(block)
        self._kept = kept
        found += [Block(self._lines([("  …   ", "dim")], clean_text(text), "dim"), ("pending", n))
                  for n, text in enumerate(pending)]
        found += [Block([[("      ", "dim"), (cut(clean_line(transfer.text()), self.width - 6),
                                             "file")]], ("transfer", n))
                  for n, transfer in enumerate(pane.sending)]
        return found

    @staticmethod
    def _is_hidden(pane: Pane, item: Item) -> bool:
        return isinstance(item, Said) and item.sender.lower() in pane.lines.wishes.ignored

    def _block(self, pane: Pane, item: Item, readers: list[str],
               kept: dict[int, tuple[tuple[object, ...], Block]]) -> Block:
        if isinstance(item, Hole):
            count = item.last - item.first + 1
            text = "loading …" if pane.is_loading else f"{count} records are not here yet"
            return Block([across(text, self.width, "dim")], ("hole", item.first), item)
        quoted = None
        if isinstance(item, Said) and item.reply_to:
            answered = pane.log.quoted(item.reply_to)
            quoted = None if answered is None else (answered.sender, answered.text)
        wishes = pane.lines.wishes
        state: tuple[object, ...] = (self.width, quoted, tuple(readers), wishes.numbers,
                                     tuple(sorted(wishes.words)))
        if isinstance(item, Said):
            state += (item.text, item.edited, item.deleted, item.transfer, item.deletion,
                      str(item.reactions))
        before = self._kept.get(id(item))
        if before is not None and before[0] == state and before[1].item is item:
            kept[id(item)] = before
            return before[1]
        block = self._made(pane, item)
        if readers:
            text = clean_line("✓ " + ", ".join(readers))
            block.rows.append([(" " * _INDENT, ""), (cut(text, self.width - _INDENT), "dim")])
        kept[id(item)] = (state, block)
        return block

    def _made(self, pane: Pane, item: Said | Happened | Remark) -> Block:
        match item:
            case Said():
                return self._said(pane, item)
            case Happened():
                line = pane.lines.record(item.record, numbered=False)
                text = uncoloured(line).removeprefix("* ")
                rows = self._lines([*self._head(pane, item), ("* ", "dim")], plain(text), "dim")
                return Block(rows, ("record", item.offset), item, item.offset)
        style = {"error": "error", "private": "private"}.get(item.kind, "dim")
        sign = {"error": "! ", "private": ""}.get(item.kind, "* ")
        rows = self._lines([(_time(item), "dim"), (sign, style)], clean_text(item.text), style)
        return Block(rows, ("remark", id(item)), item)

    def _said(self, pane: Pane, said: Said) -> Block:
        to_me = pane.lines.is_to_me(pane.as_message(said)) and not self._is_own(pane, said)
        name = clean_line(said.sender)
        style = "mention" if to_me else colour_of(said.sender)
        head = self._head(pane, said)
        head.append((f"* {name} " if said.is_action else f"{name}: ", style))
        rows: list[Row] = []
        if said.reply_to:
            rows.append(self._quote(pane, said.reply_to))
        if said.deleted:
            rows += self._lines(head, _deletion(said), "dim")
        elif said.file is not None:
            text = f"{clean_line(said.text)} ({size_text(said.file.size)})  /save #{said.offset}"
            rows += self._lines([*head, ("▣ ", "file")], text, "file")
            if said.transfer:
                rows += self._lines([(" " * _INDENT, "")], clean_line(said.transfer), "file")
        else:
            edited = " (edited)" if said.edited else ""
            rows += self._lines(head, clean_text(said.text), "body", edited)
        if said.reactions:
            rows += self._reactions(pane, said)
        return Block(rows, ("record", said.offset), said, said.offset, "!" if to_me else "")

    @staticmethod
    def _is_own(pane: Pane, said: Said) -> bool:
        return said.sender.lower() == pane.lines.me.lower()

    @staticmethod
    def _head(pane: Pane, item: Said | Happened) -> Row:
        number = f"#{item.offset} " if pane.lines.wishes.numbers else ""
        return [(_time(item) + number, "dim")]

    def _quote(self, pane: Pane, offset: int) -> Row:
        answered = pane.log.quoted(offset)
        if answered is None:
            text = f"message #{offset}"
        elif answered.deleted:
            text = f"{answered.sender}: (deleted)"
        else:
            text = f"{answered.sender}: {answered.text[:4 * _QUOTE_MAX]}"
        text = clean_line(text.replace("\n", " "))
        width = min(_QUOTE_MAX, self.width - _INDENT - 2)
        return [(" " * _INDENT, ""), ("╭ " + cut(text, width), "dim")]

    def _reactions(self, pane: Pane, said: Said) -> list[Row]:
        rows: list[Row] = []
        row: Row = [(" " * _INDENT, "")]
        for text, people in said.reactions.items():
            own = any(user.lower() == pane.lines.me.lower() for user in people)
            count = f" {len(people)}" if len(people) > 1 else ""
            room = self.width - _INDENT - len(count)
            shown = cut(clean_line(text), max(1, room)) + count
            if len(row) > 1:
                if row_width(row) + cell_len(shown) + 2 > self.width:
                    rows.append(row)
                    row = [(" " * _INDENT, "")]
                else:
                    row.append(("  ", ""))
            row.append((shown, "own" if own else "reaction"))
        return [*rows, row]

    def _lines(self, head: Row, text: str, style: str, remark: str = "") -> list[Row]:
        """A text behind a head; what does not fit follows below, indented."""
        used = row_width(head)
        rows: list[Row] = []
        first = self.width - used
        if first < _BODY_MIN:
            joined = "".join(part for part, _ in head)
            parts = chop_cells(joined.rstrip(), max(2, self.width))
            rows = [[(part, head[-1][1])] for part in parts]
            head, first = [(" " * _INDENT, "")], self.width - _INDENT
        width = self.width - _INDENT
        texts = wrap(text, width, first)
        rows.append([*head, (texts[0], style)])
        rows += [[(" " * _INDENT, ""), (line, style)] for line in texts[1:]]
        if remark:
            if row_width(rows[-1]) + cell_len(remark) <= self.width:
                rows[-1].append((remark, "dim"))
            else:
                rows.append([(" " * _INDENT, ""), (cut(remark.strip(), width), "dim")])
        return rows


def plain(text: str) -> str:
    """What a line of the chat says, without the indentation of its further lines."""
    return text.replace("\n    ", "\n")


def _time(item: Said | Happened | Remark) -> str:
    when = clock(item.time)[-5:] if day_of(item.time) is not None else "--:--"
    return f"{when} "


def _deletion(said: Said) -> str:
    by = said.deletion
    if by is None:
        return "(deleted)"
    who = f" by {by.sender}" if by.sender.lower() != said.sender.lower() else ""
    because = f": {by.reason}" if by.reason else ""
    return clean_line(f"(deleted{who}{because})")


# Rooms and members.

def room_rows(panes: list[Pane], front: Pane | None, width: int) -> list[Block]:
    """The rooms at the left, each with what waits in it."""
    found = []
    for number, pane in enumerate(panes, 1):
        counts = ""
        if pane.unread:
            counts = f" {count_text(pane.unread)}"
        if pane.mentions:
            counts += f" {count_text(pane.mentions)}@"
        style = ("here" if pane is front else "mention" if pane.mentions
                 else "bold" if pane.unread else "body")
        name = cut(f"{number} {clean_line(pane.name)}", max(2, width - cell_len(counts)))
        gap = " " * max(0, width - cell_len(name) - cell_len(counts))
        found.append(Block([[(name + gap + counts, style)]], ("room", number)))
    return found


def member_rows(pane: Pane | None, width: int) -> list[Block]:
    """The members at the right: who is here, then who is away."""
    if pane is None:
        return []
    people = sorted(pane.members.values(),
                    key=lambda p: (not p.present, -int(p.role), p.user.lower()))
    found: list[Block] = []
    for present, title in ((True, "here"), (False, "away")):
        some = [person for person in people if person.present == present]
        if some:
            found.append(Block([[(f"{title} {len(some)}", "dim")]], (title, 0)))
        found += [Block([_member_row(person, width)], (person.user, 0)) for person in some]
    return found


def _member_row(person: Member, width: int) -> Row:
    role = f" {role_name(person.role)}" if person.role in _SPECIAL else ""
    name = cut(clean_line(person.user), max(2, width - 2))
    more = f" {clean_line(person.display_name)}" if person.display_name else ""
    left = width - 2 - cell_len(name)
    role = cut(role, max(0, left))
    more = cut(more, max(0, left - cell_len(role)))
    return [("● " if person.present else "○ ", "here" if person.present else "dim"),
            (name, colour_of(person.user) if person.present else "dim"), (role, "own"),
            (more, "dim")]
