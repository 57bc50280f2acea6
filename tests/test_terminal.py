"""What a peer or a file says cannot steer a terminal, nor look like something else: the cleaner,
the one way out, and every class of event and error there is."""

import ast
import io
import os
import sys
import unicodedata
import unittest
from unittest import mock

from _support import ROOT, Case, quicchat

if quicchat:
    import _terminal as t
    from quicchat import terminal
    from quicchat.cli._show import Lines
    from quicchat.server import describe

SOURCES = ROOT / "python" / "quicchat"
REPEATED = 32_768  # characters, as long as a message may be


def every_character():
    """All of them, in groups; of planes with nothing but unassigned or private ones, both ends."""
    for begin in range(0, sys.maxunicode + 1, 256):
        if begin < 0x40000 or 0xE0000 <= begin < 0xE1000 or begin & 0xFFFF in (0, 0xFF00):
            yield [chr(code) for code in range(begin, begin + 256)]


class Cleaner(Case):
    def test_the_corpus_is_shown_as_it_says(self):
        rows = t.corpus()
        self.assertGreater(len(rows), 100)
        for name, (text, expected) in rows.items():
            with self.subTest(name):
                self.assertEqual(quicchat.clean_line(text), expected)
                self.assertEqual(t.problem(quicchat.clean_line(text)), "")
                self.assertEqual(
                    "␊".join("␉".join(map(quicchat.clean_text, line.split("\t")))
                             for line in text.split("\n")), expected)

    def test_every_character_alone_between_letters_and_behind_a_sign(self):
        for characters in every_character():
            for form in ("a{}b", "\u65e5{0}{0}"):
                text = "".join(map(form.format, characters))
                self.assertEqual(t.problem(quicchat.clean_line(text)), "")

    def test_what_has_a_shape_is_kept(self):
        for characters in every_character():
            shapes = "".join(
                character for character in characters
                if unicodedata.category(character)[0] in "LNPS"
                and "FILLER" not in unicodedata.name(character, ""))
            self.assertEqual(quicchat.clean_line(shapes), shapes)

    def test_the_one_emoji_with_a_small_form_has_its_selectors(self):
        for text in ("\u24c2\ufe0f", "\u24c2\ufe0e"):
            self.assertEqual(quicchat.clean_line(text), text)
            self.assertEqual(t.problem(text), "")

    def test_cleaning_twice_changes_nothing(self):
        for name, (text, _) in t.corpus().items():
            for clean in (quicchat.clean_line, quicchat.clean_text):
                with self.subTest(f"{name}, {clean.__name__}"):
                    self.assertEqual(clean(clean(text)), clean(text))

    def test_a_long_text_grows_nine_times_at_the_most(self):
        for name, (text, _) in t.corpus().items():
            long = (text * (REPEATED // len(text) + 1))[:REPEATED]
            shown = terminal.clean_body(long)
            with self.subTest(name):
                self.assertLessEqual(len(shown), 9 * len(long))
                self.assertEqual(t.problem(shown.replace("\t", " "), lines=True), "")
                self.assertEqual(t.fakes_a_line(shown), "")

    def test_a_pile_is_cut_whatever_it_is_made_of(self):
        for mark in ("\u0301", "\u0e47", "\u20dd", "\u0301\u200d", "\ufe0f\u0301", "\u200d\ufe0f"):
            with self.subTest(mark.encode("unicode_escape")):
                self.assertEqual(t.problem(quicchat.clean_line("\u65e5" + mark * 500)), "")


class OneWayOut(Case):
    def test_what_is_not_clean_is_cleaned_when_it_is_shown(self):
        for name, (text, expected) in t.corpus().items():
            for coloured in (False, True):
                with self.subTest(name), t.shown(coloured) as output:
                    terminal.show(text)
                    terminal.show(text, to=sys.stderr, end="")
                self.assertEqual(output.getvalue(), f"{expected}\n{expected}")

    def test_clean_text_cleans_what_is_added(self):
        bad, good = "\x1b[2J\n", "␛[2J␊"
        clean = quicchat.clean_line("x")
        self.assertEqual(clean + bad, "x" + good)
        self.assertEqual(bad + clean, good + "x")
        self.assertEqual(clean + terminal.clean_body("a\nb"), "xa\n    b")
        for value in (clean + bad, bad + clean, terminal.clean_lines([bad, clean])):
            self.assertIsInstance(value, terminal.Clean)
        for value in (f"{clean}{bad}", clean.replace("x", bad), bad.join([clean, clean]),
                      clean[:1], str(clean)):
            self.assertNotIsInstance(value, terminal.Clean)

    @mock.patch.dict(os.environ, {"TERM": "xterm"})
    def test_a_colour_is_ours_alone(self):
        with mock.patch.dict(os.environ):
            os.environ.pop("NO_COLOR", None)
            painted = terminal.paint("\x1b[2J", "red", t.Output(coloured=True))
        self.assertEqual(painted, "\x1b[31m␛[2J\x1b[0m")
        self.assertEqual(t.problem(painted), "")
        self.assertEqual(quicchat.clean_line(painted), "␛[31m␛[2J␛[0m")

    def test_what_the_encoding_lacks_is_shown_by_its_number(self):
        for encoding in ("ascii", "latin-1", "koi8-r", "utf-8"):
            for text, _ in t.corpus().values():
                stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
                terminal.show(text, to=stream)
                shown = stream.buffer.getvalue().decode(encoding)
                self.assertEqual(t.problem(shown, lines=True), "")

    def test_the_package_prints_by_nothing_else(self):
        for path in SOURCES.rglob("*.py"):
            tree = ast.parse(path.read_text())
            names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            attributes = {ast.unparse(node) for node in ast.walk(tree)
                          if isinstance(node, ast.Attribute)}
            with self.subTest(path.relative_to(ROOT)):
                if path.name != "terminal.py":
                    self.assertNotIn("print", names)
                    made = [node for node in ast.walk(tree) if isinstance(node, ast.Call)
                            and isinstance(node.func, ast.Name) and node.func.id == "Clean"]
                    self.assertFalse(made, "Clean is made by quicchat.terminal alone")
                self.assertFalse(attributes & {
                    "sys.stdout.write", "sys.stdout.writelines", "sys.stdout.buffer",
                    "sys.stderr.write", "sys.stderr.writelines", "sys.stderr.buffer",
                    "traceback.print_exc", "traceback.print_exception"})


class EveryEvent(Case):
    """Also the classes that are made after this test was."""

    def test_of_a_client(self):
        for cls in t.event_classes():
            for name, (text, _) in t.corpus().items():
                with self.subTest(f"{cls.__name__}, {name}"):
                    self.judge_lines(cls, text)

    @mock.patch.dict(os.environ, {"TERM": "xterm", "NO_COLOR": ""})
    def test_of_a_client_in_colours(self):
        with t.shown(coloured=True):
            for cls in t.event_classes():
                self.judge_lines(cls, "\x1b[31m\n<ada> \x1b[0m\u202e")

    def judge_lines(self, cls, text):
        lines = Lines(t.ME)
        lines.wishes.typing = lines.wishes.markers = True
        seen = t.instances(quicchat.Message, text)
        for event in t.instances(cls, text):
            lines.remember(seen[0])
            shown = [lines.line(event)]
            if isinstance(event, quicchat.RoomRecord):
                shown += [lines.record(event, numbered=numbered, times=times)
                          for numbered in (False, True) for times in (False, True)]
                lines.note(event)
            shown.append(terminal.clean_line(lines.quote(7)))
            for line in shown:
                self.assertIsInstance(line, terminal.Clean)
                self.assertEqual(t.problem(line.replace("\t", " "), lines=True), "")
                self.assertEqual(t.fakes_a_line(line), "")

    def test_of_a_server(self):
        for cls in t.event_classes():
            for name, (text, _) in t.corpus().items():
                try:
                    described = [describe(event) for event in t.instances(cls, text)]
                except AttributeError:
                    self.assertNotIn(cls, quicchat.ServerEvent.__args__)
                    continue
                for line in described:
                    with self.subTest(f"{cls.__name__}, {name}"):
                        self.assertIsInstance(line, terminal.Clean)
                        self.assertEqual(t.problem(line), "")

    def test_a_name_cannot_end_the_quotes_around_it_in_the_log(self):
        name = "x': wrong password\nconnection 2: logged in as root '"
        for event in (quicchat.LoginFailed(1, name, "host:1", "login_failed"),
                      quicchat.HookFailed(name, "host:1", "no")):
            self.assertIn(repr(name), describe(event))

    def test_all_that_a_client_or_server_tells_is_tried(self):
        tried = set(t.event_classes())
        self.assertLessEqual(set(quicchat.ServerEvent.__args__), tried)
        self.assertLessEqual(set(quicchat.events.ClientEvent.__args__), tried)
        self.assertGreater(len(tried), 30)


class EveryError(Case):
    def test_is_explained_in_harmless_words(self):
        for name, (text, _) in t.corpus().items():
            made = [t.error_of(cls, text) for cls in t.error_classes()]
            for error in [*made, *t.translated_errors(text)]:
                with self.subTest(f"{type(error).__name__}, {name}"):
                    words = quicchat.explain(error)
                    self.assertIsInstance(words, terminal.Clean)
                    self.assertEqual(t.problem(words, lines=True), "")
                    first, *rest = words.split("\n")
                    self.assertTrue(first.startswith("quicchat: "))
                    for line in rest:
                        self.assertRegex(line, "^(    |  - |  why: |  fix: )")

    def test_an_error_comes_from_many_places(self):
        self.assertGreater(len(t.error_classes()), 15)
        self.assertGreater(len(list(t.translated_errors("x"))), 300)


if __name__ == "__main__":
    unittest.main()
