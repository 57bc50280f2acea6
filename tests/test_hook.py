"""A function of the program decides who may log in."""

import asyncio
import threading
import time
import unittest

from _support import ACCOUNTS, Case, account, quicchat, scaled


class Hook(Case):
    def serve(self, scenario, authenticate, **options):
        async def main():
            config = self.config(limits={"drain_timeout": 0.2})
            async with quicchat.serve(config, authenticate=authenticate, **options) as server:
                tls = quicchat.TLS.pin(server.fingerprint)

                def connect(user, password):
                    return quicchat.connect("127.0.0.1", server.address[1], user=user,
                                            password=password, tls=tls)
                await scenario(connect, server)

        self.run_async(main)

    async def failure(self, server):
        async for event in server:
            if isinstance(event, quicchat.HookFailed):
                return event
        raise AssertionError("the server ended")

    async def is_refused(self, connect, user, password):
        with self.assertRaises(quicchat.AuthError) as caught:
            await connect(user, password)
        self.assertIn("wrong user name or password", str(caught.exception))

    def test_a_function_or_a_coroutine_function_answers(self):
        asked = []

        def directly(question):
            asked.append(question)
            return {"ada": True, "bob": False, "zoe": "from elsewhere",
                    "old": quicchat.Account("OLD", "spelt"), "eve": None}[question.user.lower()]

        async def later(question):
            return directly(question)

        class WithMethod:
            async def __call__(self, question):
                return directly(question)

        async def scenario(connect, _):
            async with connect("ada", ACCOUNTS["ada"]) as chat:
                await (await chat.join("#lobby")).send("hello")
            async with connect("zoe", "from elsewhere") as chat:
                self.assertEqual(chat.user, "zoe")
            async with connect("Old", "spelt") as chat:
                self.assertEqual(chat.user, "OLD")
            await self.is_refused(connect, "ada", "wrong")
            await self.is_refused(connect, "bob", ACCOUNTS["bob"])
            await self.is_refused(connect, "eve", ACCOUNTS["eve"])
            await self.is_refused(connect, "zoe", "wrong")

        for authenticate in (directly, later, WithMethod()):
            with self.subTest(authenticate):
                self.serve(scenario, authenticate)
        self.assertEqual((asked[0].user, asked[0].mechanism), ("ada", "SCRAM-SHA-256-PLUS"))
        self.assertRegex(asked[0].peer, r"^127\.0\.0\.1:\d+$")
        self.assertRegex(asked[0].device, r"^[0-9a-f]{32}$")

    def test_exceptions_and_nonsense_refuse_and_are_told(self):
        def authenticate(question):
            if question.user == "ada":
                raise ValueError("the directory is down")
            return 17

        async def scenario(connect, server):
            await self.is_refused(connect, "ada", ACCOUNTS["ada"])
            failed = await self.failure(server)
            self.assertEqual(failed.user, "ada")
            self.assertIn("the directory is down", failed.text)
            await self.is_refused(connect, "bob", ACCOUNTS["bob"])
            self.assertIn("not int", (await self.failure(server)).text)

        self.serve(scenario, authenticate)

    def test_who_thinks_for_too_long_refuses(self):
        async def never(question):
            await asyncio.sleep(60)

        def busy(question):
            time.sleep(1.5)
            return True

        async def scenario(connect, server):
            begin = time.monotonic()
            await self.is_refused(connect, "ada", ACCOUNTS["ada"])
            self.assertLess(time.monotonic() - begin, scaled(10))
            self.assertIn("did not answer within 0.2 s", (await self.failure(server)).text)

        for authenticate in (never, busy):
            with self.subTest(authenticate.__name__):
                self.serve(scenario, authenticate, hook_timeout=0.2)

    def test_a_loop_that_is_stuck_refuses_too(self):
        async def stuck(question):
            time.sleep(scaled(4))  # wrong, but it happens: nothing else runs in this loop
            return True

        async def scenario(connect, server):
            outcome = []

            def elsewhere():
                try:
                    quicchat.sync.connect("127.0.0.1", server.address[1], **account(),
                                          tls=quicchat.TLS.pin(server.fingerprint))
                except quicchat.AuthError as error:
                    outcome.append((error, time.monotonic() - begin))

            begin = time.monotonic()
            thread = threading.Thread(target=elsewhere)
            thread.start()
            await asyncio.to_thread(thread.join)
            self.assertEqual(len(outcome), 1)
            self.assertLess(outcome[0][1], scaled(3.5))

        self.serve(scenario, stuck, hook_timeout=0.5)

    def test_a_timeout_that_cannot_be(self):
        with self.assertRaises(quicchat.ConfigError):
            quicchat.serve(self.config(), authenticate=print, hook_timeout=0)


if __name__ == "__main__":
    unittest.main()
