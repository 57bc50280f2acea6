"""How a client comes back after it lost its connection."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from .errors import ConfigError

__all__ = ["Reconnect"]

#: name -> (smallest, largest). Servers are spared delays below these (PROTOCOL.md §6.8).
_RANGES: dict[str, tuple[float, float]] = {
    "delay_min": (0.5, 3600),
    "delay_max": (0.5, 86_400),
    "busy_delay_min": (5, 3600),
    "busy_delay_max": (5, 86_400),
    "give_up_after": (0, 31_536_000),
}


@dataclass(frozen=True, slots=True)
class Reconnect:
    """How a client comes back. Times are seconds; of each delay a random part, up to a half, is
    taken off, so that not all clients of a server come back at the same moment.

    It comes back from everything that may pass: a restart or loss of the server, a broken network,
    a laptop that slept. It gives up at once where trying again cannot help, for example when the
    password was changed or the server has another key.
    """

    delay_min: float = 0.5  #: before the first attempt; doubled with each
    delay_max: float = 30.0
    busy_delay_min: float = 5.0  #: the same where the server said that it is full or broken
    busy_delay_max: float = 120.0
    give_up_after: float | None = None  #: offline for so long is the end; None: never

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            smallest, largest = _RANGES[field.name]
            if value is None and field.name == "give_up_after":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) \
                    or not smallest <= value <= largest:
                raise ConfigError(f"{field.name} must be a number of seconds from {smallest:g} to "
                                  f"{largest:g}, got {value!r}")
        for kind in ("", "busy_"):
            low, high = getattr(self, f"{kind}delay_min"), getattr(self, f"{kind}delay_max")
            if low > high:
                raise ConfigError(f"{kind}delay_min ({low:g}) is above {kind}delay_max ({high:g})")

    def chosen(self) -> dict[str, float | None]:
        """For the core."""
        return asdict(self)


def as_reconnect(value: Reconnect | bool | None) -> Reconnect | None:
    """``True`` is the default, ``False`` and ``None`` mean never."""
    if value is True:
        return Reconnect()
    if value is False or value is None:
        return None
    if not isinstance(value, Reconnect):
        raise TypeError("reconnect must be a quicchat.Reconnect, True, False or None, "
                        f"not {type(value).__name__}")
    return value
