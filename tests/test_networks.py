"""Networks that change under a connection: addresses, names, and how long a packet may be.

What needs addresses of its own runs in a network namespace, each test in a process of its own:
``test_networks.py SCENARIO FOLDER`` is that process.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from _support import PATIENCE, Case, account, environment, next_of, quicchat, scaled


class Relay:
    """Carries datagrams between one client and a server; those that are too long vanish."""

    def __init__(self, server_port):
        self.bytes_max = 65_536
        self.longest = 0
        self._client = None
        self._server_port = server_port
        self._sockets = [self._new_socket() for _ in range(2)]
        self.port = self._sockets[0].getsockname()[1]
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._carry, args=(way,)) for way in range(2)]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _new_socket():
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.bind(("127.0.0.1", 0))
        end.settimeout(0.1)
        return end

    def rebind(self):
        """The server hears of the client from another port from now on, and on that port alone."""
        old, self._sockets[1] = self._sockets[1], self._new_socket()
        old.close()

    def _carry(self, way):
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                data, sender = self._sockets[way].recvfrom(65_536)
                if way == 0:
                    self._client = sender
                self.longest = max(self.longest, len(data))
                if len(data) <= self.bytes_max:
                    to = ("127.0.0.1", self._server_port) if way == 0 else self._client
                    self._sockets[1 - way].sendto(data, to)

    def close(self):
        self._over.set()
        for thread in self._threads:
            thread.join()
        for end in self._sockets:
            end.close()


class NarrowPaths(Case):
    def test_a_path_that_becomes_narrower_holds_up_nobody_for_long(self):
        text = "x" * 20_000

        async def send(room, what):
            begin = time.monotonic()
            await room.send(text)
            print(f"\ntest_networks: {what}: {time.monotonic() - begin:.2f} s")
            self.assertLess(time.monotonic() - begin, scaled(3))

        async def scenario(connect, server):
            relay = Relay(server.address[1])
            self.addCleanup(relay.close)
            async with (quicchat.connect("127.0.0.1", relay.port, **account("bob")) as bob,
                        connect() as ada):
                in_bob, in_ada = await bob.join("#lobby"), await ada.join("#lobby")
                while relay.longest < 1400:  # until both have measured the path
                    await in_bob.send("measure")
                    await asyncio.sleep(0.02)
                relay.bytes_max = 1252
                await send(in_bob, "a long message from where the path became narrower")
                await send(in_ada, "one of somebody else")
                begin = time.monotonic()
                while (await next_of(bob, quicchat.Message)).sender != "ada":
                    pass
                print(f"test_networks: and arrived after {time.monotonic() - begin:.2f} s more")
                self.assertLess(time.monotonic() - begin, scaled(4))

        self.talk(scenario)


class ForgetfulNats(Case):
    def test_a_nat_that_gives_another_port_delays_nobody(self):
        async def scenario(connect, server):
            relay = Relay(server.address[1])
            self.addCleanup(relay.close)
            async with quicchat.connect("127.0.0.1", relay.port, **account("bob")) as bob:
                room = await bob.join("#lobby")
                watch = Watch(bob)
                for turn in range(5):
                    relay.rebind()
                    await room.send(f"from port {turn}")
                while len(watch.all(quicchat.Message)) < 5:
                    await asyncio.sleep(0.01)
                self.assertEqual([m.text for m in watch.all(quicchat.Message)],
                                 [f"from port {turn}" for turn in range(5)])
                self.assertEqual(watch.all(quicchat.Reconnecting), [])

        self.talk(scenario)


def can_have_networks():
    """The command that runs another in namespaces of its own, or None."""
    if not shutil.which("ip") or not shutil.which("unshare"):
        return None
    for command in (["unshare", "-n", "-m"], ["unshare", "-r", "-n", "-m"]):
        with contextlib.suppress(OSError):
            if subprocess.run([*command, "ip", "link", "set", "lo", "up"], capture_output=True,
                              check=False).returncode == 0:
                return command
    return None


class ChangingNetworks(Case):
    """Each test is one of the scenarios below."""

    def play(self, scenario):
        command = can_have_networks()
        if command is None:
            self.skipTest("no namespaces here: they need the programs ip and unshare, and a right")
        result = subprocess.run([*command, sys.executable, __file__, scenario, str(self.folder)],
                                capture_output=True, timeout=PATIENCE, cwd=self.folder,
                                env=environment(), check=False)
        output = (result.stdout + result.stderr).decode(errors="replace")
        self.assertEqual(result.returncode, 0, output)
        print(f"\ntest_networks: {scenario}: {result.stdout.decode().strip()}")

    def test_another_address_of_this_computer(self):
        self.play("another_address")

    def test_no_address_for_a_while(self):
        self.play("no_address_for_a_while")

    def test_an_interface_that_goes_down_and_up(self):
        self.play("interface_down_and_up")

    def test_the_other_family(self):
        self.play("other_family")

    def test_a_server_that_moves(self):
        self.play("server_moves")

    def test_a_family_that_leads_nowhere(self):
        self.play("dead_family")

    def test_link_local_addresses(self):
        self.play("link_local")

    def test_names_in_other_alphabets(self):
        self.play("other_alphabets")


# --- What runs in a namespace of its own. All is on this one computer, so a route says from which
# address the client speaks.


def ip(*arguments):
    subprocess.run(["ip", *map(str, arguments)], check=True)


def set_names(folder, lines):
    """What /etc/hosts says from now on, here."""
    hosts = Path(folder) / "hosts"
    known = hosts.exists()
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{line}\n" for line in lines))
    if not known:
        subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)


def make_interface():
    ip("link", "set", "lo", "up")
    ip("link", "add", "d0", "type", "veth", "peer", "name", "d1")
    ip("link", "set", "d1", "up")
    ip("link", "set", "d0", "up")


def serve(folder, host, **options):
    options.setdefault("port", 0)
    options.setdefault("certfile", Path(folder) / "server.crt")
    options.setdefault("keyfile", Path(folder) / "server.key")
    user = quicchat.Account("ada", account()["password"])
    limits = quicchat.Limits(drain_timeout=0.1)
    return quicchat.serve(quicchat.ServerConfig(host=host, accounts=(user,), iterations=100_000,
                                                limits=limits, **options))


def log_in(host, port, **options):
    return quicchat.connect(host, port, **account(), tls=quicchat.TLS.trust_on_first_use(ask=False),
                            **options)


class Watch:
    """Everything that a chat reports, and how long each message took."""

    def __init__(self, chat):
        self.events = []
        self._task = asyncio.create_task(self._read(chat))

    async def _read(self, chat):
        async for event in chat:
            self.events.append(event)

    def all(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


async def acknowledged_after(room, what):
    begin = time.monotonic()
    await room.send(what)
    return time.monotonic() - begin


def speak_from(address, command="change"):
    """From which address whoever asks for the server at 10.9.0.1 speaks to it."""
    ip("route", command, "local", "10.9.0.1", "dev", "lo", "table", "local", "src", address)


@contextlib.asynccontextmanager
async def chat_from_one_address(folder):
    """A client that speaks from 10.9.0.9 and may not lose its connection to 10.9.0.1."""
    make_interface()
    ip("addr", "add", "10.9.0.1/32", "dev", "lo")
    ip("addr", "add", "10.9.0.9/24", "dev", "d0")
    speak_from("10.9.0.9")
    async with (serve(folder, "0.0.0.0") as server,
                log_in("10.9.0.1", server.address[1]) as chat):
        room = await chat.join("#lobby")
        watch = Watch(chat)
        await room.send("before")
        yield room
        assert not watch.all(quicchat.Reconnecting)


async def another_address(folder):
    """10.9.0.9 becomes 10.8.0.9; the server is reached from either."""
    async with chat_from_one_address(folder) as room:
        ip("addr", "add", "10.8.0.9/24", "dev", "d0")
        speak_from("10.8.0.9")
        ip("addr", "del", "10.9.0.9/24", "dev", "d0")
        seconds = await acknowledged_after(room, "after")
        assert seconds < scaled(3), seconds
        print(f"acknowledged {seconds:.2f} s after the change")


async def no_address_for_a_while(folder):
    """The old address goes; the new one comes four seconds later."""
    async with chat_from_one_address(folder) as room:
        ip("route", "del", "local", "10.9.0.1", "dev", "lo", "table", "local")
        ip("addr", "del", "10.9.0.9/24", "dev", "d0")
        sent = asyncio.create_task(room.send("meanwhile"))
        await asyncio.sleep(4)
        assert not sent.done()
        ip("addr", "add", "10.8.0.9/24", "dev", "d0")
        begin = time.monotonic()
        speak_from("10.8.0.9", "add")
        await sent
        seconds = time.monotonic() - begin
        assert seconds < scaled(3), seconds
        print(f"acknowledged {seconds:.2f} s after the new address")


async def interface_down_and_up(folder):
    """For a moment, and for longer than a connection lives without packets."""
    ip("link", "set", "lo", "up")
    idle = scaled(3)
    limits = quicchat.Limits(idle_timeout=idle, keep_alive=idle / 3)
    async with (serve(folder, "127.0.0.1") as server,
                log_in("127.0.0.1", server.address[1], limits=limits) as chat):
        room = await chat.join("#lobby")
        watch = Watch(chat)
        for texts, down in (("ab", idle / 4), ("cd", idle * 2)):
            ip("link", "set", "lo", "down")
            sent = [asyncio.create_task(room.send(text)) for text in texts]
            await asyncio.sleep(down)
            assert not any(task.done() for task in sent)
            ip("link", "set", "lo", "up")
            begin = time.monotonic()
            await asyncio.gather(*sent)
            seconds = time.monotonic() - begin
            assert seconds < scaled(10), seconds
            print(f"acknowledged {seconds:.2f} s after {down:.1f} s without the interface;")
        while len(watch.all(quicchat.Message)) < 4:
            await asyncio.sleep(0.01)
        assert [message.text for message in watch.all(quicchat.Message)] == list("abcd")
        assert not watch.all(quicchat.Gap)


async def other_family(folder):
    """The server has two addresses; the way to one of them ends for good."""
    make_interface()
    ip("addr", "add", "fd09::1/128", "dev", "lo", "nodad")
    ip("addr", "add", "10.9.0.1/32", "dev", "lo")
    set_names(folder, ["fd09::1 chat.test", "10.9.0.1 chat.test"])
    async with serve(folder, "::") as server:
        async with log_in("chat.test", server.address[1]) as chat:
            assert chat.address.startswith("[fd09::1]"), chat.address
            room = await chat.join("#lobby")
            watch = Watch(chat)
            ip("addr", "del", "fd09::1/128", "dev", "lo")
            seconds = await acknowledged_after(room, "after")
            assert chat.address.startswith("10.9.0.1"), chat.address
            assert seconds < scaled(8), seconds
            assert len(watch.all(quicchat.Reconnecting)) <= 2
            print(f"acknowledged {seconds:.2f} s after the change")


async def server_moves(folder):
    """The name stands for another address when the server comes back."""
    ip("link", "set", "lo", "up")
    set_names(folder, ["127.0.0.5 chat.test"])
    async with serve(folder, "127.0.0.5") as server:
        port = server.address[1]
        chat = await log_in("chat.test", port)
        await chat.join("#lobby")
        watch = Watch(chat)
    set_names(folder, ["127.0.0.6 chat.test"])
    begin = time.monotonic()
    async with serve(folder, "127.0.0.6", port=port):
        while not watch.all(quicchat.Online):
            await asyncio.sleep(0.02)
        assert chat.address.startswith("127.0.0.6"), chat.address
        assert time.monotonic() - begin < scaled(10)
        print(f"online again after {time.monotonic() - begin:.2f} s")
        await chat.close()


async def dead_family(folder):
    """The IPv6 address of the name answers nothing."""
    make_interface()
    ip("addr", "add", "fd01::1/64", "dev", "d0", "nodad")
    set_names(folder, ["fd01::77 two.test", "127.0.0.1 two.test"])
    async with serve(folder, "127.0.0.1") as server:
        begin = time.monotonic()
        async with log_in("two.test", server.address[1]) as chat:
            seconds = time.monotonic() - begin
            assert chat.address.startswith("127.0.0.1"), chat.address
            assert seconds < scaled(3), seconds
            print(f"online after {seconds:.2f} s")


async def link_local(folder):
    """fe80::9%d0, at both ends."""
    make_interface()
    ip("addr", "add", "fe80::9/64", "dev", "d0", "nodad")
    async with serve(folder, "fe80::9%d0") as server:
        async with log_in("fe80::9%d0", server.address[1]) as chat:
            room = await chat.join("#lobby")
            await room.send("hi")
            assert chat.address.startswith("[fe80::9%d0]:"), chat.address
            print(chat.address)


async def other_alphabets(folder):
    """A name as people write it, where the certificate and the name server have it in ASCII."""
    ip("link", "set", "lo", "up")
    set_names(folder, ["127.0.0.1 xn--mnchen-3ya.test"])
    async with serve(folder, "127.0.0.1") as server:
        for name in ("xn--mnchen-3ya.test", "münchen.test", "MU\u0308NCHEN.test"):
            async with log_in(name, server.address[1]) as chat:
                assert chat.is_online
    known = Path(os.environ["QUICCHAT_KNOWN_SERVERS"]).read_text()
    assert known.count("sha256:") == 1, known
    print("online")


async def play(scenario, folder):
    async with asyncio.timeout(PATIENCE / 2):
        await globals()[scenario](folder)


if __name__ == "__main__":
    os.environ["QUICCHAT_KNOWN_SERVERS"] = str(Path(sys.argv[2]) / "known_servers")
    asyncio.run(play(*sys.argv[1:]))
