"""A server that does not answer, or not yet."""

import asyncio
import unittest
from unittest import mock

from _support import Case, account, next_of, quicchat, scaled
from _terminal import shown


class Answers(Case):
    def serve(self, scenario, limits):
        """Runs `scenario(ada, bob, answer)`; both are in #lobby, bob with those limits. What bob
        says has no answer before `answer` is set."""
        async def main():
            answer = asyncio.Event()

            async def check(question):
                if question.user == "bob":
                    await answer.wait()
                return True

            async with quicchat.serve(self.config(), check=check,
                                      check_timeout=scaled(60)) as server:
                def connect(name, **options):
                    return quicchat.connect("127.0.0.1", server.address[1], **account(name),
                                            **options)
                async with connect("ada") as ada, connect("bob", limits=limits) as bob:
                    await ada.join("#lobby")
                    await bob.join("#lobby")
                    await scenario(ada, bob, answer)

        self.run_async(main)

    def test_what_is_late_is_said_and_comes_all_the_same(self):
        async def scenario(ada, bob, answer):
            sending = asyncio.create_task(bob.send("#lobby", "hello"))
            late = await next_of(bob, quicchat.NoAnswerYet)
            self.assertEqual((late.kind, late.room), ("message", "#lobby"))
            self.assertGreaterEqual(late.waited, 0.2)
            self.assertFalse(sending.done())
            await ada.send("#lobby", "I am here")  # others are answered
            self.assertEqual((await next_of(bob, quicchat.Message)).text, "I am here")
            answer.set()
            self.assertEqual((await sending).offset, 2)
            self.assertTrue(bob.is_online)

        self.serve(scenario, quicchat.Limits(answer_wait=0.2))

    def test_a_server_that_says_nothing_is_left_and_asked_again(self):
        async def scenario(ada, bob, answer):
            sending = asyncio.create_task(bob.send("#lobby", "hello"))
            lost = await next_of(bob, quicchat.Reconnecting)
            self.assertIn("the server answers nothing", str(lost.cause))
            answer.set()
            await next_of(bob, quicchat.Online)
            self.assertEqual((await sending).offset, 1)
            self.assertEqual((await next_of(ada, quicchat.Message)).text, "hello")
            await bob.send("#lobby", "again")
            self.assertEqual((await next_of(ada, quicchat.Message)).text, "again")

        self.serve(scenario, quicchat.Limits(answer_wait=scaled(0.5), answer_timeout=scaled(1.5)))

    def test_limits_that_do_not_fit_are_refused(self):
        with self.assertRaises(quicchat.ConfigError) as caught:
            quicchat.Limits(answer_wait=10, answer_timeout=10)
        self.assertIn("answer_timeout above answer_wait", str(caught.exception))

    def test_the_chat_shows_one_line(self):
        from quicchat.cli._screen import Screen
        from quicchat.cli._session import Session

        async def main():
            screen = Screen(mock.Mock(is_terminal=False), plain=True)
            Session(mock.Mock(user="ada"), screen, 10)._show(
                quicchat.NoAnswerYet("message", "@bob", 10.0))

        with shown() as output:
            self.run_async(main)
        self.assertEqual(output.getvalue(), "* no answer yet from the server; still waiting\n")


if __name__ == "__main__":
    unittest.main()
