"""How much of its history a room keeps, at the server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from types import EllipsisType
from typing import Any

from . import _core
from ._failures import request_error
from ._plain import Plain
from .errors import QuicChatError

__all__ = ["RoomRetention"]

#: What is chosen, as the socket for administration calls it, and how much of it may be said.
_NAMES = {"records": (1, 1 << 62), "bytes": (1, 1 << 62), "age": (60, 320_000_000)}

#: What the core gives of a room: records, bytes, seconds; 0: nothing was chosen.
Row = tuple[int, int, int]

#: What may be said of each: a number, None: as the limits say, or ...: as it is.
Wanted = int | None | EllipsisType


@dataclass(frozen=True, slots=True)
class RoomRetention(Plain):
    """How much of its history a room keeps. What is beyond it goes from the old end, whoever wrote
    it and however young it is."""

    records: int  #: so many at most
    bytes: int  #: so many at most: texts, names, and about what a row takes
    age: timedelta | None  #: what is older is given to nobody after a minute; None: that never is
    chosen: tuple[str, ...] = ()  #: which of these were chosen for the room, and not by the limits


def retention_of(kept: Row, chosen: Row) -> RoomRetention:
    """Of a row of the core."""
    records, size, age = kept
    names = tuple(name for name, number in zip(_NAMES, chosen, strict=True) if number)
    return RoomRetention(records, size, timedelta(seconds=age) if age else None, names)


def retention_row(kept: Row, chosen: Row) -> dict[str, Any]:
    """The same for the socket for administration."""
    found = retention_of(kept, chosen)
    return {"records": found.records, "bytes": found.bytes, "age": kept[2] or None,
            "chosen": list(found.chosen)}


async def find_retention(core: _core.Server, room: str) -> tuple[Row, Row]:
    """What the core says of a room. Raises RequestError, CoreError."""
    for name, *_, kept, chosen in await asyncio.to_thread(core.rooms):
        if name.lower() == room.lower():
            return kept, chosen
    raise request_error("no_such_room", 0, "", room)


async def set_retention(core: _core.Server, room: str, wanted: dict[str, Wanted]) -> None:
    """Of ``records``, ``bytes`` and ``age`` in seconds. Raises QuicChatError for what is no amount,
    CoreError."""
    if all(number is ... for number in wanted.values()):
        return
    for name, number in wanted.items():
        least, most = _NAMES[name]
        if isinstance(number, int) and not least <= number <= most:
            raise _refusal(f'"{name}" must be {least} to {most}, or null',
                           "null: as the limits say; of the age, seconds: nothing goes for it")
    try:
        await asyncio.to_thread(core.keep, room, *(_number(wanted.get(name, ...))
                                                   for name in _NAMES))
    except _core.CoreError as error:
        if error.args[2] != "invalid_request":
            raise
        many = " and ".join(f"{wanted[name]} {name}" for name in ("records", "bytes")
                            if isinstance(wanted.get(name), int))
        raise _refusal(f"{many} are more than any room may keep",
                       'raise "room_log_records_max" or "room_log_bytes_max" in "limits"'
                       ) from None


def asked_retention(request: dict[str, Any]) -> dict[str, Wanted]:
    """What a request at the socket wants. Raises QuicChatError."""
    unknown = sorted(request.keys() - _NAMES.keys() - {"ask", "room"})
    if unknown:
        raise _refusal(f'a retention has no "{unknown[0]}"', f"it has {', '.join(_NAMES)}")
    wanted: dict[str, Wanted] = {}
    for name in _NAMES:
        number = request.get(name, ...)
        if number is None or number is ... or type(number) is int:
            wanted[name] = number
        else:
            raise _refusal(f'"{name}" must be a number, or null', f'such as {{"{name}": 5000}}')
    return wanted


def checked_retention(records: Any, size: Any, age: Any) -> dict[str, Wanted]:
    """What a program wants. Raises TypeError, ValueError."""
    for name, number in (("records", records), ("bytes", size)):
        if number is None or number is ...:
            continue
        if type(number) is not int:
            raise TypeError(f"{name} is a number of them, or None for what the limits say, "
                            f"not {number!r}")
        if not _NAMES[name][0] <= number <= _NAMES[name][1]:
            raise ValueError(f"{name}={number}: 1 to 2**62, or None for what the limits say")
    if age is None or age is ...:
        return {"records": records, "bytes": size, "age": age}
    if not isinstance(age, timedelta):
        raise TypeError(f"age is a datetime.timedelta, or None for no end, not {age!r}")
    seconds = int(age.total_seconds())
    if not _NAMES["age"][0] <= seconds <= _NAMES["age"][1]:
        raise ValueError(f"age={age}: from a minute to ten years, or None for no end")
    return {"records": records, "bytes": size, "age": seconds}


def _number(wanted: Wanted) -> int | None:
    """For the core."""
    return None if isinstance(wanted, EllipsisType) else wanted or 0


def _refusal(what: str, hint: str) -> QuicChatError:
    return QuicChatError(what, code="E-ADMIN-REQUEST", hint=hint)
