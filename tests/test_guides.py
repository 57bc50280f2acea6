"""The guides and the files for deployment: what they say is run."""

import configparser
import contextlib
import inspect
import os
import pkgutil
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from _support import EXAMPLES, PATIENCE, ROOT, Case, environment, quicchat
from quicchat.cli import make_parser

GUIDES = EXAMPLES / "guides"
DEPLOY = EXAMPLES / "deploy"


def blocks_of(guide, *languages):
    """The language and the text of each block in one of the languages."""
    return re.findall(rf"^```({'|'.join(languages)})\n(.*?)^```$", (GUIDES / guide).read_text(),
                      re.MULTILINE | re.DOTALL)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Guides(Case):
    def quicchat_in_path(self):
        """A folder with the command and the Python of this interpreter."""
        folder = self.folder / "bin"
        folder.mkdir()
        for name, options in (("quicchat", "-m quicchat "), ("python3", "")):
            (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {options}"$@"\n')
            (folder / name).chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"

    def run_blocks(self, guide):
        """Runs the blocks of a guide in a folder of their own, which is returned."""
        path = self.quicchat_in_path()
        work = self.folder / "work"
        work.mkdir()
        self.addCleanup(self.end_all, work)
        blocks = blocks_of(guide, "sh", "python")
        self.assertGreater(len(blocks), 5)
        port = str(free_port())
        for language, block in blocks:
            block = block.replace("12399", port)
            if language == "python":
                name = re.match(r"# (\w+\.py)\n", block)[1]
                (work / name).write_text(block)
                continue
            result = subprocess.run(["sh", "-eu", "-c", block], cwd=work, capture_output=True,
                                    timeout=PATIENCE, stdin=subprocess.DEVNULL,
                                    env=environment(PATH=path, HOME=str(self.folder)))
            self.assertEqual(result.returncode, 0,
                             f"{block}\n{result.stdout}\n{result.stderr}\n"
                             + self.text(work / "server.log"))
        return work

    def test_running_a_server(self):
        work = self.run_blocks("running_a_server.md")
        self.assertNotIn("warning", self.text(work / "server.log"))
        self.assertTrue((work / "quicchat.db.before-restore").exists())

    def test_the_tutorial(self):
        work = self.run_blocks("tutorial.md")
        self.assertIn("is anybody here", self.text(work / "told.txt"))

    def test_a_bot(self):
        work = self.run_blocks("bot.md")
        self.assertIn("9 to 17", self.text(work / "told.txt"))

    def test_moderation(self):
        work = self.run_blocks("moderation.md")
        self.assertIn("https", self.text(work / "refused.txt"))

    def test_a_web_back_end(self):
        work = self.run_blocks("web_back_end.md")
        self.assertIn("by page and by QUIC", self.text(work / "told.txt"))

    def test_embedding_shows_parts_of_the_examples(self):
        blocks = blocks_of("embedding.md", "cpp")
        self.assertGreater(len(blocks), 6)
        sources = [re.sub(r"[ \n]+", " ", path.read_text()) for path in EXAMPLES.glob("*.cpp")]
        for _, block in blocks:
            part = re.sub(r"[ \n]+", " ", block).strip()
            self.assertTrue(any(part in source for source in sources), block)

    def test_guides_that_are_programs(self):
        """Their blocks together are an example, which CTest builds and runs."""
        for guide, program in (("event_loop.md", "09_one_loop.cpp"),
                               ("own_transport.md", "05_own_transport.cpp")):
            blocks = [block for _, block in blocks_of(guide, "cpp")]
            self.assertGreater(len(blocks), 5)
            self.assertEqual(" ".join(" ".join(blocks).split()),
                             " ".join((EXAMPLES / program).read_text().split()), guide)
        listed = (EXAMPLES / "CMakeLists.txt").read_text()
        self.assertRegex(listed, r'set\(ends_alone "[^"]*05[^"]*09')

    @staticmethod
    def text(path):
        return path.read_text() if path.exists() else ""

    @staticmethod
    def end_all(folder):
        """Of what a guide began and, as it failed, did not end."""
        for pid_file in folder.glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(pid_file.read_text()), signal.SIGKILL)

    def test_links_lead_somewhere(self):
        for guide in GUIDES.glob("*.md"):
            prose = re.sub(r"```.*?```", "", guide.read_text(), flags=re.DOTALL)
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose):
                self.assertTrue((GUIDES / link).exists(), f"{guide.name}: {link}")

    def test_the_versions_of_the_database(self):
        schema = (ROOT / "include/quicchat/sqlite/schema.hpp").read_text()
        versions = re.findall(r"^    \{(\d+), ", schema, re.MULTILINE)
        rows = re.findall(r"^\| (\d+) \|", (GUIDES / "upgrading.md").read_text(), re.MULTILINE)
        self.assertEqual(rows, versions)


class Site(Case):
    """What `build_site.sh` would find out; the long tests run it."""

    def names(self, page, directive):
        return re.findall(rf"^\.\. {directive}:+ (\S+)$", (GUIDES / "site" / page).read_text(),
                          re.MULTILINE)

    def test_all_guides_are_in_it(self):
        index = (GUIDES / "index.md").read_text()
        listed = re.search(r"```{toctree}.*?\n\n(.*?)```", index, re.DOTALL)[1].split()
        there = {path.relative_to(GUIDES).with_suffix("").as_posix()
                 for pattern in ("*.md", "site/*.rst") for path in GUIDES.glob(pattern)}
        self.assertEqual(set(listed), there - {"index"})
        self.assertEqual(len(listed), len(set(listed)))

    def test_what_the_references_name_is_there(self):
        for kind in ("autoclass", "autofunction", "automodule"):
            for name in self.names("python.rst", kind):
                self.assertTrue(pkgutil.resolve_name(name), name)
        include = ROOT / "include" / "quicchat"
        headers = self.names("cpp.rst", "header")
        text = "".join((include / header).read_text() for header in headers)
        for name in self.names("cpp.rst", r"doxygen\w+"):
            self.assertRegex(text, rf"\b{name.rpartition('::')[2]}\b")

    def test_the_python_reference_has_all_that_is_public(self):
        page = (GUIDES / "site" / "python.rst").read_text()
        modules = {*self.names("python.rst", "automodule")} - {"quicchat"}
        for name in quicchat.__all__:
            value = getattr(quicchat, name)
            if inspect.ismodule(value):
                found = value.__name__ in modules
            else:
                found = f" quicchat.{name}\n" in page or any(
                    name in pkgutil.resolve_name(module).__all__ for module in modules)
            self.assertTrue(found, name)


class Unit(unittest.TestCase):
    TEXT = (DEPLOY / "quicchat.service").read_text()

    def test_the_command_and_the_statuses(self):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read_string(self.TEXT)
        service = unit["Service"]
        program, *arguments = service["ExecStart"].split()
        self.assertTrue(program.endswith("/bin/quicchat"))
        options = make_parser().parse_args(arguments)
        self.assertEqual(options.config, Path("/var/lib/quicchat/config.json"))
        self.assertEqual(service["StateDirectory"], "quicchat")
        statuses = set(map(int, service["RestartPreventExitStatus"].split()))
        for code in ("E-CONFIG", "E-CONFIG-JSON", "E-CERT-MISSING", "E-KEY-PERM", "E-USAGE"):
            self.assertIn(quicchat.errors.exit_status_of(code), statuses, code)
        for code in ("E-PORT-IN-USE", "E-STORAGE", "E-INTERNAL"):  # these may pass
            self.assertNotIn(quicchat.errors.exit_status_of(code), statuses, code)

    def test_the_manual_page_is_where_it_says(self):
        page = re.search(r"^Documentation=file:/opt/quicchat(/\S+)$", self.TEXT, re.MULTILINE)[1]
        self.assertTrue(Path(sys.prefix + page).exists(), page)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze (Debian: systemd)")
    def test_systemd_knows_every_word(self):
        with tempfile.TemporaryDirectory(prefix="quicchat-test-") as folder:
            unit = Path(folder, "quicchat.service")
            unit.write_text(self.TEXT.replace("/opt/quicchat/bin/quicchat", sys.executable))
            result = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
                capture_output=True, text=True, timeout=PATIENCE)
            said = result.stdout + result.stderr
            self.assertEqual(result.returncode, 0, said)
            # Of a mistake in a line systemd may say only that it goes on without it.
            self.assertNotIn("ignoring", said)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze (Debian: systemd)")
    def test_what_systemd_says(self):
        result = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=20",
             str(DEPLOY / "quicchat.service")], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stdout[-2000:] + result.stderr)


class Container(unittest.TestCase):
    def test_what_it_copies_is_there(self):
        text = (DEPLOY / "Containerfile").read_text()
        for source in re.findall(r"^COPY (?!--from)(?:--\S+ )*(\S+) ", text, re.MULTILINE):
            self.assertTrue((ROOT / source).exists(), source)
        self.assertIn("podman build --format docker ", text)  # the other has no HEALTHCHECK
        config = quicchat.load_config(DEPLOY / "container.json")
        self.assertIn(f"EXPOSE {config.port}/udp", text)
        for words in re.findall(r'\["quicchat", (.*)\]', text):
            make_parser().parse_args([word.strip('" ') for word in words.split(",")])


class Certbot(Case):
    def hook(self, **env):
        return subprocess.run(
            ["sh", str(DEPLOY / "certbot_hook.sh")], capture_output=True, timeout=PATIENCE,
            env=environment(QUICCHAT_FOLDER=str(self.folder),
                            QUICCHAT_OWNER=f"{os.getuid()}:{os.getgid()}",
                            RENEWED_LINEAGE=str(self.folder / "live"), **env))

    def test_the_new_certificate_is_shown(self):
        server = self.start_server()
        certificate, key = quicchat._core.make_self_signed(["localhost", "chat.example"], 90)
        (self.folder / "live").mkdir()
        (self.folder / "live" / "fullchain.pem").write_text(certificate)
        (self.folder / "live" / "privkey.pem").write_text(key)
        new = quicchat._core.fingerprint(certificate)
        before = (self.folder / "server.crt").read_text()

        other = self.hook(QUICCHAT_DOMAIN="chat.example", RENEWED_DOMAINS="www.example",
                          QUICCHAT_RELOAD="false")
        self.assertEqual(other.returncode, 0, other.stderr)
        self.assertEqual((self.folder / "server.crt").read_text(), before)

        result = self.hook(QUICCHAT_DOMAIN="chat.example",
                           RENEWED_DOMAINS="www.example chat.example",
                           QUICCHAT_RELOAD=f"kill -HUP {server.process.pid}")
        self.assertEqual(result.returncode, 0, result.stderr)
        while f"certificate {new}" not in server.log:
            self.assertIsNone(server.process.poll())
        self.assertEqual((self.folder / "server.key").stat().st_mode & 0o777, 0o600)
        self.assertFalse(list(self.folder.glob("*.new")))

    def test_by_hand_it_says_what_it_is_for(self):
        result = subprocess.run(["sh", str(DEPLOY / "certbot_hook.sh")], capture_output=True,
                                env={"PATH": os.environ["PATH"]}, timeout=PATIENCE)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(b"certbot", result.stderr)


if __name__ == "__main__":
    unittest.main()
