"""Many messages wake the engine once, and one message wakes it at once."""

import asyncio
import unittest
import weakref

import quicchat
from quicchat import _core
from quicchat._attendance import _Readers
from quicchat._conversation import Conversation


class Core:
    """Takes what is published, as the engine does that sleeps until it is woken."""

    def __init__(self):
        self.waiting = 0
        self.wakes = 0

    def publish(self, *_):
        self.waiting += 1
        return self.waiting == 1

    def wake(self):
        self.wakes += 1
        self.waiting = 0


class Waking(unittest.TestCase):
    def setUp(self):
        self.core = Core()
        self.conversation = Conversation(self.core, None, keep_events=True)
        self.put_off = []

    def send(self):
        return self.conversation.publish(asyncio.Future(loop=self.loop), "#lobby", "text", "{}",
                                         None, (0, 0, "", 0, 0))

    def run(self, result=None):
        self.loop = asyncio.new_event_loop()
        try:
            return super().run(result)
        finally:
            self.loop.close()

    def test_who_sends_alone_does_not_wait(self):
        self.conversation.later = self.put_off.append
        for _ in range(3):
            ticket = self.send()
            self.assertEqual(self.core.waiting, 0)
            self.conversation.forget(ticket)
        self.assertEqual((self.core.wakes, self.put_off), (3, []))

    def test_those_who_send_together_wake_it_once_a_little_later(self):
        self.conversation.later = self.put_off.append
        self.send()
        for _ in range(10):
            self.send()
        self.assertEqual((self.core.wakes, self.core.waiting, len(self.put_off)), (1, 10, 1))
        self.put_off.pop()()
        self.assertEqual((self.core.wakes, self.core.waiting), (2, 0))
        self.send()
        self.assertEqual(len(self.put_off), 1)

    def test_without_a_loop_nothing_is_put_off(self):
        for _ in range(3):
            self.send()
            self.assertEqual(self.core.waiting, 0)
        self.assertEqual(self.core.wakes, 3)

    def test_what_is_refused_wakes_nobody(self):
        def refuse(*_):
            raise _core.CoreError("quicchat", 17, "queue_full", "")

        self.core.publish = refuse
        with self.assertRaises(quicchat.QuicChatError):
            self.send()
        self.assertEqual((self.core.wakes, self.conversation.pending), (0, 0))


class Reader:
    def __init__(self):
        self.events = []
        self.then = lambda: None

    def offer(self, event):
        self.events.append(event)
        self.then()


class Readers(unittest.TestCase):
    def test_one_that_goes_while_others_are_offered_something_costs_them_nothing(self):
        readers = _Readers()
        there = [Reader() for _ in range(4)]
        for number in range(4):
            readers.add(there[number])
        gone = weakref.ref(there[1])
        there[0].then = lambda: there.remove(gone()) if gone() else None
        self.assertTrue(readers.offer("one"))
        self.assertIsNone(gone())
        self.assertTrue(readers.offer("two"))
        self.assertEqual([reader.events for reader in there], [["one", "two"]] * 3)
        there.clear()
        self.assertFalse(readers.offer("three"))
        self.assertEqual(readers.all(), [])
