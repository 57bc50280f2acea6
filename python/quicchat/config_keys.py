"""What each key of a server's configuration means: the one table, for ``quicchat config reference``
and the guide of it. :mod:`quicchat.config` reads them."""

from __future__ import annotations

from dataclasses import dataclass

from .limits import RANGES

__all__ = ["CONFIG_KEYS", "ConfigKey", "EXAMPLE"]


@dataclass(frozen=True, slots=True)
class ConfigKey:
    """One of them."""

    name: str  #: with dots: ``"auth.users"``
    kind: str  #: what it must be
    default: str  #: as in the file; empty: it must be there, or has none
    meaning: str
    restart: bool = False  #: a change counts from the next start on, not from SIGHUP on


#: The smallest configuration, with all accounts in the database.
EXAMPLE = """{
    "host": "127.0.0.1",
    "port": 12345,
    "certfile": "server.crt",
    "keyfile": "server.key",
    "operators": ["ada"],
    "auth": {"users": []}
}
"""

_OWN = (
    ConfigKey("host", "text", "", "The address to listen at: 127.0.0.1 for this computer alone, "
              "0.0.0.0 or :: for all.", True),
    ConfigKey("port", "0 to 65535", "", "The UDP port; 0 is a free one.", True),
    ConfigKey("certfile", "path", "", "The certificate and its chain, PEM. Made if neither it nor "
              "the key is there."),
    ConfigKey("keyfile", "path", "", "Its private key, PEM, for the server's user alone."),
    ConfigKey("auth", "object", "", "Who may log in."),
    ConfigKey("auth.username", "name", "", "One account, with auth.password."),
    ConfigKey("auth.password", "text", "", "Its password."),
    ConfigKey("auth.users", "list", "", 'More accounts: {"username", "password"} or {"username", '
              '"verifier"}, see quicchat user entry. An empty list: all are in the database, see '
              "quicchat user."),
    ConfigKey("auth.iterations", "100000 to 2000000", "600000", "How slow it is to guess a "
              "password from a verifier (PBKDF2)."),
    ConfigKey("rooms", "list of names", '["#lobby"]', "Rooms that are there from the start. One "
              "that is not listed any more stays."),
    ConfigKey("operators", "list of users", "[]", "Accounts that own every room."),
    ConfigKey("anybody_makes_rooms", "true or false", "true", "False: only operators make rooms."),
    ConfigKey("speaker", "name or null", "null", "By which the server's own program speaks, and "
              'nobody logs in; "": it has none; null: "server", unless an account has that name. '
              "If it is the name of an account that was removed, the program can read that "
              "person's private rooms.", True),
    ConfigKey("database", "path or null", '"quicchat.db"', "The file that keeps rooms, accounts "
              "and devices; null: they live in memory.", True),
    ConfigKey("files", "path or null", '"quicchat.files"', "The folder that keeps files that "
              "people send; null: none are taken.", True),
    ConfigKey("durability", '"fsync", "process" or "memory"', '"fsync"', "An acknowledged message "
              "outlives a power failure, a crash of the server, or neither.", True),
    ConfigKey("metrics", "address or null", "null", "Where figures for Prometheus are, of this "
              'computer alone: "127.0.0.1:9464".', True),
    ConfigKey("qlog", "object or null", "null", "Write down what QUIC does, a file for each "
              "connection.", True),
    ConfigKey("qlog.directory", "path", "", "The folder, which must exist.", True),
    ConfigKey("qlog.bytes_max", "bytes", "67108864", "Above that the files go that were not "
              "written to for longest.", True),
    ConfigKey("admin", "path or null", '"quicchat.sock"', "The socket of quicchat room, status and "
              "backup; null: none.", True),
    ConfigKey("web", "object or null", "null", "Pages in browsers may come, by WebTransport on the "
              "same port. Where there was none, it needs a restart."),
    ConfigKey("web.origins", "list of texts", "", 'Of these pages: "https://chat.example.org", '
              'with the port if it is not 443; "*": of any.'),
    ConfigKey("web.path", "text", '"/quicchat"', "Of the address that pages connect to."),
    ConfigKey("web.tickets", "object or null", "null", "Take one-time tickets that the back end of "
              "a site makes, see quicchat ticket."),
    ConfigKey("web.tickets.keys", "path", "", "The file of the key that it shares with the server, "
              "for the server's user alone: quicchat ticket --new-key."),
    ConfigKey("web.tickets.audience", "text", "", "The name of this server in tickets."),
    ConfigKey("web.tickets.hosts", "list of texts", "[]", 'As "chat.example.org:443": by which '
              "pages come that trust the certificate and do not pin it."),
    ConfigKey("web.passwords", "true or false", "false", "People may log in by password in pages "
              "that pin the certificate, in those of quicchat serve --web if this is not given as "
              "well. A script in the page could read it."),
    ConfigKey("threads", 'number or "auto"', "1", "So many threads carry connections, beside the "
              'one with the chat; "auto": one for each core. 1: one does all.', True),
    ConfigKey("limits", "object", "{}", "What one peer may cost; see below."),
    ConfigKey("version", "1", "1", "Of this format."),
)

_LIMITS = {
    "connections_max": ("10000", "Connections of the server, about 50 KiB each."),
    "strangers_per_prefix_max": ("1000", "Connections of one network that are not logged in."),
    "connections_per_account_max": ("64", "Devices of one account at a time."),
    "rooms_per_connection_max": ("100", "Rooms that one connection is in."),
    "rooms_max": ("10000", "Rooms of the server."),
    "rooms_per_owner_max": ("100", "Rooms that one account may have made."),
    "room_bytes_per_owner_max": ("536870912", "What all of these may take."),
    "members_max": ("10000", "Members of one room."),
    "message_bytes_max": ("32768", "A message; longer ones are refused."),
    "room_log_records_max": ("4096", "What a room remembers; older records go."),
    "room_log_bytes_max": ("16777216", "The same in bytes."),
    "history_records_max": ("1000", "How many of the newest somebody who joins may ask for."),
    "reactions_per_message_max": ("1000", "Reactions to one message."),
    "reactions_by_account_max": ("50", "Of those, by one account."),
    "turn_work_max": ("524288", "What is read or stored for one account before all others have a "
                      "turn."),
    "unsent_bytes_max": ("536870912", "All that waits for all clients."),
    "events_max": ("4096", "Events that a client's program left unread."),
    "file_bytes_max": ("104857600", "One file."),
    "files_per_room_bytes_max": ("1073741824", "All files of a room."),
    "files_per_account_bytes_max": ("2147483648", "All files that one account sent."),
    "files_bytes_max": ("10737418240", "All files of the server."),
    "answer_wait": ("10", "Then a client says that it waits for an answer,"),
    "answer_timeout": ("60", "and leaves a server that says nothing at all."),
    "login_timeout": ("15", "From the handshake to the login."),
    "handshake_timeout": ("10", "For a connection to be made."),
    "idle_timeout": ("60", "After so long without a packet a connection is over."),
    "keep_alive": ("25", "So often a client says that it is there; below 30 for NATs."),
    "drain_timeout": ("3", "So long a server that ends waits for its clients."),
    "room_age_min": ("604800", "Nobody's haste pushes out what is younger."),
    "messages_per_account": ("100", "Messages of one account."),
    "messages_per_room": ("1000", "Messages in one room."),
    "messages_per_prefix": ("2000", "Messages from one network."),
    "stored_bytes_per_account": ("65536", "What one account stores in one room."),
    "output_bytes_per_account": ("33554432", "What one account's messages send to others."),
    "file_bytes_per_account": ("67108864", "What one account fetches of files; above: slower."),
    "upload_bytes_per_account": ("67108864", "What one account sends of files; above: slower."),
    "requests_per_connection": ("40", "Requests on one connection."),
    "requests_per_account": ("100", "Requests of one account."),
    "markers_per_account": ("20", "How far it has read; above: later."),
    "connections_per_prefix": ("200", "New connections from one network."),
    "failed_logins_per_prefix": ("10", "Logins that fail from one network."),
}


def _limit(name: str) -> ConfigKey:
    smallest, largest, unit = RANGES[name]
    default, meaning = _LIMITS[name]
    return ConfigKey(f"limits.{name}", f"{unit}, {smallest:.15g} to {largest:.15g}", default,
                     meaning)


#: In the order in which one reads about them.
CONFIG_KEYS: tuple[ConfigKey, ...] = (*_OWN, *map(_limit, RANGES))
