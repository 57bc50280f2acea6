"""`quicchat.testing`: a server and its clients in memory, on a clock that a test moves."""

import asyncio
import unittest
from datetime import UTC, datetime, timedelta

from _in_memory import InMemory, Network, kinds, texts
from _support import quicchat


class Conversations(InMemory):
    def test_what_one_sends_another_has_without_any_time(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            await bob.join("#lobby")
            receipt = await room.send("hello", attributes={"n": 1})
            self.assertEqual((receipt.offset, receipt.durability), (1, "memory"))
            [message] = [e for e in await net.received(bob) if isinstance(e, quicchat.Message)]
            self.assertEqual((message.text, message.sender, message.id),
                             ("hello", "ada", receipt.id))
            self.assertEqual(net.elapsed, 0)

        self.on(scenario)

    def test_received_says_also_that_nothing_came(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            await (await ada.join("#lobby")).send("nobody is here")
            self.assertEqual(await net.received(bob), [])

        self.on(scenario)

    def test_reading_by_iteration_goes_on_after_received(self):
        async def scenario(net):
            ada = await net.connect("ada")
            room = await ada.join("#lobby")
            self.assertEqual(kinds(await net.received(ada)), ["Joined"])
            await room.send("one")
            self.assertEqual((await anext(ada)).text, "one")

        self.on(scenario)

    def test_files_roles_history_and_search_are_there(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            await ada.create_room("#tea", access=quicchat.Access.INVITATION)
            room = await ada.join("#tea")
            with self.assertRaises(quicchat.RequestError):
                await bob.join("#tea")
            await room.invite("bob")
            await bob.join("#tea")
            receipt = await room.send_file(b"leaves", name="tea.bin")
            self.assertEqual(await bob.read_file("#tea", receipt), b"leaves")
            await room.send("earl grey")
            self.assertEqual(texts((await bob.search("#tea", "grey")).records), ["earl grey"])
            self.assertEqual(texts((await bob.history("#tea")).records), ["tea.bin", "earl grey"])

        self.on(scenario)

    def test_only_those_on_the_list_log_in_and_are_found(self):
        async def scenario(net):
            ada = await net.connect("ADA")
            self.assertEqual(ada.user, "ada")
            with self.assertRaises(quicchat.AuthError):
                await net.connect("eve")
            await ada.tell("bob", "for later")
            with self.assertRaises(quicchat.RequestError) as caught:
                await ada.tell("eve", "psst")
            self.assertEqual(caught.exception.name, "no_such_user")
            bob = await net.connect("bob")
            self.assertEqual([e.text for e in await net.received(bob)], ["for later"])

        self.on(scenario, accounts=["ada", "bob"])

    def test_a_check_function_judges(self):
        def check(question):
            return quicchat.Refuse("no") if "bad" in question.text else question.text.upper()

        async def scenario(net):
            room = await (await net.connect("ada")).join("#lobby")
            with self.assertRaises(quicchat.RequestError) as caught:
                await room.send("bad")
            self.assertEqual(caught.exception.name, "not_accepted")
            await room.send("good")
            self.assertEqual(texts((await room.history()).records), ["GOOD"])

        self.on(scenario, check=check)

    def test_the_server_tells_what_happens_to_it(self):
        async def scenario(net):
            ada = await net.connect("ada")
            await ada.close()
            await net.settle()
            seen = [await anext(net.server) for _ in range(3)]
            self.assertEqual(kinds(seen), ["PeerConnected", "LoginSucceeded", "PeerDisconnected"])
            self.assertEqual(net.server.stats().logins, 1)

        self.on(scenario)

    def test_one_who_reads_nothing_loses_nothing(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            await bob.join("#lobby")
            for n in range(3000):
                await room.send(str(n))
            seen = []
            while len(seen) < 3000:
                seen += texts(await net.received(bob))
            self.assertEqual(seen, [str(n) for n in range(3000)])

        many = 1_000_000
        self.on(scenario, limits=quicchat.Limits(
            messages_per_account=many, messages_per_room=many, messages_per_prefix=many,
            requests_per_connection=many, requests_per_account=many))


class Clock(InMemory):
    def test_a_lost_connection_comes_back_when_the_clock_is_moved(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            await bob.join("#lobby")
            await net.received(bob)
            net.cut(bob)
            await net.settle()
            self.assertFalse(bob.is_online)
            await room.send("while bob is away")
            self.assertEqual(kinds(await net.received(bob)), ["Reconnecting"])
            await net.advance(5)
            events = await net.received(bob)
            self.assertEqual(kinds(events)[:2], ["Online", "Joined"])
            self.assertEqual(texts(events), ["while bob is away"])
            self.assertEqual(net.elapsed, 5)

        self.on(scenario)

    def test_what_is_sent_while_offline_is_stored_once(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            await bob.join("#lobby")
            net.cut(ada)
            sent = asyncio.create_task(room.send("once"))
            await net.settle()
            self.assertFalse(sent.done())
            await net.advance(5)
            self.assertEqual((await sent).offset, 1)
            self.assertEqual(texts(await net.received(bob)), ["once"])

        self.on(scenario)

    def test_a_mute_ends_at_its_time(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            await ada.create_room("#tea")
            owner, guest = await ada.join("#tea"), await bob.join("#tea")
            await owner.mute("bob", until=timedelta(minutes=10))
            with self.assertRaises(quicchat.RequestError):
                await guest.send("may I?")
            await net.advance(601)
            await guest.send("I may")

        self.on(scenario)

    def test_a_rate_allows_more_with_time(self):
        async def scenario(net):
            room = await (await net.connect("ada")).join("#lobby")
            refused = None
            for n in range(1000):
                try:
                    await room.send(str(n))
                except quicchat.RateLimited as error:
                    refused = error
                    break
            self.assertGreater(refused.retry_after, 0)
            await net.advance(refused.retry_after)
            await room.send("now")

        self.on(scenario, limits=quicchat.Limits(messages_per_account=5))

    def test_no_other_clock_is_moved(self):
        async def scenario(net):
            other = Network(start=datetime(2030, 1, 1, tzinfo=UTC))
            async with other:
                loop_before = asyncio.get_running_loop().time()
                await net.advance(1_000_000)
                self.assertLess(asyncio.get_running_loop().time() - loop_before, 500_000)
                self.assertEqual((net.elapsed, other.elapsed), (1_000_000, 0))
                self.assertEqual(other.now, datetime(2030, 1, 1, tzinfo=UTC))

        self.on(scenario)

    def test_each_moment_is_seen_before_the_next_one(self):
        seen = []

        async def tick(net, pause):
            for _ in range(3):
                await net.sleep(pause)
                seen.append((pause, net.elapsed))

        async def scenario(net):
            tasks = [asyncio.create_task(tick(net, pause)) for pause in (2, 5)]
            await net.advance(20)
            self.assertTrue(all(task.done() for task in tasks))
            self.assertEqual(seen, [(2, 2), (2, 4), (5, 5), (2, 6), (5, 10), (5, 15)])

        self.on(scenario)

    def test_messages_bear_the_time_of_the_clock(self):
        start = datetime(2030, 1, 1, tzinfo=UTC)

        async def scenario(net):
            room = await (await net.connect("ada")).join("#lobby")
            await net.advance(90)
            self.assertEqual((await room.send("x")).time, start + timedelta(seconds=90))
            self.assertEqual(net.now, start + timedelta(seconds=90))

        self.on(scenario, start=start)

    def test_the_same_seed_is_the_same_run(self):
        runs = []

        async def scenario(net):
            room = await (await net.connect("ada")).join("#lobby")
            net.delay = (0.001, 0.2)
            sent = asyncio.create_task(room.send("x"))
            await net.advance(1)
            runs.append((await sent, room.epoch))

        start = datetime(2030, 1, 1, tzinfo=UTC)
        for seed in (1, 1, 2):
            self.on(scenario, seed=seed, start=start)
        self.assertEqual(runs[0], runs[1])
        self.assertNotEqual(runs[0], runs[2])

    def test_the_clock_does_not_go_back(self):
        async def scenario(net):
            for seconds in (-1, float("nan")):
                with self.assertRaises(ValueError):
                    await net.advance(seconds)

        self.on(scenario)


if __name__ == "__main__":
    unittest.main()
