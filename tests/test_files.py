"""Files: sent, fetched and saved over a real server, and everything that can be wrong with one."""

import asyncio
import hashlib
import io
import os
import random
import unittest
from pathlib import Path

from _support import Case, Server, account, next_of, quicchat


def content(size, seed=1):
    return random.Random(seed).randbytes(size)


class Transfers(Case):
    def test_a_file_comes_as_it_was_sent(self):
        async def scenario(connect, server):
            data = content(700_000)
            source = self.folder / "holiday plan.pdf"
            source.write_bytes(data)
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                theirs = await bob.join("#lobby")
                steps = []
                sent = await room.send_file(source, progress=lambda *step: steps.append(step))
                self.assertEqual((steps[0], steps[-1]), ((0, 700_000), (700_000, 700_000)))
                self.assertEqual(steps, sorted(steps))
                message = await next_of(bob, quicchat.Message)
                self.assertEqual((message.text, message.offset), ("holiday plan.pdf", sent.offset))
                self.assertEqual(message.file, quicchat.FileInfo(
                    700_000, hashlib.sha256(data).hexdigest()))
                self.assertEqual(await theirs.read_file(message), data)
                saved = await theirs.save_file(message, self.folder / "copy.pdf")
                self.assertEqual(saved.read_bytes(), data)
                self.assertEqual(saved.stat().st_mode & 0o777, 0o600)
                page = await theirs.history()
                self.assertEqual(page.messages[0].file.size, 700_000)

        self.talk(scenario)

    def test_bytes_open_files_and_replies_can_be_sent(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                question = await room.send("have you got it?")
                await room.send_file(b"", name="empty.txt", reply_to=question,
                                     attributes={"type": "text/plain"})
                sent = await room.send_file(io.BytesIO(b"from a stream"), name="π.txt")
                empty = await next_of(ada, quicchat.Message, text="empty.txt")
                self.assertEqual((empty.reply_to, empty.attributes, empty.file.size),
                                 (question.offset, {"type": "text/plain"}, 0))
                self.assertEqual(await room.read_file(empty), b"")
                self.assertEqual(await room.read_file(sent), b"from a stream")
                self.assertEqual(await room.read_file(sent.offset), b"from a stream")

        self.talk(scenario)

    def test_two_people_send_each_other_files(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                sent = await ada.send_file("@bob", b"for you", name="secret.txt")
            async with connect("bob") as bob, connect("eve") as eve:
                told = await next_of(bob, quicchat.PrivateMessage)
                self.assertEqual((told.sender, told.text, told.file.size),
                                 ("ada", "secret.txt", 7))
                self.assertEqual(await bob.read_file("@ada", told), b"for you")
                await self.assert_refused("no_such_room", eve.read_file("@ada", sent))

        self.talk(scenario)

    def test_without_asyncio(self):
        async def scenario(connect, server):
            def work():
                with quicchat.sync.connect("127.0.0.1", server.address[1],
                                           **account("ada")) as chat:
                    chat.timeout = 30
                    room = chat.join("#lobby")
                    sent = room.send_file(b"hello", name="a.txt")
                    self.assertEqual(room.read_file(sent), b"hello")
                    saved = room.save_file(sent, self.folder)
                    self.assertEqual((saved.name, saved.read_bytes()),
                                     (f"lobby-{sent.offset}", b"hello"))
                    self.assertEqual(chat.read_file("#lobby", sent), b"hello")
                    chat.send_file("#lobby", b"again", name="b.txt")

            await asyncio.to_thread(work)

        self.talk(scenario)

    def test_files_outlive_the_server_and_go_with_their_message(self):
        async def scenario(port, state):
            async with quicchat.connect("127.0.0.1", port, **account("ada"), state=state) as ada:
                room = await ada.join("#lobby")
                return await room.send_file(content(300_000), name="a.bin", id=bytes(16))

        async def later(port, state, sent):
            async with quicchat.connect("127.0.0.1", port, **account("ada"), state=state) as ada:
                room = await ada.join("#lobby", last=5)
                self.assertEqual(await room.read_file(sent.offset), content(300_000))
                # Sent again, it is there already.
                steps = []
                again = await room.send_file(content(300_000), name="a.bin", id=bytes(16),
                                             progress=lambda *step: steps.append(step))
                self.assertEqual((again.offset, steps), (sent.offset, [(300_000, 300_000)]))
                await room.delete(sent.offset)
                await self.assert_refused("no_such_file", room.read_file(sent.offset))

        state = self.folder / "ada.state"
        config = self.write_config()
        server = self.start_server(config=config)
        sent = self.run_async(lambda: scenario(server.port, state))
        server.stop()
        stored = list((self.folder / "quicchat.files").iterdir())
        self.assertEqual([len(path.name) for path in stored], [64])
        server = Server(self, config)
        self.addCleanup(server.stop)
        self.run_async(lambda: later(server.port, state, sent))
        server.stop()
        self.assertEqual(list((self.folder / "quicchat.files").iterdir()), [])

    def test_a_transfer_goes_on_when_the_server_is_killed(self):
        data = content(30_000_000)

        async def scenario(port, config):
            async with quicchat.connect("127.0.0.1", port, **account("ada")) as ada:
                room = await ada.join("#lobby")
                reached = asyncio.Event()
                steps = []

                def progress(done, size):
                    steps.append(done)
                    if done > size // 2:
                        reached.set()

                sending = asyncio.create_task(room.send_file(data, name="a", progress=progress))
                await reached.wait()
                before = len(steps)
                nonlocal server
                server.stop(9)
                self.assertFalse(sending.done())
                server = Server(self, self.write_config(port=port))
                sent = await sending
                # It did not begin from the start again.
                self.assertGreater(steps[before + 1], len(data) // 4)
                self.assertEqual(await room.read_file(sent), data)

        config = self.write_config()
        server = self.start_server(config=config)
        self.run_async(lambda: scenario(server.port, config))
        server.stop()


class Mistakes(Case):
    def test_what_cannot_be_sent_is_said_before(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                os.mkfifo(self.folder / "pipe")
                for source, code in ((self.folder / "none.txt", "E-FILE"),
                                     (self.folder, "E-FILE-KIND"),
                                     (self.folder / "pipe", "E-FILE-KIND")):
                    with self.assertRaises(quicchat.FileError) as caught:
                        await room.send_file(source)
                    self.assertEqual(caught.exception.code, code)
                    self.assertTrue(caught.exception.hint)
                with self.assertRaises(TypeError):
                    await room.send_file(b"no name")
                for name in ("../etc/passwd", "a/b", "", "..", "a\nb", "\x1b[31mred", " a",
                             "\u202efdp.exe", "n" * 256):
                    with self.assertRaises(quicchat.RequestError, msg=repr(name)):
                        await room.send_file(b"x", name=name)
                await self.assert_refused("no_such_room", ada.send_file("#none", b"x", name="a"))

        self.talk(scenario)

    def test_a_file_that_changes_meanwhile_is_not_sent(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                source = self.folder / "log.txt"
                source.write_bytes(content(2_000_000))

                def change(*_):
                    source.write_bytes(content(2_000_000, 2))

                await self.assert_refused("file_mismatch",
                                          room.send_file(source, progress=change))
                source.write_bytes(content(2_000_000))
                with self.assertRaises(quicchat.FileError) as caught:
                    await room.send_file(source, progress=lambda *_: source.write_bytes(b"short"))
                self.assertEqual(caught.exception.code, "E-FILE-CHANGED")
                self.assertEqual((await room.history()).records, ())
                self.assertEqual(await room.read_file(await room.send_file(b"ok", name="a")), b"ok")

        self.talk(scenario)

    def test_limits_of_the_server(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                await self.assert_refused("file_too_large", room.send_file(bytes(1001), name="a"))
                await room.send_file(bytes(1000), name="a")
                refused = await self.assert_refused("quota_exceeded",
                                                    room.send_file(bytes(600), name="b"))
                self.assertIsInstance(refused, quicchat.RequestError)
                await room.send_file(bytes(500), name="b")

        self.talk(scenario, limits={"file_bytes_max": 1000, "files_per_room_bytes_max": 1500})

    def test_a_server_without_files(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                sent = await room.send("hello")
                await self.assert_refused("unsupported", room.send_file(b"x", name="a"))
                await self.assert_refused("unsupported", room.read_file(sent))

        self.talk(scenario, files=None)

    def test_files_in_memory_without_a_database(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                self.assertEqual(await room.read_file(await room.send_file(b"x", name="a")), b"x")

        self.talk(scenario, database=None)
        self.assertFalse((self.folder / "quicchat.files").exists())

    def test_saving_replaces_nothing_and_leaves_nothing(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                sent = await room.send_file(b"text", name="Report.PDF")
                message = await next_of(ada, quicchat.Message)
                saved = await room.save_file(message, self.folder)
                self.assertEqual(saved, self.folder / f"lobby-{sent.offset}.pdf")
                with self.assertRaises(quicchat.FileError) as caught:
                    await room.save_file(message, self.folder)
                self.assertEqual(caught.exception.code, "E-FILE-EXISTS")
                target = self.folder / "elsewhere"
                target.symlink_to("/nonexistent/place")
                with self.assertRaises(quicchat.FileError):
                    await room.save_file(message, target)
                await self.assert_refused("no_such_file",
                                          room.save_file(sent.offset + 5, self.folder / "b"))
                with self.assertRaises(quicchat.FileError):
                    await room.save_file(message, self.folder / "none" / "b")
                with self.assertRaises(quicchat.FileError) as caught:
                    await room.read_file(message, max_size=3)
                self.assertEqual(caught.exception.code, "E-FILE-TOO-LARGE")
                left = {path.name for path in self.folder.iterdir()}
                self.assertFalse([name for name in left if name.endswith(".part")])
                self.assertNotIn("b", left)

        self.talk(scenario)

    def test_a_wait_that_is_cancelled_ends_the_transfer(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                begun = asyncio.Event()
                sending = asyncio.create_task(room.send_file(
                    content(20_000_000), name="a", progress=lambda *_: begun.set()))
                await begun.wait()
                sending.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await sending
                sent = await room.send_file(content(20_000_000), name="b")
                begun.clear()
                fetching = asyncio.create_task(
                    room.read_file(sent, progress=lambda *_: begun.set()))
                await begun.wait()
                fetching.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await fetching
                self.assertEqual(len(await room.read_file(sent)), 20_000_000)
                self.assertEqual([m.text for m in (await room.history()).messages], ["b"])

        self.talk(scenario)

    def test_a_configuration_with_wrong_files(self):
        result = self.command("serve", "--config", self.write_config(files=7))
        self.assert_words(result, 78, '"files" must be the path of a folder')
        (self.folder / "taken").write_text("x")
        result = self.command("serve", "--config", self.write_config(files="taken"))
        self.assert_words(result, 74, "it cannot be opened as a folder")


class Names(unittest.TestCase):
    def test_no_name_of_a_sender_is_the_name_of_a_file_here(self):
        from quicchat._files import default_name

        for name in ("../../x.sh", "/etc/passwd", ".bashrc", "a" * 200, "x.", "x.tar gz", "\0.c"):
            made = default_name("#den.1/..", 12, name)
            self.assertRegex(made, r"\Aden1-12(\.[a-z0-9]{1,8})?\Z")
            self.assertEqual(Path(made).name, made)
        self.assertEqual(default_name("@bob", 3, "A.TXT"), "bob-3.txt")


if __name__ == "__main__":
    unittest.main()
