"""Who may do what in a room (PROTOCOL.md §6.10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import IntEnum

__all__ = ["Access", "Role"]


class Role(IntEnum):
    """What somebody is in a room, in the order of power."""

    NONE = 0  #: does not belong to the room
    BANNED = 1  #: must not be in it
    MUTED = 2  #: reads only
    MEMBER = 3  #: reads and writes
    MODERATOR = 4  #: sets the topic, deletes, invites, mutes, removes and bans members
    OWNER = 5  #: decides about everything in the room


class Access(IntEnum):
    """Who may come into a room."""

    EVERYBODY = 0  #: whoever joins becomes a member
    INVITATION = 1  #: members only; to others there is no such room
    ARCHIVED = 2  #: members only, and nobody writes any more


def until_milliseconds(role: Role, until: datetime | timedelta | None) -> int:
    """When a role ends, in milliseconds since 1970; 0: it does not. Raises ValueError."""
    if until is None:
        return 0
    if role not in (Role.MUTED, Role.BANNED):
        raise ValueError(f"only a mute or a ban can end by itself, not {role.name}")
    if isinstance(until, timedelta):
        until = datetime.now(UTC) + until
    if not isinstance(until, datetime):
        raise TypeError(f"until must be a datetime or a timedelta, not {type(until).__name__}")
    end = until.timestamp()  # without a time zone it is local time, as everywhere in Python
    if end <= datetime.now(UTC).timestamp():
        raise ValueError(f"until must be in the future, got {until}")
    return int(end * 1000)
