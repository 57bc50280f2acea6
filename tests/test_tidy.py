"""The rules of the house, as tests: sizes, the direction of includes, what the core may use, and
that documents and code say the same."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include" / "quicchat"

# Who may include whom, by folder. The root of include/quicchat may include everything.
# `server/io` are the parts of Server that move bytes, so they know transports and logins.
MAY_INCLUDE = {
    "base": {"base"},
    "wire": {"base", "wire"},
    "transport": {"base", "transport"},
    "log": {"base", "wire", "log"},
    "auth": {"base", "transport", "auth"},
    "session": {"base", "wire", "transport", "session"},
    "file": {"base", "file"},
    "server": {"base", "wire", "log", "file", "session", "server"},
    "server/io": {"base", "wire", "log", "file", "transport", "auth", "session", "server"},
    "memory": {"base", "transport", "memory"},
    "quic": {"base", "transport", "auth", "shards", "quic"},
    "shards": {"base", "transport", "shards"},
    "webtransport": {"base", "wire", "transport", "webtransport"},
    "sqlite": {"base", "wire", "log", "auth", "session", "sqlite"},
    "disk": {"base", "auth", "file", "disk"},
}

# `auth` knows Fingerprint and ChannelBinding, which are words of the seam, but no transport.
AUTH_FROM_TRANSPORT = {"quicchat/transport/event.hpp", "quicchat/transport/fingerprint.hpp"}

# What the core is not: it does input and output, and has threads.
NOT_CORE = {"quic", "sqlite", "disk", "shards"}
# And what these have in common.
NOT_CORE_IN_BASE = {"background_threads.hpp", "owned_fd.hpp", "worker_thread.hpp"}

TOP_LEVEL = {
    "CMakeLists.txt", "pyproject.toml", "README.md", "include", "bindings", "python", "examples",
    "tests", "LICENSE", "CHANGELOG.md", "CMakePresets.json", "cmake",
}

HEAVY_IN_CORE = {"iostream", "functional", "regex", "ranges", "random", "thread", "mutex"}
NOT_SANS_IO = re.compile(
    r"steady_clock|system_clock::now|::now\(\)|std::thread|\bprintf|std::cout|std::cerr|"
    r"getrandom|rand\(\)"
)


def tracked(*patterns):
    """Files that git tracks or would track, so that the rules hold before a commit as well."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split()
        files = [ROOT / name for name in listed]
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive has no git
        files = [path for pattern in patterns for path in ROOT.rglob(pattern)]
    return [path for path in files if path.is_file()]


def includes_of(path):
    """The names in `#include "quicchat/..."` lines."""
    return re.findall(r'#include "(quicchat/[^"]+)"', path.read_text())


def folder_of(name):
    """The layer of `quicchat/layer/file.hpp`, or "" for files at the root."""
    parts = name.split("/")
    return parts[1] if len(parts) > 2 else ""


def headers():
    """All of the library: the headers, and the bodies of their functions in `impl` beside them."""
    return sorted([*INCLUDE.rglob("*.hpp"), *INCLUDE.rglob("*.ipp")])


def place_of(path):
    """The folder that a header or its bodies belong to, such as `server/io`."""
    parts = path.parent.relative_to(INCLUDE).parts
    return "/".join(part for part in parts if part != "impl")


def rule_for(path):
    """What the folder of a header may include: its own rule, or that of its layer."""
    folder = place_of(path)
    return MAY_INCLUDE[folder if folder in MAY_INCLUDE else folder.split("/")[0]]


def is_core(path):
    """Whether a header does no input and output, and has no threads."""
    in_base = place_of(path) == "base" and f"{path.stem}.hpp" in NOT_CORE_IN_BASE
    return place_of(path) not in NOT_CORE and not in_base


def classes_of(text):
    """The classes of a C++ file with their number of lines, by indentation; those inside others
    count with these."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        begins = re.match(r"(?:class|struct) +(\w+)[^;]*\{$", line)
        if begins:
            length = next(i for i, end in enumerate(lines[start:]) if end.startswith("};"))
            yield begins[1], length + 1


class Comments(unittest.TestCase):
    @unittest.skipUnless(shutil.which("doxygen"), "no doxygen (Debian: doxygen)")
    def test_every_public_member_of_every_header_has_one(self):
        script = ROOT / "examples" / "guides" / "build_site.sh"
        with tempfile.TemporaryDirectory(prefix="quicchat-test-") as folder:
            result = subprocess.run(["sh", script, "headers"], capture_output=True, text=True,
                                    env={**os.environ, "QUICCHAT_SITE": folder})
        self.assertEqual(result.returncode, 0, result.stderr)


class Sizes(unittest.TestCase):
    def test_classes_stay_under_400_lines(self):
        for path in tracked("*.hpp", "*.cpp"):
            for name, length in classes_of(path.read_text()):
                with self.subTest(f"{path.relative_to(ROOT)}: {name}"):
                    self.assertLessEqual(length, 400)

    def test_modules_stay_under_400_lines(self):
        for path in tracked("*.py"):
            with self.subTest(path.relative_to(ROOT)):
                self.assertLessEqual(len(path.read_text().splitlines()), 400)

    def test_lines_stay_under_100_columns(self):
        for path in tracked("*.hpp", "*.ipp", "*.cpp", "*.py"):
            if path.name == "error.hpp":
                continue  # its table is easier to read in columns
            for number, line in enumerate(path.read_text().splitlines(), 1):
                with self.subTest(f"{path.relative_to(ROOT)}:{number}"):
                    self.assertLessEqual(len(line), 100)


class Layers(unittest.TestCase):
    def test_includes_go_one_way(self):
        for path in headers():
            if not place_of(path):
                continue  # the root may include everything
            layer = folder_of(f"quicchat/{path.relative_to(INCLUDE).as_posix()}")
            for name in includes_of(path):
                with self.subTest(f"{path.relative_to(INCLUDE)} includes {name}"):
                    self.assertIn(folder_of(name), rule_for(path))
                    if layer == "auth" and folder_of(name) == "transport":
                        self.assertIn(name, AUTH_FROM_TRANSPORT)

    def test_only_quic_knows_ngtcp2_and_wolfssl(self):
        for path in headers():
            if place_of(path) != "quic":
                with self.subTest(path.name):
                    self.assertNotRegex(path.read_text(), r"#include <(ngtcp2|wolfssl)")

    def test_only_sqlite_knows_sqlite(self):
        for path in headers():
            if place_of(path) != "sqlite":
                with self.subTest(path.name):
                    self.assertNotIn("#include <sqlite3.h>", path.read_text())

    def test_the_core_knows_no_descriptors_and_no_threads(self):
        exceptions = {f"quicchat/base/{name}" for name in NOT_CORE_IN_BASE}
        for path in headers():
            if is_core(path):
                with self.subTest(path.name):
                    self.assertFalse(set(includes_of(path)) & exceptions)

    def test_the_core_includes_nothing_heavy(self):
        for path in headers():
            if not is_core(path):
                continue
            used = set(re.findall(r"#include <([^>]+)>", path.read_text()))
            with self.subTest(path.name):
                self.assertFalse(used & HEAVY_IN_CORE)

    def test_the_core_reads_no_clock_and_does_no_io(self):
        for path in headers():
            if not is_core(path):
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                code = line.split("//")[0]
                with self.subTest(f"{path.name}:{number}"):
                    self.assertIsNone(NOT_SANS_IO.search(code.replace("network.now()", "")))

    def test_headers_have_one_guard_and_no_hygiene_faults(self):
        for path in headers():
            text = path.read_text()
            with self.subTest(path.name):
                self.assertTrue(text.startswith("#pragma once\n"))
                self.assertNotIn("__COUNTER__", text)
                self.assertNotRegex(text, r"\bnamespace \{")
                self.assertNotRegex(text, r"\busing namespace quicchat\b")

    def test_the_top_level_holds_only_what_was_agreed(self):
        names = {path.relative_to(ROOT).parts[0] for path in tracked("*")}
        self.assertFalse({n for n in names if not n.startswith(".")} - TOP_LEVEL)


def sentences_of(markdown):
    """The sentences of a document without its headings, tables and blocks of code."""
    text = re.sub(r"^```.*?^```$", "", markdown, flags=re.M | re.S)
    lines = [line for line in text.splitlines() if not line.startswith(("|", "#"))]
    for block in re.split(r"\n\s*\n|\n(?=- )", "\n".join(lines)):
        yield from filter(None, re.split(r"[.!?][)*`\"]*(?:\s+|$)", " ".join(block.split())))


class Documents(unittest.TestCase):
    protocol = (INCLUDE / "PROTOCOL.md").read_text()

    def test_no_sentence_of_the_protocol_is_long(self):
        for sentence in sentences_of(self.protocol):
            words = [word for word in sentence.split() if re.search(r"\w", word)]
            with self.subTest(sentence):
                self.assertLessEqual(len(words), 25)

    def test_every_cited_section_exists(self):
        sections = set(re.findall(r"^## (\d+)\.", self.protocol, re.M))
        sections |= set(re.findall(r"^(\d+\.\d+) ", self.protocol, re.M))
        for path in tracked("*.hpp", "*.cpp", "*.py"):
            for cited in re.findall(r"PROTOCOL\.md §(\d+(?:\.\d+)?)", path.read_text()):
                with self.subTest(f"{path.name} cites §{cited}"):
                    self.assertIn(cited, sections)

    def test_the_error_table_is_the_code(self):
        source = (INCLUDE / "base" / "error.hpp").read_text()
        enumeration = source[source.index("enum class Errc"):source.index("enum class ErrorClass")]
        numbers = {name: int(value, 0) for name, value in
                   re.findall(r"^    (\w+) = (\w+),  +///<", enumeration, re.M)}
        classes = dict(re.findall(r"\{Errc::(\w+), +ErrorClass::(\w+),", source))
        documented = {name: (int(number), kind.strip().replace(" ", "_")) for number, name, kind in
                      re.findall(r"\| (\d+) \| (\w+) \| ([a-z ]+) \|", self.protocol)}
        coded = {name: (numbers[name], classes[name]) for name in numbers if name != "closed"}
        self.assertEqual(documented, coded)

    def test_the_frame_tables_are_the_code(self):
        source = (INCLUDE / "wire" / "frame_type.hpp").read_text()
        coded = {name.replace("_", ""): int(value, 16) for name, value in
                 re.findall(r"^    (\w+) = (0x\w\w),$", source, re.M)}
        documented = {name.lower(): int(value, 16) for value, name in
                      re.findall(r"^\| (0x\w\w) \| (\w+) \|", self.protocol, re.M)}
        self.assertEqual(documented, coded)

    def test_the_permission_table_is_the_code(self):
        source = (INCLUDE / "session" / "state.hpp").read_text()
        coded = {(side, channel, kind.replace("_", ""), state) for side, channel, kind, state in
                 re.findall(r"\{Side::(\w+), Channel::(\w+), +FrameType::(\w+), +State::(\w+)\}",
                            source)}
        documented = set()
        rows = re.findall(r"^\| (negotiating|authenticating|ready) \|(.*)\|(.*)\|(.*)\|(.*)\|$",
                          self.protocol, re.M)
        columns = [("client", "control"), ("client", "room"), ("server", "control"),
                   ("server", "room")]
        for state, *cells in rows:
            for (side, channel), cell in zip(columns, cells):
                for name in filter(None, (n.strip() for n in cell.split(","))):
                    documented.add((side, channel, name.lower(), state))
        self.assertEqual(documented, coded)

    def test_every_guarantee_names_tests_that_exist(self):
        sources = "".join(path.read_text() for path in tracked("tests/*.cpp", "tests/*.hpp"))
        names = set(re.findall(r'TEST_CASE\(\s*"([^"]+)"', sources))
        rows = [line for line in (INCLUDE / "GUARANTEES.md").read_text().splitlines()
                if line.startswith("| ") and line.count("|") == 3]
        security = (INCLUDE / "SECURITY.md").read_text()
        rows += [line for line in security.split("## What is defended")[1].splitlines()
                 if line.startswith("| ") and not line.startswith("| against")]
        cited = 0
        for row in rows:
            tests = row.split("|")[-2]
            for name in re.findall(r'"([^"]+)"', tests):
                with self.subTest(name):
                    self.assertTrue(name in names, "there is no test of that name")
            for name in re.findall(r"test_\w+\.py", tests):
                with self.subTest(name):
                    self.assertTrue((ROOT / "tests" / name).exists())
            if "promise" not in row and "---" not in row:
                with self.subTest(row):
                    self.assertRegex(tests, r'"[^"]+"|test_\w+\.py')
            cited += tests.count('"')
        self.assertGreater(cited, 40)

    def test_nobody_asks_pathlib_whether_a_path_is_there(self):
        # It raises for a name that is too long and for a folder that may not be read.
        asked = [f"{path.name}:{number}" for path in sorted((ROOT / "python").rglob("*.py"))
                 for number, line in enumerate(path.read_text().splitlines(), 1)
                 if re.search(r"\.(exists|is_dir)\(\)", line) and "entry.is_dir()" not in line]
        self.assertEqual(asked, [])

    def test_nothing_is_left_for_later_in_the_code(self):
        marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
        for path in tracked("*.hpp", "*.cpp", "*.py", "*.sh"):
            with self.subTest(path.name):
                self.assertIsNone(marks.search(path.read_text()))


if __name__ == "__main__":
    unittest.main()
