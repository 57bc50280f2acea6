"""A server that runs is administered by its socket: `quicchat room`."""

import asyncio
import json
import os
import socket
import stat
import sys
import unittest
from unittest import mock

from _support import PATIENCE, Case, Terminal, account, quicchat
from quicchat import administration


class Rooms(Case):
    def setUp(self):
        super().setUp()
        self.config_path = self.write_config(operators=["root"], rooms=["#lobby", "#tea"])
        self.server = self.start_server(config=self.config_path)
        self.socket = self.folder / "quicchat.sock"

    def room(self, *arguments, input=b""):
        return self.command("room", *arguments, "--config", self.config_path, input=input)

    def rows(self):
        listed = self.room("list", "--json")
        self.assertEqual((listed.returncode, listed.stderr), (0, b""))
        return {row["room"]: row for row in map(json.loads, listed.stdout.splitlines())}

    def in_chat(self, scenario):
        async def main():
            async with quicchat.connect("127.0.0.1", self.server.port, **account()) as chat:
                await scenario(chat)

        self.run_async(main)

    def say(self, room, *texts):
        async def scenario(chat):
            joined = await chat.join(room)
            for text in texts:
                await joined.send(text)

        self.in_chat(scenario)

    def test_the_list(self):
        self.say("#tea", "one", "two")

        async def scenario(chat):
            await chat.create_room("#Own", topic="a topic",
                                   access=quicchat.Access.INVITATION)
            await chat.tell("bob", "psst")
            row = self.rows()["#Own"]
            self.assertEqual((row["topic"], row["creator"], row["access"], row["head"]),
                             ("a topic", "ada", "invitation", 1))
            await chat.join("#tea")
            self.assertEqual(self.rows()["#tea"]["members"], 1)

        self.in_chat(scenario)
        rows = self.rows()
        self.assertEqual(set(rows), {"#lobby", "#tea", "#Own"})  # and none of two people
        tea = rows["#tea"]
        self.assertEqual((tea["first"], tea["head"], tea["accounts"], tea["creator"]),
                         (1, 2, 1, ""))
        self.assertIn("#tea 2 2 1 0 everybody -",
                      " ".join(self.room("list").stdout.decode().split()))

    def test_export(self):
        self.say("#tea", *(f"text {n} \u2028 ä" for n in range(450)))
        out = self.folder / "tea.jsonl"
        result = self.room("export", "#tea", "--out", out)
        self.assertIn(b"wrote 450 records", result.stdout)
        self.assertEqual(stat.S_IMODE(out.stat().st_mode), 0o600)
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        self.assertEqual([row["offset"] for row in rows], list(range(1, 451)))
        self.assertEqual((rows[7]["type"], rows[7]["text"], rows[7]["sender"]),
                         ("message", "text 7 \u2028 ä", "ada"))
        shown = self.room("export", "#TEA", "--after", "448").stdout.splitlines()
        self.assertEqual([json.loads(line)["offset"] for line in shown], [449, 450])
        self.assert_words(self.room("export", "#tea", "--out", out), 74, "E-FILE-EXISTS", "fix:")
        self.assert_words(self.room("export", "#none"), 65, "E-NO-SUCH-ROOM")

    def test_an_export_passes_what_it_does_not_know(self):
        known = ("topic", ("#tea", 7, 450, 0, bytes(16), "ada", "new"))

        def read_room(_room, after, count):
            return [known if n == 450 else ("unknown", ("#tea", 7, n, 0, b"", "")) for n in
                    range(after + 1, min(450, after + count) + 1)]

        core = mock.Mock(read_room=read_room)
        admin = administration.AdminSocket(mock.Mock(_started=lambda: core), self.folder)

        async def main():
            return [row["offset"] async for row in admin.export("#tea", 0)]

        self.assertEqual(self.run_async(main), [450])

    def test_a_change_that_is_not_stored_is_told(self):
        core = mock.Mock(rooms=lambda: [("#tea", "", "ada", 0, 1, 1, 1, 0, (9, 9, 0), (0, 0, 0))])
        admin = administration.AdminSocket(
            mock.Mock(_started=lambda: core, config=mock.Mock(operators=())), self.folder)
        with mock.patch.object(administration, "_STORED_PATIENCE", 0.05):
            with self.assertRaisesRegex(quicchat.StorageError, "still everybody.*not stored"):
                self.run_async(lambda: admin._change_access("#tea", "archived", None))
        self.assertEqual(core.act_in_room.call_count, 1)

    def test_archive_and_open_again(self):
        async def scenario(chat):
            room = await chat.join("#tea")
            done = await asyncio.to_thread(self.room, "archive", "#tea")
            self.assertEqual(done.stdout, b"#tea is archived, in the name of root\n")
            async for event in chat:
                if isinstance(event, quicchat.AccessChanged):
                    break
            self.assertEqual((event.sender, event.access), ("root", quicchat.Access.ARCHIVED))
            await self.assert_refused("forbidden", room.send("too late"))
            await asyncio.to_thread(self.room, "access", "#tea", "everybody")
            await room.send("and on")

        self.in_chat(scenario)
        self.assert_words(self.room("archive", "#tea", "--as", "bob"), 65, "E-FORBIDDEN")
        self.assertEqual(self.rows()["#tea"]["access"], "everybody")

    def test_a_room_that_keeps_less(self):
        self.assertEqual(self.room("keep", "#tea", "3").returncode, 0)
        self.say("#tea", *"abcde")
        tea = self.rows()["#tea"]
        self.assertEqual((tea["first"], tea["head"], tea["records_max"]), (3, 5, 3))
        self.assert_words(self.room("keep", "#tea", "99999999"), 65, "more than any room", "fix:")
        self.assert_words(self.room("keep", "#tea", "0"), 64, "E-USAGE", "default")
        self.server.stop()
        self.server = self.start_server(config=self.config_path)
        self.assertEqual(self.rows()["#tea"]["records_max"], 3)
        self.assertEqual(self.room("keep", "#tea", "default").returncode, 0)
        self.assertGreater(self.rows()["#tea"]["records_max"], 3)

    def test_delete(self):
        async def scenario(chat):
            await chat.create_room("#own")
            room = await chat.join("#own")
            await room.send_file(b"x" * 100, name="plan.txt")
            self.assertTrue(list((self.folder / "quicchat.files").iterdir()))
            self.assert_words(await asyncio.to_thread(self.room, "delete", "#own"), 64,
                              "nobody can be asked", "--yes")
            done = await asyncio.to_thread(self.room, "delete", "#own", "--yes")
            self.assertEqual(done.stdout, b"deleted #own\n")
            async for event in chat:
                if isinstance(event, quicchat.RoomLeft):
                    break
            self.assertEqual(event.error, "no_such_room")
            await self.assert_refused("no_such_room", chat.join("#own"))
            await chat.create_room("#own")
            self.assertEqual((await chat.join("#own")).head, 1)

        self.in_chat(scenario)
        self.assertNotIn("#own", {row for row in self.rows() if self.rows()[row]["head"] > 1})
        done = self.room("delete", "#tea", "--yes")
        self.assertIn(b"the configuration lists #tea: it comes back", done.stderr)

    def test_delete_asks_at_a_terminal(self):
        terminal = Terminal(self, [sys.executable, "-m", "quicchat", "room", "delete", "#tea",
                                   "--config", self.config_path])
        terminal.expect("Type its name: ")
        terminal.type("#lobby\n")
        self.assertEqual(terminal.wait(), 65)
        self.assertIn("nothing was deleted", terminal.seen)
        self.assertIn("#tea", self.rows())

    def test_nobody_else_may(self):
        self.assertEqual(stat.S_IMODE(self.socket.stat().st_mode), 0o600)
        if os.geteuid() != 0:
            self.skipTest("only root can try it as another")
        self.socket.chmod(0o666)
        self.folder.chmod(0o755)

        def ask_as_nobody():
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as asking:
                asking.connect(str(self.socket))
                asking.sendall(b'{"ask": "rooms"}\n')
                return asking.makefile().read()

        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writing, ask_as_nobody().encode())
            finally:
                os._exit(0)
        os.close(writing)
        os.waitpid(child, 0)
        with os.fdopen(reading) as pipe:
            answer = json.loads(pipe.read())
        self.assertEqual(answer["error"]["code"], "E-ADMIN-PEER")

    def ask(self, data):
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(PATIENCE)
            asking.connect(str(self.socket))
            asking.sendall(data)
            asking.shutdown(socket.SHUT_WR)
            return [json.loads(line) for line in asking.makefile()]

    def test_what_makes_no_sense_is_refused(self):
        for request in (b"", b"\n", b"hello\n", b"[1]\n", b'{"ask": 7}\n', b'{"ask": "fly"}\n',
                        b'{"ask": "export", "room": 7}\n', b"\xff\xfe\n", b"x" * 100_000 + b"\n",
                        b'{"ask": "export", "room": "#tea", "after": -1}\n',
                        b'{"ask": "keep", "room": "#tea", "records": true}\n',
                        b'{"ask": "access", "room": "#tea", "access": "none"}\n'):
            with self.subTest(request[:40]):
                answer = self.ask(request)
                self.assertEqual(len(answer), 1)
                self.assertEqual(answer[0]["error"]["code"], "E-ADMIN-REQUEST", answer)
        status = self.ask(b'{"ask": "status", "later": 1}\n')[0]["done"]
        self.assertEqual((status["process"], status["port"]),
                         (self.server.process.pid, self.server.port))

    def test_status(self):
        shown = self.command("status", "--config", self.config_path).stdout.decode()
        self.assertIn(f"127.0.0.1:{self.server.port} (UDP)", shown)
        self.assertIn("0 connection(s); key fingerprint sha256:", shown)
        as_json = json.loads(self.command("status", "--socket", self.socket, "--json").stdout)
        self.assertEqual(as_json["process"], self.server.process.pid)
        self.server.stop()
        self.assert_words(self.command("status"), 69, "E-NO-SERVER", "fix:")

    def test_who_does_not_read_holds_nobody_up(self):
        self.say("#tea", *("x" * 15_000 for _ in range(60)))
        waiting = []
        for _ in range(40):
            asking = socket.socket(socket.AF_UNIX)
            self.addCleanup(asking.close)
            asking.connect(str(self.socket))
            waiting.append(asking)
        for asking in waiting[:5]:
            asking.sendall(b'{"ask": "export", "room": "#tea"}\n')
        self.say("#tea", "hello")
        for asking in waiting:
            asking.close()
        for _ in range(100):
            result = self.room("list")
            if result.returncode == 0:
                break
        self.assertEqual(result.returncode, 0, result.stderr)


class Sockets(Case):
    def test_one_that_was_left_is_replaced(self):
        path = self.folder / "quicchat.sock"
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(str(path))
        server = self.start_server()
        self.assertNotIn("warning", server.log)
        self.assertEqual(self.command("room", "list").returncode, 0)
        server.stop()
        self.assertFalse(path.exists())
        self.assert_words(self.command("room", "list"), 69, "E-NO-SERVER", "quicchat serve")

    def test_what_is_no_socket_stays_and_people_chat(self):
        path = self.folder / "quicchat.sock"
        path.write_text("mine")
        server = self.start_server()
        self.assertIn("cannot make the socket", server.log)
        self.assertEqual(self.chat(server, ["hello"]).returncode, 0)
        server.stop()
        self.assertEqual(path.read_text(), "mine")

    def test_one_of_another_server_stays(self):
        config = self.write_config(database=None, files=None)
        first = self.start_server(config=config)
        second = self.start_server(config=config)
        self.assertIn("cannot make the socket", second.log)
        second.stop()
        self.assertEqual(self.command("room", "list").returncode, 0)
        first.stop()

    def test_none(self):
        config = self.write_config(admin=None)
        self.start_server(config=config)
        self.assertFalse((self.folder / "quicchat.sock").exists())
        self.assert_words(self.command("room", "list"), 78, "E-ADMIN-SOCKET", '"admin"')

    def test_a_long_path(self):
        folder = self.folder / ("long" * 40)
        folder.mkdir()
        config = self.write_config(admin=f"{'long' * 40}/s")
        self.start_server(config=config)
        self.assertEqual(self.command("room", "list").returncode, 0)

    def test_without_operators_a_configured_room_has_nobody(self):
        self.start_server()
        self.assert_words(self.command("room", "archive", "#lobby"), 78, "E-NO-OPERATOR",
                          "operators", "--as")

    def test_more_connections_than_fit_are_told(self):
        async def main():
            async with quicchat.serve(self.config()) as server:
                path = self.folder / "s"
                with mock.patch.object(administration, "_CONNECTIONS_MAX", 1):
                    async with administration.AdminSocket(server, path):
                        _, first = await asyncio.open_unix_connection(str(path))
                        await asyncio.sleep(0.05)
                        reader, writer = await asyncio.open_unix_connection(str(path))
                        writer.write(b'{"ask": "rooms"}\n')
                        answer = json.loads(await reader.read())
                        self.assertIn("too many", answer["error"]["text"])
                        writer.close()
                        first.close()
                self.assertFalse(path.exists())

        self.run_async(main)

if __name__ == "__main__":
    unittest.main()
