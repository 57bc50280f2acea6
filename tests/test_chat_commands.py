"""The commands of the line client, as recorded sessions: what is typed, and all that is shown."""

import asyncio
import re
import sys
import unittest
from unittest import mock

from _support import EXAMPLES, Case, Server, Terminal, account, next_of, quicchat

# What ada types, and what she is shown for it on either output.
OWNER = """
/create #tea invitation all about tea
hello
helo again
/edit hello again
oops
/delete wrong window
/edit hello again, too
/edit #2 hello, all
/react #2 👍
/unreact #2 👍
/reply #2 and hello to you
/topic green tea
/topic
/invite bob welcome
/role bob moderator
/mute eve 10m noise
/members
/kick eve
/ban eve
/history 3
/history #5 2
/numbers on
/reply #3 numbered
/access everybody
/rooms
/who
/send plan.txt
/save #20 copy.txt
/send none.txt
/name Ada Lovelace
/who
/members
/name
/who
/archive
nobody hears this
""".strip()

SHOWN = """
* connected to 127.0.0.1:PORT as ada, in #lobby; /who lists who is here, /quit leaves
* ada made this room, by invitation about: all about tea
* made #tea; it is yours, and you are in it
* you are out of #lobby
<ada> hello
<ada> helo again
* ada changed ada's "helo again" to: hello again
<ada> oops
* ada deleted ada's "oops": wrong window
* ada changed ada's "hello again" to: hello again, too
* ada changed ada's "hello" to: hello, all
* ada: 👍 to ada's "hello, all"
* ada took 👍 off ada's "hello, all"
<ada> (to ada's "hello, all") and hello to you
* ada set the topic: green tea
* topic: green tea
* ada made bob a member: welcome
* ada made bob a moderator
* ada muted eve until TIME: noise
* ada: owner, here
* bob: moderator, away
* eve: muted, away
* ada removed eve from the room
* ada banned eve
#15 TIME * ada muted eve until TIME: noise
#16 TIME * ada removed eve from the room
#17 TIME * ada banned eve
* more: /history #15
#3 TIME <ada> hello again, too (edited)
#4 TIME * ada changed ada's "hello again, too" to: hello again
* more: /history #3
#18 <ada> (to ada's "hello again, too") numbered
#19 * ada made the room for everybody
* #lobby
* #tea: green tea
* here: ada
#20 <ada> has sent the file plan.txt (15 bytes); /save #20
* saved as copy.txt
* you are called Ada Lovelace now
* here: Ada Lovelace (ada)
* Ada Lovelace (ada): owner, here
* bob: moderator, away
* eve: banned, away
* you are called by your user name again
* here: ada
#21 * ada made the room archived: nobody writes in it any more
""".strip()

# What ada looks for, and what she is shown.
SEARCHES = """
Green tea
coffee
/edit tea, very GREEN
tea
/delete green tea
/search green tea
/search TEA
/search #3 tea
/search milk
/search #1 green
""".strip()

FOUND = """
* connected to 127.0.0.1:PORT as ada, in #lobby; /who lists who is here, /quit leaves
<ada> Green tea
<ada> coffee
* ada changed ada's "coffee" to: tea, very GREEN
<ada> tea
* ada deleted ada's "tea": green tea
#1 TIME <ada> Green tea
#2 TIME <ada> tea, very GREEN (edited)
* that is all
#1 TIME <ada> Green tea
#2 TIME <ada> tea, very GREEN (edited)
* that is all
#1 TIME <ada> Green tea
#2 TIME <ada> tea, very GREEN (edited)
* that is all
* nothing was found
* nothing was found
""".strip()

# What goes wrong, and the words for it.
MISTAKES = """
/dance
/edit new text
/reply to whom?
/edit #1
/edit #7 text
/mute
/role bob king
/access friends
/typing
/history 1000
/send
/save
/save #7
/create #lobby
/create nonsense
/name bob
/name a\tb
/join #nowhere
/topic mine
/search
/search #12
/help dance
""".strip()

COMPLAINTS = """
! no such command: /dance; there are /who and /quit, and /help tells of the others
! /edit: you have written nothing here yet; /history shows messages with numbers
! /reply: nobody else has written anything here; /history shows messages with numbers, and a \
number such as #12 says which one you mean
! /edit: say the new text, too; /help shows how
! /mute: say whom, too; /help shows how
! /role: a role is one of none, banned, muted, member, moderator, owner
! /access: say one of everybody, invitation, archived
! /typing: say on or off
! /history: say how many messages, 1 to 100, and perhaps before that which number they come \
before: /history #120 50
! /send: say the path of a file, too; /help shows how
! /save: no file was shown here; /history shows messages with their numbers, and a number such as \
#12 says which file is meant
! not done: #lobby: there is no such file (it was deleted with its message, or is too old to be \
kept)
! /create: #lobby: there is such a room already (join that room, or choose another name)
! /create: nonsense: not a valid name (rooms are '#' and letters, digits, '_', '.' or '-'; users \
the same without it)
! /name: bob is the user name of somebody else
! /name: the text is not valid UTF-8 or has forbidden characters (take out control characters; \
the text must be UTF-8)
! /join: #nowhere: there is no such room (check the name; into a room by invitation somebody must \
invite you first)
! /search: say the words, too; /help shows how
! /search: say the words, too; /help shows how
! /help: no such command: dance
! not done: #lobby: the account may not do that (ask a moderator or an owner of the room; its \
members are listed with their roles)
! not done: #lobby: there is no such message (it was deleted, or is too old to be kept; nobody can \
change it any more)
""".strip()


def plain(output):
    """Times as TIME, whatever day it is."""
    text = output.decode()
    text = text[text.index("* connected"):] if "* connected" in text else text
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    return re.sub(r"(\d{4}-\d\d-\d\d )?\b\d\d:\d\d\b", "TIME", text).strip()


class Recorded(Case):
    def test_what_an_owner_does_in_a_room(self):
        server = self.start_server()
        (self.folder / "plan.txt").write_text("tea at five, ok")
        result = self.chat(server, OWNER.splitlines())
        self.assertEqual((self.folder / "copy.txt").read_text(), "tea at five, ok")
        self.maxDiff = None
        self.assertEqual(plain(result.stdout).splitlines(), SHOWN.splitlines())
        self.assertEqual(result.returncode, 65)
        self.assertIn("! not sent: #tea: the account may not do that", result.stderr.decode())
        self.assertIn("! not done: none.txt cannot be read: no such file or directory (check the "
                      "name)", result.stderr.decode())

    def test_what_was_said_is_found(self):
        server = self.start_server()
        result = self.chat(server, SEARCHES.splitlines())
        self.maxDiff = None
        self.assertEqual(plain(result.stdout).splitlines(), FOUND.splitlines())
        self.assert_words(result, 0)

    def test_what_goes_wrong(self):
        server = self.start_server()
        result = self.chat(server, MISTAKES.splitlines())
        errors = [line for line in result.stderr.decode().splitlines() if line.startswith("! ")]
        self.maxDiff = None
        # Acts are answered while the next lines are read already.
        self.assertEqual(sorted(errors), sorted(COMPLAINTS.splitlines()))
        self.assertEqual(result.returncode, 65)

    def test_help_teaches_every_command(self):
        server = self.start_server()
        output = self.chat(server, ["/help", "/help edit", "/HELP /react"]).stdout.decode()
        for name in ("create rooms join topic invite kick ban unban mute unmute role archive "
                     "members name history search edit delete reply react send save read typing "
                     "who quit").split():
            self.assertRegex(output, rf"\* /{name}\b.*  \w")
        self.assertIn("* /edit [#12] TEXT: give your last message, or that one, another text",
                      output)
        self.assertIn("* /react [#12] EMOJI: put a short text under it", output)

    def test_help_is_as_wide_as_the_terminal(self):
        from quicchat.cli import _commands

        whole = _commands.list_commands(0)
        self.assertEqual(len(whole), len(_commands.COMMANDS))
        for columns in (56, 72, 90):
            lines = _commands.list_commands(columns)
            self.assertLess(max(map(len, lines)), columns)
            self.assertEqual(" ".join(" ".join(lines).split()), " ".join(" ".join(whole).split()))
        self.assertEqual(_commands.list_commands(30), whole)  # too few to break them well

    def test_what_is_said_to_me_is_marked(self):
        from datetime import UTC, datetime

        from quicchat.cli import _show

        def line(sender, text, **more):
            return _show.Lines("Ada").line(quicchat.Message(
                "#tea", 1, 2, datetime.now(UTC), bytes(16), sender, text, "{}", **more))

        self.assertEqual(line("bob", "hello @ada"), "<bob>! hello @ada")
        self.assertEqual(line("bob", "! hello @adam"), "<bob> ! hello @adam")
        self.assertEqual(line("ada", "I, @ada"), "<ada> I, @ada")
        self.assertEqual(line("bob", "", deleted=True), "<bob> (deleted)")
        with mock.patch("quicchat.terminal.uses_colours", lambda _: True), \
                mock.patch.object(_show, "uses_colours", lambda _: True):
            self.assertEqual(line("bob", "@ada"), "\x1b[1m<bob>\x1b[0m @ada")
            self.assertEqual(line("bob", "ada"), "\x1b[36m<bob>\x1b[0m ada")
            self.assertEqual(line("BOB", "ada"), "\x1b[36m<BOB>\x1b[0m ada")
            self.assertEqual(line("eve", "ada"), "\x1b[32m<eve>\x1b[0m ada")

    def test_hints_are_shown_to_those_who_asked(self):
        from quicchat.cli._show import Lines

        lines = Lines("ada")
        hints = [quicchat.Typing("#tea", "bob", True), quicchat.Typing("#tea", "bob", False),
                 quicchat.MarkerMoved("#tea", "bob", 7), quicchat.MarkerMoved("#tea", "ADA", 7)]
        self.assertEqual([lines.line(hint) for hint in hints], ["", "", "", ""])
        lines.wishes.typing = lines.wishes.markers = True
        self.assertEqual([lines.line(hint) for hint in hints],
                         ["* bob is typing", "", "* bob has read up to message #7", ""])


class Together(Case):
    def start(self, server, name, expected="connected to"):
        terminal = Terminal(self, [sys.executable, EXAMPLES / "chat_client.py", "--server-ip",
                                   "127.0.0.1", "--port", server.port])
        user = account(name)
        terminal.expect("Enter User name: ")
        terminal.type(user["user"] + "\n")
        terminal.expect("Enter Password: ")
        terminal.type(user["password"] + "\n")
        terminal.expect(expected)
        return terminal

    def test_what_others_do_is_shown_and_what_was_shown_is_read(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob:
                await bob.create_room("#tea")
                tea = await bob.join("#tea")
                await tea.send("one")
                await bob.tell("ada", "psst")
                await (await bob.join("#lobby")).send("before")
                screen = await asyncio.to_thread(self.start, server, "ada", "unread: #tea 1")
                for text in ("<bob> before", "[from bob] psst"):
                    await asyncio.to_thread(screen.expect, text)
                await self.read_by(server, "ada", "#lobby")
                lobby = await self.rejoin(bob, "#lobby")
                screen.type("/typing on\n/read on\n")
                sent = await lobby.send("helo\nworld")
                await asyncio.to_thread(screen.expect, "<bob> helo\r\n    world")
                lobby.typing()
                await asyncio.to_thread(screen.expect, "* bob is typing")
                await lobby.edit(sent, "hello")
                await asyncio.to_thread(screen.expect,
                                        '* bob changed bob\'s "helo world" to: hello')
                await lobby.delete(sent, "never mind")
                await asyncio.to_thread(screen.expect,
                                        '* bob deleted bob\'s "hello": never mind')
                again = await lobby.send("again")
                await asyncio.to_thread(screen.expect, "<bob> again")
                await next_of(bob, quicchat.MarkerMoved, user="ada", offset=again.offset)
                screen.type("/react 🎉\n/reply well\n")
                reaction = await next_of(bob, quicchat.Reaction)
                self.assertEqual((reaction.target, reaction.text), (again.offset, "🎉"))
                answer = await next_of(bob, quicchat.Message, sender="ada")
                self.assertEqual((answer.reply_to, answer.text), (again.offset, "well"))
                lobby.mark_read(answer, shared=True)
                await asyncio.to_thread(screen.expect, '* bob has read up to ada\'s "well"')
                screen.type("/join #tea\n")
                await asyncio.to_thread(screen.expect, "* in #tea")
                await asyncio.to_thread(screen.expect, "<bob> one")
                await tea.kick("ada", "tea time is over")
                await asyncio.to_thread(
                    screen.expect,
                    "* you are out of #tea: somebody removed you: tea time is over")
                screen.type("anybody?\n")
                await asyncio.to_thread(screen.expect, "! not sent: you are in no room")
                screen.type("/quit\n")
                self.assertEqual(await asyncio.to_thread(screen.wait), 0)

        self.run_async(main)

    def test_the_room_keeper_of_the_examples(self):
        config = self.write_config()
        server = self.start_server(config=config)
        keeper = Terminal(self, [sys.executable, EXAMPLES / "room_keeper.py", "--config", config,
                                 "--port", server.port])
        keeper.expect("keeping #tea: anything but links")
        self.chat(server, ["/join #tea", "see http://example.org"], user="bob")
        keeper.expect("bob is muted until")
        result = self.chat(server, ["/join #tea", "/history"], user="eve")
        self.assertIn(b"<bob> (deleted)", result.stdout)
        self.assertIn(b"<ada> Hello bob! This room is about anything but links.", result.stdout)
        keeper.type("\x03")
        self.assertEqual(keeper.wait(), 130)

    def test_what_a_person_sends_cannot_steer_the_terminal(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob:
                await bob.create_room("#tea", topic="t\u202e")
                tea = await bob.join("#tea")
                sent = await tea.send("m\u202e")
                await tea.edit(sent, "e\u202e")
                await tea.react(sent, "r\u202e")
                await tea.send("a\u202e", reply_to=sent)
                await tea.delete(sent, "d\u202e")
                await tea.mute("eve", "x\u202e")
                await tea.set_topic("u\u202e")
            for command in ("/history 50", "/rooms", "/topic", "/members"):
                result = await asyncio.to_thread(self.chat, server, ["/join #tea", command])
                output = result.stdout.decode()
                self.assertNotIn("\u202e", output)
                self.assertIn("<U+202E>", output)
                self.assert_words(result, 0)

        self.run_async(main)

    def connect(self, server: Server, name):
        return quicchat.connect("127.0.0.1", server.port, **account(name))

    async def rejoin(self, chat, name):
        await chat.leave(name)
        return await chat.join(name)

    async def read_by(self, server, name, room):
        """Waits until everything in that room is read."""
        async with self.connect(server, name) as chat:
            while [r for r in await chat.rooms() if r.room == room and r.marker < r.head]:
                await asyncio.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
