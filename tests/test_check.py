"""A function of the program decides what may be said."""

import asyncio
import threading
import time
import unittest

from _support import Case, account, next_of, quicchat, scaled


class Check(Case):
    def serve(self, scenario, check, database=None, **options):
        """Runs `scenario(ada, bob, server)`; both are in #lobby."""
        async def main():
            config = self.config(limits={"drain_timeout": 0.2}, database=database)
            async with quicchat.serve(config, check=check, **options) as server:
                def connect(name):
                    return quicchat.connect("127.0.0.1", server.address[1], **account(name))
                async with connect("ada") as ada, connect("bob") as bob:
                    self.room = await ada.join("#lobby")
                    await bob.join("#lobby")
                    await scenario(ada, bob, server)

        self.run_async(main)

    async def failure(self, server):
        async for event in server:
            if isinstance(event, quicchat.CheckFailed):
                return event
        raise AssertionError("the server ended")

    async def text_of(self, chat):
        return (await next_of(chat, quicchat.Message)).text

    def test_a_function_or_a_coroutine_function_answers(self):
        asked = []

        def directly(question):
            asked.append(question)
            return {"fine": True, "no": False, "links": quicchat.Refuse("no links\nhere \x1b[1m"),
                    "damn": "d***", "marked": quicchat.Replace(attributes={"by": "us"}),
                    "both": quicchat.Replace("BOTH", {}), "psst": "PSST",
                    "better": "best"}[question.text]

        async def later(question):
            await asyncio.sleep(0.01)
            return directly(question)

        class WithMethod:
            async def __call__(self, question):
                return directly(question)

        async def scenario(ada, bob, _):
            sent = await ada.send("#lobby", "fine", attributes={"a": 1})
            self.assertEqual(await self.text_of(bob), "fine")
            await self.assert_refused("not_accepted", ada.send("#lobby", "no"))
            error = await self.assert_refused("not_accepted", ada.send("#lobby", "links"))
            self.assertEqual(error.reason, "no links\nhere [1m")
            self.assertTrue(error.hint)
            await ada.send("#lobby", "damn")
            self.assertEqual(await self.text_of(bob), "d***")
            await ada.send("#lobby", "marked", attributes={"a": 1})
            message = await next_of(bob, quicchat.Message)
            self.assertEqual((message.text, message.attributes), ("marked", {"by": "us"}))
            await ada.send("#lobby", "both", attributes={"a": 1})
            message = await next_of(bob, quicchat.Message)
            self.assertEqual((message.text, message.attributes), ("BOTH", {}))
            await ada.tell("bob", "psst")
            self.assertEqual((await next_of(bob, quicchat.PrivateMessage)).text, "PSST")
            lobby = (await bob.history("#lobby")).messages
            self.assertEqual(len(lobby), 4)
            await self.room.edit(sent, "better")
            self.assertEqual((await next_of(bob, quicchat.Edited)).text, "best")

        for check in (directly, later, WithMethod()):
            with self.subTest(check):
                self.serve(scenario, check)
        self.assertEqual(asked[0], quicchat.MessageQuestion(
            "ada", "#lobby", "fine", '{"a": 1}', "message", ""))
        told = next(q for q in asked if q.text == "psst")
        self.assertEqual((told.room, told.recipient, told.kind), ("@bob", "bob", "message"))
        self.assertEqual(next(q for q in asked if q.text == "better").kind, "edit")

    def test_exceptions_and_nonsense_refuse_and_are_told(self):
        answers = {"none": None, "number": 17, "surrogate": "\udc80", "empty": "",
                   "control": "\x1b[2J"}

        def check(question):
            if question.text == "raise":
                raise ValueError("the dictionary is lost")
            return answers[question.text]

        async def scenario(ada, _, server):
            for text, name, words in (
                    ("raise", "not_checked", "the dictionary is lost"),
                    ("none", "not_checked", "not NoneType"),
                    ("number", "not_checked", "not int"),
                    ("surrogate", "not_checked", "UnicodeEncodeError"),
                    ("empty", "not_accepted", "is not fit"),
                    ("control", "not_accepted", "is not fit")):
                error = await self.assert_refused(name, ada.send("#lobby", text))
                self.assertTrue(error.hint)
                failed = await self.failure(server)
                self.assertEqual((failed.user, failed.room), ("ada", "#lobby"))
                self.assertIn(words, failed.text)
            self.assertEqual((await ada.history("#lobby")).messages, [])

        self.serve(scenario, check)

    def test_who_thinks_for_too_long(self):
        async def never(question):
            await asyncio.Event().wait()

        def busy(question):
            time.sleep(1)
            return True

        async def refused(ada, _, server):
            begin = time.monotonic()
            await self.assert_refused("not_checked", ada.send("#lobby", "hello"))
            self.assertLess(time.monotonic() - begin, scaled(5))
            self.assertIn("did not answer within 0.2 s", (await self.failure(server)).text)
            self.assertEqual((await ada.history("#lobby")).messages, [])

        async def accepted(ada, bob, server):
            await ada.send("#lobby", "hello")
            self.assertEqual(await self.text_of(bob), "hello")
            self.assertIn("did not answer within 0.2 s", (await self.failure(server)).text)

        for check in (never, busy):
            with self.subTest(check.__name__):
                self.serve(refused, check, check_timeout=0.2)
                self.serve(accepted, check, check_timeout=0.2, check_failure="accept")

    def test_a_loop_that_is_stuck_refuses_too(self):
        async def stuck(question):
            time.sleep(scaled(4))  # wrong, but it happens: nothing else runs in this loop
            return True

        async def scenario(_, __, server):
            outcome = []

            def elsewhere():
                with quicchat.sync.connect("127.0.0.1", server.address[1], **account("eve")) as eve:
                    eve.join("#lobby")
                    begin = time.monotonic()
                    try:
                        eve.send("#lobby", "hello")
                    except quicchat.RequestError as error:
                        outcome.append((error.name, time.monotonic() - begin))

            thread = threading.Thread(target=elsewhere)
            thread.start()
            await asyncio.to_thread(thread.join)
            self.assertEqual([name for name, _ in outcome], ["not_checked"])
            self.assertLess(outcome[0][1], scaled(3.5))

        self.serve(scenario, stuck, check_timeout=0.5)

    def test_what_one_client_sends_stays_in_order_and_others_do_not_wait(self):
        async def check(question):
            if question.user == "ada":
                await asyncio.sleep(0.5 if question.text == "0" else 0.001)
            return question.text != "7"

        async def scenario(ada, bob, _):
            sends = [asyncio.ensure_future(ada.send("#lobby", str(i))) for i in range(100)]
            await asyncio.sleep(0.1)
            await bob.send("#lobby", "quick")
            results = await asyncio.gather(*sends, return_exceptions=True)
            self.assertEqual([r.name for r in results if isinstance(r, Exception)],
                             ["not_accepted"])
            texts = [m.text for m in (await ada.history("#lobby", limit=100)).messages]
            self.assertEqual(texts[0], "quick")
            self.assertEqual(texts[1:], [str(i) for i in range(100) if i != 7])

        self.serve(scenario, check)

    def test_what_is_sent_again_has_the_first_receipt_whatever_is_said_now(self):
        answers = ["d***", False, True, "other"]

        async def once(ada, bob, server, receipt=None):
            again = await ada.send("#lobby", "damn", id=b"0123456789abcdef")
            self.receipt = getattr(self, "receipt", again)
            self.assertEqual(again.offset, self.receipt.offset)
            self.assertEqual(again.epoch, self.receipt.epoch)
            texts = [m.text for m in (await bob.history("#lobby")).messages]
            self.assertEqual(texts, ["d***"])

        async def conflict(ada, _, __):
            await self.assert_refused(
                "conflict", ada.send("#lobby", "d***", id=b"0123456789abcdef"))

        async def both(ada, bob, server):
            for _ in range(4):
                await once(ada, bob, server)
            answers.append(True)
            await conflict(ada, bob, server)

        self.serve(both, lambda question: answers.pop(0), database="chat.db")

    def test_names_of_files_are_asked_about_before_they_are_sent(self):
        asked = []

        def check(question):
            asked.append((question.kind, question.user, question.room, question.text))
            return {"ok.txt": True, "damn.txt": "d***.txt",
                    "bad.txt": quicchat.Refuse("not that name")}[question.text]

        async def scenario(ada, bob, server):
            def send(name):
                return ada.send_file("#lobby", b"bytes", name=name)

            await send("ok.txt")
            self.assertEqual(await self.text_of(bob), "ok.txt")
            await send("damn.txt")
            told = await next_of(bob, quicchat.Message)
            self.assertEqual(told.text, "d***.txt")
            self.assertEqual(await bob.read_file("#lobby", told.offset), b"bytes")
            error = await self.assert_refused("not_accepted", send("bad.txt"))
            self.assertEqual(error.reason, "not that name")

        self.serve(scenario, check)
        self.assertEqual(asked, [("file", "ada", "#lobby", name)
                                 for name in ("ok.txt", "damn.txt", "bad.txt")])

    def test_settings_that_cannot_be(self):
        config = self.config()
        for options in ({"check_timeout": 0}, {"check_timeout": "soon"}, {"check_timeout": True},
                        {"check_failure": "ignore"}):
            with self.subTest(options), self.assertRaises(quicchat.ConfigError):
                quicchat.serve(config, check=print, **options)


if __name__ == "__main__":
    unittest.main()
