"""What tests/run.sh says at its end, where it is read: what failed, and what it said."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent

JUNIT = """<?xml version="1.0"?>
<testsuite>
  <testcase name="a room"/>
  <testcase name="a server &amp; its clients">
    <failure message=""/>
    <system-out>first line
  REQUIRE( 1 == 2 )
</system-out>
  </testcase>
  <testcase name="a window"><skipped/></testcase>
</testsuite>
"""

PASSES = """
import unittest
class Passes(unittest.TestCase):
    def test_that_passes(self):
        print("nobody needs to see this twice")
"""

FAILS = """
import unittest
class Fails(unittest.TestCase):
    def test_that_is_wrong(self):
        self.assertEqual(1, 2, "the words of a failure")
    def test_of_parts(self):
        for part in range(40):
            with self.subTest(part=part):
                self.fail()
    @unittest.expectedFailure
    def test_that_is_better(self):
        pass
"""

# Leaves a file when it has failed.
FAILS_ONCE = """
import pathlib, unittest
class Steadier(unittest.TestCase):
    def test_that_needs_another_try(self):
        seen = pathlib.Path(__file__).with_suffix(".seen")
        self.addCleanup(seen.touch)
        self.assertTrue(seen.exists(), "too early")
"""

DIES = """
import os
print("the last words", flush=True)
os._exit(3)
"""


class SideBySide(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="quicchat-test-")
        self.addCleanup(folder.cleanup)
        self.tests = Path(folder.name) / "tests"
        (self.tests / "interop").mkdir(parents=True)
        shutil.copy(TESTS / "side_by_side.py", self.tests)

    def run_files(self, again: bool = False, **files: str) -> tuple[int, list[str]]:
        for name, text in files.items():
            (self.tests / f"{name}.py").write_text(text, encoding="utf-8")
        ended = subprocess.run([sys.executable, self.tests / "side_by_side.py", "2"],
                               capture_output=True, text=True, check=False,
                               env={**os.environ, "QUICCHAT_TEST_AGAIN": "1" if again else ""})
        return ended.returncode, ended.stdout.splitlines()

    def test_what_failed_is_said_again_before_the_two_lines_of_the_end(self):
        status, lines = self.run_files(test_a=FAILS, test_b=PASSES, test_c=DIES)
        self.assertEqual(status, 1)
        # In the order in which the files end.
        self.assertTrue(lines[-1].startswith("FAILED ("), lines[-1])
        self.assertEqual(set(lines[-1][8:-1].split(", ")),
                         {"failures=41", "unexpected successes=1", "errors=1"})
        self.assertTrue(lines[-3].startswith("Ran 4 tests in "), lines[-3])
        begin = min(lines.index(f"--- failed: test_{name}.py") for name in "ac")
        end = lines[begin:]
        self.assertGreater(begin, max(i for i, line in enumerate(lines)
                                      if line.startswith("--- test_")))
        self.assertIn("AssertionError: 1 != 2 : the words of a failure", lines)
        self.assertIn("the last words", end)
        self.assertIn("ERROR: test_c.py (status 3, and no word of a test)", end)
        self.assertNotIn("nobody needs to see this twice", end)
        # What is said again is bounded, but no name is missing.
        self.assertEqual(sum(line.startswith("FAIL: test_of_parts") for line in end), 40)
        self.assertEqual(sum(line.startswith("FAIL: test_that_is_wrong") for line in end), 1)
        self.assertTrue(any(line.startswith("UNEXPECTED SUCCESS: ") for line in end))
        self.assertLess(len(end), 125)

    def test_what_failed_may_have_another_try_and_that_is_said(self):
        again = "passed only when it ran again, alone: "
        status, lines = self.run_files(True, test_a=FAILS_ONCE, test_b=PASSES)
        self.assertEqual((status, lines[-1]), (0, "OK"))
        self.assertTrue(lines[-3].startswith("Ran 2 tests in "), lines[-3])
        self.assertEqual([line for line in lines if line.startswith(again)],
                         [f"{again}test_a.py: test_that_needs_another_try"])
        self.assertEqual(lines.count("nobody needs to see this twice"), 1)

        status, lines = self.run_files(True, test_c=FAILS)
        self.assertEqual(status, 1)
        self.assertTrue(lines[-1].startswith("FAILED (failures=41"), lines[-1])
        self.assertIn("--- failed: test_c.py", lines)

        (self.tests / "test_a.seen").unlink()
        (self.tests / "test_c.py").unlink()
        self.assertEqual(self.run_files()[0], 1)

    def test_a_file_that_skips_all_has_not_failed_and_one_without_tests_has(self):
        # Python from 3.12 on ends with the same status for both.
        skips = PASSES.replace("class ", "@unittest.skip('no reason')\nclass ", 1)
        status, lines = self.run_files(test_a=skips, test_b=PASSES)
        self.assertEqual((status, lines[-1]), (0, "OK (skipped=1)"))
        if sys.version_info >= (3, 12):
            self.assertEqual(self.run_files(test_c="")[0], 1)

    def test_nothing_is_said_again_of_what_passed(self):
        status, lines = self.run_files(test_b=PASSES)
        self.assertEqual((status, lines[-1]), (0, "OK"))
        self.assertEqual(lines.count("nobody needs to see this twice"), 1)
        self.assertFalse([line for line in lines if "failed" in line])


@unittest.skipUnless(os.path.exists("/usr/include/sqlite3.h"), "run.sh would install packages")
class Run(unittest.TestCase):
    """run.sh itself, with programs that only pretend to build and to test."""

    def run_suite(self, junit: str, unittest_txt: str, again: str | None = None,
                  **programs: str) -> tuple[int, list[str]]:
        """``again`` is what a second ctest writes; without it none is asked for."""
        folder = tempfile.TemporaryDirectory(prefix="quicchat-test-")
        self.addCleanup(folder.cleanup)
        root = Path(folder.name)
        tests = root / "tests"
        tests.mkdir()
        for name in ("run.sh", "count_results.py"):
            shutil.copy(TESTS / name, tests)
        (root / "junit.xml").write_text(junit, encoding="utf-8")
        (root / "again.xml").write_text(again or "", encoding="utf-8")
        (root / "unittest.txt").write_text(unittest_txt, encoding="utf-8")
        (tests / "run_python.sh").write_text(
            'cp junit.xml "$1/pytest.xml"; echo 1 >"$1/pytest.status"\n'
            'cp unittest.txt "$1"; echo 1 >"$1/unittest.status"\n', encoding="utf-8")
        stubs = {"cmake": "", "clang++": "exit 1", "apt-get": "exit 1", "ninja": "", "c++": "",
                 "valgrind": "", "ctest": 'for last; do :; done\n'
                 'case "$*" in *--rerun-failed*) cp again.xml "$last"; exit 0 ;; esac\n'
                 'cp junit.xml "$last"; exit 8',
                 **programs}
        bin_folder = root / "bin"
        bin_folder.mkdir()
        for name, text in stubs.items():
            (bin_folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
            (bin_folder / name).chmod(0o755)
        # The interpreter of a virtual environment has no packages of the system.
        (bin_folder / "python3").symlink_to(sys.executable)
        ended = subprocess.run(
            ["sh", tests / "run.sh"], capture_output=True, text=True, check=False,
            env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "JOBS": "2",
                 "QUICCHAT_TEST_AGAIN": "" if again is None else "1"})
        return ended.returncode, ended.stdout.splitlines()

    def failed_part(self, lines: list[str]) -> list[str]:
        begin = max(i for i, line in enumerate(lines) if line.startswith("=== what failed"))
        return lines[begin + 1:-2]

    def test_every_test_that_failed_is_named_before_the_last_line(self):
        status, lines = self.run_suite(JUNIT, (
            "FAIL: test_x (test_y.Y.test_x)\nRan 3 tests in 1.0s\n\n"
            "--- failed: test_y.py\nFAIL: test_x (test_y.Y.test_x)\n"
            "Ran 3 tests in 1.0s\n\nFAILED (failures=1)"))
        self.assertEqual(status, 1)
        self.assertEqual(lines[-1], "4 passed, 3 failed, 3 skipped")
        self.assertEqual(self.failed_part(lines), [
            "ctest: a server & its clients", "    first line", "      REQUIRE( 1 == 2 )",
            "pytest: a server & its clients", "    first line", "      REQUIRE( 1 == 2 )",
            "unittest: test_x (test_y.Y.test_x)"])

    def test_what_passes_when_it_runs_again_is_named(self):
        _, lines = self.run_suite(
            JUNIT, "passed only when it ran again, alone: test_y.py: test_x\n"
            "Ran 3 tests in 1.0s\n\nOK",
            again='<testsuite><testcase name="a server &amp; its clients"/></testsuite>')
        self.assertIn("ctest: 2 passed, 0 failed, 1 skipped", lines)
        begin = max(i for i, line in enumerate(lines)
                    if line.startswith("=== what passed only when it ran again"))
        self.assertEqual(lines[begin + 1:begin + 3],
                         ["ctest: a server & its clients", "unittest: test_y.py: test_x"])
        self.assertNotIn("ctest: a server & its clients", self.failed_part(lines))

    def test_a_build_that_fails_is_named(self):
        _, lines = self.run_suite(
            JUNIT, "Ran 3 tests in 1.0s\n\nOK", cmake='[ "$1" != --build ]')
        self.assertIn("ctest: the C++ build failed", self.failed_part(lines))
        self.assertIn("unittest: ended with status 1 and ran 3 tests; counted as a failure",
                      self.failed_part(lines))


if __name__ == "__main__":
    unittest.main()
