"""What a process may do to the engine thread, and peers to a server: end, fork, vanish, lie."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

from _support import ACCOUNTS, PATIENCE, Case, Terminal, account, quicchat, scaled


class Ends(Case):
    CONNECT = """
import asyncio, quicchat
connect = lambda: quicchat.connect("127.0.0.1", {port}, user="ada", password={password!r})
"""

    def program(self, server, code, *options):
        begin = self.CONNECT.format(port=server.port, password=ACCOUNTS["ada"])
        return self.python(begin + code, *options)

    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.chat(self.server, [])  # its key is known from now on

    def test_exit_without_close_is_clean_and_silent(self):
        for _ in range(5):
            result = self.program(self.server, """
async def main():
    chat = await connect()
    room = await chat.join("#lobby")
    await room.send("gone without a word")
asyncio.run(main())
""")
            self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_a_chat_that_is_dropped_is_closed_and_says_so(self):
        result = self.program(self.server, """
import gc, os, warnings

def descriptors():
    return len(os.listdir("/proc/self/fd"))

async def main():
    await (await connect()).close()
    before = descriptors()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(10):
            chat = await connect()
            room = await chat.join("#lobby")
            await room.send("hello")
            reading = asyncio.create_task(anext(chat))
            await reading
        del chat, room, reading
        gc.collect()
    print(len(caught), caught[0].category.__name__, str(caught[0].message).split(" at ")[0])
    caught.clear()  # each of them has its chat as `source`
    while descriptors() > before:
        await asyncio.sleep(0.01)
    async with connect() as chat:
        await chat.join("#lobby")
        print([member.user for member in await chat.members("#lobby")])
        assert (await chat.rooms())[0].head == 10
asyncio.run(main())
""")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(result.stdout.decode(),
                         "10 ResourceWarning unclosed <quicchat.Chat ada\n['ada']\n")

    def test_a_chat_that_somebody_waits_for_is_not_dropped(self):
        result = self.program(self.server, """
import gc
async def read():
    chat = await connect()
    await chat.join("#lobby")
    async for event in chat:
        if isinstance(event, quicchat.Message):
            await chat.close()
            return event.text

async def main():
    reading = asyncio.create_task(read())
    async with connect() as chat:
        room = await chat.join("#lobby")
        while not reading.done():
            gc.collect()
            await room.send("hello")
    print(await reading)
asyncio.run(main())
""", "-W", "error")
        self.assertEqual((result.stdout, result.stderr), (b"hello\n", b""))

    def test_a_chat_that_is_dropped_in_another_thread_or_after_its_loop(self):
        result = self.program(self.server, """
import threading, warnings
warnings.simplefilter("ignore", ResourceWarning)
kept = []
async def main():
    kept.append(await connect())
    thread = threading.Thread(target=kept.clear)
    thread.start()
    thread.join()
    await asyncio.sleep(0.1)
    kept.append(await connect())
asyncio.run(main())
kept.clear()
print("over")
""")
        self.assertEqual((result.stdout, result.stderr), (b"over\n", b""))

    def test_exit_with_a_client_in_a_global_variable(self):
        result = self.program(self.server, f"""
import quicchat.sync
chat = quicchat.sync.connect("127.0.0.1", {self.server.port}, user="ada",
                             password={ACCOUNTS["ada"]!r})
chat.join("#lobby").send("hello")
""", "-X", "dev", "-W", "error")
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_daemon_threads_that_connect_at_the_end(self):
        # While the interpreter ends, CPython unwinds a thread that wants to have the GIL again.
        for number in range(12):
            result = self.python(f"""
import threading, time, warnings
warnings.simplefilter("ignore")
import quicchat, quicchat.sync
quicchat._core.verifier("p", bytes(16), 100_000)
def again_and_again():
    while True:
        try:
            quicchat.sync.connect("127.0.0.1", {self.server.port}, user="ada", password="wrong",
                                  tls=quicchat.TLS.insecure())
        except Exception:
            pass
def hash_again_and_again():
    while True:
        quicchat._core.verifier("password", bytes(16), 100_000)
for work in (again_and_again, again_and_again, hash_again_and_again):
    threading.Thread(target=work, daemon=True).start()
time.sleep({0.1 + 0.03 * number})
""")
            self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_the_server_learns_of_an_exit_at_once(self):
        self.program(self.server, "chat = asyncio.run(connect().__aenter__())\n")
        deadline = time.monotonic() + PATIENCE
        while self.server.log.count(" of ada ended: the connection was closed") < 2:
            self.assertLess(time.monotonic(), deadline, self.server.log)
            time.sleep(0.1)

    def test_clients_leave_no_descriptors_and_one_thread(self):
        def count(what):
            return len(os.listdir(f"/proc/self/{what}"))

        def connect():
            return quicchat.sync.connect("127.0.0.1", self.server.port, **account())

        connect().close()
        files, threads = count("fd"), count("task")
        for _ in range(30):
            with connect() as chat:
                chat.join("#lobby")
        del chat
        for _ in range(10):
            connect()  # dropped without close
        deadline = time.monotonic() + scaled(30)
        while count("fd") > files and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertLessEqual(count("fd"), files)
        self.assertEqual(count("task"), threads)

    def test_import_starts_no_thread(self):
        result = self.python("import quicchat, os; print(len(os.listdir('/proc/self/task')))")
        self.assertEqual(result.stdout, b"1\n")

    def test_use_after_fork_is_refused_and_the_parent_goes_on(self):
        result = self.program(self.server, """
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 and later warn of the fork itself
async def main():
    async with connect() as chat:
        room = await chat.join("#lobby")
        child = os.fork()
        if child == 0:
            try:
                chat._conversation.core.fileno()
            except quicchat.ForkError as error:
                os._exit(7 if "os.fork()" in str(error) and "spawn" in error.hint else 8)
            os._exit(9)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, (await room.send("the parent lives")).offset > 0)
asyncio.run(main())
""")
        self.assertEqual(result.stdout, b"7 True\n", result.stderr)

    def test_a_child_may_have_a_client_of_its_own(self):
        result = self.program(self.server, """
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)
async def once():
    async with connect() as chat:
        return (await (await chat.join("#lobby")).send("x")).offset > 0
print(asyncio.run(once()), flush=True)
child = os.fork()
if child == 0:
    print(asyncio.run(once()), flush=True)
    os._exit(0)
os.waitpid(child, 0)
""")
        self.assertEqual(result.stdout, b"True\nTrue\n", result.stderr)

    def test_ctrl_c_in_the_blocking_client(self):
        code = (f'import quicchat.sync\nwith quicchat.sync.connect("127.0.0.1", '
                f'{self.server.port}, user="ada", password={ACCOUNTS["ada"]!r}) as chat:\n'
                f'    print("waiting", flush=True)\n    chat.next_event()\n')
        terminal = Terminal(self, [sys.executable, "-c", code])
        terminal.expect("waiting")
        terminal.type("\x03")
        terminal.wait()
        self.assertIn("KeyboardInterrupt", terminal.seen)

    def test_the_module_exports_its_entry_only(self):
        core = Path(quicchat._core.__file__)
        symbols = subprocess.run(["nm", "-D", "--defined-only", core], capture_output=True,
                                 text=True, check=True).stdout.split()[2::3]
        self.assertEqual(symbols, ["PyInit__core"])


class Peers(Case):
    def test_garbage_at_the_port_disturbs_nobody(self):
        async def main():
            noise = random.Random(1)
            async with quicchat.serve(self.config()) as server:
                address = server.address
                async with quicchat.connect(*address, **account()) as chat:
                    room = await chat.join("#lobby")
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                        for n in range(200):
                            for size in (0, 1, 20, 1200, noise.randrange(1500)):
                                sender.sendto(noise.randbytes(size), address)
                            # Looks like a QUIC Initial at first sight.
                            sender.sendto(b"\xc3\x00\x00\x00\x01\x08" + noise.randbytes(1300),
                                          address)
                            if n % 20 == 0:
                                await room.send(f"still here {n}")
                async with quicchat.connect(*address, **account("bob")) as bob:
                    self.assertEqual((await bob.join("#lobby", last=1)).head, 10)

        self.run_async(main)

    def test_a_client_that_vanishes_is_missed_after_the_idle_timeout(self):
        server = self.start_server(config=self.write_config(limits={"idle_timeout": scaled(2)}))
        limits = quicchat.Limits(keep_alive=scaled(0.5))
        with quicchat.sync.connect("127.0.0.1", server.port, **account("bob"),
                                   limits=limits) as bob:
            bob.join("#lobby")
            ada = Terminal(self, [sys.executable, "-m", "quicchat", "chat", "--port", server.port,
                                  "--user", "ada"])
            ada.expect("Enter Password: ")
            ada.type(ACCOUNTS["ada"] + "\n")
            ada.expect("connected to")
            os.kill(ada.process.pid, signal.SIGKILL)
            for event in bob.events(timeout=scaled(30)):
                if event == quicchat.MemberLeft("#lobby", "ada"):
                    break
            else:
                self.fail("nobody noticed")
            bob.send("#lobby", "poor ada")

    def test_a_crash_of_the_server_leaves_no_core_file_with_its_secrets(self):
        server = self.start_server()
        limits = Path(f"/proc/{server.process.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")

    def test_control_characters_of_a_peer_are_shown_as_marks(self):
        server = self.start_server()
        with quicchat.sync.connect("127.0.0.1", server.port, **account("bob")) as bob:
            # The server takes no escape sequences, but these are legal text.
            bob.join("#lobby").send("abc\u202egnp.exe\u2066 \u200b<ada> two\n<ada> lines")
        output = self.chat(server, ["/quit"]).stdout.decode()
        self.assertIn("<bob> abc<U+202E>gnp.exe<U+2066> <U+200B><ada> two\n    <ada> lines", output)


if __name__ == "__main__":
    unittest.main()
