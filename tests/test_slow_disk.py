"""A disk that takes its time: the event loop goes on, whatever a file waits for.

Each read or write that is slow here ends when the test says so, never by itself. Were it done by
the event loop, the test could not say so."""

import asyncio
import errno
import io
import os
import threading
import unittest
from unittest import mock

from _support import Case, next_of, quicchat, scaled
from quicchat._conversation import Conversation
from quicchat._disk import AtOnce, InThread, Steps


class Gate:
    """Stops the threads that come by, once it is shut, and says that they are there."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.reached = asyncio.Event()
        self.shut = False
        self._open = threading.Event()

    def open(self):
        self.shut = False
        self._open.set()

    def pass_by(self):
        if self.shut:
            self.loop.call_soon_threadsafe(self.reached.set)
            if not self._open.wait(scaled(30)):
                raise AssertionError("nobody opened the gate: the event loop stands still")


class SlowFile(io.BytesIO):
    """A file whose reads, or writes, and whose end pass by a gate."""

    def __init__(self, gate, data=b"", fails=None):
        super().__init__(data)
        self.gate = gate
        self.fails = fails
        self.ended = asyncio.Event()

    def read(self, *count):
        self.gate.pass_by()
        return super().read(*count)

    def write(self, data):
        self.gate.pass_by()
        if self.fails is not None:
            raise self.fails
        return super().write(data)

    def close(self):
        if not self.closed:
            self.gate.loop.call_soon_threadsafe(self.ended.set)
        super().close()


class SlowTarget:
    """A file on a slow disk, for `Download`: not one in memory, as that knows them."""

    def __init__(self, file):
        self.write = file.write


def content(size):
    return os.urandom(size)


class SlowDisk(Case):
    def test_a_slow_read_holds_up_its_own_file_only(self):
        async def scenario(connect, _):
            data = content(300_000)
            gate = Gate()
            slow = SlowFile(gate, data)

            def progress(*_):  # describing the file is over then
                gate.shut = not gate.reached.is_set()

            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                theirs = await bob.join("#lobby")
                sending = asyncio.create_task(
                    room.send_file(slow, name="a.bin", progress=progress))
                await gate.reached.wait()
                await room.send("meanwhile")
                await next_of(ada, quicchat.Message, text="meanwhile")
                self.assertFalse(sending.done())
                gate.open()
                sent = await sending
                self.assertEqual(await theirs.read_file(sent.offset), data)

        self.talk(scenario)

    def test_a_slow_write_holds_up_its_own_file_only_and_costs_a_bounded_memory(self):
        async def scenario(connect, _):
            data = content(4_000_000)
            gate = Gate()
            file = SlowFile(gate)
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                theirs = await bob.join("#lobby")
                sent = await room.send_file(data, name="a.bin")
                download = quicchat._files.Download(SlowTarget(file), None)
                gate.shut = True
                fetching = asyncio.create_task(bob._fetch("#lobby", sent.offset, download))
                await gate.reached.wait()
                for number in range(50):
                    await theirs.send(str(number))
                waiting = sum(step[2] for step in download.steps._waiting)
                self.assertLess(waiting, 1_500_000)
                self.assertFalse(fetching.done())
                self.assertEqual(await theirs.read_file(
                    await room.send_file(b"small", name="b")), b"small")
                gate.open()
                await fetching
                self.assertEqual(file.getvalue(), data)

        self.talk(scenario)

    def test_a_slow_write_that_is_cancelled_makes_room_for_other_files(self):
        async def scenario(connect, _):
            data = content(4_000_000)
            gate = Gate()
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                sent = await room.send_file(data, name="a.bin")
                for _ in range(3):  # together they would take all the room that there is
                    gate.shut = True
                    download = quicchat._files.Download(SlowTarget(SlowFile(gate)), None)
                    fetching = asyncio.create_task(ada._fetch("#lobby", sent.offset, download))
                    await gate.reached.wait()
                    while len(download.steps._waiting) < 6:
                        await room.send("a round trip")
                    fetching.cancel()
                    with self.assertRaises(asyncio.CancelledError):
                        await fetching
                    gate.reached.clear()
                self.assertEqual(await room.read_file(sent), data)
                gate.open()

        self.talk(scenario)

    def test_what_the_disk_says_ends_the_transfer(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                sent = await room.send_file(content(300_000), name="a.bin")
                full = OSError(errno.ENOSPC, "no space left")
                target = SlowTarget(SlowFile(Gate(), fails=full))
                with self.assertRaises(OSError) as raised:
                    await ada._fetch("#lobby", sent.offset,
                                     quicchat._files.Download(target, None))
                self.assertIs(raised.exception, full)
                await room.send("goes on")
                self.assertEqual(len(await room.read_file(sent)), 300_000)

        self.talk(scenario)

    def test_who_cancels_does_not_wait_for_the_disk(self):
        async def scenario(connect, _):
            gate = Gate()
            slow = SlowFile(gate, content(300_000))
            path = self.folder / "a.bin"

            def progress(*_):
                gate.shut = True

            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                with mock.patch("quicchat._files._open_regular", return_value=slow):
                    sending = asyncio.create_task(room.send_file(path, progress=progress))
                    await gate.reached.wait()
                sending.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await sending
                self.assertFalse(slow.closed)  # somebody reads it
                await room.send("goes on")
                gate.open()
                await slow.ended.wait()
                await self.assert_nothing_of_files(ada)

        self.talk(scenario)

    async def assert_nothing_of_files(self, chat):
        self.assertEqual(chat._conversation._transfers, {})
        self.assertEqual(chat._conversation.pending, 0)

    def test_who_cancels_while_the_file_is_described_does_not_wait_either(self):
        async def scenario(connect, _):
            gate = Gate()
            gate.shut = True
            slow = SlowFile(gate, content(1000))
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                with mock.patch("quicchat._files._open_regular", return_value=slow):
                    sending = asyncio.create_task(room.send_file(self.folder / "a.bin"))
                    await gate.reached.wait()
                sending.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await sending
                self.assertFalse(slow.closed)
                gate.open()
                await slow.ended.wait()

        self.talk(scenario)

    def test_a_cancelled_save_leaves_nothing_once_the_disk_is_done(self):
        async def scenario(connect, _):
            gate = Gate()
            gate.shut = True
            made, steps = [], []
            real = os.fdopen

            def fdopen(fd, mode):
                os.close(fd)
                made.append(SlowFile(gate))
                return made[0] if mode == "wb" else real(fd, mode)

            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                sent = await room.send_file(content(300_000), name="a.bin")
                with (mock.patch("quicchat._files.os.fdopen", fdopen),
                      mock.patch("quicchat._chat.Download", NotInMemory)):
                    saving = asyncio.create_task(room.save_file(
                        sent.offset, self.folder / "c", progress=lambda *step: steps.append(step)))
                    await gate.reached.wait()
                saving.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await saving
                gate.open()
                await made[0].ended.wait()
                while list(self.folder.glob(".c.*.part")):  # unlinked right after the end
                    await asyncio.sleep(0.01)
                self.assertFalse((self.folder / "c").exists())
                self.assertEqual(steps, [])

        self.talk(scenario)


class Conversations(unittest.TestCase):
    def test_bytes_of_a_file_that_nobody_wants_any_more_make_room_at_once(self):
        core = mock.Mock()
        conversation = Conversation(core, None, keep_events=True)
        conversation._on_file_chunk(7, 0, b"late")
        core.use_file_bytes.assert_called_once_with(4)


class NotInMemory(quicchat._files.Download):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.in_memory = False


class StepsOfOneFile(unittest.IsolatedAsyncioTestCase):
    async def test_one_at_a_time_and_in_order(self):
        steps = Steps()
        steps.disk = InThread(asyncio.get_running_loop())
        running, seen, over = [], [], asyncio.Event()

        def work(number):
            running.append(number)
            self.assertEqual(len(running), 1)
            running.pop()
            return number

        for number in range(50):
            steps.do(lambda number=number: work(number), lambda *result: seen.append(result))
        steps.do(lambda: None, lambda *_: over.set())
        self.assertEqual(seen, [])
        await over.wait()
        self.assertEqual(seen, [(number, None) for number in range(50)])

    async def test_what_is_dropped_is_not_done_and_the_last_is(self):
        gate = Gate()
        gate.shut = True
        steps = Steps()
        steps.disk = InThread(gate.loop)
        seen, over = [], asyncio.Event()
        steps.do(gate.pass_by, lambda *_: seen.append("first"), 10)
        steps.do(lambda: seen.append("never"), lambda *_: seen.append("never"), 20)
        steps.do(lambda: seen.append("never"), lambda *_: seen.append("never"), 30)
        await gate.reached.wait()
        self.assertEqual(steps.drop(), 50)
        steps.finally_do(lambda: (seen.append("last"), gate.loop.call_soon_threadsafe(over.set)))
        self.assertEqual(seen, [])
        gate.open()
        await over.wait()
        self.assertEqual(seen, ["first", "last"])

    def test_at_once(self):
        steps, seen = Steps(), []
        self.assertIsInstance(steps.disk, AtOnce)
        steps.do(lambda: 1 // 0, lambda *result: seen.append(result))
        steps.do(lambda: 7, lambda *result: seen.append(result))
        self.assertIsInstance(seen[0][1], ZeroDivisionError)
        self.assertEqual(seen[1], (7, None))
        steps.finally_do(lambda: seen.append("last"))
        self.assertEqual(seen[2], "last")


if __name__ == "__main__":
    unittest.main()
