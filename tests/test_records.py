"""Messages and receipts are made by the core, and are as if their classes had made them."""

import asyncio
import dataclasses
import gc
import pickle
import sys
import unittest
from datetime import UTC, datetime

from _in_memory import InMemory
from _support import Case, quicchat

if quicchat:
    from quicchat import _core
    from quicchat._attributes import NO_ATTRIBUTES
    from quicchat.records import time_of


def fields_of(event):
    return [getattr(event, field.name) for field in dataclasses.fields(event)]


class Made(InMemory):
    def heard(self, *sends):
        """What one gets of what another sends, and the receipts."""
        heard = []

        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            await bob.join("#lobby")
            receipts = [await send(room) for send in sends]
            messages = [event for event in await net.received(bob)
                        if isinstance(event, quicchat.Message)]
            heard.append((messages, receipts))

        self.on(scenario)
        return heard[0]

    def test_they_are_what_their_classes_make_of_the_same_fields(self):
        messages, receipts = self.heard(
            lambda room: room.send("plain"),
            lambda room: room.send("more", attributes={"n": [1]}, reply_to=1),
            lambda room: room.send_file(b"leaves", name="tea.bin"))
        self.assertEqual([message.text for message in messages], ["plain", "more", "tea.bin"])
        for event in [*messages, *receipts]:
            with self.subTest(event):
                twin = type(event)(*fields_of(event))
                self.assertEqual(event, twin)
                self.assertEqual(repr(event), repr(twin))
                self.assertEqual(hash(event), hash(twin))
                self.assertEqual(event.to_dict(), twin.to_dict())
                self.assertEqual(pickle.loads(pickle.dumps(event)), event)
                self.assertEqual(dataclasses.replace(event), event)
                self.assertIs(event.time.tzinfo, UTC)
                self.assertTrue(gc.is_tracked(event))
                with self.assertRaises(dataclasses.FrozenInstanceError):
                    event.offset = 7
        plain, more, file = messages
        self.assertEqual((plain.room, plain.sender, plain.reply_to, plain.file,
                          plain.edited, plain.deleted),
                         ("#lobby", "ada", None, None, False, False))
        self.assertIs(plain.attributes, NO_ATTRIBUTES)
        self.assertEqual((more.attributes["n"], more.reply_to), ([1], 1))
        self.assertEqual((file.file.size, len(file.file.sha256)), (6, 64))
        self.assertEqual([receipt.offset for receipt in receipts],
                         [message.offset for message in messages])
        self.assertEqual([receipt.id for receipt in receipts],
                         [message.id for message in messages])

    def test_edited_is_not_deleted(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            await room.edit(await room.send("first"), "better")
            await room.delete(await room.send("second"))
            await bob.join("#lobby", last=10)
            found = [(event.text, event.edited, event.deleted)
                     for event in await net.received(bob) if isinstance(event, quicchat.Message)]
            self.assertEqual(found, [("better", True, False), ("", False, True)])

        self.on(scenario)

    def test_who_drops_them_drops_all_of_them(self):
        messages, _ = self.heard(lambda room: room.send("not interned"),
                                 lambda room: room.send("nor this"))
        gc.collect()
        before = sys.getrefcount(NO_ATTRIBUTES)
        fields = [messages[0].text, messages[0].time, messages[0].id]
        counts = [sys.getrefcount(field) for field in fields]
        del messages[0]
        self.assertEqual(sys.getrefcount(NO_ATTRIBUTES), before - 1)
        self.assertEqual([sys.getrefcount(field) for field in fields],
                         [count - 1 for count in counts])

    def test_many_keep_their_order_and_each_its_own_fields(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            view = (await bob.join("#lobby")).events()
            sent = [await room.send(str(number)) for number in range(100)]
            heard = []
            async for event in view:
                if isinstance(event, quicchat.Message):
                    heard.append(event)
                    if len(heard) == len(sent):
                        break
            self.assertEqual([event.text for event in heard], [str(n) for n in range(100)])
            self.assertEqual([event.id for event in heard], [receipt.id for receipt in sent])

        self.on(scenario)


class Times(Case):
    def test_times_are_those_of_the_calendar(self):
        for milliseconds, text in [
                (0, "1970-01-01T00:00:00+00:00"), (1, "1970-01-01T00:00:00.001000+00:00"),
                (-1, "1969-12-31T23:59:59.999000+00:00"),
                (951_782_400_000, "2000-02-29T00:00:00+00:00"),
                (1_796_000_000_123, "2026-11-30T00:53:20.123000+00:00"),
                (-62_135_596_800_000, "0001-01-01T00:00:00+00:00"),
                (253_402_300_799_999, "9999-12-31T23:59:59.999000+00:00")]:
            with self.subTest(milliseconds):
                self.assertEqual(time_of(milliseconds), datetime.fromisoformat(text))

    def test_what_no_calendar_has_is_the_end_of_pythons(self):
        for milliseconds in (253_402_300_800_000, -62_135_596_800_001, (1 << 63) - 1, -1 << 63):
            with self.subTest(milliseconds):
                self.assertEqual(time_of(milliseconds), datetime.max.replace(tzinfo=UTC))

    def test_a_class_that_is_made_otherwise_is_refused(self):
        class Loose:
            pass

        for wrong in (Loose, quicchat.Receipt, quicchat.RoomLeft):
            with self.subTest(wrong), self.assertRaises((TypeError, AttributeError)):
                _core.use_record_types(wrong, quicchat.Receipt, quicchat.Attributes,
                                       NO_ATTRIBUTES, quicchat.FileInfo)


class Readers(InMemory):
    def test_one_that_is_dropped_reads_no_more_and_others_do(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            joined = await bob.join("#lobby")
            kept, dropped = joined.events(), joined.events()
            del dropped
            await room.send("hello")
            async for event in kept:
                if isinstance(event, quicchat.Message):
                    break
            self.assertEqual(event.text, "hello")
            del kept
            gc.collect()
            await room.send("again")
            texts = [event.text for event in await net.received(bob)
                     if isinstance(event, quicchat.Message)]
            self.assertEqual(texts, ["again"])  # nobody reads the room: it comes to the chat

        self.on(scenario)

    def test_two_that_wait_at_once_are_both_told(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            joined = await bob.join("#lobby")

            async def first(view):
                async for event in view:
                    if isinstance(event, quicchat.Message):
                        return event.text

            tasks = [asyncio.ensure_future(first(joined.events())) for _ in range(2)]
            await asyncio.sleep(0)
            await room.send("hello")
            self.assertEqual(await asyncio.gather(*tasks), ["hello", "hello"])

        self.on(scenario)


if __name__ == "__main__":
    unittest.main()
