"""What each error code means and what to do about it: the one table, for ``quicchat explain``, the
guide on troubleshooting, and the exit statuses of the commands.

An error's own text, ``reason`` and ``hint`` say more, since they know the case.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import _core

__all__ = ["ERROR_CODES", "ErrorCode", "find_error_code"]

#: What to do about a request that was refused, by its name in the protocol.
REQUEST_HINTS = {
    "forbidden": "ask a moderator or an owner of the room; its members are listed with their roles",
    "no_such_message": "it was deleted, or is too old to be kept; nobody can change it any more",
    "no_such_room": "check the name; into a room by invitation somebody must invite you first",
    "no_change": "the reaction is there already, or was taken back already",
    "too_many_reactions": "react to another message",
    "room_exists": "join that room, or choose another name",
    "not_accepted": "write it in another way, or ask the people who run the server",
    "not_checked": "send it again in a few seconds; it was not stored",
    "removed": "ask a moderator of the room before you come back",
    "not_in_room": "join the room first",
    "room_full": "try again later, or ask an owner of the room to remove somebody",
    "file_too_large": "send a smaller one, or ask who runs the server to raise file_bytes_max",
    "file_mismatch": "it changed while it was being sent; send it again when nobody writes to it",
    "no_such_file": "it was deleted with its message, or is too old to be kept",
    "unsupported": "who runs the server has not switched it on",
    "quota_exceeded": "delete files that nobody needs, use a room that is there already, or ask "
                      "who runs the server for more",
    "too_many_rooms": "leave a room that you do not need, or archive one that you made",
    "message_too_long": "send it in parts, or as a file",
    "invalid_text": "take out control characters; the text must be UTF-8",
    "invalid_name": "rooms are '#' and letters, digits, '_', '.' or '-'; users the same without it",
    "no_such_user": "check the name; only people with an account can be reached",
    "already_joined": "use the room that was joined",
    "conflict": "draw a new id for another message",
    "queue_full": "wait for answers before sending more",
    "invalid_request": "a value is outside what the protocol allows",
    "not_ready": "ask again when the connection is back",
    "storage_full": "who runs the server must make room on its disk; what was stored can be read",
}


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One of them."""

    code: str  #: such as ``"E-AUTH"``
    status: int  #: the exit status of a command that ends with it, as in sysexits.h
    meaning: str  #: what happened, a sentence
    remedy: str  #: what to do, sentences


_OWN = (
    ErrorCode("E-ADMIN-PEER", 77, "The server of this folder takes no orders from your account.",
              "Run the command as the user that the server runs as, or as root."),
    ErrorCode("E-ADMIN-REQUEST", 65, "The server refused what a command asked of it.",
              "Correct what the text says: a name, a number, or a room that is not there."),
    ErrorCode("E-ADMIN-SOCKET", 78, "The socket for administration cannot be made or used.",
              'Name another path by "admin" in the configuration, shorter than 100 bytes, in a '
              "folder that the server may write to; null switches it off."),
    ErrorCode("E-AUTH", 77, "The login was refused: wrong user name or password, or too many "
              "attempts.",
              "Check both; quicchat user passwd NAME, on the server, sets a new password. After "
              "many failures wait a minute."),
    ErrorCode("E-BIND", 71, "The server's address cannot be used.",
              'Give "host" an address of this computer: 127.0.0.1, 0.0.0.0 or ::.'),
    ErrorCode("E-CERT-EXPIRED", 77, "The server's certificate is not valid today.",
              "Who runs the server renews it (quicchat cert --renew). If it is good, the clock of "
              "this computer is wrong."),
    ErrorCode("E-CERT-INVALID", 78, "A certificate or key file is not what it should be.",
              "It must be PEM: a certificate with its chain, and its private key without a "
              "password. quicchat cert makes a pair."),
    ErrorCode("E-CERT-MISMATCH", 78, "The private key does not belong to the certificate.",
              'Correct "certfile" and "keyfile", which may have been taken from two pairs.'),
    ErrorCode("E-CERT-MISSING", 66, "A certificate or key file is not there.",
              'Correct "certfile" or "keyfile". If both are missing, serve makes a pair.'),
    ErrorCode("E-CERT-NAME", 77, "The server's certificate is for another name.",
              "Connect by a name that the certificate has, or pin the key: --pin sha256:..."),
    ErrorCode("E-CERT-SELF-EXPIRED", 78, "The server's own certificate is over.",
              "Renew it: quicchat cert --renew, or put a new one there and send SIGHUP."),
    ErrorCode("E-CERT-UNTRUSTED", 77, "Nobody that this client trusts vouches for the server.",
              "Compare the fingerprint with what the server printed, then pin it: --pin sha256:... "
              "For an authority of your own use --cafile."),
    ErrorCode("E-CLOCK", 77, "The clock of this computer differs much from the server's.",
              "Set it, best by a time service; certificates depend on it."),
    ErrorCode("E-CLOSED", 69, "The connection ended.",
              "Connect again; a client with reconnect does so by itself."),
    ErrorCode("E-CONFIG", 78, "The configuration cannot be used.",
              "Correct each line of the list; quicchat config reference explains the keys."),
    ErrorCode("E-CONFIG-JSON", 65, "The configuration is not JSON.",
              "The text shows line and column: often a comma or a quote."),
    ErrorCode("E-CONFIG-MISSING", 66, "There is no such configuration file.",
              "Name it: --config FILE. quicchat config example prints one to begin with."),
    ErrorCode("E-DESCRIPTORS", 71, "The program has no file descriptors left.",
              "Raise the limit: ulimit -n 65536, or LimitNOFILE= in a systemd unit."),
    ErrorCode("E-FILE", 74, "A file on this computer cannot be read or written.",
              "The text has the path and what the system said of it."),
    ErrorCode("E-FILE-CHANGED", 74, "A file changed while it was being sent.",
              "Send it again when nobody writes to it."),
    ErrorCode("E-FILE-EXISTS", 74, "There is a file of that name already.",
              "Choose another name; nothing is overwritten."),
    ErrorCode("E-FILE-KIND", 65, "It is not a file that can be sent: a folder, a pipe, a device.",
              "Send a regular file; of a folder, an archive."),
    ErrorCode("E-FILE-MISMATCH", 65, "What came is not the file that was announced.",
              "Fetch it again; if that does not help, its sender must send it again."),
    ErrorCode("E-FILE-TOO-LARGE", 65, "The file is larger than the server takes.",
              'Send a smaller one, or raise "limits": {"file_bytes_max": ...} on the server.'),
    ErrorCode("E-FORK", 1, "An object from before os.fork() was used in the child process.",
              "Make it in the child; multiprocessing does so by spawn and forkserver."),
    ErrorCode("E-FULL", 75, "The server has no room for another connection.",
              "Try again later; who runs it may raise connections_max."),
    ErrorCode("E-INBOX-FULL", 75, "Answers wait behind more unread events than are kept.",
              "Read the events, or connect with events=False."),
    ErrorCode("E-INPUT", 65, "What came from standard input cannot be used.",
              "The text says which line, and why."),
    ErrorCode("E-INTERNAL", 70, "A mistake of quicchat itself.",
              "Report it with the text and, if you can, with what you did."),
    ErrorCode("E-KEY-CHANGED", 77, "The server shows another key than before. It was set up anew, "
              "or somebody is between you and it.",
              "Ask who runs it for the fingerprint. If that is right, remove the old line from "
              "known_servers, or pin the new key."),
    ErrorCode("E-KEY-PERM", 77, "A key file may not be read or written.",
              "Give it to the user that runs the server: chown, then chmod 600."),
    ErrorCode("E-KICKED", 77, "The people who run the server ended the connection.",
              "Ask them."),
    ErrorCode("E-LOOP", 1, "An object of one event loop was used in another.",
              "Use it only in the loop in which it was made; from other threads by "
              "asyncio.run_coroutine_threadsafe."),
    ErrorCode("E-NAME-TAKEN", 65, "There is an account of that name.",
              "Choose another name; case does not count."),
    ErrorCode("E-NO-DATABASE", 66, "There is no database at that path.",
              "Name the right one by --config; the server makes one when it starts."),
    ErrorCode("E-NO-OPERATOR", 78, "The configuration names no operator, in whose name it is done.",
              'Name one: "operators": ["ada"], and send SIGHUP.'),
    ErrorCode("E-NO-SERVER", 69, "No server of this configuration runs here.",
              "Start it; for a server in another folder give --config."),
    ErrorCode("E-NO-SPEAKER", 78, "The server itself has no name to speak by.",
              'Give "user", or another name as "speaker" of the ServerConfig.'),
    ErrorCode("E-NO-SUCH-ACCOUNT", 67, "There is no such account.",
              "quicchat user list shows those that there are."),
    ErrorCode("E-NO-SUCH-DEVICE", 67, "The account has no such device.",
              "quicchat user devices NAME shows those that it has."),
    ErrorCode("E-OUTPUT", 74, "Standard output takes nothing, so what should be shown is lost.",
              "Make room where the output goes, or let it go elsewhere."),
    ErrorCode("E-PORT-IN-USE", 71, "Another program has the server's UDP port.",
              'Stop that one, or choose another "port"; ss -ulnp shows who has which.'),
    ErrorCode("E-QLOG", 78, "The folder for qlogs cannot be used.",
              "Make it, and let the server write to it."),
    ErrorCode("E-RATE", 75, "Too many requests in a short time.",
              "Wait as long as the error says (retry_after) and send it again; a bot's sends wait "
              "by themselves."),
    ErrorCode("E-REFUSED", 65, "The server refused one request; the connection lives on.",
              "The text says why."),
    ErrorCode("E-SERVER-PROOF", 77, "The server did not prove that it knows the account.",
              "Do not go on: it may not be the server that you mean. Ask who runs it."),
    ErrorCode("E-SHUTDOWN", 69, "The server went away on purpose.",
              "Connect again later; a client with reconnect does so by itself."),
    ErrorCode("E-SLOW", 69, "The server ended the connection because this client did not read.",
              "Read the events as they come; do slow work in a task of its own."),
    ErrorCode("E-STORAGE", 74, "The database cannot be used, or not any more.",
              "The text says why: another server has it, the disk is full, or it is damaged; "
              "then restore a backup."),
    ErrorCode("E-TICKET", 77, "The server did not take the ticket of a web page.",
              "The page asks its site for another one. If none is taken, see that site and "
              "server have the same key, the same name of the server, and clocks that are right."),
    ErrorCode("E-TICKET-KEY", 78, "The file of keys for tickets cannot be used.",
              "quicchat ticket --new-key makes one; it has one or two lines, a key each."),
    ErrorCode("E-TIMEOUT", 69, "Something may be there, but it did not answer in time.",
              "quicchat doctor HOST looks at each step; often a firewall drops UDP."),
    ErrorCode("E-UNREACHABLE", 69, "Nothing answers at that address.",
              "Does the server run, and is the port right? quicchat doctor HOST looks at each "
              "step."),
    ErrorCode("E-USAGE", 64, "The command was given words that it does not know.",
              "Add --help to see those that it knows."),
    ErrorCode("E-VERSION", 76, "Client and server have no version of the protocol in common.",
              "Update the older side: pip install --upgrade quicchat."),
)


#: The numbers of what a request may be refused with (PROTOCOL.md section 8).
_REQUESTS = range(64, 256)


def _of_requests() -> list[ErrorCode]:
    refused = [(name, text) for number, name, _, text in _core.error_table()
               if number in _REQUESTS and name != "rate_limited"]  # which is E-RATE
    own = {entry.code for entry in _OWN}
    return [ErrorCode(code, 65, f"A request was refused: {text}.", _sentence(REQUEST_HINTS[name]))
            for name, text in refused if (code := code_of_request(name)) not in own]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def code_of_request(name: str) -> str:
    """Of what the protocol calls an error, such as ``"no_such_room"``."""
    return "E-" + name.upper().replace("_", "-")


#: In the order of their names.
ERROR_CODES: tuple[ErrorCode, ...] = tuple(
    sorted((*_OWN, *_of_requests()), key=lambda entry: entry.code))

_BY_CODE = {entry.code: entry for entry in ERROR_CODES}


def find_error_code(code: str) -> ErrorCode | None:
    """Whatever its case, with or without ``E-``."""
    code = code.strip().strip("[]").upper().replace("_", "-")
    return _BY_CODE.get(code) or _BY_CODE.get("E-" + code)
