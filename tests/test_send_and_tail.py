"""`quicchat send`, `tail`, `completion`, `man` and `--version`: what scripts and shells use."""

import asyncio
import json
import signal
import subprocess
import sys
import unittest
from pathlib import Path

from _support import ACCOUNTS, PATIENCE, Case, Terminal, account, environment, next_of, quicchat


class Scripts(Case):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.where = ("--at", f"127.0.0.1:{self.server.port}", "--user", "ada")
        (self.folder / "password").write_text(ACCOUNTS["ada"] + "\n")

    def ask(self, name, *arguments, input=b"", where=None):
        return self.command(name, *(self.where if where is None else where), *arguments,
                            input=input)

    def first(self, name, *arguments, **more):
        """The first time a password is needed."""
        return self.ask(name, "--password-file", "password", *arguments, **more)

    def said(self, room="#lobby"):
        async def main():
            async with quicchat.connect("127.0.0.1", self.server.port, **account()) as chat:
                return [m.text for m in (await chat.history(room)).messages]

        return self.run_async(main)


class Send(Scripts):
    def test_one_message_and_then_each_line_without_a_password(self):
        result = self.first("send", "#lobby", "the", "backup is done")
        self.assert_words(result, 0)
        self.assertEqual(result.stdout, b"")
        result = self.ask("send", "#lobby", "--json", input=b"one\n\ntwo\n")
        self.assert_words(result, 0)
        receipts = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([r["offset"] for r in receipts], [2, 3])
        self.assertEqual(self.said(), ["the backup is done", "one", "two"])

    def test_a_file_and_a_word_to_one_person(self):
        (self.folder / "plan.txt").write_text("at five")
        self.assert_words(self.first("send", "#lobby", "--file", "plan.txt"), 0)
        self.assertEqual(self.said(), ["plan.txt"])

        async def main():
            self.assert_words(await asyncio.to_thread(self.ask, "send", "@bob", "psst"), 0)
            async with quicchat.connect("127.0.0.1", self.server.port, **account("bob")) as bob:
                self.assertEqual((await next_of(bob, quicchat.PrivateMessage)).text, "psst")

        self.run_async(main)

    def test_what_goes_wrong_has_a_status(self):
        self.assert_words(self.first("send", "#nowhere", "x"), 65, "there is no such room")
        self.assert_words(self.first("send", "#lobby", "x", "--file", "y"), 64, "not both")
        self.assert_words(self.ask("send", "#lobby", "x", "--no-save"), 64, "no password for 'ada'")
        self.assert_words(self.ask("send", "#lobby", "x", where=("--port", "1")), 64, "--user NAME")
        (self.folder / "password").write_text("wrong\n")
        self.assert_words(self.first("send", "#lobby", "x", "--no-save"), 77)
        self.assert_words(self.ask("send", "#lobby", "x", "--password-file", "none"), 78,
                          "cannot read none: no such file")


class Tail(Scripts):
    def setUp(self):
        super().setUp()
        self.run_async(self.fill)

    async def fill(self):
        async with quicchat.connect("127.0.0.1", self.server.port, **account("bob")) as bob:
            room = await bob.join("#lobby")
            for n in range(1, 121):
                await room.send(f"line {n}")

    def lines(self, *arguments, ask=None):
        result = (ask or self.ask)("tail", "#lobby", *arguments)
        self.assert_words(result, 0)
        return result.stdout.decode().splitlines()

    def test_the_newest_and_all_from_a_number_on(self):
        lines = self.lines("-n", "2", ask=self.first)
        self.assertRegex("\n".join(lines), r"^#119 \d\d:\d\d <bob> line 119\n#120 .* line 120$")
        self.assertEqual(len(self.lines()), 10)
        found = [json.loads(line) for line in self.lines("--from", "5", "--json")]
        self.assertEqual([r["offset"] for r in found], list(range(5, 121)))
        self.assertEqual({key: found[0][key] for key in ("type", "room", "sender", "text",
                                                         "attributes", "file")},
                         {"type": "message", "room": "#lobby", "sender": "bob", "text": "line 5",
                          "attributes": {}, "file": None})
        self.assertEqual(len(self.lines("-n", "115")), 115)
        self.assertEqual(self.lines("-n", "0"), [])

        async def main():
            async with quicchat.connect("127.0.0.1", self.server.port, **account()) as ada:
                room = next(r for r in await ada.rooms() if r.room == "#lobby")
                self.assertEqual(room.marker, 0)  # nothing of that was read by a person

        self.run_async(main)

    def test_it_follows_over_a_restart_and_ends_at_once(self):
        tail = subprocess.Popen(
            [sys.executable, "-m", "quicchat", "tail", *self.where, "--password-file", "password",
             "#lobby", "--from", "119", "--follow", "--json"], stdout=subprocess.PIPE,
            cwd=self.folder, env=environment())
        self.addCleanup(tail.stdout.close)
        self.addCleanup(tail.kill)

        async def read(count):
            return [json.loads(await asyncio.to_thread(tail.stdout.readline))
                    for _ in range(count)]

        async def main():
            self.assertEqual([r["offset"] for r in await read(2)], [119, 120])
            async with quicchat.connect("127.0.0.1", self.server.port, **account("bob")) as bob:
                room = await bob.join("#lobby")
                sent = await room.send("new")
                await room.react(sent, "👍")
                new, reaction = await read(2)
                self.assertEqual((new["text"], reaction["type"], reaction["text"]),
                                 ("new", "reaction", "👍"))
            port = self.server.port
            await asyncio.to_thread(self.server.stop)
            again = await asyncio.to_thread(self.start_server, "--port", port,
                                            config=self.folder / "config.json")
            async with quicchat.connect("127.0.0.1", again.port, **account("bob")) as bob:
                room = await bob.join("#lobby")
                await room.send("after the restart")
                self.assertEqual((await read(1))[0]["text"], "after the restart")
                tail.send_signal(signal.SIGTERM)
                self.assertEqual(await asyncio.to_thread(tail.wait, PATIENCE), 128 + signal.SIGTERM)
                await next_of(bob, quicchat.MemberLeft, user="ada")

        self.run_async(main)

    def test_a_record_of_every_kind_is_json(self):
        import _terminal as t
        from quicchat.cli.tail import as_json

        kinds = set()
        for cls in (*quicchat.RoomRecord.__args__, quicchat.Gap):
            for event in t.instances(cls, "x"):
                kinds.add(json.loads(json.dumps(as_json(event)))["type"])
        self.assertEqual(kinds, {"message", "edited", "deleted", "reaction", "topic_changed",
                                 "role_changed", "access_changed", "room_created", "gap"})


class Shells(Case):
    def complete(self, *words):
        """What bash offers behind these words; the last one is begun."""
        script = self.command("completion", "bash").stdout.decode()
        quoted = " ".join(f"'{word}'" for word in ("quicchat", *words))
        code = (f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _quicchat\n"
                'printf "%s\\n" "${COMPREPLY[@]}"')
        result = subprocess.run(["bash", "-c", code], capture_output=True, timeout=PATIENCE,
                                cwd=self.folder)
        self.assertEqual(result.stderr, b"")
        return result.stdout.decode().split()

    def test_bash_completes_commands_options_and_files(self):
        self.assertEqual(self.complete("ta"), ["tail"])
        self.assertIn("doctor", self.complete(""))
        self.assertEqual(self.complete("chat", "--no"), ["--no-save"])
        self.assertEqual(self.complete("user", "rem"), ["remove"])
        self.assertEqual(self.complete("user", "add", "--dat"), ["--database"])
        self.assertEqual(self.complete("completion", "f"), ["fish"])
        (self.folder / "secret").touch()
        self.assertEqual(self.complete("send", "--password-file", "sec"), ["secret"])
        self.assertEqual(self.complete("chat", "--user", ""), [])

    def test_the_others_know_every_option(self):
        for shell in ("zsh", "fish"):
            script = self.command("completion", shell).stdout.decode()
            for option in ("follow", "password-file", "no-save", "log-format"):
                self.assertIn(option, script)
        self.assertEqual(self.command("completion", "csh").returncode, 64)

    def test_the_version_is_told(self):
        expected = self.command("version").stdout
        self.assertTrue(expected.startswith(b"quicchat "))
        result = self.command("--version")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, expected, b""))

    def test_the_manual_page_is_that_of_the_package(self):
        printed = self.command("man").stdout.decode()
        installed = Path(quicchat.__file__).parent / "quicchat.1"
        self.assertEqual(printed, installed.read_text(),
                         "quicchat man > python/quicchat/quicchat.1")
        for word in ("quicchat tail ROOM", "\\-\\-password\\-file FILE", "servers.toml"):
            self.assertIn(word, printed)
        self.assertNotIn("\n.\n", printed)


class AskedOnce(Scripts):
    def test_a_terminal_is_asked_for_the_password_once(self):
        arguments = [sys.executable, "-m", "quicchat", "send", *self.where, "#lobby"]
        terminal = Terminal(self, [*arguments, "one"])
        terminal.expect("Password of ada: ")
        terminal.type(ACCOUNTS["ada"] + "\n")
        self.assertEqual(terminal.wait(), 0, terminal.seen)
        terminal = Terminal(self, [*arguments, "two"])
        self.assertEqual(terminal.wait(), 0, terminal.seen)
        self.assertNotIn("Password", terminal.seen)
        self.assertEqual(self.said(), ["one", "two"])


if __name__ == "__main__":
    unittest.main()
