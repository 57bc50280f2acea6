"""Every command and every place that prints: what a peer or a file says cannot steer a terminal
there. The chat's commands are asked of a server that answers with nothing but such texts."""

import asyncio
import functools
import inspect
import io
import json
import re
import types
import typing
import unittest
from collections import Counter
from collections.abc import Coroutine
from dataclasses import fields, replace
from pathlib import Path
from unittest import mock

from _support import Case, quicchat

if quicchat:
    import _terminal as t
    from quicchat import cli, trust
    from quicchat.certificates import CertificatePair
    from quicchat.cli import chat, doctor, main, serve, user
    from quicchat.cli._commands import COMMANDS
    from quicchat.cli._log import TextLog
    from quicchat.cli._screen import Screen
    from quicchat.cli._session import Session

# How a line of the chat begins: a remark, a complaint, somebody's words, a number, a time, or the
# rest of a text of several lines.
BEGINNING = re.compile(r"\* |! |<.|\[(to|from) |#\d+ |\d\d:\d\d |\d{4}-|a time far away|    |$")
MANY = 8  # More records of one class than these are thinned out.
FAKED = ("<ada>", "* ada has left", "Enter Password: ")


class EvilChat:
    """A Chat whose every answer is of the right type, and holds that text wherever one can stand.
    It refuses with an error, if there is one."""

    is_open = True
    is_online = False  # nothing is waited for

    def __init__(self, text, error=None):
        self._text = text
        self._error = error

    def __getattr__(self, name):
        member = inspect.getattr_static(quicchat.Chat, name)
        if isinstance(member, property):
            return self._made(member.fget)
        hint = t.hints_of(member).get("return")
        pending = isinstance(hint, typing.TypeVar) or typing.get_origin(hint) is Coroutine
        if pending or inspect.iscoroutinefunction(member):
            return lambda *_, **__: self._later(member)
        return lambda *_, **__: self._made(member)

    async def _later(self, function):
        if self._error is not None:
            raise self._error
        return self._made(function)

    def _hint(self, function):
        hint = t.hints_of(function).get("return")
        if typing.get_origin(hint) is Coroutine:
            hint = typing.get_args(hint)[-1]
        return quicchat.Receipt if isinstance(hint, typing.TypeVar) else hint

    def _made(self, function):
        hint = self._hint(function)
        if hint is quicchat.Room:
            return quicchat.Room(self, t.instances(quicchat.Joined, self._text)[0])
        made = t.values(hint, self._text)[0]
        if isinstance(made, quicchat.HistoryPage | quicchat.SearchPage):
            return replace(made, records=tuple(a_few(made.records)))
        return made


def a_few(records):
    """All of each class, but of those that are many: there the first with each value of a field,
    so every text of them is ours at least once, beside every other field's first value."""
    kinds = Counter(type(record) for record in records)
    seen = set()
    for record in records:
        values = {(type(record), field.name, getattr(record, field.name))
                  for field in fields(record)}
        if kinds[type(record)] <= MANY or not values <= seen:
            seen |= values
            yield record


async def session_of(text, error=None):
    """Somebody who has typed every command, with every kind of argument, and seen every event."""
    session = Session(EvilChat(text), Screen(mock.Mock(is_terminal=False), plain=True), 5)
    await session.begin(text)
    session.wishes.typing = session.wishes.markers = True
    for cls in typing.get_args(quicchat.events.ClientEvent):
        for event in t.instances(cls, text):
            session._show(event)
    session.chat = EvilChat(text, error)
    for command in COMMANDS:
        for rest in ("", "on", text, f"bob {text}", f"#7 {text}", f"bob owner {text}", "#7 50"):
            if session.room is None:
                await session.windows.enter(text)
            await session._handle(f"{command.name} {rest}")
    for typed in (text, f"@{text}", f"@bob {text}", f"/{text}", f"//{text}"):
        await session._handle(typed)
    await asyncio.gather(*session._unacked)
    session.screen.note(text)
    session.screen.complain(text)


class EveryCommand(Case):
    def judge(self, text, error=None):
        with t.shown() as output:
            asyncio.run(session_of(text, error))
        for line in output.getvalue().splitlines():
            if (wrong := t.problem(line.replace("\t", " "))) or not BEGINNING.match(line):
                self.fail(f"{wrong}: {line!r}")
            for fake in FAKED:
                self.assertFalse(line.startswith(fake) and not text.startswith(fake), line)

    def test_of_the_chat_with_evil_answers(self):
        for name, (text, _) in t.corpus().items():
            with self.subTest(name):
                self.judge(text)

    def test_of_the_chat_with_evil_refusals(self):
        for name, (text, _) in t.corpus().items():
            with self.subTest(name):
                self.judge(text, t.error_of(quicchat.RequestError, text))


    def test_a_screen_says_what_is_not_clean_in_one_clean_line(self):
        screen = Screen(mock.Mock(is_terminal=False), plain=True)
        for name, (text, expected) in t.corpus().items():
            with self.subTest(name), t.shown() as output:
                for say in (screen.say, screen.note, screen.complain):
                    say(text)
            self.assertEqual(output.getvalue(), f"{expected}\n* {expected}\n! {expected}\n")


class CommandLine(Case):
    def setUp(self):
        super().setUp()
        # Made once for all texts of a test: that takes longer than to run the command.
        patched = mock.patch("quicchat.cli.make_parser", functools.cache(cli.make_parser))
        patched.start()
        self.addCleanup(patched.stop)

    def run_command(self, *arguments):
        with t.shown() as output, mock.patch("os.read", return_value=b""):
            try:
                main(list(map(str, arguments)))
            except SystemExit:
                pass
        self.assertEqual(t.problem(output.getvalue().replace("\t", " "), lines=True), "")
        return output.getvalue()

    def test_evil_arguments(self):
        for name, (text, _) in t.corpus().items():
            with self.subTest(name):
                for arguments in ([text], ["serve", f"--{text}"], ["serve", "--config", text],
                                  ["chat", "--port", text], ["chat", "--pin", text],
                                  ["chat", "--cafile", text], ["chat", "--user", text],
                                  ["chat", f"{text}:0"], ["chat", "work", "--room", text],
                                  ["send", "--user", "ada", text, "x"], ["tail", "--at", text, "x"],
                                  ["send", "x", "--password-file", text, "--user", "ada"],
                                  ["completion", text],
                                  ["user", text], ["user", "add", text],
                                  ["user", "list", "--database", text],
                                  ["user", "revoke", "ada", text, "--database", "none.db"],
                                  ["cert", "--out", self.folder, "--name", text]):
                    self.assertTrue(self.run_command(*arguments))

    def test_evil_folders(self):
        for name, (text, _) in t.corpus().items():
            folder = self.folder / text.replace("\0", "0").replace("/", "|")[:40]
            with self.subTest(name):
                try:
                    folder.mkdir()
                except (OSError, UnicodeEncodeError):  # no name of a folder
                    continue
                path = folder / "config.json"
                path.write_text(self.write_config().read_text())
                for arguments in (["serve", "--config", path, "--check"],
                                  ["user", "list", "--config", path],
                                  ["cert", "--out", folder], ["cert", "--out", folder]):
                    self.assertTrue(self.run_command(*arguments))

    def test_evil_configurations(self):
        for name, (text, _) in t.corpus().items():
            quoted = json.dumps(text)
            good = json.loads(self.write_config().read_text())
            path = self.folder / "config.json"
            raw = text.encode(errors="surrogateescape" if text.isascii() else "replace")
            for content in (
                    json.dumps({**good, text: text}), f"{{{quoted}: 1, {quoted}: 1}}",
                    json.dumps({**good, "rooms": [text], "operators": [text], "database": text}),
                    json.dumps({**good, "auth": {"username": text, "password": text, text: 1}}),
                    json.dumps({**good, "certfile": text, "keyfile": text, "limits": {text: 1}}),
                    json.dumps({**good, "host": text, "database": text}),
                    b'{"host": "' + raw + b'" x', b'{\n"a": 1,\n' + raw + b'\n}', raw):
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
                with self.subTest(f"{name}, {content}"):
                    self.assertTrue(self.run_command("serve", "--config", path, "--check"))

    def test_evil_names_of_servers(self):
        path = self.folder / "config" / "quicchat" / "servers.toml"
        path.parent.mkdir(parents=True)
        for name, (text, _) in t.corpus().items():
            quoted = json.dumps(text)
            raw = text.encode(errors="surrogateescape" if text.isascii() else "replace")
            for content in (f"[work]\n{quoted} = 1\n", f"[work]\nhost = {quoted}\nport = 0\n",
                            f"[{quoted}]\n", raw):
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
                with self.subTest(f"{name}, {content}"):
                    self.assertTrue(self.run_command("chat", "work", "--user", "ada"))

    def test_a_mistake_of_ours_about_what_somebody_said(self):
        for name, (text, _) in t.corpus().items():
            with self.subTest(name), \
                    mock.patch.object(chat, "chosen_tls", side_effect=KeyError(text)), \
                    mock.patch.object(chat, "run", side_effect=RuntimeError(text)):
                self.assertIn("RuntimeError", self.run_command("chat"))


class OtherSinks(Case):
    def judge(self, act):
        for name, (text, _) in t.corpus().items():
            with self.subTest(name), t.shown() as output:
                act(text)
            for line in output.getvalue().split("\n"):
                self.assertEqual(t.problem(line), "")
                for fake in FAKED:
                    self.assertFalse(line.startswith(fake) and not text.startswith(fake), line)
            self.assertTrue(output.getvalue())

    def test_the_servers_log(self):
        class Told:
            def __init__(self, events):
                self.events = events

            async def __aiter__(self):
                for event in self.events:
                    yield event

        self.judge(lambda text: asyncio.run(serve._log(Told(
            [event for cls in typing.get_args(quicchat.ServerEvent)
             for event in t.instances(cls, text)]), TextLog(quiet=False))))

    def test_the_servers_first_words(self):
        config = self.config()
        self.judge(lambda text: serve._announce(types.SimpleNamespace(
            config=replace(config, certfile=Path(text), keyfile=Path(text), database=Path(text),
                           qlog=quicchat.Qlog(Path(text))),
            pair=CertificatePair("", "", text, made=True, warnings=(text,)), notices=(text,),
            web_pair=(CertificatePair("", "", text, made=True, warnings=(text,)), Path(text)),
            address=(text, 7), fingerprint=text), TextLog(quiet=False)))

    def test_the_steps_of_the_doctor(self):
        for status in ("ok", "warning", "failed", "skipped"):
            self.judge(lambda text: doctor._show(quicchat.doctor.Step(
                "certificate", status, text, why=text, fix=text, code="E-CERT-NAME")))

    def test_the_tables_of_accounts_and_devices(self):
        self.judge(lambda text: user._print_table([("NAME", "STATE"), (text, text)]))
        self.judge(lambda text: user._Book.warn_of_config(types.SimpleNamespace(
            core=None, config=replace(self.config(), source=Path(text))), "ada", text))

    def test_the_file_of_known_servers(self):
        key = "sha256:" + "a" * 64

        def learn(text):
            name = text.encode(errors="replace").decode()  # the core takes paths in UTF-8
            path = self.folder / name.replace("\0", "0").replace("/", "|")[:40]
            for file in (path, path / "nothing"):
                trust.TLS.trust_on_first_use(file)._learn("127.0.0.1", 7, key)
            (self.folder / "known").write_text(f"{text}\n", errors="replace")
            trust.TLS.trust_on_first_use(self.folder / "known")._learn("127.0.0.1", 7, key)

        self.judge(learn)

    def test_the_question_about_a_new_server(self):
        class Tty(io.BytesIO):
            def close(self):
                pass

        for name, (text, _) in t.corpus().items():
            tty = Tty()
            with self.subTest(name), mock.patch("builtins.open", return_value=tty), \
                    mock.patch("sys.stdin", t.Output(coloured=True)):
                self.assertFalse(trust._user_agrees(f"{text}:7", text))
                lines = tty.getvalue().decode().split("\n")
                self.assertEqual([t.problem(line) for line in lines], [""] * 3)


if __name__ == "__main__":
    unittest.main()
