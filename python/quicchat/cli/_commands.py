"""The commands of the chat: what is typed after a slash."""

from __future__ import annotations

import difflib
import shutil
import textwrap
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _message_commands as messages
from . import _room_commands as rooms

if TYPE_CHECKING:
    from ._session import Session


_HELP_MIN = 20  #: columns for words; in fewer, the terminal breaks the line


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, what it does in words, and the function that does it."""

    usage: str
    help: str
    run: Callable[[Session, str], Awaitable[None]]

    @property
    def name(self) -> str:
        return self.usage.split()[0]


async def _help(session: Session, text: str) -> None:
    if text:
        command = find_command(text if text.startswith("/") else f"/{text}")
        if command is None:
            raise ValueError(f"no such command: {text}")
        session.screen.note(f"{command.usage}: {command.help}")
        return
    columns = shutil.get_terminal_size().columns if session.screen.is_terminal else 0
    session.screen.read_out([
        *list_commands(columns),
        "A number such as #12 says which message is meant; /history shows them."])


def list_commands(columns: int) -> list[str]:
    """Each command and what it does, at most ``columns`` wide where that leaves room for words; 0:
    a line for each."""
    width = max(len(command.usage) for command in COMMANDS) + 2
    room = columns - 1 - width
    lines: list[str] = []
    for command in COMMANDS:
        parts = textwrap.wrap(command.help, room) if room >= _HELP_MIN else [command.help]
        lines.append(f"{command.usage:{width}}{parts[0]}")
        lines += [" " * width + part for part in parts[1:]]
    return lines


async def _quit(session: Session, _: str) -> None:
    """The loop that reads lines ends at it."""


COMMANDS = (
    Command("/who", "who is here", rooms.who),
    Command("/members", "who belongs to the room, with their roles", rooms.members),
    Command("/name [TEXT]", "be called that beside your user name; alone: by that one again",
            rooms.name),
    Command("/rooms", "the rooms that you may see, with what is unread", rooms.rooms),
    Command("/join ROOM", "go to another room; @name is the one that you share with that person",
            rooms.join),
    Command("/create ROOM [invitation] [TOPIC]", "make a room; by invitation others do not see it",
            rooms.create),
    Command("/win [NUMBER|ROOM]", "go to another room that you follow, or list them", rooms.win),
    Command("/part [ROOM]", "follow the room no longer; you still belong to it", rooms.part),
    Command("/leave [REASON]", "leave the room for good", rooms.leave),
    Command("/history [#12] [COUNT]",
            "messages with their numbers: the newest, or those before #12", messages.history),
    Command("/unread [skip]", "what was unread here and is too far back to have been shown",
            messages.unread),
    Command("/search [#12] WORDS", "messages with these words: the newest, or those before #12",
            messages.search),
    Command("/me TEXT", "say what you do", messages.me),
    Command("/msg NAME TEXT", "write to one person, as @name does", messages.msg),
    Command("/edit [#12] TEXT", "give your last message, or that one, another text", messages.edit),
    Command("/delete [#12] [REASON]", "take your last message, or that one, away", messages.delete),
    Command("/reply [#12] TEXT", "answer the last message of somebody else, or that one",
            messages.reply),
    Command("/send PATH", "send a file into the room", messages.send_file),
    Command("/save [#12] [PATH]", "save the last file that somebody sent, or that one",
            messages.save),
    Command("/react [#12] EMOJI", "put a short text under it", messages.react),
    Command("/unreact [#12] EMOJI", "take it away again", messages.unreact),
    Command("/topic [TEXT]", "what the room is about, or from now on", rooms.topic),
    Command("/invite NAME [REASON]", "make somebody a member", rooms.invite),
    Command("/kick NAME [REASON]", "take somebody out; they may come back", rooms.kick),
    Command("/ban NAME [10m|2h|3d] [REASON]", "take somebody out, and keep them out", rooms.ban),
    Command("/unban NAME", "forget a ban", rooms.unban),
    Command("/mute NAME [10m|2h|3d] [REASON]", "let somebody read only", rooms.mute),
    Command("/unmute NAME", "let them write again", rooms.unmute),
    Command("/role NAME ROLE [REASON]", "owner, moderator, member, muted, banned or none",
            rooms.role),
    Command("/access everybody|invitation", "who may come in", rooms.access),
    Command("/archive", "keep the room as it is: nobody writes in it any more", rooms.archive),
    Command("/ignore [NAME]", "do not show what somebody says; alone: whom you ignore",
            rooms.ignore),
    Command("/unignore NAME", "show it again", rooms.unignore),
    Command("/highlight [WORD]", "who says it calls you, as your @name does; again: no longer",
            rooms.highlight),
    Command("/read on|off", "tell the others how far you have read, and see how far they have",
            rooms.read),
    Command("/typing on|off", "tell the others that you type, and see when they do", rooms.typing),
    Command("/numbers on|off", "show messages with their numbers", rooms.numbers),
    Command("/help [COMMAND]", "this", _help),
    Command("/quit", "leave the chat", _quit),
)
_BY_NAME = {command.name: command for command in COMMANDS}
_ALIASES = {"/nick": "/name", "/w": "/win", "/q": "/quit", "/exit": "/quit"}
_ALIKE = 0.75  # of two names, from 0 to 1, so that one may be meant by the other


def find_command(word: str) -> Command | None:
    """The command of that name, in any case, or the only one that begins like that."""
    word = word.lower()
    if found := _BY_NAME.get(_ALIASES.get(word, word)):
        return found
    longer = _longer(word)
    return longer[0] if len(longer) == 1 else None


def unknown_command(word: str) -> str:
    """Why a word is no command."""
    if longer := _longer(word.lower()):
        return f"{word} may be {' or '.join(command.name for command in longer)}"
    if alike := difflib.get_close_matches(word.lower(), _BY_NAME, 1, _ALIKE):
        return f"no such command: {word}; did you mean {alike[0]}?"
    return (f"no such command: {word}; there are /who and /quit, and /help tells of the others")


def is_quit(text: str) -> bool:
    """Whether a line is the command to leave."""
    command = find_command(text.strip()) if text.startswith("/") else None
    return command is not None and command.run is _quit


def _longer(word: str) -> list[Command]:
    return [command for command in COMMANDS if len(word) > 2 and command.name.startswith(word)]
