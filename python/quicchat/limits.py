"""The limits that a program may set. The C++ header ``quicchat/base/limits.hpp`` has them all, with
the reasons; the names are the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from . import _core
from .errors import ConfigError

__all__ = ["Limits"]

#: name -> (smallest, largest, unit)
RANGES: dict[str, tuple[float, float, str]] = {
    "connections_max": (1, 1_000_000, "connections"),
    "strangers_per_prefix_max": (1, 1_000_000, "connections"),
    "connections_per_account_max": (1, 1_000_000, "connections"),
    "rooms_per_connection_max": (1, 1000, "rooms"),
    "rooms_max": (1, 1_000_000, "rooms"),
    "rooms_per_owner_max": (0, 1_000_000, "rooms"),
    "room_bytes_per_owner_max": (65_536, 1 << 50, "bytes"),
    "members_max": (1, 1_000_000, "people"),
    "message_bytes_max": (1, 60_000, "bytes"),
    "room_log_records_max": (1, 10_000_000, "messages"),
    "room_log_bytes_max": (65_536, 1 << 40, "bytes"),
    "history_records_max": (0, 1_000_000, "messages"),
    "reactions_per_message_max": (1, 1_000_000, "reactions"),
    "reactions_by_account_max": (1, 1_000_000, "reactions"),
    "turn_work_max": (1024, 1 << 40, "bytes"),
    "unsent_bytes_max": (65_536, 1 << 40, "bytes"),
    "events_max": (16, 1_000_000, "events"),
    "file_bytes_max": (0, 1 << 40, "bytes"),
    "files_per_room_bytes_max": (0, 1 << 50, "bytes"),
    "files_per_account_bytes_max": (0, 1 << 50, "bytes"),
    "files_bytes_max": (0, 1 << 50, "bytes"),
    "answer_wait": (0.1, 3600, "seconds"),
    "answer_timeout": (0.2, 86_400, "seconds"),
    "login_timeout": (0.1, 600, "seconds"),
    "handshake_timeout": (0.1, 600, "seconds"),
    "idle_timeout": (1, 3600, "seconds"),
    "keep_alive": (0.5, 3600, "seconds"),
    "drain_timeout": (0, 600, "seconds"),
    "room_age_min": (0, 3.2e8, "seconds"),
    "messages_per_account": (1, 1_000_000, "messages a second"),
    "messages_per_room": (1, 1_000_000, "messages a second"),
    "messages_per_prefix": (1, 1_000_000, "messages a second"),
    "stored_bytes_per_account": (1024, 1 << 40, "bytes a second"),
    "output_bytes_per_account": (1024, 1 << 40, "bytes a second"),
    "file_bytes_per_account": (1024, 1 << 40, "bytes a second"),
    "upload_bytes_per_account": (1024, 1 << 40, "bytes a second"),
    "requests_per_connection": (1, 1_000_000, "requests a second"),
    "requests_per_account": (1, 1_000_000, "requests a second"),
    "markers_per_account": (1, 1_000_000, "markers a second"),
    "connections_per_prefix": (1, 1_000_000, "connections a second"),
    "failed_logins_per_prefix": (1, 1_000_000, "logins a second"),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may cost us and how long we wait for it. ``None``: what the library has chosen.

    Sizes are bytes, times are seconds. What is "per" somebody is a rate, so many a second on
    average; the bursts that are allowed grow with it. A *prefix* is a network, of which many
    clients may come. Raises :class:`ConfigError` for a value out of range, and
    for limits that do not fit together.
    """

    connections_max: int | None = None
    strangers_per_prefix_max: int | None = None
    connections_per_account_max: int | None = None
    rooms_per_connection_max: int | None = None
    rooms_max: int | None = None
    rooms_per_owner_max: int | None = None
    room_bytes_per_owner_max: int | None = None
    members_max: int | None = None
    message_bytes_max: int | None = None
    room_log_records_max: int | None = None
    room_log_bytes_max: int | None = None
    history_records_max: int | None = None
    reactions_per_message_max: int | None = None
    reactions_by_account_max: int | None = None
    turn_work_max: int | None = None
    unsent_bytes_max: int | None = None
    events_max: int | None = None
    file_bytes_max: int | None = None
    files_per_room_bytes_max: int | None = None
    files_per_account_bytes_max: int | None = None
    files_bytes_max: int | None = None
    answer_wait: float | None = None
    answer_timeout: float | None = None
    login_timeout: float | None = None
    handshake_timeout: float | None = None
    idle_timeout: float | None = None
    keep_alive: float | None = None
    drain_timeout: float | None = None
    room_age_min: float | None = None
    messages_per_account: int | None = None
    messages_per_room: int | None = None
    messages_per_prefix: int | None = None
    stored_bytes_per_account: int | None = None
    output_bytes_per_account: int | None = None
    file_bytes_per_account: int | None = None
    upload_bytes_per_account: int | None = None
    requests_per_connection: int | None = None
    requests_per_account: int | None = None
    markers_per_account: int | None = None
    connections_per_prefix: int | None = None
    failed_logins_per_prefix: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            problem = None if value is None else limit_problem(field.name, value)
            if problem:
                raise ConfigError(problem)
        if problem := _core.limits_problem(self.chosen()):
            raise ConfigError(f"limits that do not fit together: {problem}")

    def chosen(self) -> dict[str, float]:
        """Only what was set, for the core."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def limit_problem(name: str, value: object) -> str | None:
    """What is wrong with ``value`` for the limit ``name``, or None."""
    smallest, largest, unit = RANGES[name]
    whole = unit != "seconds"
    number = isinstance(value, int) if whole else isinstance(value, int | float)
    if number and not isinstance(value, bool):
        assert isinstance(value, int | float)
        if smallest <= value <= largest:
            return None
    article = "a whole number" if whole else "a number"
    return f'limit "{name}" must be {article} of {unit} from {smallest:g} to {largest:g}'
