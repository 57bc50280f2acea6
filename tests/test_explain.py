"""The tables of error codes and of configuration keys: their commands, and pages made of them."""

import json
import re
import unittest

from _support import EXAMPLES, ROOT, Case, quicchat
from quicchat import _web_logins, config, limits
from quicchat.cli.config import reference_page
from quicchat.cli.explain import troubleshooting_page
from quicchat.config_keys import CONFIG_KEYS, EXAMPLE
from quicchat.error_codes import ERROR_CODES, REQUEST_HINTS, find_error_code

SOURCES = {path: path.read_text() for path in (ROOT / "python" / "quicchat").rglob("*.py")}


def in_seconds_or_bytes(text):
    """A default of limits.hpp as a number."""
    text = re.sub(r"std::chrono::hours\{(.*)\}", r"3600 * (\1)", text)
    text = re.sub(r"std::chrono::minutes\{(.*)\}", r"60 * (\1)", text)
    text = re.sub(r"std::chrono::seconds\{(.*)\}", r"(\1)", text)
    return eval(re.sub(r"ull\b|'", "", text), {"__builtins__": {}})


def limits_of_the_core():
    header = (ROOT / "include/quicchat/base/limits.hpp").read_text()
    found = dict(re.findall(r"^    (?:std::\w+|Duration) (\w+) = (.*?);", header, re.MULTILINE))
    rates = re.findall(r"^    Rate (\w+)\{[^,]*,\s*([^}]*)\}", header, re.MULTILINE)
    return {name: in_seconds_or_bytes(text) for name, text in [*found.items(), *rates]}


class ErrorCodes(Case):
    def test_every_code_of_the_package_is_in_the_table(self):
        used = {code for text in SOURCES.values() for code in re.findall(r'"(E-[A-Z-]+)"', text)}
        known = {entry.code for entry in ERROR_CODES}
        self.assertGreater(len(used), 45)
        self.assertEqual(used - known, set())

    def test_the_table_has_no_code_that_nobody_raises(self):
        table = next(path for path in SOURCES if path.name == "error_codes.py")
        elsewhere = "".join(text for path, text in SOURCES.items() if path != table)
        refusals = {f"E-{name.upper().replace('_', '-')}" for name in REQUEST_HINTS}
        for entry in ERROR_CODES:
            self.assertTrue(f'"{entry.code}"' in elsewhere or entry.code in refusals, entry.code)

    def test_every_request_that_may_be_refused_has_a_hint(self):
        names = {name for number, name, _, _ in quicchat._core.error_table() if 64 <= number < 256}
        self.assertEqual(set(REQUEST_HINTS), names - {"rate_limited"})

    def test_entries_are_sentences(self):
        for entry in ERROR_CODES:
            self.assertRegex(entry.meaning, r"^[A-Z].*[.:]$", entry.code)
            self.assertRegex(entry.remedy, r"^[A-Za-z].*\.$|\.\.\.$", entry.code)
        self.assertEqual(len({entry.code for entry in ERROR_CODES}), len(ERROR_CODES))

    def test_a_code_is_found_as_people_write_it(self):
        for text in ("E-AUTH", "auth", "[E-AUTH]", " e_auth "):
            self.assertEqual(find_error_code(text).code, "E-AUTH")
        self.assertIsNone(find_error_code("E-"))

    def test_the_command(self):
        one = self.command("explain", "cert-name")
        self.assert_words(one, 0)
        self.assertIn(b"E-CERT-NAME", one.stdout)
        self.assertIn(b"pin the key", one.stdout)
        every = self.command("explain").stdout.decode()
        for entry in ERROR_CODES:
            self.assertIn(f"{entry.code}  (exit status {entry.status})\n", every)
        self.assert_words(self.command("explain", "E-CRET-NAME"), 64, "fix: quicchat explain "
                          "E-CERT-NAME")
        self.assert_words(self.command("explain", "\x1b[31m"), 64, "quicchat explain shows all")

    def test_the_guide(self):
        self.assertEqual((EXAMPLES / "guides/troubleshooting.md").read_text(),
                         troubleshooting_page(), "run: quicchat explain --markdown")
        self.assertEqual(self.command("explain", "--markdown").stdout.decode(),
                         troubleshooting_page())


class ConfigKeys(Case):
    def test_the_keys_are_those_that_are_read(self):
        names = [*config._KEYS, *(f"auth.{key}" for key in config._AUTH_KEYS),
                 *(f"qlog.{key}" for key in config._QLOG_KEYS),
                 *(f"web.{key}" for key in config._WEB_KEYS),
                 *(f"web.tickets.{key}" for key in _web_logins._TICKET_KEYS),
                 *(f"limits.{name}" for name in limits.RANGES)]
        self.assertEqual(sorted(key.name for key in CONFIG_KEYS), sorted(names))

    def test_what_is_not_there_is_as_the_table_says(self):
        path = self.folder / "config.json"
        path.write_text(EXAMPLE)
        bare = quicchat.load_config(path)
        given = json.loads(EXAMPLE)
        for key in CONFIG_KEYS:
            if not key.default or "." in key.name or key.name in given or key.name == "version":
                continue
            with self.subTest(key.name):
                path.write_text(json.dumps({**given, key.name: json.loads(key.default)}))
                same = quicchat.load_config(path)
                self.assertEqual(getattr(same, key.name), getattr(bare, key.name))
        path.write_text(json.dumps({**given, "auth": {"users": [], "iterations": 600_000}}))
        self.assertEqual(quicchat.load_config(path).iterations, bare.iterations)

    def test_the_limits_are_those_of_the_core(self):
        core = limits_of_the_core()
        for key in CONFIG_KEYS:
            if key.name.startswith("limits."):
                name = key.name.removeprefix("limits.")
                self.assertEqual(float(key.default), core[name], name)

    def test_the_example_serves(self):
        example = self.command("config", "example")
        (self.folder / "config.json").write_bytes(example.stdout)
        result = self.command("config", "check")
        self.assert_words(result, 0)
        self.assertIn(b"config.json is fine", result.stdout)

    def test_check_says_all_that_is_wrong(self):
        (self.folder / "bad.json").write_text('{"host": 3, "prot": 1, "auth": {"users": []}}')
        self.assert_words(self.command("config", "check", "bad.json"), 78, '"host" must be',
                          'did you mean "port"', '"certfile" is missing', "[E-CONFIG]")
        self.assert_words(self.command("config", "check", "none.json"), 66)

    def test_reference(self):
        for words, there, absent in ((["auth"], "auth.users", "qlog"),
                                     (["members_max"], "limits.members_max", "limits.rooms_max"),
                                     ([], "limits.failed_logins_per_prefix", "nothing")):
            shown = self.command("config", "reference", *words).stdout.decode()
            self.assertIn(f"{there}  (", shown)
            self.assertNotIn(f"{absent}  (", shown)
            self.assertLessEqual(max(map(len, shown.splitlines())), 100)
        self.assert_words(self.command("config", "reference", "operator"), 64,
                          "fix: quicchat config reference operators")
        self.assert_words(self.command("config"), 64)

    def test_the_guide(self):
        self.assertEqual((EXAMPLES / "guides/configuration.md").read_text(), reference_page(),
                         "run: quicchat config reference --markdown")


if __name__ == "__main__":
    unittest.main()
