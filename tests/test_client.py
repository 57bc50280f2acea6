"""The package as programs use it: asyncio and blocking."""

import asyncio
import os
import threading
import time
import unittest

from _support import Case, account, next_of, quicchat, scaled


class AsyncClient(Case):
    def test_a_message_is_stored_and_reaches_everyone_once_and_in_order(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                await bob.join("#lobby")
                receipts = [await room.send(f"line {n}", attributes={"n": n}) for n in range(20)]
                self.assertEqual([r.offset for r in receipts], list(range(1, 21)))
                self.assertEqual({r.epoch for r in receipts}, {room.epoch})
                for chat in (ada, bob):
                    for n, receipt in enumerate(receipts):
                        message = await next_of(chat, quicchat.Message)
                        self.assertEqual((message.text, message.offset, message.id, message.sender),
                                         (f"line {n}", receipt.offset, receipt.id, "ada"))

        self.talk(scenario)

    def test_the_same_message_again_is_stored_once(self):
        async def scenario(connect, _):
            async with connect() as chat:
                room = await chat.join("#lobby")
                id = os.urandom(16)
                first = await room.send("hello", id=id)
                again = await room.send("hello", id=id)
                self.assertEqual((first.offset, first.id), (again.offset, id))
                with self.assertRaises(quicchat.RequestError) as caught:
                    await room.send("another", id=id)
                self.assertEqual(caught.exception.name, "conflict")

        self.talk(scenario)

    def test_who_comes_later_gets_the_last_messages_or_those_after_a_position(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                receipts = [await room.send(f"{n}") for n in range(5)]
            async with connect("bob") as bob:
                joined = await bob.join("#lobby", last=2)
                self.assertEqual((joined.head, joined.next), (5, 4))
                self.assertEqual((await next_of(bob, quicchat.Message)).text, "3")
                await joined.leave()
                seen = receipts[0]
                joined = await bob.join("#lobby", after=(seen.epoch, seen.offset))
                self.assertTrue(joined.recovered)
                self.assertEqual((await next_of(bob, quicchat.Message, offset=2)).text, "1")
                await joined.leave()
                joined = await bob.join("#lobby", after=(seen.epoch + 1, 3))
                self.assertFalse(joined.recovered)

        self.talk(scenario)

    def test_private_messages_members_and_presence(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                async with connect("bob") as bob:
                    await bob.join("#lobby")
                    await next_of(ada, quicchat.MemberJoined, user="bob")
                    self.assertEqual([(person.user, person.role, person.present)
                                      for person in await room.members()],
                                     [("ada", quicchat.Role.MEMBER, True),
                                      ("bob", quicchat.Role.MEMBER, True)])
                    await ada.tell("BOB", "psst")
                    told = await next_of(bob, quicchat.PrivateMessage)
                    self.assertEqual((told.sender, told.recipient.lower(), told.text),
                                     ("ada", "bob", "psst"))
                await next_of(ada, quicchat.MemberLeft, user="bob")
                self.assertEqual([p.user for p in await room.members() if p.present], ["ada"])

        self.talk(scenario)

    def test_requests_that_are_refused_leave_the_connection_alone(self):
        async def scenario(connect, _):
            async with connect() as chat:
                room = await chat.join("#lobby")
                for request, name in (
                    (chat.join("#nowhere"), "no_such_room"), (chat.join("lobby"), "invalid_name"),
                    (chat.send("#other", "x"), "not_in_room"),
                    (chat.tell("zoe", "x"), "no_such_user"), (room.send(""), "invalid_text"),
                    (room.send("\x1b[2J"), "invalid_text"), (room.send("\ud800"), "invalid_text"),
                    (room.send("é" * (chat.message_bytes_max // 2 + 1)), "message_too_long"),
                ):
                    with self.subTest(name), self.assertRaises(quicchat.RequestError) as caught:
                        await request
                    self.assertEqual(caught.exception.name, name)
                await room.send("é" * (chat.message_bytes_max // 2))

        self.talk(scenario)

    def test_events_wait_without_limit_of_time_and_answers_pass_them(self):
        async def scenario(connect, _):
            # Two of them, as one may send 2000 messages at once.
            async with (connect("ada") as ada, connect("bob", events=False) as bob,
                        connect("eve", events=False) as eve):
                mine = await ada.join("#lobby")
                for flooder in (bob, eve):
                    yours = await flooder.join("#lobby")
                    for _ in range(30):
                        await asyncio.gather(*(yours.send("flood") for _ in range(50)))
                # 3000 events wait unread; an answer behind them still comes.
                receipt = await mine.send("and mine")
                self.assertEqual(receipt.offset, 3001)
                self.assertEqual((await next_of(ada, quicchat.Message, offset=3001)).text,
                                 "and mine")

        self.talk(scenario)

    def test_a_cancelled_wait_does_no_harm(self):
        async def scenario(connect, _):
            async with connect() as chat:
                room = await chat.join("#lobby")
                for delay in (0, 0.0005, 0.002):
                    task = asyncio.create_task(room.send("perhaps"))
                    await asyncio.sleep(delay)
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
                reading = asyncio.create_task(anext(chat))
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                self.assertGreater((await room.send("for sure")).offset, 0)

        self.talk(scenario)

    def test_a_cancelled_connect_does_no_harm(self):
        async def scenario(connect, server):
            for delay in (0, 0.001, 0.01):
                task = asyncio.create_task(connect().__aenter__())
                await asyncio.sleep(delay)
                task.cancel()
                for chat in await asyncio.gather(task, return_exceptions=True):
                    if isinstance(chat, quicchat.Chat):
                        await chat.close()
            async with connect() as chat:
                await chat.join("#lobby")

        self.talk(scenario)

    def test_a_blocked_loop_does_not_lose_the_connection(self):
        limits = quicchat.Limits(idle_timeout=scaled(1.5), keep_alive=scaled(0.5))

        async def scenario(connect, _):
            async with connect(limits=limits) as chat:
                room = await chat.join("#lobby")
                time.sleep(scaled(4))  # more than two idle timeouts
                self.assertTrue(chat.is_open)
                await room.send("still here")

        self.talk(scenario, limits={"idle_timeout": scaled(1.5)})

    def test_the_events_end_after_close_and_raise_after_a_loss(self):
        async def scenario(connect, server):
            async with connect() as chat:
                await chat.close()
                self.assertEqual([event async for event in chat], [])
                with self.assertRaises(quicchat.Closed):
                    await chat.join("#lobby")
            async with connect(reconnect=None) as chat:
                await server.close()
                with self.assertRaises(quicchat.ServerShutdown):
                    await next_of(chat, quicchat.Message)
                with self.assertRaises(quicchat.ServerShutdown):
                    await chat.join("#lobby")

        self.talk(scenario)

    def test_two_hundred_clients_at_once(self):
        async def scenario(connect, server):
            chats = await asyncio.gather(*(connect(name).__aenter__() for _ in range(100)
                                           for name in ("ada", "bob")))
            await asyncio.gather(*(chat.join("#lobby") for chat in chats))
            self.assertEqual(server.connections, 200)
            receipt = await chats[0].send("#lobby", "hello, all")
            seen = await asyncio.gather(*(next_of(chat, quicchat.Message) for chat in chats))
            self.assertEqual({message.offset for message in seen}, {receipt.offset})
            await asyncio.gather(*(chat.close() for chat in chats))

        self.talk(scenario, limits={"connections_per_account_max": 100})

    def test_a_full_server_says_so(self):
        async def scenario(connect, server):
            tls = quicchat.TLS.pin(server.fingerprint)
            async with connect("ada", tls=tls):
                with self.assertRaises(quicchat.ServerFull) as caught:
                    await connect("bob", tls=tls)
                self.assertEqual(quicchat.exit_status(caught.exception), 75)

        self.talk(scenario, limits={"connections_max": 1})

    def test_an_account_with_too_many_connections_hears_that(self):
        async def scenario(connect, _):
            async with connect("ada"), connect("ada"), connect("bob"):
                with self.assertRaises(quicchat.ServerFull) as caught:
                    await connect("ada")
                self.assertIn("ada has too many connections", str(caught.exception))
                async with connect("bob"):
                    pass

        self.talk(scenario, limits={"connections_per_account_max": 2})

    def test_wrong_passwords_lock_their_account_and_nobody_else(self):
        async def scenario(connect, server):
            wrong = {**account("ada"), "password": "wrong"}
            for _ in range(10):
                with self.assertRaises(quicchat.AuthError):
                    await quicchat.connect("127.0.0.1", server.address[1], **wrong)
            with self.assertRaises(quicchat.ServerFull) as caught:
                await connect("ada")
            self.assertIn("too many logins of ada have failed", str(caught.exception))
            async with connect("bob"):
                pass

        self.talk(scenario)

    def test_limits_that_do_not_fit_together_are_named(self):
        with self.assertRaises(quicchat.ConfigError) as caught:
            quicchat.Limits(message_bytes_max=60_000)
        self.assertIn("do not fit a frame", str(caught.exception))

    def test_two_loops_in_two_threads(self):
        results = {}

        async def scenario(connect, _):
            def other(name):
                async def chat_there():
                    async with connect(name) as chat:
                        room = await chat.join("#lobby")
                        results[name] = (await room.send(f"from {name}")).offset
                asyncio.run(chat_there())

            await asyncio.gather(asyncio.to_thread(other, "ada"), asyncio.to_thread(other, "bob"))

        self.talk(scenario)
        self.assertEqual(sorted(results.values()), [1, 2])

    def test_use_in_another_loop_is_refused(self):
        async def scenario(connect, _):
            async with connect() as chat:
                def elsewhere():
                    asyncio.run(chat.join("#lobby"))
                with self.assertRaises(quicchat.WrongLoopError):
                    await asyncio.to_thread(elsewhere)

        self.talk(scenario)

    def test_the_server_tells_what_happens(self):
        async def scenario(connect, server):
            async with connect("ada"):
                pass
            with self.assertRaises(quicchat.AuthError):
                await quicchat.connect("127.0.0.1", server.address[1], user="ada", password="no")
            kinds = []
            while not kinds or kinds.count(quicchat.PeerDisconnected) < 2:
                kinds.append(type(await anext(server)))
            self.assertIn(quicchat.LoginSucceeded, kinds)
            self.assertIn(quicchat.LoginFailed, kinds)

        async def pinned(connect, server):
            tls = quicchat.TLS.pin(server.fingerprint)
            await scenario(lambda name: connect(name, tls=tls), server)

        async def trusting(connect, server):
            async with connect():
                pass
            while not isinstance(await anext(server), quicchat.PeerDisconnected):
                pass
            await pinned(connect, server)

        self.talk(trusting)


class BlockingClient(Case):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()

    def connect(self, name="ada"):
        return quicchat.sync.connect("127.0.0.1", self.server.port, **account(name))

    def test_a_conversation(self):
        with self.connect("ada") as ada, self.connect("bob") as bob:
            room = ada.join("#lobby")
            bob.join("#lobby")
            receipt = room.send("hello", timeout=scaled(30))
            messages = (e for e in bob.events(timeout=scaled(30))
                        if isinstance(e, quicchat.Message))
            self.assertEqual(next(messages).offset, receipt.offset)
            self.assertEqual([person.user for person in room.members()], ["ada", "bob"])
            bob.tell("ada", "psst")
            room.leave()
            with self.assertRaises(quicchat.RequestError):
                room.send("too late")
        while ada.next_event(0) is not None:
            pass

    def test_a_timeout_is_a_timeout(self):
        with self.connect() as chat:
            begin = time.monotonic()
            self.assertEqual(list(chat.events(timeout=0.2)), [])
            self.assertGreaterEqual(time.monotonic() - begin, 0.19)

    def test_several_threads_share_a_chat(self):
        offsets = []
        with self.connect() as chat:
            room = chat.join("#lobby")
            threads = [threading.Thread(
                target=lambda: offsets.extend(room.send("x").offset for _ in range(20)))
                for _ in range(5)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(sorted(offsets), list(range(1, 101)))

    def test_errors_are_the_same(self):
        with self.assertRaises(quicchat.AuthError):
            quicchat.sync.connect("127.0.0.1", self.server.port, user="ada", password="no")


if __name__ == "__main__":
    unittest.main()
