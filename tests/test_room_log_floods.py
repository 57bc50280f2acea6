"""The model of the full screen when somebody sends much: nobody's records go for that."""

import unittest

from quicchat.tui import _room_log
from quicchat.tui._room_log import Remark, RoomLog
from test_room_log import NOON, edited, message, reaction


class AgainstFloods(unittest.TestCase):
    def test_edits_of_one_message_push_out_nothing(self):
        log = RoomLog(0)
        for n in range(1, 51):
            log.add(message(n))
        for n in range(51, 3051):
            log.add(edited(n, 7, f"edit {n}"))
            log.trim(n)
        self.assertEqual(len(log.messages()), 50)
        self.assertEqual(log.find(7).text, "edit 3050")
        self.assertLess(len(log._act_keys), 10)

    def test_acts_without_messages_do_not_grow_for_ever(self):
        log = RoomLog(0)
        for n in range(1, 6001):
            log.add(reaction(n, 10_000 + n))
            log.trim(n)
        self.assertLessEqual(len(log._act_keys), _room_log.ITEMS_MAX)

    def test_long_edits_count(self):
        log = RoomLog(0)
        for n in range(1, 1001):
            log.add(edited(n, 10_000 + n, "x" * 30_000))
            log.trim(n)
        self.assertLessEqual(sum(len(act.text) for act in log._acts.values()),
                             _room_log.CHARACTERS_MAX)

    def test_private_messages_of_one_push_out_none_of_another(self):
        log = RoomLog(0)
        log.remark("bob's", "private", NOON, "bob")
        for n in range(2100):
            log.remark(f"eve's {n}", "private", NOON, "eve")
        log.add(message(1))
        log.trim(1)
        found = [item.text for item in log.items() if isinstance(item, Remark)]
        self.assertEqual((found[0], found[-1]), ("bob's", "eve's 2099"))
        self.assertLessEqual(len(found), _room_log.REMARKS_MAX)

    def test_long_remarks_push_out_no_records(self):
        log = RoomLog(0)
        for n in range(1, 51):
            log.add(message(n))
        for n in range(300):
            log.remark("x" * 30_000, "private", NOON, f"sock{n % 7}")
            log.trim(50)
        self.assertEqual(len(log.messages()), 50)
        self.assertLessEqual(sum(len(i.text) for i in log.items() if isinstance(i, Remark)),
                             _room_log.REMARK_CHARACTERS_MAX)


if __name__ == "__main__":
    unittest.main()
