"""Files of the user: their encodings, and how their paths are written."""

import asyncio
import codecs
import os
import subprocess
import sys
import unittest
from pathlib import Path

from _support import ACCOUNTS, PATIENCE, Case, account, environment, quicchat

WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


class Encodings(Case):
    def test_a_byte_order_mark_before_known_servers_hides_nothing(self):
        async def scenario(connect, server):
            async with connect():
                pass
            known = self.known_servers.read_bytes()
            self.known_servers.write_bytes(codecs.BOM_UTF8 + known.replace(b"\n", b"\r\n"))
            async with connect():
                self.assertEqual(self.known_servers.read_bytes().count(b"sha256:"), 1)
            damaged = known.replace(b"sha256:", b"sha256:0")
            self.known_servers.write_bytes(codecs.BOM_UTF8 + damaged)
            with self.assertRaises(quicchat.CertificateError):
                await connect()

        self.talk(scenario)

    def test_known_servers_in_another_encoding_are_not_forgotten(self):
        async def scenario(connect, server):
            async with connect():
                pass
            known = self.known_servers.read_text()
            for encoding in WIDE:
                with self.subTest(encoding):
                    self.known_servers.write_bytes(known.encode(encoding))
                    with self.assertRaises(quicchat.ConfigError) as caught:
                        await connect()
                    self.assertIn("is not a text in UTF-8", str(caught.exception))
                    self.assertTrue(caught.exception.hint)
                    self.assertEqual(self.known_servers.read_bytes(), known.encode(encoding))

        self.talk(scenario)

    def test_input_with_a_byte_order_mark(self):
        server = self.start_server()
        typed = f"ada\r\n{ACCOUNTS['ada']}\r\nhi\r\n".encode()
        result = self.type(server, codecs.BOM_UTF8 + typed)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"<ada> hi", result.stdout)
        # Behind the beginning it is a character like others.
        result = self.type(server, typed.replace(b"hi", codecs.BOM_UTF8 + b"hi"))
        self.assertIn(b"<ada> <U+FEFF>hi", result.stdout)

    def test_input_in_another_encoding(self):
        server = self.start_server()
        for encoding in WIDE:
            with self.subTest(encoding):
                result = self.type(server, f"ada\n{ACCOUNTS['ada']}\nhi\n".encode(encoding))
                self.assert_words(result, 65, f"the input is in {encoding[:6].upper()}",
                                  "[E-INPUT]", "UTF-8")

    def type(self, server, data):
        return subprocess.run([sys.executable, "-m", "quicchat", "chat", "--port",
                               str(server.port)], input=data, capture_output=True,
                              timeout=PATIENCE, cwd=self.folder, env=environment(), check=False)

    def test_a_configuration_in_another_encoding(self):
        path = self.write_config()
        text = path.read_text()
        for encoding in WIDE:
            with self.subTest(encoding):
                path.write_bytes(text.encode(encoding))
                with self.assertRaises(quicchat.ConfigError) as caught:
                    quicchat.load_config(path)
                self.assertEqual(str(caught.exception),
                                 f"config.json is in {encoding[:6].upper()}")
                self.assertIn("UTF-8", caught.exception.hint)
                self.assertEqual(caught.exception.code, "E-CONFIG-JSON")
        path.write_bytes(codecs.BOM_UTF8 + text.encode())
        quicchat.load_config(path)


class Paths(Case):
    def setUp(self):
        super().setUp()
        self.home = self.folder / "home"
        self.home.mkdir()
        before = os.environ.get("HOME")
        os.environ["HOME"] = str(self.home)
        self.addCleanup(lambda: os.environ.pop("HOME") if before is None
                        else os.environ.update(HOME=before))

    def test_a_configuration_by_a_link_has_its_files_beside_the_link(self):
        """Also when what the link points to is exchanged, as Kubernetes does."""
        place = self.folder / "etc"
        place.mkdir()
        config = place / "config.json"
        for version in ("1", "2"):
            (self.folder / version).mkdir()
            self.write_config().rename(self.folder / version / "config.json")
            (place / "new").symlink_to(Path("..") / version / "config.json")
            (place / "new").rename(config)

            async def main():
                async with (quicchat.serve(config) as server,
                            quicchat.connect("127.0.0.1", server.address[1], **account()) as chat):
                    room = await chat.join("#lobby")
                    return (await room.send("hello")).offset

            self.assertEqual(str(asyncio.run(main())), version)
            self.assertEqual(os.listdir(self.folder / version), ["config.json"])
        self.assertTrue({"quicchat.db", "server.crt", "server.key"} <= set(os.listdir(place)))

    def test_the_home_folder_in_a_configuration(self):
        config = self.config(certfile="~/server.crt", keyfile="~/server.key", database="~/chat.db",
                             files="~/files", qlog={"directory": "~"})
        self.assertEqual(
            (config.certfile, config.keyfile, config.database, config.files,
             config.qlog.directory),
            (self.home / "server.crt", self.home / "server.key", self.home / "chat.db",
             self.home / "files", self.home))

    def test_what_is_not_the_home_folder(self):
        config = self.config(certfile="a~/server.crt", keyfile="./~/server.key",
                             database="$HOME/chat.db")
        self.assertEqual((config.certfile, config.keyfile, config.database),
                         (self.folder / "a~/server.crt", self.folder / "~/server.key",
                          self.folder / "$HOME/chat.db"))

    def test_the_home_folder_in_options(self):
        self.write_config(database="~/chat.db").rename(self.home / "config.json")
        added = self.command("user", "add", "zoe", "--config=~/config.json", input=b"a secret\n")
        self.assertEqual(added.returncode, 0, added.stderr)
        for command in (["serve", "--check", "--config=~/config.json"],
                        ["user", "list", "--config=~/config.json"],
                        ["cert", "--out=~"], ["user", "list", "--database=~/chat.db"]):
            result = self.command(*command)
            self.assertEqual(result.returncode, 0, (command, result.stderr))
        self.assertTrue((self.home / "server.crt").exists())
        self.assertTrue((self.home / "chat.db").exists())
        self.assertFalse((self.folder / "~").exists())
        result = self.command("chat", "--cafile=~/nothing.pem", "--qlog=~")
        self.assert_words(result, 66, f"{self.home}/nothing.pem")

    def test_the_home_folder_in_the_environment(self):
        os.environ["QUICCHAT_KNOWN_SERVERS"] = "~/known"

        async def scenario(connect, server):
            async with connect():
                self.assertTrue((self.home / "known").exists())

        self.talk(scenario)


if __name__ == "__main__":
    unittest.main()
