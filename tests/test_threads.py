"""A server whose connections are carried by several threads, "threads" in its configuration."""

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys

from _support import PATIENCE, Case, account, environment, next_of, quicchat

QUICCHAT = (sys.executable, "-m", "quicchat")
THREADS = 3
#: So many that they all being on one thread is one chance in two million.
CHATS = 16


async def texts_of(room, count):
    """What is said in a room from now on, so many messages."""
    found = []
    async for event in room:
        if isinstance(event, quicchat.Message):
            found.append(event.text)
            if len(found) == count:
                return found
    raise AssertionError(f"the room ended after {found}")


class Threads(Case):
    def test_everybody_hears_the_same(self):
        async def scenario(connect, server):
            chats = [await connect(("ada", "bob")[i % 2]) for i in range(CHATS)]
            rooms = [await chat.join("#lobby") for chat in chats]
            listeners = [asyncio.create_task(texts_of(room, 4 * CHATS)) for room in rooms]
            await asyncio.gather(*(room.send(f"{i}: {n}")
                                   for n in range(4) for i, room in enumerate(rooms)))
            heard = await asyncio.gather(*listeners)
            for texts in heard:
                self.assertEqual(texts, heard[0])
            self.assertEqual(len(set(heard[0])), 4 * CHATS)

            stats = server.stats()
            self.assertEqual(stats.connections, CHATS)
            self.assertEqual(stats.transport.handshakes_done, CHATS)
            paths = server.connection_stats()
            self.assertEqual(len(paths), CHATS)
            self.assertTrue(all(one.path and one.path.bytes_sent for one in paths))
            for chat in chats:
                await chat.close()

        self.talk(scenario, threads=THREADS)

    def test_a_reload_reaches_all_threads(self):
        async def main():
            config = self.config(threads=THREADS)
            async with quicchat.serve(config) as server, \
                    quicchat.connect("127.0.0.1", server.address[1], **account()) as before:
                room = await before.join("#lobby")
                pair = quicchat._core.make_self_signed(["127.0.0.1"], 30)
                for path, text in zip((config.certfile, config.keyfile), pair, strict=True):
                    path.write_text(text)
                reloaded = await server.reload(
                    dataclasses.replace(config, limits=quicchat.Limits(connections_max=CHATS)))
                self.assertEqual(reloaded.fingerprint, quicchat._core.fingerprint(pair[0]))
                # Whatever thread carries it, a new connection is shown the new one.
                def connect():
                    return quicchat.connect("127.0.0.1", server.address[1], **account(),
                                            tls=quicchat.TLS.pin(reloaded.fingerprint))

                chats = [await connect() for _ in range(CHATS - 1)]
                with self.assertRaises(quicchat.QuicChatError) as caught:
                    await connect()
                self.assertIn("full", str(caught.exception))
                await room.send("still here")
                for chat in chats:
                    await chat.close()

        self.run_async(main)

    def test_who_is_there_is_told_of_the_end(self):
        server = self.start_server("--port", 0, config=self.write_config(threads="auto"))

        async def main():
            async with quicchat.connect("127.0.0.1", server.port, **account()) as chat:
                await chat.join("#lobby")
                server.process.send_signal(signal.SIGTERM)
                gone = await next_of(chat, quicchat.Reconnecting)
                self.assertIsInstance(gone.cause, quicchat.ServerShutdown)

        self.run_async(main)
        self.assertEqual(server.process.wait(), 0)

    def test_a_port_is_one_servers(self):
        async def main():
            async with quicchat.serve(self.config(threads=THREADS)) as server:
                for threads in (1, THREADS):
                    other = quicchat.serve(self.config(threads=threads, port=server.address[1]))
                    with self.assertRaises(quicchat.BindError):
                        await other.start()

        self.run_async(main)

    def test_too_few_descriptors_are_said_in_words(self):
        config = self.write_config(threads=THREADS, database=None)
        started = []
        for descriptors in range(14, 38, 3):
            with self.subTest(descriptors):
                server = subprocess.Popen(
                    ["sh", "-c", 'ulimit -n "$1"; shift; exec "$@"', "sh", str(descriptors),
                     *QUICCHAT, "serve", "--config", str(config)], cwd=self.folder,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
                with server.stdout, server.stderr:
                    listens = any(b"listening on" in line for line in server.stdout)
                    if listens:
                        server.kill()
                    errors = server.stderr.read().decode()
                    status = server.wait(PATIENCE)
                started.append(listens)
                if not listens:
                    self.assertEqual(status, 71, errors)
                    self.assertIn("too many open files", errors)
        self.assertEqual((started[0], started[-1]), (False, True))

    def test_wrong_numbers_are_said(self):
        for wrong in (0, 65, -1, 2.5, "many", True, None, [2]):
            with self.subTest(wrong), self.assertRaises(quicchat.ConfigError) as caught:
                self.config(threads=wrong)
            self.assertIn('"threads" must be "auto" or an integer from 1 to 64, got ',
                          caught.exception.problems[0])
        with self.assertRaisesRegex(quicchat.ConfigError, "threads must be"):
            dataclasses.replace(self.config(), threads=0)

    def test_auto_is_the_cores_that_there_are(self):
        self.assertEqual(quicchat.settings.thread_count("auto"),
                         min(64, len(os.sched_getaffinity(0))))
        self.assertEqual(quicchat.settings.thread_count(5), 5)
