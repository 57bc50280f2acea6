"""The accounts of a server that runs on this computer, asked for by its socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import Unreachable
from ._ask_server import ask_server


class RunningAccounts:
    """The same calls as of ``_core.Accounts``."""

    def __init__(self, socket: Path) -> None:
        """Raises Unreachable if no server runs there that can be asked about accounts."""
        self._socket = socket
        where = self._done("status").get("accounts")
        if where is None:
            raise Unreachable(f"the server at {socket} is of another version",
                              code="E-NO-SERVER")
        self.is_in_memory = where == "memory"  #: changes are forgotten with the server

    def add(self, name: str, verifier: str) -> bool:
        return self._change("add", name, verifier=verifier)

    def replace_verifier(self, name: str, verifier: str) -> bool:
        return self._change("passwd", name, verifier=verifier)

    def enable(self, name: str) -> bool:
        return self._change("enable", name)

    def disable(self, name: str) -> bool:
        return self._change("disable", name)

    def remove(self, name: str) -> bool:
        return self._change("remove", name)

    def list_accounts(self) -> list[tuple[str, bool, int | None, int | None]]:
        return [(row["user"], row["enabled"], row["created"], row["devices"])
                for row in self._rows("users")]

    def list_devices(self, name: str) -> list[tuple[str, int, int]]:
        return [(row["device"], row["created"], row["used"])
                for row in self._rows("devices", user=name)]

    def revoke_device(self, name: str, id: bytes) -> bool:
        return self._change("revoke", name, device=id.hex())

    def revoke_devices(self, name: str) -> bool:
        return self._change("revoke", name, device=None)

    def disconnect(self, name: str) -> int:
        """How many connections there were."""
        return int(self._done("disconnect", user=name)["connections"])

    def _change(self, ask: str, name: str, **more: Any) -> bool:
        return bool(self._done(ask, user=name, **more)["changed"])

    def _done(self, ask: str, **request: Any) -> dict[str, Any]:
        *_, last = ask_server(self._socket, ask=ask, **request)
        return dict(last["done"])

    def _rows(self, ask: str, **request: Any) -> list[dict[str, Any]]:
        return [answer["row"] for answer in ask_server(self._socket, ask=ask, **request)
                if "row" in answer]
