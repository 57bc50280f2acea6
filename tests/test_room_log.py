"""The model of the full screen: a room as a person sees it. Needs no server and no terminal."""

import unittest
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest import mock

import quicchat
from quicchat.cli._show import Wishes
from quicchat.tui import _room_log
from quicchat.tui._pane import Pane, Transfer
from quicchat.tui._panes import take_page
from quicchat.tui._room_log import Happened, Hole, Ranges, Remark, RoomLog, Said

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def head(offset, sender="bob"):
    return ("#tea", 1, offset, NOON + timedelta(minutes=offset), bytes(16), sender)


def message(offset, text=None, sender="bob", **more):
    return quicchat.Message(*head(offset, sender), text or f"line {offset}", "{}", **more)


def edited(offset, target, text, **more):
    return quicchat.Edited(*head(offset), target, text, "{}", **more)


def deleted(offset, target, reason=""):
    return quicchat.Deleted(*head(offset, "eve"), target, reason)


def reaction(offset, target, text="+1", sender="bob", removed=False):
    return quicchat.Reaction(*head(offset, sender), target, text, removed)


def shown(log):
    """What a person sees, in short."""
    found = []
    for item in log.items():
        match item:
            case Said():
                found.append("(deleted)" if item.deleted else item.text)
            case Happened():
                found.append(type(item.record).__name__)
            case Remark():
                found.append(f"* {item.text}")
            case Hole():
                found.append((item.first, item.last))
    return found


class RangesOfOffsets(unittest.TestCase):
    def test_against_a_set(self):
        import random
        for seed in range(200):
            dice, ranges, known = random.Random(seed), Ranges(), set()
            for _ in range(12):
                first = dice.randint(1, 30)
                last = first + dice.randint(-1, 8)
                if dice.random() < 0.7:
                    ranges.add(first, last)
                    known |= set(range(first, last + 1))
                else:
                    ranges.remove(first, last)
                    known -= set(range(first, last + 1))
                held = [n for low, high in ranges for n in range(low, high + 1)]
                self.assertEqual(held, sorted(known), seed)
                missing = [n for low, high in ranges.missing(3, 25) for n in range(low, high + 1)]
                self.assertEqual(missing, [n for n in range(3, 26) if n not in known], seed)
                end = ranges.end_from(first)
                self.assertEqual(end, next(n for n in range(first, 99) if n not in known) - 1)


class WhatIsShown(unittest.TestCase):
    def test_what_was_not_fetched_is_a_hole(self):
        log = RoomLog(50)
        self.assertEqual(shown(log), [(1, 50)])
        log.add_page([message(n) for n in (20, 21)], 20, 21, 50)
        log.add(message(51))
        self.assertEqual(shown(log), [(1, 19), "line 20", "line 21", (22, 50), "line 51"])
        log.add_page([], 22, 50, 51)
        log.nothing_before(20)
        self.assertEqual(shown(log), ["line 20", "line 21", "line 51"])

    def test_messages_change_in_place(self):
        log = RoomLog(0)
        for record in (message(1), message(2), edited(3, 1, "new"), deleted(4, 2, "spam"),
                       message(5)):
            log.add(record)
        self.assertEqual(shown(log), ["new", "(deleted)", "line 5"])
        self.assertTrue(log.find(1).edited)
        self.assertEqual((log.find(2).deletion.sender, log.find(2).deletion.reason),
                         ("eve", "spam"))

    def test_an_older_edit_does_not_undo_a_newer_one(self):
        log = RoomLog(60)
        # The page has the text as it is now; the newer edit is not on it.
        log.add_page([message(40, "newest", edited=True), edited(50, 40, "older")], 40, 55, 60)
        self.assertEqual(shown(log)[1:2], ["newest"])
        log.add_page([edited(60, 40, "newest")], 56, 60, 60)
        log.add(edited(61, 40, "even newer"))
        log.add(edited(59, 40, "late"))
        self.assertEqual(shown(log)[1:2], ["even newer"])
        log.add_page([message(40, "newest", edited=True)], 40, 40, 60)  # asked for before that
        self.assertEqual(shown(log)[1:2], ["even newer"])

    def test_a_page_that_is_older_than_what_came_meanwhile(self):
        log = RoomLog(50)
        for act in (edited(51, 40, "new"), deleted(52, 41, "spam"), reaction(53, 40)):
            log.add(act)
        log.add_page([message(40), message(41)], 40, 41, 50)
        self.assertEqual(shown(log)[1:3], ["new", "(deleted)"])
        self.assertEqual(log.find(41).deletion.reason, "spam")
        self.assertEqual(log.find(40).reactions, {"+1": ["bob"]})

    def test_an_edit_that_was_missed_is_made_up_for(self):
        log = RoomLog(0)
        log.add(message(1))
        log.add_page([edited(2, 1, "new"), message(3)], 2, 3, 3)
        self.assertEqual(shown(log), ["new", "line 3"])

    def test_a_deleted_message_stays_deleted(self):
        log = RoomLog(0)
        for record in (message(1), deleted(2, 1), edited(3, 1, "", deleted=True),
                       edited(4, 1, "back"), reaction(5, 1)):
            log.add(record)
        self.assertEqual(shown(log), ["(deleted)"])

    def test_reactions_are_as_their_newest_record_says(self):
        records = [reaction(2, 1), reaction(3, 1, sender="eve"), reaction(4, 1, "ok"),
                   reaction(5, 1, removed=True), reaction(6, 1, "ok", "EVE")]
        for order in (records, records[::-1], records[2:] + records[:2]):
            log = RoomLog(6)
            for record in order:
                log.add_page([record], record.offset, record.offset, 6)
            log.add_page([message(1)], 1, 1, 6)
            self.assertEqual(log.find(1).reactions, {"+1": ["eve"], "ok": ["bob", "EVE"]})
        log.add(reaction(7, 1, "ok", "eve", removed=True))
        self.assertEqual(log.find(1).reactions, {"+1": ["eve"], "ok": ["bob"]})

    def test_the_same_twice_is_there_once(self):
        log = RoomLog(0)
        for record in (message(1), message(1), reaction(2, 1), reaction(2, 1)):
            log.add(record)
        log.add_page([message(1), reaction(2, 1)], 1, 2, 2)
        self.assertEqual(shown(log), ["line 1"])
        self.assertEqual(log.find(1).reactions, {"+1": ["bob"]})

    def test_remarks_stand_where_they_were_made(self):
        log = RoomLog(0)
        log.add(message(1))
        log.remark("first", "note", NOON)
        log.remark("second", "note", NOON)
        log.add(message(2))
        log.add_page([quicchat.TopicChanged(*head(3), "tea")], 3, 3, 3)
        self.assertEqual(shown(log), ["line 1", "* first", "* second", "line 2", "TopicChanged"])
        log.clear(0)
        self.assertEqual(shown(log), ["* first", "* second"])

    def test_a_message_that_is_only_quoted(self):
        log = RoomLog(90)
        log.add_page([message(90, reply_to=7), message(91, reply_to=90)], 90, 91, 91)
        self.assertEqual(log.missing_quotes(), [7])
        log.quote_only(message(7))
        self.assertEqual(log.missing_quotes(), [])
        log.add(edited(92, 7, "changed"))
        self.assertEqual(log.quoted(7).text, "changed")
        self.assertIsNone(log.find(7))

    def test_it_does_not_grow_for_ever(self):
        for near in (1, 1 << 40):
            log = RoomLog(0)
            for n in range(1, 3 * _room_log.ITEMS_MAX, 2):
                log.add(message(n))
                log.add(reaction(n + 1, n))
                log.trim(near)
            self.assertLessEqual(len(log.messages()), _room_log.ITEMS_MAX)
            self.assertLessEqual(len(log._acts), _room_log.ITEMS_MAX)
            self.assertLessEqual(len(log._about), len(log._acts) + 1)
            kept = log.messages()
            self.assertEqual(kept[0].offset == 1, near == 1)
            # What was forgotten is a hole, and nothing else is.
            holes = [n for hole in log.holes() for n in range(hole.first, hole.last + 1)]
            self.assertEqual({said.offset for said in kept},
                             set(range(1, 3 * _room_log.ITEMS_MAX, 2)) - set(holes))
        with mock.patch.object(_room_log, "CHARACTERS_MAX", 1000):
            log = RoomLog(0)
            for n in range(1, 100):
                log.add(message(n, "x" * 100))
                log.trim(n)
            self.assertLessEqual(len(log.messages()), 10)
            self.assertEqual(log._characters, sum(len(said.text) for said in log.messages()))
            log.add(edited(200, 99, "y" * 300))
            log.add(edited(201, 99, "y" * 400))
            log.add(deleted(202, 98))
            texts = sum(len(said.text) for said in log.messages())
            self.assertEqual(log._characters, texts + 400)  # the newest edit as well


class PaneCase(unittest.TestCase):
    def pane(self, marker, head):
        room = SimpleNamespace(name="#tea", topic="", head=head, next=head + 1, marker=marker,
                               epoch=1)
        return Pane(room, "ada", Wishes())


class WhatIsRead(PaneCase):
    def test_only_what_was_on_the_screen(self):
        pane = self.pane(0, 0)
        for n in range(1, 11):
            pane.take(message(n, "@ada" if n == 9 else None))
        self.assertEqual((pane.unread, pane.mentions), (10, 1))
        pane.see(range(5, 11))  # who is at the end has not seen the beginning
        self.assertEqual((pane.readable(), pane.unread), (0, 10))
        pane.see(range(1, 4))
        self.assertEqual((pane.readable(), pane.unread, pane.mentions), (3, 7, 1))
        pane.see({4, 5, 8, 9, 10})  # two came since the screen was drawn
        self.assertEqual(pane.shown, 5)
        pane.see(range(4, 11))
        self.assertEqual((pane.readable(), pane.unread, pane.mentions), (10, 0, 0))

    def test_a_hole_was_not_seen(self):
        pane = self.pane(10, 50)
        pane.unread = 40
        pane.add_page([message(n) for n in range(41, 51)], 41, 50, 50)
        for first in (45, 41):
            pane.see(range(first, 51))
        self.assertEqual((pane.readable(), pane.unread, pane.first_unread()), (10, 40, 11))
        pane.add_page([message(n) for n in range(11, 41)], 11, 40, 50)
        self.assertEqual(pane.unread, 40)
        pane.see(range(11, 51))
        self.assertEqual((pane.readable(), pane.unread, pane.first_unread()), (50, 0, None))

    def test_what_has_no_line_needs_no_look(self):
        pane = self.pane(0, 0)
        pane.lines.wishes.ignored.add("eve")
        for record in (message(1), reaction(2, 1), message(3, sender="ada"),
                       message(4, sender="eve"), edited(5, 1, "x"), message(6), reaction(7, 1)):
            pane.take(record)
        self.assertEqual(pane.unread, 2)
        pane.see(range(1, 2))
        self.assertEqual((pane.readable(), pane.unread), (5, 1))
        pane.see(range(6, 7))
        self.assertEqual((pane.readable(), pane.unread), (7, 0))

    def test_another_device_has_read(self):
        pane = self.pane(0, 0)
        for n in range(1, 6):
            pane.take(message(n))
        pane.read_elsewhere(3)
        self.assertEqual((pane.readable(), pane.unread), (3, 2))

    def test_another_life_of_the_log(self):
        pane = self.pane(0, 0)
        pane.take(message(1))
        pane.take(quicchat.Gap("#tea", 2, 1, 0, "new_epoch"))
        self.assertEqual(shown(pane.log), [
            "* the server has lost the room's messages; what was written meanwhile is unknown"])
        self.assertEqual((pane.unread, pane.readable(), pane.is_shown), (0, 0, True))

    def test_a_page_of_another_life_is_none_of_this(self):
        pane = self.pane(0, 3)
        for epoch, expected in ((2, [(1, 3)]), (1, ["line 3"])):
            page = quicchat.HistoryPage("#tea", epoch, (message(3),), True, True)
            take_page(pane, page, 3, 3, 3)
            self.assertEqual(shown(pane.log), expected)

    def test_a_gap_is_said_and_no_hole(self):
        pane = self.pane(0, 0)
        pane.take(quicchat.Gap("#tea", 1, 1, 7))
        pane.take(message(8))
        self.assertEqual(shown(pane.log), ["* 7 older messages are not kept any more", "line 8"])


class People(PaneCase):
    def names(self, pane):
        return {person.user: (person.role.name.lower(), person.present)
                for person in pane.members.values()}

    def test_who_is_here(self):
        pane, role = self.pane(0, 0), quicchat.Role
        pane.learn([quicchat.Member("bob", role.OWNER, True),
                    quicchat.Member("eve", role.MEMBER, False)])
        for event in (quicchat.MemberJoined("#tea", "kim"), quicchat.MemberJoined("#tea", "Eve"),
                      quicchat.MemberLeft("#tea", "bob"),
                      quicchat.RoleChanged(*head(1), "eve", role.MODERATOR, None, "")):
            pane.take(event)
        self.assertEqual(self.names(pane), {"bob": ("owner", False), "eve": ("moderator", True),
                                            "kim": ("none", True)})
        pane.take(quicchat.MemberLeft("#tea", "kim"))
        pane.take(quicchat.Members("#tea", (quicchat.Member("bob", role.OWNER, True),), True))
        self.assertEqual(self.names(pane), {"bob": ("owner", True), "eve": ("moderator", False)})
        pane.take(quicchat.ProfileChanged("bob", "Bobby"))
        self.assertEqual(pane.members["bob"].display_name, "Bobby")

    def test_readers_stand_where_they_are(self):
        pane = self.pane(0, 0)
        for user, offset in (("eve", 3), ("bob", 4), ("ada", 4)):
            pane.take(quicchat.MarkerMoved("#tea", user, offset))
        self.assertEqual(pane.readers_of(3, 5), ["bob", "eve"])
        self.assertEqual(pane.readers_of(5, 9), [])

    def test_who_types_and_then_not(self):
        pane = self.pane(0, 0)
        pane.take(quicchat.Typing("#tea", "bob", True))
        self.assertEqual(pane.typists(), ["bob"])
        pane.take(message(1))
        self.assertEqual(pane.typists(), [])

    def test_how_far_a_file_is(self):
        self.assertEqual(Transfer("sending a", 3, 4).text(8), "sending a ██████░░ 75 % of 4 bytes")
        self.assertEqual(Transfer("sending a").text(), "sending a")

    def test_the_lines_of_commands_know_the_log(self):
        pane = self.pane(0, 0)
        for record in (message(1, sender="ada"), message(3), message(2, sender="ada"),
                       message(4, "f", file=quicchat.FileInfo(3, "0" * 64)), edited(5, 3, "new")):
            pane.take(record)
        pane.take(deleted(6, 4))
        self.assertEqual(pane.lines.newest(mine=True), 2)
        self.assertEqual(pane.lines.newest(mine=False), 3)
        self.assertIsNone(pane.lines.find_file(None))
        self.assertEqual(pane.lines.quote(3), 'bob\'s "new"')


if __name__ == "__main__":
    unittest.main()
