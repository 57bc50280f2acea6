"""What a command of a bot takes, read from its function's parameters."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

__all__ = ["Command", "UsageError"]

_YES = {"yes": True, "true": True, "on": True, "1": True,
        "no": False, "false": False, "off": False, "0": False}


class UsageError(Exception):
    """What was written is not what the command takes."""


class Command:
    """A function, its names, and how its parameters are read from a line. Raises TypeError for a
    parameter that no text can be."""

    def __init__(self, function: Callable[..., Any], names: tuple[str, ...]) -> None:
        self.function = function
        self.names = names
        self.about = (inspect.getdoc(function) or "").partition("\n")[0]
        parameters = list(inspect.signature(function).parameters.values())
        if not parameters:
            raise TypeError(f"the command {names[0]!r} needs a parameter for its context")
        hints = typing.get_type_hints(function)
        self._parameters = parameters[1:]
        self._kinds = {p.name: _kind_of(hints.get(p.name, str), p.name) for p in self._parameters}

    @property
    def usage(self) -> str:
        """Its name and what may follow: ``roll [sides]``."""
        parts = [self.names[0]]
        for p in self._parameters:
            name = p.name + ("..." if p.kind in (p.VAR_POSITIONAL, p.KEYWORD_ONLY) else "")
            optional = p.default is not p.empty or p.kind is p.VAR_POSITIONAL
            parts.append(f"[{name}]" if optional else f"<{name}>")
        return " ".join(parts)

    def read(self, line: str) -> tuple[list[Any], dict[str, Any]]:
        """The arguments that a line gives. Raises UsageError."""
        positional: list[Any] = []
        keyword: dict[str, Any] = {}
        rest = line.strip()
        for p in self._parameters:
            if p.kind is p.VAR_POSITIONAL:
                positional += [self._value(p, word) for word in rest.split()]
                rest = ""
            elif p.kind is p.KEYWORD_ONLY:
                if rest:
                    keyword[p.name] = self._value(p, rest)
                elif p.default is p.empty:
                    raise UsageError(f"{p.name} is missing")
                rest = ""
            elif rest:
                word, _, rest = rest.partition(" ")
                rest = rest.strip()
                positional.append(self._value(p, word))
            elif p.default is p.empty:
                raise UsageError(f"{p.name} is missing")
            else:
                positional.append(p.default)
        if rest:
            raise UsageError("that is too much")
        return positional, keyword

    def _value(self, p: inspect.Parameter, word: str) -> Any:
        kind = self._kinds[p.name]
        try:
            return _YES[word.lower()] if kind is bool else kind(word)
        except (ValueError, KeyError):
            raise UsageError(f"{p.name} is {_WORDS[kind]}") from None


_WORDS: dict[Any, str] = {int: "a whole number", float: "a number", bool: "yes or no",
                          str: "a text"}


def _kind_of(hint: Any, name: str) -> Any:
    """The class that a word is read as."""
    choices = [choice for choice in typing.get_args(hint) if choice is not type(None)]
    kind = choices[0] if len(choices) == 1 else hint
    if kind is Any:
        return str
    if kind not in _WORDS:
        raise TypeError(f"{name}: a command takes int, float, bool or str, not {hint!r}")
    return kind
