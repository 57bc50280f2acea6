"""How a program of yours decides what may be said on its server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import _core
from ._asking import Asking
from ._attributes import Attributes, read_attributes
from ._calls import encode_attributes
from .events import CheckFailed

__all__ = ["Check", "MessageCheck", "MessageQuestion", "Refuse", "Replace"]


@dataclass(frozen=True, slots=True)
class MessageQuestion:
    """Somebody who may do so wants to say something. It is not stored, and nobody sees it, before
    the answer."""

    user: str  #: whose message it is
    room: str  #: as that user calls it: ``"#tea"``, or ``"@bob"`` for the room of the two
    text: str
    attributes: Attributes  #: what is sent beside it, as a mapping
    kind: str  #: ``"message"``, ``"edit"`` (the text is the new one) or ``"file"`` (it is its name)
    recipient: str  #: the other person, if the room is one of two; otherwise empty

    def __post_init__(self) -> None:
        read_attributes(self)


@dataclass(frozen=True, slots=True)
class Replace:
    """Store another text, other attributes, or both. ``None``: as they are."""

    text: str | None = None
    attributes: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not store it. Who sent it is told the reason, in a line of up to 512 bytes."""

    reason: str = ""


Answer = bool | str | Replace | Refuse
Check = Callable[[MessageQuestion], Answer | Awaitable[Answer]]

#: What the core is told: a verdict, a text, and attributes.
_Verdict = tuple[str, str, str | None]


class MessageCheck:
    """Asks the function about each message and tells the engine what it said. Belongs to a loop."""

    def __init__(self, function: Check, timeout: float,
                 report: Callable[[CheckFailed], None]) -> None:
        self._asking: Asking[MessageQuestion, Answer] = Asking(function, "check", timeout)
        self._report = report

    def ask(self, core: _core.Server, ticket: int, question: MessageQuestion) -> None:
        self._asking.start(self._ask(core, ticket, question))

    def close(self) -> None:
        self._asking.close()

    async def _ask(self, core: _core.Server, ticket: int, question: MessageQuestion) -> None:
        async def understand(answer: Answer) -> _Verdict:
            return _verdict(question, answer)

        verdict, problem = await self._asking.ask(question, understand)
        if problem:
            self._report(CheckFailed(question.user, question.room, problem))
            verdict = ("unavailable", "", None)
        name, text, attributes = verdict
        core.answer_check(ticket, name, text, attributes)


def _verdict(question: MessageQuestion, answer: Answer) -> _Verdict:
    match answer:
        case True:
            return "accept", "", None
        case False:
            return "refuse", "", None
        case str():
            return "replace", _encodable(answer), None
        case Replace(text, attributes):
            return ("replace", _encodable(question.text if text is None else text),
                    None if attributes is None else _encodable(encode_attributes(attributes)))
        case Refuse(reason):
            return "refuse", reason.encode(errors="replace").decode(), None
    raise TypeError("it must return True, False, a text, quicchat.Replace or quicchat.Refuse, "
                    f"not {type(answer).__name__}")


def _encodable(text: str) -> str:
    """Raises UnicodeEncodeError for what has no UTF-8."""
    text.encode()
    return text
