"""Mentions and display names: what PROTOCOL.md says of them gives what the vectors have."""

import json
import unittest
from pathlib import Path

from interop import texts

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


class Texts(unittest.TestCase):
    def lines(self, name):
        text = (VECTORS / name).read_text(encoding="utf-8")
        found = [line for line in text.split("\n") if line and not line.startswith("#")]
        self.assertGreater(len(found), 30)
        return found

    def test_mentions(self):
        for line in self.lines("mentions.txt"):
            case = json.loads(line)
            with self.subTest(case["text"]):
                self.assertEqual(texts.mentions(case["text"]), case["names"])

    def test_display_names(self):
        for line in self.lines("display_names.txt"):
            verdict, _, name = line.partition(" ")
            with self.subTest(line):
                self.assertEqual(texts.is_display_name(json.loads(name)), verdict == "good")


if __name__ == "__main__":
    unittest.main()
