"""What a running server takes from a configuration that has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import _core
from ._failures import core_error, storage_error, text_of
from ._modes import exposed_files
from ._web_pages import web_options
from .certificates import CertificatePair, load_web_pair
from .errors import CertificateError, ConfigError, QuicChatError, ServerShutdown
from .settings import ServerConfig
from .tickets import CoreTickets

__all__ = ["Reloaded"]

#: What stays as it is until the server starts again.
_FIXED = ("host", "port", "database", "durability", "files", "metrics", "qlog", "admin", "speaker",
          "threads")
#: The limits that rooms and connections keep for their lifetime.
_OF_ROOMS = ("room_log_records_max", "room_log_bytes_max")
_OF_CONNECTIONS = ("rooms_per_connection_max", "login_timeout", "handshake_timeout",
                   "idle_timeout")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload has changed. Names are those of the configuration; where nothing has changed,
    there is nothing."""

    #: of certificate, accounts, limits, operators, ..., in this order
    changed: tuple[str, ...]
    fingerprint: str  #: of the key that new connections are shown
    accounts: int  #: how many the configuration has
    added: tuple[str, ...] = ()  #: accounts
    replaced: tuple[str, ...] = ()  #: accounts whose password is another one now
    removed: tuple[str, ...] = ()  #: accounts in memory that are no more
    notices: tuple[str, ...] = ()  #: what should be known, such as what needs a restart

    def __str__(self) -> str:
        words = {"certificate": f"certificate {self.fingerprint}",
                 "accounts": "1 account" if self.accounts == 1 else f"{self.accounts} accounts"}
        return ", ".join(words.get(name, name) for name in self.changed) or "nothing has changed"


def effective(old: ServerConfig, new: ServerConfig, offers_pages: bool) -> ServerConfig:
    """The new configuration, as far as it takes effect without a restart. ``offers_pages``: the
    server tells browsers that pages may come, which is settled when it starts."""
    kept = _FIXED if offers_pages else (*_FIXED, "web")
    return replace(new, **{name: getattr(old, name) for name in kept})


def with_web_pair(pair: CertificatePair, config: ServerConfig, doing: str
                  ) -> tuple[CertificatePair, tuple[CertificatePair, Path] | None]:
    """Beside the server's pair what browsers are shown instead, see
    :func:`quicchat.certificates.load_web_pair`. Where that cannot be written or read, a warning
    says so: people who come by other ways are not kept out for it. Raises CertificateError."""
    if config.web is None:
        return pair, None
    try:
        return pair, load_web_pair(pair, config.certfile, config.keyfile, config.host, doing=doing)
    except CertificateError as error:
        if error.code != "E-KEY-PERM":
            raise
        warning = f"no page can pin {config.certfile}, and browsers have no other: {error}"
        return replace(pair, warnings=(*pair.warnings, warning)), None


def reload_core(core: _core.Server, pair: CertificatePair, web_pair: dict[str, Any],
                config: ServerConfig, accounts: list[tuple[str, str, str, bytes]],
                tickets: CoreTickets) -> tuple[list[str], list[str], list[str], int]:
    """Gives the server all of it, or nothing; the errors in words. ``web_pair`` has the options of
    what browsers are shown, ``config`` is what is to be in effect. What became of accounts, and how
    many passwords had to be hashed: those that are as before need not be."""
    try:
        return core.reload(
            certificate_pem=pair.certificate_pem, key_pem=pair.key_pem, accounts=accounts,
            iterations=config.iterations, rooms=list(config.rooms),
            operators=list(config.operators), anybody_makes_rooms=config.anybody_makes_rooms,
            limits=config.limits.chosen(), tickets=tickets, **web_pair,
            **web_options(config.web, config.page_passwords))
    except _core.StorageFailure as error:
        raise storage_error(error.args[1], error.args[0]) from None
    except _core.CoreError as error:
        raise _error(error) from None


def _error(error: _core.CoreError) -> QuicChatError:
    category, _, name, text = error.args
    if category != "quicchat":
        return core_error(error, "cannot reload")
    if name == "too_many_rooms":
        return ConfigError(
            "cannot reload: there are more rooms than the configuration allows",
            reason='those that people have made count for "rooms_max" as well',
            hint='raise "rooms_max" in "limits", or list fewer rooms')
    if name == "not_ready":
        return ServerShutdown("cannot reload: the server has ended")
    if name.startswith("storage_"):
        return storage_error(text_of(name), name)
    return ConfigError(f"cannot reload: {text}")


def summary(old: ServerConfig, new: ServerConfig, before: CertificatePair, pair: CertificatePair,
            accounts: tuple[list[str], list[str], list[str], int], tickets_changed: bool,
            offers_pages: bool) -> Reloaded:
    """``old`` is what was in effect, ``new`` what was read, ``accounts`` what became of them."""
    added, replaced, removed = map(tuple, accounts[:3])
    same_pair = (pair.certificate_pem, pair.key_pem) == (before.certificate_pem, before.key_pem)
    rooms = [room for room in new.rooms if room.lower() not in map(str.lower, old.rooms)]
    found: dict[str, bool] = {
        "certificate": not same_pair,
        "accounts": bool(added or replaced or removed),
        "limits": new.limits != old.limits,
        "operators": _names(new.operators) != _names(old.operators),
        "anybody_makes_rooms": new.anybody_makes_rooms != old.anybody_makes_rooms,
        "rooms": bool(rooms),
        "tickets": tickets_changed,
        "web": offers_pages and new.web != old.web,
        "web.passwords": bool(new.page_passwords) != bool(old.page_passwords),
    }
    return Reloaded(tuple(name for name, is_so in found.items() if is_so), pair.fingerprint,
                    len(new.accounts), added, replaced, removed,
                    notices=(*new.notices, *pair.warnings, *exposed_files(new),
                             *_notices(old, new, replaced, offers_pages)))


def _names(names: tuple[str, ...]) -> set[str]:
    return {name.lower() for name in names}


def _notices(old: ServerConfig, new: ServerConfig, replaced: tuple[str, ...],
             offers_pages: bool) -> list[str]:
    found = [f"{name}: takes effect at the next start" for name in _FIXED
             if getattr(new, name) != getattr(old, name)]
    if new.web is not None and not offers_pages:
        found.append("web: takes effect at the next start, since this server began without pages")
    for names, whom in ((_OF_ROOMS, "new rooms now, for all at the next start"),
                        (_OF_CONNECTIONS, "new connections")):
        changed = [name for name in names
                   if getattr(new.limits, name) != getattr(old.limits, name)]
        if changed:
            found.append(f"{', '.join(changed)}: for {whom}")
    unlisted = [room for room in old.rooms if room.lower() not in map(str.lower, new.rooms)]
    if unlisted:
        until = "" if old.stores else " until the next start"
        found.append(f"rooms: {', '.join(unlisted)} stays{until}, though not listed any more")
    if old.stores:
        left = _names(tuple(account.username for account in new.accounts))
        found += [f"accounts: {account.username} is not in the configuration any more, but stays "
                  f"in the database: quicchat user remove {account.username}"
                  for account in old.accounts if account.username.lower() not in left]
        found += [f"accounts: {name} has another password now, and has to log in with it on all "
                  "devices" for name in replaced]
    return found
