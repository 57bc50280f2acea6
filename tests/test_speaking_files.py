"""A server's program sends and fetches files without a login."""

import asyncio
import hashlib
import io
import os
import unittest

from _in_memory import InMemory
from _support import Case, quicchat, scaled

CONTENT = bytes(range(256)) * 4096  # 1 MiB


class Files(InMemory):
    def test_they_come_to_people_and_from_them(self):
        async def scenario(net):
            server, ada = net.server, await net.connect("ada")
            room = await ada.join("#lobby")
            steps = []
            sent = await server.send_file("#LOBBY", CONTENT, name="plan.pdf", user="bob",
                                          attributes={"page": 1},
                                          progress=lambda count, size: steps.append(count))
            self.assertEqual(steps, sorted(steps))
            self.assertEqual((steps[0], steps[-1]), (0, len(CONTENT)))
            [told] = [e for e in await net.received(ada) if isinstance(e, quicchat.Message)]
            self.assertEqual((told.sender, told.text, told.offset, told.file.size, told.id),
                             ("bob", "plan.pdf", sent.offset, len(CONTENT), sent.id))
            self.assertEqual(told.attributes, {"page": 1})
            self.assertEqual(await ada.read_file("#lobby", told), CONTENT)
            answer = await room.send_file(b"from ada", name="a.txt", reply_to=told)
            self.assertEqual(await server.read_file("#lobby", answer), b"from ada")
            self.assertEqual(await server.read_file("#lobby", told, user="eve"), CONTENT)
            again = await server.send_file("#lobby", CONTENT, name="plan.pdf", user="bob",
                                           attributes={"page": 1}, id=sent.id)
            self.assertEqual(again, sent)
            empty = await server.room("#lobby").send_file(io.BytesIO(), name="empty")
            self.assertEqual(await server.room("#lobby").read_file(empty), b"")
            self.assertEqual(net.server.stats().file_bytes, len(CONTENT) + len(b"from ada"))

        self.on(scenario)

    def test_to_and_from_the_disk(self):
        async def scenario(net):
            folder = self.folder / "here"
            folder.mkdir()
            source = folder / "plan.pdf"
            source.write_bytes(CONTENT)
            sent = await net.server.send_file("#lobby", source)
            saved = await net.server.save_file("#lobby", sent, folder / "copy")
            self.assertEqual(saved.read_bytes(), CONTENT)
            [message] = (await net.server.room("#lobby").history()).messages
            self.assertEqual(message.text, "plan.pdf")
            named = await net.server.save_file("#lobby", message, folder)
            self.assertEqual(named.name, f"lobby-{sent.offset}.pdf")
            with self.assertRaises(quicchat.FileError):
                await net.server.save_file("#lobby", sent, folder / "copy")
            with self.assertRaises(quicchat.FileError):
                await net.server.send_file("#lobby", folder)
            self.assertEqual(sorted(path.name for path in folder.iterdir()),
                             ["copy", f"lobby-{sent.offset}.pdf", "plan.pdf"])

        self.on(scenario)

    def test_roles_and_rooms_count(self):
        async def scenario(net):
            server = net.server
            await server.create_room("#tea", owner="ada", access=quicchat.Access.INVITATION)
            sent = await server.send_file("#tea", b"x", name="x", user="ada")
            await self.assert_refused("no_such_room",
                                      server.send_file("#tea", b"x", name="x", user="bob"))
            await self.assert_refused("no_such_room", server.read_file("#tea", sent, user="bob"))
            await self.assert_refused("no_such_file", server.read_file("#tea", 99))
            self.assertEqual(await server.read_file("#tea", sent), b"x")
            await server.room("#tea", user="ada").delete(sent)
            await self.assert_refused("no_such_file", server.read_file("#tea", sent))
            await server.remove_room("#tea")
            await server.create_room("#tea")
            await server.send_file("#tea", b"y", name="y")
            await self.assert_refused("no_such_message", server.read_file("#tea", sent))
            with self.assertRaises(quicchat.FileError):
                await server.read_file("#tea", 2, max_size=0)
            told = await server.send_file("@ada", b"for ada", name="a")
            ada = await net.connect("ada")
            self.assertEqual(await ada.read_file("@server", told.offset), b"for ada")

        self.on(scenario, accounts=["ada", "bob"])

    def test_what_an_account_may_have(self):
        async def scenario(net):
            server = net.server
            kept = (await server.send_file("#lobby", CONTENT, name="x", user="bob")).offset
            await self.assert_refused("quota_exceeded", server.send_file(
                "#lobby", CONTENT, name="x", user="bob"))
            await self.assert_refused("file_too_large", server.send_file(
                "#lobby", CONTENT * 2, name="x", user="eve"))
            await server.send_file("#lobby", CONTENT, name="x", user="eve")
            self.assertEqual(server.stats().file_bytes, 2 * len(CONTENT))
            await server.room("#lobby").delete(kept)
            await server.send_file("#lobby", CONTENT, name="x", user="bob")

        self.on(scenario, limits=quicchat.Limits(
            files_per_account_bytes_max=len(CONTENT) + 1000, file_bytes_max=len(CONTENT))
                if quicchat else None)

    def test_many_at_once_wait_for_their_turn(self):
        async def scenario(net):
            def file(n):
                return bytes([n]) * 1000

            sent = await asyncio.gather(*(net.server.send_file(
                "#lobby", file(n), name=str(n), user=f"user{n % 3}") for n in range(60)))
            found = await asyncio.gather(*(net.server.read_file("#lobby", s) for s in sent))
            self.assertEqual(found, [file(n) for n in range(60)])

        self.on(scenario)

    def test_a_file_that_changes_or_a_progress_that_fails(self):
        async def scenario(net):
            class Shorter(io.BytesIO):
                def seek(self, place):
                    if place:
                        self.truncate(place)
                    return super().seek(place)

            with self.assertRaises(quicchat.FileError) as caught:
                await net.server.send_file("#lobby", Shorter(CONTENT), name="x")
            self.assertEqual(caught.exception.code, "E-FILE-CHANGED")

            def fail(count, size):
                if count:
                    raise RuntimeError("no more")

            with self.assertRaises(RuntimeError):
                await net.server.send_file("#lobby", CONTENT, name="x", progress=fail)
            await net.settle()
            self.assertEqual((net.server.stats().transfers, net.server.stats().file_bytes), (0, 0))
            await net.server.send_file("#lobby", CONTENT, name="x")

        self.on(scenario)


class OnADisk(Case):
    def bytes_of_files(self):
        return sum(path.stat().st_size for path in (self.folder / "quicchat.files").rglob("*")
                   if path.is_file())

    def wait_for_nothing(self):
        async def wait():
            async with asyncio.timeout(scaled(20)):
                while self.bytes_of_files():
                    await asyncio.sleep(0.01)

        return wait()

    def test_a_cancelled_file_leaves_nothing(self):
        async def scenario(connect, server):
            size = 20 << 20
            for stop_at in (0, 1, size // 2):
                reached = asyncio.Event()
                sending = asyncio.create_task(server.send_file(
                    "#lobby", bytes(size), name="x",
                    progress=lambda count, _, s=stop_at, r=reached: r.set() if count >= s
                    else None))
                await reached.wait()
                sending.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await sending
                await self.wait_for_nothing()
            self.assertEqual(server.stats().transfers, 0)
            sent = await server.send_file("#lobby", b"x" * 1000, name="x")
            self.assertEqual(sent.durability, "fsync")
            self.assertEqual(self.bytes_of_files(), 1000)

        self.talk(scenario)

    def test_a_server_that_ends_leaves_nothing_of_what_was_begun(self):
        async def main():
            reached = asyncio.Event()
            async with quicchat.serve(self.config()) as server:
                sending = asyncio.create_task(server.send_file(
                    "#lobby", bytes(20 << 20), name="x",
                    progress=lambda count, _: reached.set() if count else None))
                await reached.wait()
            with self.assertRaises(quicchat.QuicChatError):
                await sending
            self.assertEqual(self.bytes_of_files(), 0)

        self.run_async(main)

    def test_the_loop_goes_on_meanwhile(self):
        """The loop's turns are counted, not timed: each piece is a few turns of the loop."""

        async def scenario(connect, server):
            turns = 0

            async def count():
                nonlocal turns
                while True:
                    await asyncio.sleep(0)
                    turns += 1

            content = os.urandom(4 << 20)
            counting = asyncio.create_task(count())
            sent = await server.send_file("#lobby", content, name="x")
            of_sending, turns = turns, 0
            self.assertEqual(hashlib.sha256(await server.read_file("#lobby", sent)).digest(),
                             hashlib.sha256(content).digest())
            counting.cancel()
            pieces = len(content) // (128 * 1024)
            self.assertGreater(of_sending, 2 * pieces)
            self.assertGreater(turns, 2 * pieces)

        self.talk(scenario)


if __name__ == "__main__":
    unittest.main()
