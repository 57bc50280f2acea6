"""The attributes of a message, as the mapping that they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["NO_ATTRIBUTES", "Attributes", "read_attributes"]


class Attributes(Mapping[str, Any]):
    """What travels beside a message: a JSON object, to be read as a mapping. It is what somebody
    else has sent. Nothing is parsed before it is looked at; what Python cannot read, such as a
    thousand lists in each other, is an empty mapping then, and :attr:`text` still has it."""

    __slots__ = ("_found", "text")

    def __init__(self, text: str = "{}") -> None:
        self.text = text  #: the JSON
        self._found: dict[str, Any] | None = None

    def _read(self) -> dict[str, Any]:
        if self._found is None:
            try:
                found = json.loads(self.text)
            except (ValueError, RecursionError):
                found = None
            self._found = found if isinstance(found, dict) else {}
        return self._found

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __hash__(self) -> int:
        return hash(frozenset(self._read()))

    def __repr__(self) -> str:
        return repr(self._read())

    def __reduce__(self) -> tuple[type[Attributes], tuple[str]]:
        return Attributes, (self.text,)


#: What most messages have.
NO_ATTRIBUTES = Attributes()


def read_attributes(event: Any) -> None:
    """Of a frozen dataclass whose attributes are still the JSON text that the core gives, or that
    somebody made it with. Most have none, and share it."""
    found = event.attributes
    if type(found) is str:
        made = NO_ATTRIBUTES if found == "{}" else Attributes(found)
        object.__setattr__(event, "attributes", made)
