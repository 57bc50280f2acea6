"""Copies of a server that runs, and how they are put back."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import unittest
from unittest import mock

from _support import PATIENCE, Case, account, environment, quicchat

if quicchat:
    from quicchat import backups


class Backups(Case):
    def say(self, server, *texts, file=None, state=None):
        found = []

        async def main():
            async with quicchat.connect("127.0.0.1", server.port, **account(),
                                        state=state) as chat:
                room = await chat.join("#lobby")
                for text in texts:
                    found.append(await room.send(text))
                if file is not None:
                    found.append(await room.send_file(file, name="plan.txt"))

        self.run_async(main)
        return found

    def texts(self, server, last=100):
        found = []

        async def main():
            async with quicchat.connect("127.0.0.1", server.port, **account()) as chat:
                page = await chat.history("#lobby", limit=last)
                for message in page.messages:
                    found.append(message.text)
                    if message.file is not None:
                        found.append(await chat.read_file("#lobby", message))

        self.run_async(main)
        return found

    def test_a_copy_of_a_server_that_runs_is_put_back(self):
        config = self.write_config()
        server = self.start_server(config=config)
        before = self.say(server, "one", "two", file=b"x" * 70_000)
        result = self.command("backup", "copy")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertIn(b"1 room(s), 3 account(s) and 1 file(s)", result.stdout)
        copy = self.folder / "copy"
        for path in (copy, *copy.rglob("*")):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, path)
        self.assertEqual(json.loads((copy / "backup.json").read_text())["accounts"], 3)
        lost = self.say(server, "three", file=b"y" * 1000)

        self.assert_words(self.command("restore", "copy"), 74, "a server uses", "stop it")
        server.stop()
        result = self.command("restore", "copy")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertIn(b"quicchat.db.before-restore", result.stdout)
        server = self.start_server("--port", str(server.port), config=config)
        self.assertRegex(server.log, r"warning: this is a restored copy, as it was at \d{4}-")
        self.assertEqual(self.texts(server), ["one", "two", "plan.txt", b"x" * 70_000])
        after = self.say(server, "four")
        # What comes now is not taken for what was lost.
        self.assertEqual(after[0].offset, lost[0].offset)
        self.assertNotEqual(after[0].epoch, before[0].epoch)
        server.stop()
        server = self.start_server(config=config)  # it says so once
        self.assertNotIn("restored copy", server.log)

    def test_a_client_that_comes_back_is_told(self):
        config = self.write_config()
        server = self.start_server(config=config)
        epoch, offset = [(r.epoch, r.offset) for r in self.say(server, "one", "two")][-1]
        self.command("backup", "copy")
        server.stop()
        self.command("restore", "copy")
        server = self.start_server("--port", str(server.port), config=config)
        self.say(server, "three")

        async def main():
            async with quicchat.connect("127.0.0.1", server.port, **account()) as chat:
                room = await chat.join("#lobby", after=(epoch, offset))
                self.assertFalse(room.recovered)

        self.run_async(main)

    def test_a_copy_while_people_write(self):
        server = self.start_server()
        over = threading.Event()
        written = []

        def write():
            while not over.is_set():
                written.extend(self.say(server, *"abcdefgh"))

        writing = threading.Thread(target=write)
        writing.start()
        try:
            while len(written) < 8:
                over.wait(0.01)
            for number in range(3):
                acknowledged = max(receipt.offset for receipt in list(written))
                self.assertEqual(self.command("backup", f"copy{number}").returncode, 0)
                with sqlite3.connect(self.folder / f"copy{number}" / "quicchat.db") as copy:
                    self.assertEqual(copy.execute("PRAGMA integrity_check").fetchone(), ("ok",))
                    head, = copy.execute("SELECT head FROM room WHERE name='#lobby'").fetchone()
                    count, = copy.execute("SELECT count(*) FROM record").fetchone()
                copy.close()
                self.assertGreaterEqual(head, acknowledged)
                self.assertEqual(count, head)
        finally:
            over.set()
            writing.join()

    def test_on_another_computer(self):
        server = self.start_server()
        self.say(server, "one")
        fingerprint = server.log.partition("fingerprint ")[2].partition("\n")[0]
        self.command("backup", "copy")
        server.stop()
        (self.folder / "new").mkdir()
        result = self.command("restore", "../copy", cwd=self.folder / "new")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(sorted(os.listdir(self.folder / "new")),
                         ["config.json", "quicchat.db", "quicchat.db.lock",
                          "quicchat.db.restored", "quicchat.files", "server.crt", "server.key"])
        server = self.start_server(config=self.folder / "new" / "config.json")
        self.assertIn(fingerprint, server.log)
        self.assertEqual(self.texts(server), ["one"])

    def test_mistakes(self):
        config = self.write_config()
        self.assert_words(self.command("backup", "copy"), 66, "E-NO-DATABASE", "fix:")
        self.start_server(config=config).stop()
        (self.folder / "there").mkdir()
        self.assert_words(self.command("backup", "there"), 74, "E-FILE-EXISTS", "fix:")
        self.assert_words(self.command("backup", "no/such/folder"), 74, "E-STORAGE", "cannot copy")
        self.assert_words(self.command("restore", "there"), 65, "E-INPUT", "backup.json")
        self.assertEqual(self.command("backup", "copy").returncode, 0)
        about = self.folder / "copy" / "backup.json"
        for text in ("{}", "[]", about.read_text().replace('"format": 1', '"format": 2')):
            about.write_text(text)
            self.assert_words(self.command("restore", "copy"), 65, "cannot be used")
        self.assertFalse((self.folder / "quicchat.db.before-restore").exists())
        memory = self.write_config(database=None)
        self.assert_words(self.command("backup", "other", "--config", memory), 78,
                          "live in memory")


class Library(Case):
    """SQLite as Python has it, which may be another than the server's."""

    def test_one_that_is_too_old(self):
        for what in (lambda: backups.make_backup(quicchat.load_config(self.write_config()),
                                                 self.folder / "copy"),
                     lambda: backups.put_back(self.folder / "copy", self.folder / "config.json")):
            with (mock.patch.object(backups.sqlite3, "sqlite_version_info", (3, 36, 0)),
                  mock.patch.object(backups.sqlite3, "sqlite_version", "3.36.0"),
                  self.assertRaises(quicchat.StorageError) as caught):
                what()
            self.assertIn("3.36.0, is too old", str(caught.exception))
            self.assertIn("3.37.0", caught.exception.reason)
            self.assertTrue(caught.exception.hint)

    def test_none(self):
        self.write_config()
        program = ("import sys; sys.modules['_sqlite3'] = None; "
                   "from quicchat.__main__ import main; sys.exit(main(sys.argv[1:]))")
        for command in ("backup", "restore"):
            result = subprocess.run([sys.executable, "-c", program, command, "copy"],
                                    cwd=self.folder, capture_output=True, timeout=PATIENCE,
                                    env=environment(), check=False)
            self.assert_words(result, 74, "has no module sqlite3", "fix:")


if __name__ == "__main__":
    unittest.main()
