"""Events as objects of JSON, for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

__all__ = ["Plain", "as_json"]


class Plain:
    """What can be told to other programs. Of dataclasses."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Everything in it as JSON has it, and its kind as ``"type"``: ``"message"``,
        ``"topic_changed"``. Times are ISO 8601, lengths of time are seconds, ids are hexadecimal,
        roles and access their names in lower case, attributes an object."""
        return {"type": _kind(self), **_fields(self)}

    def to_json(self) -> str:
        """The same as a text of one line."""
        return json.dumps(self.to_dict(), ensure_ascii=False)


def as_json(event: Plain) -> dict[str, Any]:
    """An event, as an object for programs."""
    return event.to_dict()


def _kind(event: Plain) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()


def _fields(value: Any) -> dict[str, Any]:
    return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Plain) and hasattr(type(value), "offset"):
        return value.to_dict()  # a record of a page, whose kind differs
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Exception):
        return {"code": getattr(value, "code", ""), "text": str(value),
                "reason": getattr(value, "reason", ""), "hint": getattr(value, "hint", "")}
    return value
