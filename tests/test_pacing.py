"""Senders that are paced: what waits for what, and for how long."""

import asyncio
import unittest

from _in_memory import InMemory
from _support import quicchat


class Pacing(InMemory):
    def test_who_is_paced_waits_and_keeps_the_order(self):
        async def scenario(net):
            ada = await net.connect("ada", pace=True)
            room = await ada.join("#lobby")
            sends = [asyncio.create_task(room.send(str(n))) for n in range(60)]
            await net.settle()
            self.assertFalse(all(task.done() for task in sends))
            await net.advance(120)
            receipts = [await task for task in sends]
            self.assertEqual([receipt.offset for receipt in receipts], list(range(1, 61)))

        self.on(scenario, limits=quicchat.Limits(messages_per_account=1) if quicchat else None)

    def test_nobody_overtakes_one_who_waits(self):
        from quicchat._pacing import Pace

        async def main():
            pace, wait, seen = Pace(), asyncio.Event(), []

            async def refused_once():
                seen.append("first")
                if seen == ["first"]:
                    raise quicchat.RateLimited("slowly", retry_after=9)

            async def second():
                seen.append("second")

            async def sleep(seconds):
                self.assertEqual(seconds, 9)
                await wait.wait()

            async def elsewhere():
                seen.append("elsewhere")

            tasks = [asyncio.create_task(pace.ask(refused_once, sleep, "here"))]
            await asyncio.sleep(0)
            tasks.append(asyncio.create_task(pace.ask(second, sleep, "here")))
            for _ in range(5):
                await asyncio.sleep(0)
            self.assertEqual(seen, ["first"])
            await pace.ask(elsewhere, sleep, "there")
            self.assertEqual(seen.pop(), "elsewhere")
            wait.set()
            await asyncio.gather(*tasks)
            self.assertEqual(seen, ["first", "first", "second"])

        asyncio.run(main())

    def test_who_would_wait_for_too_long_is_told(self):
        from quicchat._pacing import LONGEST, Pace

        async def main():
            slept = []

            async def never():
                raise quicchat.RateLimited("slowly", retry_after=5)

            async def sleep(seconds):
                slept.append(seconds)

            pace = Pace()
            with self.assertRaises(quicchat.RateLimited):
                await pace.ask(never, sleep, "here")
            self.assertEqual(sum(slept), LONGEST)
            self.assertFalse(pace._gates)  # nothing is kept of it

        asyncio.run(main())

    def test_a_file_does_not_wait_for_all_of_the_one_before(self):
        async def scenario(net):
            ada = await net.connect("ada", pace=True)
            room = await ada.join("#lobby")
            ask, refused, done = ada._ask_once, [], asyncio.Event()

            async def refuses_once(request, *arguments):
                if request.__name__ != "send_file":
                    return await ask(request, *arguments)
                if arguments[1] not in refused:  # which is the file
                    refused.append(arguments[1])
                    raise quicchat.RateLimited("slowly", retry_after=1)
                await done.wait()
                return await ask(request, *arguments)

            ada._ask_once = refuses_once
            sends = [asyncio.create_task(room.send_file(b"x" * 9, name=name)) for name in "ab"]
            while len(refused) < 2:  # both have asked, when threads of their own had read them
                await asyncio.sleep(0.01)
            done.set()
            while not all(task.done() for task in sends):
                await net.advance(1)
                await asyncio.sleep(0.01)
            self.assertEqual(len({(await task).offset for task in sends}), 2)

        self.on(scenario)

    def test_the_command_line_waits_however_often_but_not_for_long_at_once(self):
        from quicchat._pacing import insist, paced

        async def main():
            left = [0.05] * 5 + [61]

            async def request():
                if left:
                    raise quicchat.RateLimited("slowly", retry_after=left.pop(0))

            with self.assertRaises(quicchat.RateLimited):
                await paced(request)
            self.assertFalse(left)
            await insist(request)

        asyncio.run(main())

    def test_others_are_told(self):
        async def scenario(net):
            room = await (await net.connect("ada")).join("#lobby")
            found = await asyncio.gather(*(room.send(str(n)) for n in range(60)),
                                         return_exceptions=True)
            self.assertIn(quicchat.RateLimited, map(type, found))

        self.on(scenario, limits=quicchat.Limits(messages_per_account=1) if quicchat else None)


if __name__ == "__main__":
    unittest.main()
