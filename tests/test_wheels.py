"""bindings/wheels.sh: what it says of itself and of what it cannot do. `bindings/wheels.sh --test`
builds wheels and tries them, which takes minutes."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from _support import PATIENCE, ROOT

SCRIPT = ROOT / "bindings" / "wheels.sh"


class Script(unittest.TestCase):
    def run_it(self, *arguments):
        return subprocess.run(["sh", str(SCRIPT), *arguments], capture_output=True, text=True,
                              timeout=PATIENCE)

    def test_help_names_every_option(self):
        result = self.run_it("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for option in ("--machine", "--python", "--test", "--out", "glibc 2.28"):
            self.assertIn(option, result.stdout)

    def test_wrong_words_are_refused_before_anything_is_done(self):
        for arguments, word in ((["--frobnicate"], "--frobnicate"), (["x"], "x: what is that?"),
                                (["--machine", "riscv64"], "x86_64 and aarch64"),
                                (["--machine"], "--machine needs a value"),
                                (["--python", "/no/such/python"], "no such Python")):
            result = self.run_it(*arguments)
            self.assertEqual((result.returncode, result.stdout), (64, ""), arguments)
            self.assertIn(word, result.stderr)
            self.assertIn("--help", result.stderr)

    def test_what_is_no_python_for_it_is_named(self):
        with tempfile.TemporaryDirectory(prefix="quicchat-test-") as folder:
            old = Path(folder, "python3.9")
            old.write_text("#!/bin/sh\necho 'it is not CPython 3.11 or newer' >&2\nexit 1\n")
            old.chmod(0o755)
            result = self.run_it("--machine", "x86_64", "--python", str(old))
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn(f"{old}: it is not CPython 3.11 or newer", result.stderr)


if __name__ == "__main__":
    unittest.main()
