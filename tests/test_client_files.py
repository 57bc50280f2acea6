"""Files of a client that others on this computer can read or write."""

import logging
import os
import re
import unittest
from pathlib import Path

from _support import ACCOUNTS, Case, account, quicchat
from quicchat import _modes


class Exposed(Case):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        for name, folder in (("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "config")):
            before = os.environ.get(name)
            os.environ[name] = str(self.folder / folder)
            self.addCleanup(lambda name=name, before=before: os.environ.pop(name) if before is None
                            else os.environ.update({name: before}))

    def warnings(self, **how):
        """What the library says while it connects."""
        async def main():
            async with quicchat.connect("127.0.0.1", self.server.port, **account(), **how):
                pass

        with self.assertLogs("quicchat.client", logging.INFO) as logs:
            self.run_async(main)
        return [record.getMessage() for record in logs.records
                if record.quicchat["event"] == "exposed_file"]

    def send(self, *options):
        password = self.folder / "password"
        if not password.exists():
            password.write_text(ACCOUNTS["ada"])
            password.chmod(0o600)
        done = self.command("send", "#lobby", "hello", "--port", str(self.server.port), "--user",
                            "ada", "--password-file", password, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line for line in done.stderr.decode().splitlines() if "warning" in line]

    def test_as_they_are_made_none_is(self):
        self.assertEqual(self.warnings(state=self.folder / "ada.state"), [])
        self.assertEqual(self.warnings(state=self.folder / "ada.state"), [])
        self.assertEqual(self.send(), [])
        self.assertEqual(self.send(), [])

    def test_a_state_that_others_can_read(self):
        state = self.folder / "ada.state"
        self.warnings(state=state)
        state.chmod(0o644)
        self.assertEqual(self.warnings(state=state),
                         [f"{state} is readable by everyone (mode 0644); chmod 600 {state}"])

    def test_what_is_said_of_a_mode(self):
        path = self.folder / "a b.state"
        for name, mode, said, change in (
                ("", 0o664, "readable by everyone and writable by its group", "600"),
                ("", 0o606, "readable and writable by everyone", "600"),
                ("", 0o620, "writable by its group", "600"),
                ("-wal", 0o640, "readable by its group", "600")):
            file = path.with_name(path.name + name)
            file.touch()
            file.chmod(mode)
            with self.subTest(said):
                self.assertEqual(_modes.exposed_database(path),
                                 f"{file} is {said} (mode {mode:04o}); chmod {change} '{file}'")
            file.chmod(0o600)
        path.touch()
        path.chmod(0o611)
        self.assertIsNone(_modes.exposed_database(path))
        # What is no file is left alone: nobody should be told to close /dev/null.
        self.assertIsNone(_modes.exposed(Path("/dev/null"), is_secret=True))

    def test_known_servers_that_others_can_write(self):
        self.warnings()
        self.known_servers.chmod(0o644)  # whoever reads it learns nothing that is secret
        self.assertEqual(self.warnings(), [])
        self.known_servers.chmod(0o664)
        self.assertEqual(self.warnings(), [
            f"{self.known_servers} is writable by its group (mode 0664); "
            f"chmod go-w {self.known_servers}"])
        # With a pin it does not count.
        [key] = re.findall("sha256:[0-9a-f]{64}", self.known_servers.read_text())
        self.assertEqual(self.warnings(tls=quicchat.TLS.pin(key)), [])

    def test_the_folder_of_known_servers(self):
        folder = self.folder / "keys"
        folder.mkdir(mode=0o700)
        tls = quicchat.TLS.trust_on_first_use(folder / "known")
        self.warnings(tls=tls)
        folder.chmod(0o777)
        self.assertEqual(self.warnings(tls=tls), [
            f"{folder} is writable by everyone (mode 0777); chmod go-w {folder}"])
        folder.chmod(0o1777)  # as /tmp
        self.assertEqual(self.warnings(tls=tls), [])

    def test_a_file_of_authorities(self):
        path = self.folder / "authorities.pem"
        path.write_bytes((self.folder / "server.crt").read_bytes())
        path.chmod(0o666)
        self.assertEqual(self.warnings(tls=quicchat.TLS.ca(path)), [
            f"{path} is writable by everyone (mode 0666); chmod go-w {path}"])

    def test_the_command_line_says_it_at_the_start(self):
        self.send()
        kept = self.folder / "state" / "quicchat"
        self.known_servers.chmod(0o666)
        (self.folder / "password").chmod(0o640)
        kept.chmod(0o755)
        [state] = kept.glob("ada@*.state")
        state.chmod(0o604)
        said = "\n".join(self.send())
        for path, word in ((self.known_servers, "writable by everyone"),
                           (self.folder / "password", "readable by its group"),
                           (kept, "readable by everyone"), (state, "readable by everyone")):
            self.assertIn(f"quicchat: warning: {path} is ", said)
            self.assertIn(word, said)
        kept.chmod(0o700)  # nobody can enter it: how the files in it are does not matter
        said = "\n".join(self.send())
        self.assertNotIn(str(kept), said)

    def test_the_chat_says_it_as_well(self):
        self.known_servers.parent.mkdir(exist_ok=True)
        self.known_servers.write_text("")
        self.known_servers.chmod(0o666)
        said = self.chat(self.server, ["/quit"]).stderr
        self.assertIn(f"warning: {self.known_servers} is writable by everyone".encode(),
                      said if isinstance(said, bytes) else said.encode())


if __name__ == "__main__":
    unittest.main()
