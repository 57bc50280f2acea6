"""qlog: what QUIC does, in files of a folder, for servers and clients."""

import json
import resource
import unittest
from unittest import mock

from _support import ACCOUNTS, Case, account, quicchat


def records_of(path):
    """RFC 7464: a record separator, JSON, a line feed; again and again."""
    texts = path.read_bytes().split(b"\x1e")
    assert texts[0] == b"", path
    return [json.loads(text) for text in texts[1:]]


class Files(Case):
    def setUp(self):
        super().setUp()
        self.qlog = self.folder / "qlog"
        self.qlog.mkdir()

    @property
    def tls(self):
        """With trust on first use the first visit would be two connections."""
        return quicchat.TLS.ca(self.folder / "server.crt")

    def files(self, side=""):
        return sorted(self.qlog.glob(f"*{side}.sqlog"))

    def test_a_server_and_a_client_write_a_file_for_each_connection(self):
        async def scenario(connect, server):
            for _ in range(2):
                async with connect(tls=self.tls, qlog=self.qlog) as chat:
                    await (await chat.join("#lobby")).send("hello there")
            async with connect(tls=self.tls):
                pass

        self.talk(scenario, database=None, qlog={"directory": "qlog"})
        self.assertEqual((len(self.files("-server")), len(self.files("-client"))), (3, 2))
        for path in self.files():
            records = records_of(path)
            self.assertEqual(records[0]["qlog_format"], "JSON-SEQ")
            self.assertGreater(len(records), 10)
            self.assertNotIn(b"hello there", path.read_bytes())
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        ids = {path.name.split("-")[1] for path in self.files()}
        self.assertEqual(len(ids), 3)

    def test_nothing_is_written_unless_it_was_asked_for(self):
        async def scenario(connect, server):
            async with connect(tls=self.tls):
                pass

        self.talk(scenario, database=None)
        self.assertEqual(self.files(), [])

    def test_there_is_a_bound_and_old_files_go_first(self):
        for number in range(40):
            name = f"20200101T0000{number:02}.000Z-00-server.sqlog"
            (self.qlog / name).write_bytes(b"x" * 100_000)
        (self.qlog / "keep.txt").write_bytes(b"x" * 5_000_000)

        async def scenario(connect, server):
            async with connect(tls=self.tls):
                pass

        self.talk(scenario, database=None,
                  qlog={"directory": "qlog", "bytes_max": 2 * 1024 * 1024})
        sizes = [path.stat().st_size for path in self.files()]
        self.assertLessEqual(sum(sizes), 2 * 1024 * 1024)
        self.assertFalse((self.qlog / "20200101T000000.000Z-00-server.sqlog").exists())
        self.assertTrue((self.qlog / "20200101T000039.000Z-00-server.sqlog").exists())
        self.assertTrue((self.qlog / "keep.txt").exists())
        self.assertGreater(len(records_of(self.files()[-1])), 10)

    def test_a_folder_that_vanishes_ends_nothing(self):
        async def scenario(connect, server):
            async with connect(tls=self.tls, qlog=self.qlog) as chat:
                room = await chat.join("#lobby")
                for path in self.files():
                    path.unlink()
                self.qlog.rmdir()
                for number in range(50):
                    await room.send(f"still here {number}")
            async with connect(tls=self.tls) as chat:
                await (await chat.join("#lobby")).send("again")

        self.talk(scenario, database=None, qlog={"directory": "qlog"})
        self.assertFalse(self.qlog.exists())

    def test_a_disk_that_is_full_ends_nothing(self):
        # No file of this process may have any bytes.
        async def scenario(connect, server):
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
            try:
                async with connect(tls=self.tls, reconnect=None) as chat:
                    await (await chat.join("#lobby")).send("hello")
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            async with connect(tls=self.tls) as chat:
                await (await chat.join("#lobby")).send("again")

        self.talk(scenario, database=None, files=None, qlog={"directory": "qlog"})
        whole = [path for path in self.files() if path.stat().st_size > 0]
        self.assertEqual(len(whole), 1)


class Mistakes(Case):
    def test_in_the_configuration(self):
        for wrong, words in (("qlog", "an object"), ({}, "qlog.directory"),
                             ({"directory": ""}, "qlog.directory"),
                             ({"directory": "q", "bytes_max": 5}, "qlog.bytes_max"),
                             ({"directory": "q", "bytes_max": True}, "qlog.bytes_max"),
                             ({"directory": "q", "byte_max": 1}, "did you mean \"bytes_max\"")):
            with self.subTest(wrong):
                with self.assertRaises(quicchat.ConfigError) as caught:
                    self.config(qlog=wrong)
                self.assertIn(words, quicchat.errors.explain(caught.exception))
        found = self.config(qlog={"directory": "q"}).qlog
        self.assertEqual((found.directory, found.bytes_max), (self.folder / "q", 64 * 1024 * 1024))
        self.assertIsNone(self.config(qlog=None).qlog)

    def test_a_folder_that_is_not_there_is_said_at_the_start(self):
        config = self.write_config(qlog={"directory": "nowhere"})
        self.assert_words(self.script("server.py", "--config", config), 78, "[E-QLOG]", "nowhere",
                          "no such file", "mkdir")

    def test_a_file_in_its_place(self):
        config = self.write_config(qlog={"directory": "config.json"})
        self.assert_words(self.script("server.py", "--config", config), 78, "[E-QLOG]",
                          "give a folder")

    def test_at_a_client_before_anybody_types_a_password(self):
        result = self.script("chat_client.py", "--qlog", "nowhere", input=b"")
        self.assert_words(result, 78, "[E-QLOG]", "nowhere")
        self.assertNotIn(b"Enter User name", result.stdout)

    def test_a_disk_without_room_is_said_at_the_start(self):
        error = quicchat._core.QlogError(28, "No space left on device")
        with mock.patch("quicchat._core.Server", side_effect=error):
            with self.assertRaises(quicchat.ConfigError) as caught:
                self.run_async(quicchat.Server(self.config(qlog={"directory": "q"})).start)
        self.assertIn("make room", caught.exception.hint)

    def test_a_client_in_a_program(self):
        async def main():
            with self.assertRaises(quicchat.ConfigError) as caught:
                await quicchat.connect("127.0.0.1", 1, **account(), qlog=self.folder / "nowhere")
            self.assertEqual(caught.exception.code, "E-QLOG")
            with self.assertRaises(quicchat.ConfigError):
                quicchat.Qlog(self.folder, 5)

        self.run_async(main)


class Programs(Case):
    def test_serve_and_chat(self):
        (self.folder / "qlog").mkdir()
        (self.folder / "mine").mkdir()
        server = self.start_server(config=self.write_config(qlog={"directory": "qlog"}))
        self.assertIn("qlogs go to ", server.log)
        result = self.script("chat_client.py", "--port", server.port, "--qlog", "mine",
                             "--cafile", "server.crt",
                             input=f"ada\n{ACCOUNTS['ada']}\nhello\n".encode())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(server.stop(), 0)
        for folder in ("qlog", "mine"):
            (path,) = (self.folder / folder).glob("*.sqlog")
            self.assertIn("connection_close", path.read_text())


if __name__ == "__main__":
    unittest.main()
