"""What the Python tests share: servers in scratch folders, scripts as subprocesses, terminals."""

import asyncio
import codecs
import contextlib
import json
import os
import pty
import queue
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"


def scaled(seconds):
    """A time that a busy machine may need more of: QUICCHAT_TEST_TIMEOUT_SCALE times as long."""
    return seconds * float(os.environ.get("QUICCHAT_TEST_TIMEOUT_SCALE") or 1)


PATIENCE = scaled(120.0)  # in seconds; a test that waits for longer hangs

LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def locked(database):
    """By a process of its own: two SQLites in one would take each other's locks away. Gives what
    lets go."""
    with subprocess.Popen([sys.executable, "-c", LOCK, database],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"locked\n", "the database could not be locked"
        yield other.stdin.close


try:
    import quicchat

    IMPORT_PROBLEM = ""
except ImportError as problem:
    quicchat = None
    IMPORT_PROBLEM = f"quicchat cannot be imported ({problem}): run 'pip install .' first"

# The fewest iterations that a client accepts: a login costs a few hundredths of a second.
ITERATIONS = 100_000
ACCOUNTS = {"ada": "correct horse", "bob": "battery staple", "eve": "pass word"}


def copy_pair(name, folder):
    """Puts one of tests/quic/certificates where a configuration expects the server's."""
    source = Path(__file__).resolve().parent / "quic" / "certificates"
    for kind, mode in (("crt", 0o644), ("key", 0o600)):
        target = folder / f"server.{kind}"
        target.write_bytes((source / f"{name}.{kind}").read_bytes())
        target.chmod(mode)


class Case(unittest.TestCase):
    """A test that needs the installed package, with a scratch folder and no known servers."""

    def setUp(self):
        if IMPORT_PROBLEM:
            self.fail(IMPORT_PROBLEM)
        folder = tempfile.TemporaryDirectory(prefix="quicchat-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.known_servers = self.folder / "known_servers"
        # What a person keeps between two chats is of this test alone.
        kept = {"QUICCHAT_KNOWN_SERVERS": self.known_servers,
                "XDG_CONFIG_HOME": self.folder / "config",
                "XDG_STATE_HOME": self.folder / "state"}
        changed = mock.patch.dict(os.environ, {name: str(path) for name, path in kept.items()})
        changed.start()
        self.addCleanup(changed.stop)

    def write_config(self, **changes):
        """A configuration with three accounts; returns its path."""
        value = {
            "host": "127.0.0.1", "port": 0, "certfile": "server.crt", "keyfile": "server.key",
            "auth": {"iterations": ITERATIONS,
                     "users": [{"username": name, "password": password}
                               for name, password in ACCOUNTS.items()]},
        }
        value.update(changes)
        path = self.folder / "config.json"
        path.write_text(json.dumps(value))
        path.chmod(0o600)  # it has passwords
        return path

    def config(self, **changes):
        return quicchat.load_config(self.write_config(**changes))

    def run_async(self, main):
        """Runs a coroutine function to its end, within the patience."""

        async def bounded():
            async with asyncio.timeout(PATIENCE):
                return await main()

        return asyncio.run(bounded())

    def talk(self, scenario, **config):
        """Runs `scenario(connect, server)` against a server in this process; `connect("ada")` logs
        in."""

        async def main():
            async with quicchat.serve(self.config(**config)) as server:
                def connect(name="ada", **options):
                    return quicchat.connect("127.0.0.1", server.address[1], **account(name),
                                            **options)
                await scenario(connect, server)

        self.run_async(main)

    async def assert_refused(self, name, request):
        """The request is refused with that error, in words that say what to do."""
        with self.assertRaises(quicchat.RequestError, msg=name) as caught:
            await request
        self.assertEqual(caught.exception.name, name)
        self.assertTrue(str(caught.exception))
        return caught.exception

    def script(self, name, *arguments, input=b"", **options):
        """Runs one of the examples to its end."""
        return subprocess.run([sys.executable, str(EXAMPLES / name), *map(str, arguments)],
                              input=input, capture_output=True, timeout=PATIENCE,
                              cwd=options.pop("cwd", self.folder), env=environment(**options))

    def command(self, *arguments, input=b"", cwd=None):
        """Runs `python3 -m quicchat` to its end."""
        return subprocess.run([sys.executable, "-m", "quicchat", *map(str, arguments)],
                              input=input, capture_output=True, timeout=PATIENCE,
                              cwd=cwd or self.folder, env=environment())

    def python(self, code, *options, input=b""):
        """Runs a program with this folder as its current one."""
        return subprocess.run([sys.executable, *options, "-c", code], input=input,
                              capture_output=True, timeout=PATIENCE, cwd=self.folder,
                              env=environment())

    def start_server(self, *arguments, config=None):
        """Starts examples/server.py; returns it when it listens."""
        server = Server(self, config or self.write_config(), arguments)
        self.addCleanup(server.stop)
        return server

    def chat(self, server, lines, user="ada", password=None):
        """Runs examples/chat_client.py with these lines as its input."""
        typed = [user, ACCOUNTS[user] if password is None else password, *lines]
        data = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in typed)
        return self.script("chat_client.py", "--server-ip", "127.0.0.1", "--port", server.port,
                           input=data + b"\n")

    def assert_words(self, result, status, *words):
        """The exit status, all of the words on standard error, and no traceback anywhere."""
        errors = result.stderr.decode(errors="replace")
        self.assertEqual(result.returncode, status, errors)
        self.assertNotIn("Traceback", errors)
        for word in words:
            self.assertIn(word, errors)
        if status not in (0, 130):
            self.assertRegex(errors, r"\[E-[A-Z-]+\]")


def environment(**more):
    """The environment for a subprocess: warnings of Python would be noise of ours."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "TERM": "dumb", **more}


class Server:
    """examples/server.py in a process of its own."""

    def __init__(self, case, config, arguments=()):
        self.log_path = case.folder / f"server-{time.monotonic_ns()}.log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(EXAMPLES / "server.py"), "--config", str(config),
                 *map(str, arguments)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=case.folder,
                env=environment())
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(r"listening on .*:(\d+) ", self.log)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the server did not start:\n" + self.log)
            time.sleep(0.02)
        self.port = int(found.group(1))

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self, how=signal.SIGTERM):
        """Stops it and returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(PATIENCE)


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, case, arguments, **env):
        master, slave = pty.openpty()
        self.master = master
        # The terminal becomes the one that Ctrl-C is typed at, before the program begins.
        begin = ("import fcntl, os, sys, termios; os.setsid(); "
                 "fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])")
        self.process = subprocess.Popen(
            [sys.executable, "-c", begin, *map(str, arguments)], stdin=slave, stdout=slave,
            stderr=slave, cwd=case.folder, env=environment(**env))
        os.close(slave)
        self.seen = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._shown = queue.SimpleQueue()
        self._is_at_end = False
        self._is_gone = threading.Event()
        # As a real one does, it takes what it is sent whether anybody looks at it or not.
        self._taking = threading.Thread(target=self._take)
        self._taking.start()
        case.addCleanup(self._end)

    def _take(self):
        data = b" "
        while data and not self._is_gone.is_set():
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    data = os.read(self.master, 65536)
                except OSError:  # Linux reports the end of a terminal like this
                    data = b""
                self._shown.put(data)

    def _end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self.hang_up()

    def hang_up(self):
        """The terminal is gone."""
        if not self._is_gone.is_set():
            self._is_gone.set()
            self._taking.join()
            self._shown.put(b"")
            os.close(self.master)

    def expect(self, text, times=1):
        """Reads until `text` was shown so many times."""
        deadline = time.monotonic() + PATIENCE
        while self.seen.count(text) < times:
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"never shown: {text!r}; seen: {self.seen!r}")

    def type(self, text):
        os.write(self.master, text.encode())

    def wait(self):
        """Reads to the end and returns the exit status."""
        while self._read(PATIENCE):
            pass
        return self.process.wait(PATIENCE)

    def _read(self, timeout):
        with contextlib.suppress(queue.Empty):
            data = b"" if self._is_at_end else self._shown.get(timeout=timeout)
            self._is_at_end = not data
            self.seen += self._decoder.decode(data)
            return bool(data)
        return False


@contextlib.contextmanager
def udp_peer(answer):
    """A UDP socket on a port of its own that answers every datagram with `answer(datagram)`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(0.1)
        over = threading.Event()

        def serve():
            while not over.is_set():
                with contextlib.suppress(OSError):
                    data, sender = peer.recvfrom(65536)
                    reply = answer(data)
                    if reply is not None:
                        peer.sendto(reply, sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield peer.getsockname()[1]
        finally:
            over.set()
            thread.join()


def account(name="ada"):
    """Keyword arguments for `quicchat.connect`."""
    return {"user": name, "password": ACCOUNTS[name]}


async def next_of(chat, kind, **fields):
    """The next event of a kind whose fields are these."""
    async for event in chat:
        if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items()):
            return event
    raise AssertionError(f"the events ended before a {kind.__name__}")
