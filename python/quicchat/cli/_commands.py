"""The commands of the chat: what is typed after a slash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _message_commands as messages
from . import _room_commands as rooms

if TYPE_CHECKING:
    from ._session import Session


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
    width = max(len(command.usage) for command in COMMANDS)
    for command in COMMANDS:
        session.screen.note(f"{command.usage:{width}}  {command.help}")
    session.screen.note("A number such as #12 says which message is meant; /history shows them.")


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
    Command("/read on|off", "tell the others how far you have read, and see how far they have",
            rooms.read),
    Command("/typing on|off", "tell the others that you type, and see when they do", rooms.typing),
    Command("/numbers on|off", "show messages with their numbers", rooms.numbers),
    Command("/help [COMMAND]", "this", _help),
    Command("/quit", "leave the chat", _quit),
)
_BY_NAME = {command.name: command for command in COMMANDS}


def find_command(word: str) -> Command | None:
    """The command that begins with that word, in any case."""
    return _BY_NAME.get(word.lower())
