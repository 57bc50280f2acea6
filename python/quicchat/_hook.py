"""How a program of yours decides who may log in to its server."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from . import _core
from ._asking import Asking
from .events import HookFailed
from .settings import Account, password_problem
from .terminal import normalized_password

__all__ = ["AccountQuestion", "Authenticate", "Hook", "salt_of"]

TOKEN = "QUICCHAT-TOKEN"  # the mechanism of a device that was logged in by password before
_KEPT = 1024  # verifiers of passwords, since hashing them is slow


@dataclass(frozen=True, slots=True)
class AccountQuestion:
    """Somebody wants to log in. By password: a claim that nobody has proven yet. By token: it is a
    device whose user logged in by password before, and the token is right."""

    user: str  #: as the client spells it
    peer: str  #: its address and port
    mechanism: str  #: ``"SCRAM-SHA-256-PLUS"`` (by password) or ``"QUICCHAT-TOKEN"``
    device: str  #: 32 hexadecimal digits, or empty


Answer = bool | str | Account | None
Authenticate = Callable[[AccountQuestion], Answer | Awaitable[Answer]]


def salt_of(key_pem: str, user: str, password: str) -> bytes:
    """The salt of an account. It comes from the server's key: it stays the same over restarts, as
    the made-up ones of unknown users do."""
    secret = hashlib.sha256(b"quicchat salts\0" + key_pem.encode()).digest()
    return hmac.digest(secret, f"{user.lower()}\0{password}".encode(), "sha256")[:16]


class Hook:
    """Asks the function about each login and tells the engine what it said. Belongs to a loop."""

    def __init__(self, function: Authenticate, timeout: float, key_pem: str, iterations: int,
                 report: Callable[[HookFailed], None]) -> None:
        self._asking: Asking[AccountQuestion, Answer] = Asking(function, "authenticate", timeout)
        self._key_pem = key_pem
        self._iterations = iterations
        self._report = report
        self._verifiers: OrderedDict[tuple[str, bytes], str] = OrderedDict()

    def ask(self, core: _core.Server, ticket: int, question: AccountQuestion) -> None:
        self._asking.start(self._ask(core, ticket, question))

    def close(self) -> None:
        self._asking.close()

    async def _ask(self, core: _core.Server, ticket: int, question: AccountQuestion) -> None:
        verdict, problem = await self._asking.ask(
            question, lambda answer: self._verdict(question, answer))
        if problem:
            self._report(HookFailed(question.user, question.peer, problem))
            verdict = ("unavailable", "", "")
        core.answer(ticket, *verdict)

    async def _verdict(self, question: AccountQuestion, answer: Answer) -> tuple[str, str, str]:
        if answer is True:
            return "own", "", ""
        if answer is False or answer is None:
            return "refuse", "", ""
        if isinstance(answer, str):
            answer = Account(question.user, answer)
        if not isinstance(answer, Account):
            raise TypeError("it must return True, False, None, a password or a quicchat.Account, "
                            f"not {type(answer).__name__}")
        if question.mechanism == TOKEN:
            return "account", answer.username, ""
        if answer.verifier:
            _core.check_verifier(answer.verifier)
            return "account", answer.username, answer.verifier
        return "account", answer.username, await self._hashed(answer.username, answer.password)

    async def _hashed(self, user: str, password: str) -> str:
        if problem := password_problem(password):
            raise ValueError(f"the password {problem}")
        password = normalized_password(password)
        salt = salt_of(self._key_pem, user, password)
        key = (user, hashlib.sha256(salt + password.encode()).digest())
        if key not in self._verifiers:
            loop = asyncio.get_running_loop()
            self._verifiers[key] = await loop.run_in_executor(
                self._asking.threads, _core.verifier, password, salt, self._iterations)
        self._verifiers.move_to_end(key)
        if len(self._verifiers) > _KEPT:
            self._verifiers.popitem(last=False)
        return self._verifiers[key]
