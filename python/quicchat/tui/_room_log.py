"""What is known of a room's log, as a person sees it: messages as they are now, with what was done
to them, our own remarks between them, and holes where nothing was fetched yet. Knows no terminal.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ..cli._show import is_action
from ..records import Deleted, Edited, FileInfo, Message, Reaction, RoomRecord

ITEMS_MAX = 2000  # that are kept of a room; what is further from what one looks at is fetched again
CHARACTERS_MAX = 4_000_000  # of their texts
REMARKS_MAX = 500  # which nobody could fetch again; then the oldest of whom there are most go
REMARK_CHARACTERS_MAX = 1_000_000


@dataclass(slots=True, eq=False)
class Said:
    """A message, as it is now."""

    offset: int
    time: datetime
    sender: str
    text: str
    is_action: bool = False
    reply_to: int | None = None
    file: FileInfo | None = None
    edited: bool = False
    deleted: bool = False
    deletion: Deleted | None = None  #: who took it away, and why; if that is known
    as_of: int = 0  #: its text is as it was after this record
    reactions: dict[str, list[str]] = field(default_factory=dict)  #: who put which text under it
    transfer: str = ""  #: how far its file is, if it is being fetched or was saved


@dataclass(slots=True, eq=False)
class Happened:
    """Another record that one sees: what was done to the room."""

    record: RoomRecord

    @property
    def offset(self) -> int:
        return self.record.offset

    @property
    def time(self) -> datetime:
        return self.record.time


@dataclass(slots=True, eq=False)
class Remark:
    """A line of this program, such as the answer to a command. Of no other device."""

    offset: int  #: of the record that it stands behind
    time: datetime
    text: str
    kind: str  #: "note", "error", "event" or "private"
    sender: str = ""  #: of a private message


@dataclass(frozen=True, slots=True)
class Hole:
    """Records that were not fetched."""

    first: int
    last: int


Item = Said | Happened | Remark | Hole
#: What is done to a message, and no line of its own.
Act = Edited | Deleted | Reaction


class Ranges:
    """Offsets, as ranges that do not touch each other."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._ranges)

    def add(self, first: int, last: int) -> None:
        if last < first:
            return
        apart = [r for r in self._ranges if r[1] < first - 1 or r[0] > last + 1]
        joined = [r for r in self._ranges if not (r[1] < first - 1 or r[0] > last + 1)]
        insort(apart, (min([first, *(r[0] for r in joined)]),
                       max([last, *(r[1] for r in joined)])))
        self._ranges = apart

    def remove(self, first: int, last: int) -> None:
        if last < first:
            return
        kept = []
        for low, high in self._ranges:
            kept += [(low, min(high, first - 1)), (max(low, last + 1), high)]
        self._ranges = [r for r in kept if r[0] <= r[1]]

    def clear(self) -> None:
        self._ranges.clear()

    def end_from(self, offset: int) -> int:
        """The last offset of those that follow without a hole; `offset - 1` if there are none."""
        return next((high for low, high in self._ranges if low <= offset <= high), offset - 1)

    def missing(self, first: int, last: int) -> list[tuple[int, int]]:
        """What is between these and in no range."""
        holes = []
        for low, high in self._ranges:
            if low > first:
                holes.append((first, min(low - 1, last)))
            first = max(first, high + 1)
        return [r for r in [*holes, (first, last)] if r[0] <= r[1]]


class RoomLog:
    """The records of one room that are known here. They may come in any order, several times."""

    def __init__(self, head: int) -> None:
        self._serial = 0
        self._begin(head)

    def _begin(self, head: int) -> None:
        self.head = head  #: the newest record that there is
        self.start = 1  #: the oldest that the server may have
        self.known = Ranges()
        self._items: dict[tuple[int, int], Said | Happened | Remark] = {}
        self._keys: list[tuple[int, int]] = []  # sorted: the offset, and the number behind it
        self._acts: dict[int, Act] = {}
        self._act_keys: list[int] = []
        self._about: defaultdict[int, dict[int, Act]] = defaultdict(dict)  # by their target
        self._elsewhere: dict[int, Said] = {}  # messages that are quoted only
        self._characters = 0  # of the texts of messages and edits
        self._remarks: dict[tuple[int, int], Remark] = {}  # the oldest first
        self._remark_characters = 0

    # What comes.

    def clear(self, head: int) -> None:
        """Another life of the log: offsets mean other messages now. Our remarks stay."""
        remarks = list(self._remarks.values())
        self._begin(head)
        for remark in remarks:
            self.remark(remark.text, remark.kind, remark.time, remark.sender)

    def add(self, record: RoomRecord) -> None:
        """A record that came by itself, in the room's order."""
        self.head = max(self.head, record.offset)
        self._put(record, record.offset)
        self.known.add(record.offset, record.offset)

    def add_page(self, records: Iterable[RoomRecord], first: int, last: int, as_of: int) -> None:
        """All that the server has from `first` to `last`: its messages are as they were after the
        record `as_of`, or later."""
        self.head = max(self.head, last)
        records = sorted(records, key=lambda record: record.offset)
        for record in records:
            self._put(record, as_of)
        self.known.add(first, last)

    def nothing_before(self, offset: int) -> None:
        """The server has nothing older than that."""
        self.start = max(self.start, offset)

    def pass_over(self, first: int, last: int) -> None:
        """These will never come."""
        self.head = max(self.head, last)
        self.known.add(max(1, first), last)

    def quote_only(self, message: Message) -> None:
        """A message that is not among the others, for those that answer it."""
        if len(self._elsewhere) >= ITEMS_MAX:
            self._elsewhere.pop(next(iter(self._elsewhere)))
        self._elsewhere[message.offset] = _said(message, message.offset)

    def remark(self, text: str, kind: str, time: datetime, sender: str = "") -> Remark:
        """A line behind the newest that there is."""
        self._serial += 1
        remark = Remark(self.head, time, text, kind, sender)
        key = (self.head, self._serial)
        self._insert(key, remark)
        self._remarks[key] = remark
        self._remark_characters += len(text)
        while len(self._remarks) > REMARKS_MAX or (
                self._remark_characters > REMARK_CHARACTERS_MAX and len(self._remarks) > 1):
            self._drop_remark()
        return remark

    def _drop_remark(self) -> None:
        """The oldest of the one whose take most room."""
        room: Counter[str] = Counter()
        for remark in self._remarks.values():
            room[remark.sender] += len(remark.text) + REMARK_CHARACTERS_MAX // REMARKS_MAX
        loudest = room.most_common(1)[0][0]
        key = next(key for key, remark in self._remarks.items() if remark.sender == loudest)
        self._remark_characters -= len(self._remarks.pop(key).text)
        del self._items[key], self._keys[bisect_left(self._keys, key)]

    def _put(self, record: RoomRecord, as_of: int) -> None:
        match record:
            case Message():
                self._put_message(record, as_of)
            case Edited() | Deleted() | Reaction():
                self._keep_act(record)
                self._apply(record)
            case _:
                if (record.offset, 0) not in self._items:
                    self._insert((record.offset, 0), Happened(record))

    def _keep_act(self, act: Act) -> None:
        """Of the edits of one message the newest only."""
        if act.offset in self._acts:
            return
        if isinstance(act, Edited):
            edits = [a for a in self._about.get(act.target, {}).values() if isinstance(a, Edited)]
            if any(edit.offset > act.offset for edit in edits):
                return
            for edit in edits:
                self._forget_act(edit)
                del self._act_keys[bisect_left(self._act_keys, edit.offset)]
        self._acts[act.offset] = act
        insort(self._act_keys, act.offset)
        self._characters += _act_size(act)
        self._about[act.target][act.offset] = act

    def _forget_act(self, act: Act) -> None:
        del self._acts[act.offset]
        self._characters -= _act_size(act)
        about = self._about[act.target]
        about.pop(act.offset, None)
        if not about:
            del self._about[act.target]

    def _put_message(self, message: Message, as_of: int) -> None:
        said = _said(message, as_of)
        before = self.find(message.offset)
        if before is not None:
            if before.as_of >= as_of:
                return
            said.deletion, said.transfer = before.deletion, before.transfer
            self._characters -= len(before.text)
            self._items[message.offset, 0] = said
            self._characters += len(said.text)
        else:
            self._insert((message.offset, 0), said)
        self._elsewhere.pop(message.offset, None)
        for _, act in sorted(self._about.get(message.offset, {}).items()):
            self._apply(act)

    def _apply(self, act: Act) -> None:
        for said in (self.find(act.target), self._elsewhere.get(act.target)):
            match act:
                case _ if said is None:
                    continue
                case Reaction():
                    said.reactions = {} if said.deleted else self._reactions_to(act.target)
                case Deleted():
                    self._characters -= len(said.text)
                    said.text, said.deleted, said.file = "", True, None
                    said.deletion, said.reactions = act, {}
                case Edited() if act.offset > said.as_of and not (act.deleted or said.deleted):
                    self._characters += len(act.text) - len(said.text)
                    said.text, said.edited, said.as_of = act.text, True, act.offset

    def _reactions_to(self, target: int) -> dict[str, list[str]]:
        """The texts that stand under a message now, each with who put it there, the oldest first.
        """
        found: dict[str, dict[str, str]] = {}
        for _, reaction in sorted(self._about.get(target, {}).items()):
            if not isinstance(reaction, Reaction):
                continue
            people = found.setdefault(reaction.text, {})
            if reaction.removed:
                people.pop(reaction.sender.lower(), None)
            else:
                people.setdefault(reaction.sender.lower(), reaction.sender)
        return {text: list(people.values()) for text, people in found.items() if people}

    def _insert(self, key: tuple[int, int], item: Said | Happened | Remark) -> None:
        self._items[key] = item
        insort(self._keys, key)
        self._characters += len(_text_of(item))

    # What there is.

    def find(self, offset: int) -> Said | None:
        item = self._items.get((offset, 0))
        return item if isinstance(item, Said) else None

    def quoted(self, offset: int) -> Said | None:
        """A message that is answered, if it is known."""
        return self.find(offset) or self._elsewhere.get(offset)

    def holes(self) -> list[Hole]:
        return [Hole(*r) for r in self.known.missing(self.start, self.head)]

    def items(self) -> list[Item]:
        """All, in order."""
        holes = self.holes()
        found: list[Item] = []
        for key in self._keys:
            while holes and holes[0].first <= key[0]:
                found.append(holes.pop(0))
            found.append(self._items[key])
        return [*found, *holes]

    def messages(self) -> list[Said]:
        return [item for item in map(self._items.__getitem__, self._keys)
                if isinstance(item, Said)]

    def visible_after(self, offset: int) -> Iterable[Said | Happened]:
        """What one sees behind a record, in order."""
        for key in self._keys[bisect_right(self._keys, (offset, self._serial)):]:
            item = self._items[key]
            if not isinstance(item, Remark):
                yield item

    def missing_quotes(self) -> list[int]:
        """Messages that are answered and not known."""
        return [said.reply_to for said in self.messages()
                if said.reply_to and self.quoted(said.reply_to) is None]

    # It does not grow for ever.

    def trim(self, near: int) -> None:
        """Forgets what is furthest from a record, if there is too much; that leaves a hole, and can
        be fetched again. Remarks stay."""
        while (len(self._keys) - len(self._remarks) + len(self._act_keys) > ITEMS_MAX
               or self._characters > CHARACTERS_MAX):
            offsets = sorted([*(offset for offset, serial in self._keys if not serial),
                              *self._act_keys])
            if not offsets:
                return
            count = max(1, len(offsets) // 10)
            if near - offsets[0] >= offsets[-1] - near:
                self._forget(offsets[0], offsets[count - 1])
            else:
                self._forget(offsets[-count], self.head)

    def _forget(self, first: int, last: int) -> None:
        low, high = bisect_left(self._keys, (first, 0)), bisect_right(self._keys, (last, 1 << 62))
        kept = [key for key in self._keys[low:high] if key[1]]
        for key in self._keys[low:high]:
            if not key[1]:
                self._characters -= len(_text_of(self._items.pop(key)))
        self._keys[low:high] = kept
        low, high = bisect_left(self._act_keys, first), bisect_right(self._act_keys, last)
        for offset in self._act_keys[low:high]:
            self._forget_act(self._acts[offset])
        del self._act_keys[low:high]
        self.known.remove(first, last)


def _said(message: Message, as_of: int) -> Said:
    return Said(message.offset, message.time, message.sender, message.text, is_action(message),
                message.reply_to, message.file, message.edited, message.deleted, as_of=as_of)


def _text_of(item: Said | Happened | Remark) -> str:
    """What counts of it."""
    return item.text if isinstance(item, Said) else ""


def _act_size(act: Act) -> int:
    return len(act.text) if isinstance(act, Edited) else 0
