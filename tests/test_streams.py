"""Standard streams that are closed, full, or read by nobody, and a process that may open little."""

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
import unittest

from _support import PATIENCE, Case, account, environment, quicchat

QUICCHAT = [sys.executable, "-m", "quicchat"]


class Streams(Case):
    def start(self, *arguments, **streams):
        """`quicchat serve` with those streams, or with those descriptors closed; returns it when
        it serves."""
        port = free_port()
        changes = {name: streams.pop(name) for name in ("database",) if name in streams}
        config = self.write_config(port=port, **changes)
        colourful = environment(TERM="xterm")  # where it asks what is a terminal
        del colourful["NO_COLOR"]
        server = subprocess.Popen(
            closing(streams.pop("closed", ()), [*QUICCHAT, "serve", "--config", str(config),
                                                *arguments]),
            cwd=self.folder, env=colourful, **streams)
        self.addCleanup(self._end, server)
        self.port = port
        self.talk_to_it()
        return server

    @staticmethod
    def _end(server):
        if server.poll() is None:
            server.kill()
        server.wait(PATIENCE)
        for stream in (server.stdin, server.stdout, server.stderr):
            if stream is not None:
                stream.close()

    def talk_to_it(self):
        """Logs in as soon as the server is there, and says something."""

        async def main():
            while True:
                with contextlib.suppress(quicchat.ConnectError):
                    async with quicchat.connect("127.0.0.1", self.port, **account()) as chat:
                        room = await chat.join("#lobby")
                        await room.send("hello")
                        return
                await asyncio.sleep(0.05)

        self.run_async(main)

    def stop(self, server):
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(PATIENCE), 0)

    def test_a_server_with_closed_streams(self):
        for closed in ((0, 1, 2), (1,), (2,), (0,)):
            with self.subTest(closed):
                said = self.folder / "said"
                with said.open("wb") as file:
                    server = self.start(closed=closed, stdout=file, stderr=file)
                server.send_signal(signal.SIGHUP)
                self.talk_to_it()
                self.stop(server)
                self.assertNotIn("Traceback", said.read_text())
                self.assertEqual("listening on" in said.read_text(), 1 not in closed)

    def test_a_server_whose_log_has_no_room(self):
        for style in ("text", "json"):
            with self.subTest(style), open("/dev/full", "wb") as full:
                complaints = self.folder / "complaints"
                with complaints.open("wb") as file:
                    server = self.start("--log-format", style, stdout=full, stderr=file)
                self.talk_to_it()
                self.stop(server)
                self.assertNotIn("Traceback", complaints.read_text())

    def test_a_log_whose_disk_was_full_for_a_moment_goes_on(self):
        log = self.folder / "log"
        # A limit for the sizes of files: it can be taken back while the server runs.
        with log.open("ab", buffering=0) as file:
            server = self.start(stdout=file, database=None)
        room = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 20, room[1]))
        for _ in range(3):
            self.talk_to_it()
        before = log.read_text()
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, room)
        self.talk_to_it()
        self.stop(server)
        added = log.read_text()[len(before):]
        self.assertRegex(added, r"\(\d+ lines of the log could not be written\)")
        self.assertIn("stopping", added)

    def test_a_server_whose_log_ends(self):
        reader, writer = os.pipe()
        server = self.start(stdout=writer)
        os.close(writer)
        os.close(reader)
        for _ in range(2):
            self.talk_to_it()
            server.send_signal(signal.SIGHUP)
        self.talk_to_it()
        self.stop(server)

    def test_a_server_whose_log_is_not_read(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        os.set_blocking(writer, True)
        server = self.start(stdout=writer)
        os.close(writer)
        self.talk_to_it()
        begin = time.monotonic()
        self.stop(server)
        print(f"\ntest_streams: stopped {time.monotonic() - begin:.2f} s after SIGTERM")

    def test_a_chat_whose_output_has_no_room(self):
        server = self.start_server()
        with open("/dev/full", "wb") as full:
            result = subprocess.run(
                [*QUICCHAT, "chat", "--port", str(server.port)], stdout=full,
                stderr=subprocess.PIPE, input=b"ada\ncorrect horse\nhi\n", timeout=PATIENCE,
                cwd=self.folder, env=environment(), check=False)
        self.assert_words(result, 74, "cannot write to standard output", "no space left",
                          "[E-OUTPUT]", "fix:")

    def test_a_chat_without_output_sends_all_the_same(self):
        server = self.start_server()
        result = subprocess.run(
            closing((1,), [*QUICCHAT, "chat", "--port", str(server.port)]), stderr=subprocess.PIPE,
            input=b"ada\ncorrect horse\nhi\n", timeout=PATIENCE, cwd=self.folder,
            env=environment(), check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn(b"Traceback", result.stderr)
        shown = self.chat(server, ["/history"]).stdout
        self.assertIn(b"<ada> hi", shown)

    def test_too_few_descriptors_are_said_in_words(self):
        config = self.write_config(port=free_port(), database=None)
        for descriptors in range(8, 16):
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
                self.assertNotIn("Traceback", errors)
                if not listens:
                    self.assertEqual(status, 71, errors)
                    self.assertIn("too many open files", errors)


def closing(descriptors, command):
    """The command, with these descriptors closed when it begins."""
    if not descriptors:
        return command
    closed = " ".join(f"{n}>&-" for n in descriptors)
    return ["sh", "-c", f'exec "$@" {closed}', "sh", *command]


def free_port():
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    unittest.main()
