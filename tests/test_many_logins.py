"""Many clients log in at once, and whoever was there before notices nothing."""

import asyncio
import os
import unittest

from _support import PATIENCE, Case, quicchat

MANY = 200


class ManyLogins(Case):
    def test_two_who_chat_miss_nothing_while_two_hundred_log_in(self):
        names = ["ada", "bob", *(f"user{n}" for n in range(MANY))]
        # One key for all: what passwords cost their owners is not what this is about.
        verifier = quicchat._core.verifier("correct horse", os.urandom(16), 100_000)
        # How long it takes is the machine's affair.
        patience = dict.fromkeys(("handshake_timeout", "login_timeout"), 600)
        rates = dict.fromkeys(("messages_per_account", "messages_per_room",
                               "messages_per_prefix"), 1_000_000)
        users = [{"username": name, "verifier": verifier} for name in names]
        config = self.config(limits={**rates, **patience}, auth={"users": users})

        async def main():
            async with quicchat.serve(config) as server:
                def connect(name):
                    return quicchat.connect("127.0.0.1", server.address[1], user=name,
                                            password="correct horse",
                                            limits=quicchat.Limits(**patience))

                async with connect("ada") as ada, connect("bob") as bob:
                    rooms = [await chat.join("#lobby") for chat in (ada, bob)]
                    heard = {chat.user: [] for chat in (ada, bob)}
                    others = {chat.user: [] for chat in (ada, bob)}
                    sent = {"ada": 0, "bob": 0}
                    over = asyncio.Event()

                    async def talk(room, name):
                        while not over.is_set() or sent[name] < 20:
                            await room.send(f"{name} {sent[name]}")
                            sent[name] += 1
                            await asyncio.sleep(0.005)  # megabytes are more than one may store

                    async def listen(chat):
                        async for event in chat:
                            kind = heard if isinstance(event, quicchat.Message) else others
                            kind[chat.user].append(event)

                    talking = [asyncio.create_task(talk(room, chat.user))
                               for room, chat in zip(rooms, (ada, bob), strict=True)]
                    listening = [asyncio.create_task(listen(chat)) for chat in (ada, bob)]
                    there = await asyncio.gather(*(connect(name).__aenter__()
                                                   for name in names[2:]))
                    over.set()
                    await asyncio.gather(*talking)
                    self.assertEqual(server.connections, MANY + 2)
                    self.assertTrue(all(chat.is_online for chat in there))
                    self.assertEqual(len(await server.online()), MANY + 2)

                    total = sent["ada"] + sent["bob"]
                    async with asyncio.timeout(PATIENCE):
                        while min(map(len, heard.values())) < total:
                            await asyncio.sleep(0.01)
                    for name, events in heard.items():
                        self.assertEqual([e.offset for e in events], list(range(
                            events[0].offset, events[0].offset + total)), name)
                        for by, count in sent.items():
                            self.assertEqual([e.text for e in events if e.sender == by],
                                             [f"{by} {n}" for n in range(count)], name)
                    for events in others.values():  # nobody was cut and came back
                        self.assertFalse([e for e in events if isinstance(
                            e, quicchat.Reconnecting | quicchat.Disconnected | quicchat.Gap)])
                    for task in listening:
                        task.cancel()
                    await asyncio.gather(*(chat.close() for chat in there))

        self.run_async(main)


if __name__ == "__main__":
    unittest.main()
