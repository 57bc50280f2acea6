"""`quicchat.Bot`: commands, events, order, faults, rates and ends."""

import asyncio
import unittest

from _in_memory import InMemory
from _support import PATIENCE, quicchat


async def answers(net, chat):
    """What others than the chat's user have said since the last time."""
    return [e.text for e in await net.received(chat)
            if isinstance(e, quicchat.Message | quicchat.PrivateMessage) and e.sender != chat.user]


class WithBot(InMemory):
    def with_bot(self, bot, scenario, **options):
        """Runs `scenario(net, ada, room)` with the bot at work in #lobby and #tea."""

        async def all_of_it(net):
            task = asyncio.create_task(bot.start(await net.connect("dice", pace=True)))
            ada = await net.connect("ada")
            room = await ada.join("#lobby")
            await net.settle()
            self.assertFalse(task.done() and task.exception())
            await net.received(ada)
            try:
                await scenario(net, ada, room)
            finally:
                bot.stop()
                await task

        self.on(all_of_it, **{"rooms": ["#lobby", "#tea"], **options})


class Commands(WithBot):
    def test_words_are_read_as_the_parameters_say(self):
        bot = quicchat.Bot(rooms=["#lobby"])
        seen = []

        @bot.command("roll", "r")
        async def roll(context, sides: int = 6, *, why: str = ""):
            """Rolls a die.

            More of it.
            """
            seen.append((context.sender, context.room, sides, why))
            await context.reply(f"of {sides}")

        @bot.command
        def add(context, first: float, *others: float):
            seen.append(first + sum(others))

        @bot.command
        async def switch(context, on: bool, name: str):
            seen.append((on, name))

        async def scenario(net, ada, room):
            asked = await room.send("!roll")
            [answer] = [e for e in await net.received(ada) if getattr(e, "sender", "") == "dice"]
            self.assertEqual((answer.text, answer.reply_to), ("of 6", asked.offset))
            for line in ("!R 20 because  I say", "!add 1 2.5 3", "!switch no lamp", "!nothing",
                         "roll", "! roll", "!roll20"):
                await room.send(line)
            self.assertEqual(await answers(net, ada), ["of 20"])
            self.assertEqual(seen, [("ada", "#lobby", 6, ""),
                                    ("ada", "#lobby", 20, "because  I say"), 6.5,
                                    (False, "lamp")])
            for line, answer in (
                    ("!roll x", "sides is a whole number; usage: !roll [sides] [why...]"),
                    ("!add", "first is missing; usage: !add <first> [others...]"),
                    ("!switch maybe x", "on is yes or no; usage: !switch <on> <name>"),
                    ("!switch on a b", "that is too much; usage: !switch <on> <name>"),
                    ("!help roll", "!roll [sides] [why...]: Rolls a die."),
                    ("!help nothing", "no such command: nothing")):
                await room.send(line)
                self.assertEqual(await answers(net, ada), [answer])
            await room.send("!help")
            [text] = await answers(net, ada)
            self.assertEqual(len(text.splitlines()), 4)

        self.with_bot(bot, scenario)

    def test_one_person_alone_is_answered_alone(self):
        bot = quicchat.Bot()

        @bot.command
        async def hello(context):
            await context.reply(f"hello {context.room}")

        async def scenario(net, ada, room):
            await ada.tell("dice", "!hello")
            self.assertEqual(await answers(net, ada), ["hello @ada"])

        self.with_bot(bot, scenario)

    def test_its_own_messages_are_no_commands(self):
        bot = quicchat.Bot(rooms=["#lobby"])
        seen = []

        @bot.command
        async def again(context):
            seen.append(context.sender)
            await context.send("!again")

        async def scenario(net, ada, room):
            await room.send("!again")
            await net.settle()
            self.assertEqual(seen, ["ada"])

        self.with_bot(bot, scenario)

    def test_what_no_text_can_be_is_refused_when_it_is_written(self):
        bot = quicchat.Bot()
        with self.assertRaises(TypeError):
            @bot.command
            def one(context, what: bytes): ...
        with self.assertRaises(TypeError):
            @bot.command
            def two(): ...
        with self.assertRaises(ValueError):
            bot.command("help")(lambda context: None)
        with self.assertRaises(ValueError):
            bot.command("two words")(lambda context: None)
        with self.assertRaises(ValueError):
            quicchat.Bot(prefix="")
        with self.assertRaises(TypeError):
            bot.on("message")
        with self.assertRaises(RuntimeError):
            bot.room("#lobby")


class Order(WithBot):
    def test_a_room_is_handled_in_order_and_holds_up_no_other(self):
        bot = quicchat.Bot(rooms=["#lobby", "#tea"])
        gate, seen = asyncio.Event(), []

        @bot.on(quicchat.Message)
        async def take(event):
            if event.text == "slow":
                await gate.wait()
            seen.append((event.room, event.text))

        async def scenario(net, ada, room):
            tea = await ada.join("#tea")
            for where, text in ((room, "slow"), (room, "behind"), (tea, "one"), (tea, "two")):
                await where.send(text)
            await ada.tell("dice", "alone")
            await net.settle()
            self.assertEqual(seen, [("#tea", "one"), ("#tea", "two")])
            gate.set()
            await net.settle()
            self.assertEqual(seen[2:], [("#lobby", "slow"), ("#lobby", "behind")])

        self.with_bot(bot, scenario)

    def test_those_who_write_to_it_alone_do_not_wait_for_each_other(self):
        bot = quicchat.Bot()
        gate, seen = asyncio.Event(), []

        @bot.on(quicchat.PrivateMessage)
        async def take(event):
            if event.sender == "ada":
                await gate.wait()
            seen.append(event.text)

        async def scenario(net, ada, room):
            bob = await net.connect("bob")
            await ada.tell("dice", "from ada")
            await bob.tell("dice", "from bob")
            await net.settle()
            self.assertEqual(seen, ["from bob"])
            gate.set()
            await net.settle()
            self.assertEqual(seen, ["from bob", "from ada"])

        self.with_bot(bot, scenario)

    def test_who_floods_it_holds_up_nobody_else(self):
        bot = quicchat.Bot(rooms=["#lobby"])
        gate, seen = asyncio.Event(), []

        @bot.on(quicchat.PrivateMessage)
        async def take(event):
            if event.sender == "eve":
                await gate.wait()
            seen.append(event.sender)

        @bot.on(quicchat.ProfileChanged)
        async def greet(event):
            if event.user == "eve":
                await gate.wait()
            seen.append(event.display_name)

        async def scenario(net, ada, room):
            eve = await net.connect("eve")
            await (await eve.join("#lobby")).send("here I am")
            await eve.set_display_name("Eve")
            await ada.set_display_name("Ada")
            await net.settle()
            self.assertEqual(seen, ["Ada"])
            seen.clear()
            with self.assertLogs("quicchat.bot", "WARNING") as logged:
                for _ in range(1100):
                    await eve.tell("dice", "me")
                await ada.tell("dice", "and me?")
                await net.settle()
                self.assertEqual(seen, ["ada"])
                gate.set()
                await net.settle()
            # Her name was at work; of her messages some wait, and what was left out is said once.
            self.assertEqual(seen.count("eve"), 256)
            [line] = logged.output
            self.assertIn("@eve", line)
            await eve.tell("dice", "again")
            await net.settle()
            self.assertEqual(seen.count("eve"), 257)

        self.with_bot(bot, scenario)

    def test_events_of_every_kind_come_to_all_who_want_them(self):
        bot = quicchat.Bot(rooms=["#lobby"])
        seen = []
        bot.on(quicchat.Edited, quicchat.Reaction)(lambda event: seen.append(type(event).__name__))
        bot.on(quicchat.Record)(lambda event: seen.append("record"))
        bot.on(quicchat.Reconnecting)(lambda event: seen.append("lost"))

        async def scenario(net, ada, room):
            sent = await room.send("x")
            await room.edit(sent, "y")
            await room.react(sent, "z")
            await net.settle()
            self.assertEqual(seen, ["record", "Edited", "record", "Reaction", "record"])
            net.cut(bot.chat)
            await net.settle()
            self.assertEqual(seen[5:], ["lost"])

        self.with_bot(bot, scenario)

    def test_another_room_is_joined_later(self):
        bot = quicchat.Bot()

        @bot.command
        async def come(context, room: str):
            await bot.join(room)

        @bot.command
        async def hi(context):
            await context.send("hi")

        async def scenario(net, ada, room):
            tea = await ada.join("#tea")
            await tea.send("!hi")
            await ada.tell("dice", "!come #tea")
            await net.settle()
            await net.received(ada)
            await tea.send("!hi")
            self.assertEqual(await answers(net, ada), ["hi"])

        self.with_bot(bot, scenario)


class Faults(WithBot):
    def test_an_exception_is_logged_and_the_bot_goes_on(self):
        bot = quicchat.Bot(rooms=["#lobby"])

        @bot.command
        async def fail(context):
            raise ZeroDivisionError("by us")

        @bot.command
        def refused(context):
            return context.chat.send("#nowhere", "x")

        @bot.command
        async def hi(context):
            await context.send("hi")

        async def scenario(net, ada, room):
            with self.assertLogs("quicchat.bot") as logged:
                for line in ("!fail", "!refused", "!hi"):
                    await room.send(line)
                self.assertEqual(await answers(net, ada), ["hi"])
            self.assertEqual([record.levelname for record in logged.records],
                             ["ERROR", "WARNING"])
            self.assertIn("ZeroDivisionError", logged.output[0])

        self.with_bot(bot, scenario)

    def test_too_many_answers_are_paced(self):
        bot = quicchat.Bot(rooms=["#lobby"])

        @bot.command
        async def count(context, number: int):
            for n in range(number):
                await context.send(str(n))

        async def scenario(net, ada, room):
            await room.send("!count 40")
            first = await answers(net, ada)
            self.assertLess(len(first), 40)
            await net.advance(120)
            self.assertEqual(first + await answers(net, ada), [str(n) for n in range(40)])

        self.with_bot(bot, scenario, limits=quicchat.Limits(messages_per_account=1)
                      if quicchat else None)

    def test_a_room_that_is_not_there_is_said_at_once(self):
        async def scenario(net):
            bot = quicchat.Bot(rooms=["#nowhere"])
            with self.assertRaises(quicchat.RequestError):
                await bot.start(await net.connect("dice"))

        self.on(scenario)

    def test_the_end_of_the_connection_is_raised(self):
        async def scenario(net):
            bot = quicchat.Bot(rooms=["#lobby"])
            task = asyncio.create_task(bot.start(await net.connect("dice", reconnect=False)))
            await net.settle()
            net.cut(bot.chat)
            with self.assertRaises(quicchat.Closed):
                await task
            with self.assertRaises(RuntimeError):
                _ = bot.chat

        self.on(scenario)

    def test_what_is_at_work_may_end_and_no_more_begins(self):
        bot = quicchat.Bot(rooms=["#lobby"])
        seen = []

        @bot.command
        async def slow(context, what: str):
            seen.append("begun " + what)
            await asyncio.sleep(0.01)
            seen.append("done " + what)

        @bot.command
        async def forever(context):
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("cancelled")

        async def scenario(net, grace, lines):
            task = asyncio.create_task(bot.start(await net.connect("dice")))
            room = await (await net.connect("ada")).join("#lobby")
            await net.settle()
            for line in lines:
                await room.send(line)
            await net.settle()
            bot.grace = grace
            bot.stop()
            await task

        self.on(lambda net: scenario(net, PATIENCE, ["!slow one", "!slow two"]))
        self.assertEqual(seen, ["begun one", "done one"])
        seen.clear()
        self.on(lambda net: scenario(net, 0.05, ["!forever"]))
        self.assertEqual(seen, ["cancelled"])


if __name__ == "__main__":
    unittest.main()
