"""Figures of servers and clients, what they log, and what Prometheus gets."""

import asyncio
import io
import json
import logging
import os
import signal
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request
from contextlib import contextmanager
from unittest import mock

from _support import ACCOUNTS, PATIENCE, Case, account, locked, quicchat, scaled

GUESS = "hunter22"  # nobody's password


def intruder(server, name):
    return quicchat.connect("127.0.0.1", server.address[1], **account(name) | {"password": GUESS})


def core_error(name):
    """What the core says where that error of the protocol is in the way."""
    value, text = next((row[0], row[3]) for row in quicchat._core.error_table() if row[1] == name)
    return quicchat._core.CoreError("quicchat", value, name, text)


@contextmanager
def logged(name):
    """What is logged under that name meanwhile: as JSON, line by line."""
    from quicchat.logs import JsonFormatter

    stream, lines = io.StringIO(), []
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger(name)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        lines += stream.getvalue().splitlines()


class Figures(Case):
    """`stats()`."""

    def test_a_server_and_its_client_say_what_they_have_done(self):
        async def scenario(connect, server):
            async with connect() as chat:
                room = await chat.join("#lobby")
                await room.send("hello")
                with self.assertRaises(quicchat.RequestError):
                    await chat.join("#nowhere")
                stats, client = server.stats(), chat.stats()
                (one,) = server.connection_stats()
            self.assertEqual((stats.connections, stats.users, stats.members, stats.rooms),
                             (1, 1, 1, 1))
            self.assertEqual((stats.logins, stats.messages_stored, stats.deliveries), (1, 1, 1))
            self.assertEqual(stats.requests_refused, {"no_such_room": 1})
            self.assertEqual(stats.appends.count, 1)
            self.assertGreater(stats.turns.count, 1)
            self.assertGreater(stats.turns.longest, 0)
            self.assertGreaterEqual(stats.turns.total, stats.turns.longest)
            self.assertEqual(stats.transport.handshakes_done, 1)
            self.assertEqual(stats.transport.strangers["refused_full"], 0)
            self.assertEqual((one.user, one.state), ("ada", "ready"))
            self.assertGreater(one.path.round_trip, 0)
            self.assertGreater(one.path.packets_received, 1)
            self.assertEqual((client.state, client.dials, client.logins), ("ready", 1, 1))
            self.assertEqual((client.requests_stored, client.requests_refused),
                             (1, {"no_such_room": 1}))
            self.assertGreaterEqual(client.path.packet_bytes_max, 1200)

        self.talk(scenario, database=None)

    def test_logins_that_were_refused_are_counted_by_their_error(self):
        async def scenario(connect, server):
            with self.assertRaises(quicchat.AuthError):
                await intruder(server, "ada")
            self.assertEqual(server.stats().logins_refused, {"login_failed": 1})
            self.assertEqual(server.stats().logins, 0)

        self.talk(scenario, database=None)

    def test_without_asyncio(self):
        server = self.start_server()
        with quicchat.sync.connect("127.0.0.1", server.port, **account()) as chat:
            chat.join("#lobby").send("hello")
            self.assertEqual(chat.stats().requests_stored, 1)

    def test_who_has_ended_says_so(self):
        async def scenario(connect, server):
            chat = await connect()
            await chat.close()
            with self.assertRaises(quicchat.RequestError) as caught:
                chat.stats()
            self.assertEqual(caught.exception.name, "not_ready")
            await server.close()
            with self.assertRaises(quicchat.RequestError) as caught:
                server.stats()
            self.assertEqual(caught.exception.name, "not_ready")

        self.talk(scenario, database=None)

    def test_only_who_has_ended_is_said_to_have_ended(self):
        from quicchat.stats import client_stats, server_stats

        for ask in (client_stats, server_stats):
            for name, says in (("not_ready", "has ended"), ("internal_error", "no answer"),
                               ("queue_full", "no answer")):
                with self.subTest(f"{ask.__name__} {name}"):
                    core = mock.Mock()
                    core.stats.side_effect = core_error(name)
                    with self.assertRaises(quicchat.RequestError) as caught:
                        ask(core)
                    self.assertEqual(caught.exception.name, name)
                    self.assertIn(says, str(caught.exception))
                    self.assertEqual("has ended" in str(caught.exception), name == "not_ready")

    def test_a_signal_is_heard_while_the_engine_is_busy(self):
        class Heard(Exception):
            pass

        def hear(*_):
            heard.append(time.monotonic())
            raise Heard

        long = scaled(0.5)
        deadline = time.monotonic() + PATIENCE

        def wait_for_a_call_that_lasts(chat):
            while not freed and time.monotonic() < deadline:
                begin = time.monotonic()
                chat.stats()
                if time.monotonic() - begin > long:
                    freed.append(time.monotonic())

        def signal_when_a_call_lasts():
            while time.monotonic() - asked[0] < long and time.monotonic() < deadline:
                time.sleep(0.01)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGUSR1)

        async def scenario(connect, server):
            state = self.folder / "ada.db"
            async with connect("ada", state=state) as chat:
                room = await chat.join("#lobby")
                threads = [threading.Thread(target=wait_for_a_call_that_lasts, args=(chat,)),
                           threading.Thread(target=signal_when_a_call_lasts)]
                with locked(state):
                    sending = asyncio.create_task(room.send("hello"))
                    await asyncio.sleep(0)
                    asked.append(time.monotonic())
                    for thread in threads:
                        thread.start()
                    with self.assertRaises(Heard):
                        while time.monotonic() < deadline:
                            asked[0] = time.monotonic()
                            chat.stats()
                    for thread in threads:
                        thread.join()
                await sending
            self.assertLess(heard[0] - sent[0], freed[0] - heard[0])

        asked, sent, heard, freed = [], [], [], []
        before = signal.signal(signal.SIGUSR1, hear)
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        self.talk(scenario)


class Logs(Case):
    """`logging`."""

    def test_a_server_logs_its_events_and_a_client_its_connection(self):
        async def scenario(connect, server):
            async with connect():
                pass
            with self.assertRaises(quicchat.AuthError):
                await intruder(server, "bob")

        with logged("quicchat.server") as server, logged("quicchat.client") as client:
            self.talk(scenario, database=None)
        events = [json.loads(line) for line in server]
        self.assertEqual([event["event"] for event in events],
                         ["peer_connected", "login_succeeded", "peer_disconnected",
                          "peer_connected", "login_failed", "peer_disconnected"])
        self.assertEqual((events[1]["user"], events[1]["level"]), ("ada", "info"))
        self.assertEqual((events[4]["user"], events[4]["error"], events[4]["level"]),
                         ("bob", "login_failed", "warning"))
        self.assertEqual([json.loads(line)["event"] for line in client], ["online", "offline"])
        for line in (*server, *client):
            for secret in (*ACCOUNTS.values(), GUESS):
                self.assertNotIn(secret, line)

    def test_what_peers_chose_cannot_break_a_line_or_a_terminal(self):
        from quicchat.logs import log_server

        nasty = 'eve", "admin": 1}\n\x1b[2J\u202e\u0085\ud800'
        with logged("quicchat.server") as lines:
            log_server(quicchat.LoginFailed(1, nasty, "192.0.2.1:5", "login_failed"))
        (line,) = lines
        self.assertTrue(line.isascii() and line.isprintable(), line)
        self.assertEqual(json.loads(line)["user"], nasty)
        self.assertNotIn("admin", json.loads(line))
        self.assertNotIn("\x1b", json.loads(line)["message"])

    def test_nothing_is_shown_unless_the_program_sets_up_logging(self):
        result = self.python("""
from quicchat.events import LoginFailed
from quicchat.logs import log_server
log_server(LoginFailed(1, "eve", "192.0.2.1:5", "login_failed"))
""")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""))

    def test_quicchat_serve_logs_json_line_by_line(self):
        server = self.start_server("--log-format", "json")
        self.chat(server, ["hello there"])
        self.assertEqual(server.stop(), 0)
        lines = [json.loads(line) for line in server.log.splitlines()]
        self.assertTrue(any(line["message"].startswith("listening on ") for line in lines))
        self.assertEqual([line["user"] for line in lines
                          if line.get("event") == "login_succeeded"], ["ada"])
        self.assertNotIn("hello there", server.log)
        self.assertNotIn(ACCOUNTS["ada"], server.log)


class Prometheus(Case):
    """`"metrics"` in the configuration."""

    def get(self, place):
        url = "http://{}:{}/metrics".format(*place)
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def test_the_figures_are_there_and_name_nobody(self):
        async def scenario(connect, server):
            async with connect() as chat:
                await (await chat.join("#lobby")).send("hello")
                with quicchat.metrics.serve(server, "127.0.0.1:0") as place:
                    text = await asyncio.to_thread(self.get, place)
                with self.assertRaises(OSError):
                    await asyncio.to_thread(self.get, place)
            for line in ("quicchat_connections 1.0", "quicchat_logins_total 1.0",
                         "quicchat_messages_stored_total 1.0", "quicchat_append_seconds_count 1.0",
                         'quicchat_strangers_total{outcome="retries"} 0.0',
                         "quicchat_handshakes_done_total 1.0"):
                self.assertIn(f"\n{line}\n", text)
            self.assertRegex(text, r"\nquicchat_udp_bytes_sent_total [1-9]")
            self.assertRegex(text, r"\nquicchat_turn_longest_seconds (0\.\d*)?[1-9]")
            for name in ("ada", "lobby", "127.0.0.1"):
                self.assertNotIn(name, text)

        self.talk(scenario, database=None)

    def test_a_server_that_has_ended_has_no_figures_and_one_that_is_silent_is_an_error(self):
        from quicchat.metrics import _Collector
        from quicchat.stats import server_stats

        core = mock.Mock()
        server = mock.Mock(stats=lambda: server_stats(core)[0],
                           connection_stats=lambda: server_stats(core)[1])
        core.stats.side_effect = core_error("not_ready")
        self.assertEqual(list(_Collector(server).collect()), [])
        core.stats.side_effect = core_error("internal_error")
        with self.assertRaises(quicchat.RequestError):
            list(_Collector(server).collect())
        with quicchat.metrics.serve(server, "127.0.0.1:0") as place, \
                mock.patch("sys.stderr", io.StringIO()), \
                self.assertRaises(urllib.error.HTTPError) as caught:
            self.get(place)
        self.assertEqual(caught.exception.code, 500)
        caught.exception.close()

    def test_quicchat_serve_does_it_if_the_configuration_says_so(self):
        server = self.start_server(config=self.write_config(metrics="127.0.0.1:0"))
        place = server.log.partition("metrics on http://")[2].partition("/metrics")[0]
        self.assertIn("quicchat_connections 0.0", self.get(place.split(":")))
        self.assertEqual(server.stop(), 0)

    def test_an_address_that_others_can_reach_is_refused(self):
        for wrong in ("0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464", "9464", "localhost:9464",
                      "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", 9464, "::1:9464x"):
            with self.subTest(wrong):
                with self.assertRaises(quicchat.ConfigError) as caught:
                    self.config(metrics=wrong)
                self.assertIn("this computer alone", quicchat.errors.explain(caught.exception))
        for right in ("127.0.0.1:9464", "[::1]:0", "127.3.2.1:1"):
            self.assertEqual(self.config(metrics=right).metrics, right)
        with self.assertRaises(quicchat.ConfigError):
            with quicchat.metrics.serve(mock.Mock(), "0.0.0.0:9464"):
                pass

    def test_without_the_extra_the_error_names_it(self):
        with mock.patch.dict(sys.modules, {"prometheus_client": None}):
            with self.assertRaises(quicchat.ConfigError) as caught:
                with quicchat.metrics.serve(mock.Mock(), "127.0.0.1:0"):
                    pass
        self.assertIn("quicchat[metrics]", quicchat.errors.explain(caught.exception))

    def test_it_is_loaded_only_if_it_is_wanted(self):
        result = self.python("import sys, quicchat; print('prometheus_client' in sys.modules)")
        self.assertEqual(result.stdout, b"False\n", result.stderr)

    def test_a_port_that_is_taken_is_said(self):
        async def scenario(connect, server):
            with quicchat.metrics.serve(server, "127.0.0.1:0") as (host, port):
                with self.assertRaises(quicchat.BindError):
                    with quicchat.metrics.serve(server, f"{host}:{port}"):
                        pass

        self.talk(scenario, database=None)


if __name__ == "__main__":
    unittest.main()
