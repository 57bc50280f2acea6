"""Configuration files and text for the terminal with anything in them: what the fuzzers of fuzz/ do
for C++. QUICCHAT_PYTHON_FUZZ_RUNS says how many inputs, QUICCHAT_SEED which."""

import copy
import json
import os
import random
import unittest

import _terminal
from _support import Case, quicchat

RUNS = int(os.environ.get("QUICCHAT_PYTHON_FUZZ_RUNS") or 1000)
SEED = int(os.environ.get("QUICCHAT_SEED") or random.SystemRandom().randrange(1 << 32))

CONFIG = {
    "host": "127.0.0.1", "port": 4433, "certfile": "server.crt", "keyfile": "server.key",
    "auth": {"users": [{"username": "ada", "password": "a secret"},
                       {"username": "bob", "verifier":
                        "SCRAM-SHA-256$100000:AAAAAAAAAAAAAAAAAAAAAA==$" + "A" * 43 + "=:" +
                        "A" * 43 + "="}], "iterations": 100_000},
    "rooms": ["#lobby", "#den"], "operators": ["ada"], "anybody_makes_rooms": False,
    "limits": {"rooms_max": 100, "idle_timeout": 60.0}, "database": None, "files": "files",
    "durability": "process", "metrics": "127.0.0.1:9464",
    "qlog": {"directory": "qlog", "bytes_max": 67108864}, "x-note": [1, {}], "version": 1,
}
VALUES = [
    None, True, False, 0, 1, -1, 65536, 1 << 70, 1.5, -0.0, 1e308, "", " ", "#lobby", "#LOBBY",
    "ada", "\x1b[2J", "a\nb", "\ud800", "\u202e", "\0", "x" * 5000, "../../etc", "[::1]:1",
    "256.1.1.1:70000", [], [None], ["#a", "#A"], {}, {"": ""}, {"username": "ada"}, [[[[]]]],
]
LETTERS = ('{}[]",:\\/#-+.eE0123456789tfn \t\n\r\0\x1b\x7f\x85\u200b\u200d\u202e\u2066'
           "\ufeff\U000e0041e\u0301\u093c\u2028\ud83d\ude00\ufe0f\u0661\u05d0")


def containers(value):
    """All objects and lists in it."""
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


def changed_value(draw):
    """A configuration with some other values, names and places."""
    config = copy.deepcopy(CONFIG)
    for _ in range(draw.randint(0, 4)):
        where = draw.choice(list(containers(config)))
        keys = list(where) if isinstance(where, dict) else list(range(len(where)))
        value = copy.deepcopy(draw.choice([*VALUES, *CONFIG.values()]))
        if not keys or draw.random() < 0.1:
            if isinstance(where, dict):
                where[draw.choice([*CONFIG, "Host", "x-", "\x1b"])] = value
            else:
                where.append(value)
        elif draw.random() < 0.2:
            del where[draw.choice(keys)]
        else:
            where[draw.choice(keys)] = value
    return config


def changed_bytes(draw, data):
    """Some bytes changed, added, removed."""
    data = bytearray(data)
    for _ in range(draw.randint(1, 5)):
        place = draw.randint(0, len(data))
        letters = draw.choice(LETTERS).encode(errors="surrogatepass")
        data[place:place + draw.randint(0, 3)] = draw.choice([letters, draw.randbytes(2), b""])
    return bytes(data)


class RandomInput(Case):
    def setUp(self):
        super().setUp()
        self.draw = random.Random(SEED)
        self.path = self.folder / "config.json"

    def check(self, load):
        """A configuration, or a ConfigError whose every word can be shown."""
        try:
            config = load()
        except quicchat.ConfigError as error:
            for problem in [str(error), *error.problems]:
                shown = quicchat.clean_text(problem)
                self.assertEqual(_terminal.problem(shown, lines=True), "")
            return False
        self.assertIsInstance(config, quicchat.ServerConfig)
        self.assertTrue(0 <= config.port < 65536)
        self.assertEqual(len({a.username.lower() for a in config.accounts}), len(config.accounts))
        for account in config.accounts:
            self.assertTrue(bool(account.password) != bool(account.verifier))
        return True

    def test_a_configuration_is_taken_or_refused_in_words(self):
        taken = 0
        good = json.dumps(CONFIG).encode()
        for run in range(RUNS):
            with self.subTest(seed=SEED, run=run):
                if run % 3:
                    text = json.dumps(changed_value(self.draw)).encode()
                else:
                    text = changed_bytes(self.draw, good)
                self.path.write_bytes(text)
                taken += self.check(lambda: quicchat.load_config(self.path))
        self.assertTrue(RUNS / 50 < taken < RUNS * 0.9, f"{taken} of {RUNS}")

    def test_text_for_a_terminal_is_harmless(self):
        known = [text for text, _ in _terminal.corpus().values()]
        for run in range(RUNS):
            with self.subTest(seed=SEED, run=run):
                text = "".join(self.draw.choice(LETTERS) if self.draw.random() < 0.7
                               else chr(self.draw.randrange(0x110000))
                               for _ in range(self.draw.randint(0, 40)))
                text = self.draw.choice(known) + text + self.draw.choice(known)
                line = quicchat.clean_line(text)
                self.assertEqual(_terminal.problem(line), "")
                self.assertLessEqual(len(line.splitlines()), 1)
                self.assertEqual(quicchat.clean_line(line), line)
                body = quicchat.clean_text(text)
                self.assertEqual(_terminal.problem(body.replace("\t", " "), lines=True), "")
                self.assertEqual(quicchat.clean_text(body), body)
                line.encode(), body.encode()


if __name__ == "__main__":
    unittest.main()
