"""`quicchat.doctor`: what can be wrong, met by real sockets, is named, with what to do."""

import os
import socket
import threading
import time
import unittest
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from _doctor import Doctor, negotiation
from _support import account, quicchat, scaled, udp_peer

CERTIFICATES = Path(__file__).resolve().parent / "quic" / "certificates"


class Good(Doctor):
    def test_all_is_well_and_nothing_was_changed(self):
        found = self.with_server(lambda port: self.examine(
            "127.0.0.1", port, **account()), database=None)
        self.assert_statuses(found)
        self.assertGreaterEqual(found["path_mtu"].detail["udp_payload_bytes"], 1200)
        self.assertEqual(found["versions"].detail["quic"], ["1", "2"])
        self.assertIn("127.0.0.1", found["certificate"].detail["names"])
        self.assertRegex(found["certificate"].detail["fingerprint"], r"^sha256:[0-9a-f]{64}$")
        self.assertEqual(found["login"].detail["user"], "ada")
        self.assertEqual(found["round_trip"].detail["answered"], 5)
        self.assertLess(0, found["round_trip"].detail["min"])
        self.assertGreater(found["round_trip"].detail["request_seconds"], 0)
        self.assertFalse(self.known_servers.exists())

    def test_without_a_user_there_is_no_login(self):
        found = self.with_server(lambda port: self.examine("127.0.0.1", port), database=None)
        self.assert_statuses(found, login="skipped")
        self.assertIn("--user", found["login"].text)

    def test_by_name(self):
        found = self.with_server(lambda port: self.examine("localhost", port), database=None)
        self.assertIn("127.0.0.1", found["name"].detail["addresses"])
        self.assert_statuses(found, login="skipped",
                             udp="warning" if "::1" in found["name"].detail["addresses"] else "ok")

    def test_a_key_that_is_known(self):
        def act(port):
            key = self.examine("127.0.0.1", port)["certificate"].detail["fingerprint"]
            quicchat._core.add_known_key(str(self.known_servers), f"127.0.0.1:{port}", key, "")
            return self.examine("127.0.0.1", port)

        found = self.with_server(act, database=None)
        self.assert_statuses(found, login="skipped")
        self.assertIn(str(self.known_servers), found["trust"].text)

    def test_a_certificate_that_was_given(self):
        found = self.with_server(lambda port: self.examine(
            "127.0.0.1", port, quicchat.TLS.ca(self.folder / "server.crt"), **account("bob")),
            database=None)
        self.assert_statuses(found)

    def test_an_authority_that_the_system_trusts(self):
        def act(port):
            return (self.examine("127.0.0.1", port, quicchat.TLS.system()),
                    self.examine("127.0.0.1", port))

        with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(self.folder / "server.crt")}):
            os.environ.pop("SSL_CERT_DIR", None)
            asked, not_asked = self.with_server(act, database=None)
        self.assert_statuses(asked, login="skipped")
        self.assertIn("vouches", asked["trust"].text)
        self.assert_statuses(not_asked, login="skipped")  # loopback is trusted anyway


class Network(Doctor):
    def test_a_name_that_nobody_has(self):
        found = self.examine("nobody.invalid", 12345)
        self.assert_stopped_at(found, "name", "E-UNREACHABLE")
        self.assertIn("nobody.invalid", found["name"].text)

    def test_a_name_server_that_says_nothing(self):
        over = threading.Event()
        self.addCleanup(over.set)

        def silence(*_, **__):
            over.wait(scaled(4))
            return []

        with mock.patch("quicchat.doctor._network.ask_system", silence):
            begin = time.monotonic()
            found = self.examine("slow.example", 12345, timeout=0.3)
        self.assertLess(time.monotonic() - begin, scaled(3))
        self.assert_stopped_at(found, "name", "E-TIMEOUT")
        self.assertIn("name server is silent", found["name"].why)

    def test_a_port_that_is_closed(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        found = self.examine("127.0.0.1", port)
        self.assert_stopped_at(found, "udp", "E-UNREACHABLE")
        self.assertIn(f"nothing is listening on 127.0.0.1 UDP port {port}", found["udp"].text)
        self.assertIn("start the server", found["udp"].fix)

    def test_a_port_that_says_nothing(self):
        with udp_peer(lambda data: None) as port:
            begin = time.monotonic()
            found = self.examine("127.0.0.1", port, timeout=scaled(0.5))
        self.assertLess(time.monotonic() - begin, scaled(10))
        self.assert_stopped_at(found, "udp", "E-TIMEOUT")
        self.assertIn("firewall", found["udp"].why)
        self.assertEqual(found["udp"].detail["tcp"], "refused")

    def test_tcp_in_the_place_of_udp_is_noticed(self):
        with udp_peer(lambda data: None) as port, socket.socket() as stream:
            stream.bind(("127.0.0.1", port))
            stream.listen()
            found = self.examine("127.0.0.1", port, timeout=scaled(0.5))
        self.assertIn("by TCP something answers", found["udp"].why)

    def test_something_that_is_not_quic(self):
        with udp_peer(lambda data: b"who are you?") as port:
            found = self.examine("127.0.0.1", port, timeout=scaled(0.5))
        self.assert_stopped_at(found, "udp", "E-TIMEOUT")
        self.assertIn("not by QUIC", found["udp"].text)

    def test_an_echo_is_no_answer(self):
        with udp_peer(lambda data: data) as port:
            found = self.examine("127.0.0.1", port, timeout=scaled(0.5))
        self.assert_stopped_at(found, "udp", "E-TIMEOUT")

    def test_a_packet_of_a_connection_that_there_is_not_is_no_answer(self):
        with udp_peer(negotiation(1, own_version=1)) as port:
            found = self.examine("127.0.0.1", port, timeout=scaled(0.5))
        self.assert_stopped_at(found, "udp", "E-TIMEOUT")

    def test_a_server_of_another_version_of_quic(self):
        with udp_peer(negotiation(0x0A1A2A3A, 0xFF00001D)) as port:
            found = self.examine("127.0.0.1", port)
        self.assertEqual(found["versions"].code, "E-VERSION")
        self.assertIn("0xff00001d only", found["versions"].text)
        self.assertNotIn("0a1a2a3a", found["versions"].text)
        self.assertEqual(found["alpn"].status, "skipped")

    def test_a_server_that_never_completes_a_handshake(self):
        with udp_peer(negotiation(1)) as port:
            found = self.examine("127.0.0.1", port, timeout=scaled(0.5))
        self.assertIn(found["alpn"].code, ("E-TIMEOUT", "E-VERSION", "E-CLOSED"))

    def test_long_datagrams_that_are_lost(self):
        def narrow(data):
            return negotiation(1)(data) if len(data) <= 1300 else None

        with udp_peer(narrow) as port:
            found = self.examine("127.0.0.1", port, timeout=scaled(0.5))
        self.assertEqual(found["path_mtu"].detail["udp_payload_bytes"], 1280)
        self.assertIn("tunnel", found["path_mtu"].text)

    def test_packets_that_are_lost(self):
        count = 0

        def lossy(data):
            nonlocal count
            count += 1
            return negotiation(1)(data) if count == 1 or count % 2 else None

        with udp_peer(lossy) as port:
            found = self.examine("127.0.0.1", port, timeout=scaled(0.5))
        self.assertEqual(found["round_trip"].status, "warning")
        self.assertLess(found["round_trip"].detail["answered"], 5)

    def test_one_address_of_two(self):
        def act(port):
            rows = [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (host, port))
                    for host in ("127.0.0.3", "127.0.0.1")]
            with mock.patch("quicchat.doctor._network.ask_system", lambda *_: rows):
                return self.examine("localhost", port)

        found = self.with_server(act, database=None)
        self.assert_statuses(found, udp="warning", login="skipped")
        self.assertIn("127.0.0.3", found["udp"].text)


class Server(Doctor):
    def test_another_protocol(self):
        found = self.with_server(lambda port: self.examine("127.0.0.1", port), alpn="other/1",
                                 database=None)
        self.assertEqual((found["alpn"].status, found["alpn"].code), ("failed", "E-VERSION"))
        self.assertIn("does not speak quicchat/1", found["alpn"].text)
        self.assertIn("something else", found["alpn"].why)
        self.assertEqual(found["certificate"].status, "skipped")
        self.assertEqual(found["round_trip"].status, "ok")

    def test_a_web_server(self):
        found = self.with_server(lambda port: self.examine("127.0.0.1", port), alpn="h3",
                                 database=None)
        self.assertIn("web server", found["alpn"].why)

    def test_a_certificate_that_nobody_vouches_for(self):
        found = self.with_server(lambda port: self.examine(
            "127.0.0.1", port, quicchat.TLS.ca(CERTIFICATES / "authority.crt"), **account()),
            database=None)
        self.assert_statuses(found, trust="failed", login="skipped")
        self.assertEqual(found["trust"].code, "E-CERT-UNTRUSTED")
        self.assertIn("--pin sha256:", found["trust"].fix)
        self.assertIn("not trusted", found["login"].text)

    def test_a_new_key_of_another_computer(self):
        with mock.patch("quicchat.doctor._server.is_loopback", lambda host: False):
            found = self.with_server(lambda port: self.examine(
                "127.0.0.1", port, **account()), database=None)
        self.assert_statuses(found, trust="failed", login="skipped")
        self.assertIn("not known here", found["trust"].text)
        self.assertIn(found["certificate"].detail["fingerprint"], found["trust"].fix)
        self.assertFalse(self.known_servers.exists())

    def test_a_new_key_that_an_authority_vouches_for(self):
        with mock.patch("quicchat.doctor._server.is_loopback", lambda host: False), \
                mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(self.folder / "server.crt")}):
            found = self.with_server(lambda port: self.examine("127.0.0.1", port), database=None)
        self.assertIn("--system-ca", found["trust"].fix)

    def test_a_key_that_has_changed(self):
        def act(port):
            self.known_servers.write_text(f"127.0.0.1:{port} sha256:{'0' * 64}\n")
            return self.examine("127.0.0.1", port)

        found = self.with_server(act, database=None)
        self.assert_statuses(found, trust="failed", login="skipped")
        self.assertEqual(found["trust"].code, "E-KEY-CHANGED")
        self.assertIn("HAS CHANGED", found["trust"].text)

    def test_another_key_than_the_pinned_one(self):
        found = self.with_server(lambda port: self.examine(
            "127.0.0.1", port, quicchat.TLS.pin("sha256:" + "0" * 64)), database=None)
        self.assertEqual(found["trust"].code, "E-KEY-CHANGED")

    def test_a_computer_without_authorities(self):
        with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(self.folder / "nothing.pem")}):
            os.environ.pop("SSL_CERT_DIR", None)
            found = self.with_server(lambda port: self.examine(
                "127.0.0.1", port, quicchat.TLS.system()), database=None)
        self.assert_statuses(found, trust="failed", login="skipped")
        self.assertIn("ca-certificates", found["trust"].fix)

    def test_another_name(self):
        port = self.raw_server((CERTIFICATES / "leaf.crt").read_text(),
                               (CERTIFICATES / "leaf.key").read_text())
        found = self.examine("127.0.0.1", port, quicchat.TLS.ca(CERTIFICATES / "authority.crt"))
        self.assertEqual(found["trust"].code, "E-CERT-NAME")
        self.assertIn("another name", found["trust"].text)

    def test_an_expired_certificate(self):
        certificate, key = quicchat._core.make_self_signed(["127.0.0.1"], -1)
        port = self.raw_server(certificate, key)
        pem = self.folder / "server.crt"
        pem.write_text(certificate)
        found = self.examine("127.0.0.1", port, quicchat.TLS.ca(pem))
        self.assert_statuses(found, certificate="warning", trust="failed", login="skipped",
                             clock="warning")
        self.assertEqual(found["trust"].code, "E-CERT-EXPIRED")
        self.assertIn("it was good until", found["certificate"].why)
        self.assertIn("renew", found["certificate"].fix)

    def test_a_certificate_that_is_about_to_expire(self):
        port = self.raw_server(*quicchat._core.make_self_signed(["127.0.0.1"], 3))
        found = self.examine("127.0.0.1", port)
        self.assert_statuses(found, certificate="warning", login="skipped")
        self.assertIn("expires in 2 days", found["certificate"].why)

    def test_a_clock_that_is_behind(self):
        port = self.raw_server(*quicchat._core.make_self_signed(["127.0.0.1"], 30))

        class Behind(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(UTC) - timedelta(days=40)

        with mock.patch("quicchat.doctor._usage.datetime", Behind), \
                mock.patch("quicchat.doctor._server.datetime", Behind):
            found = self.examine("127.0.0.1", port)
        self.assert_statuses(found, certificate="warning", login="skipped", clock="failed")
        self.assertEqual(found["clock"].code, "E-CLOCK")
        self.assertIn("behind", found["clock"].why)
        self.assertIn("39 days", found["clock"].why)

    def test_messages_from_the_future(self):
        class Behind(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(UTC) - timedelta(minutes=30)

        def act(port):
            tls = quicchat.TLS.ca(self.folder / "server.crt")
            with quicchat.sync.connect("127.0.0.1", port, tls=tls, **account("bob")) as chat:
                chat.join("#lobby").send("hello")
            with mock.patch("quicchat.doctor._usage.datetime", Behind):
                return self.examine("127.0.0.1", port, **account())

        found = self.with_server(act, database=None)
        self.assert_statuses(found, clock="warning")
        self.assertIn("30 minutes", found["clock"].why)

    def test_a_wrong_password(self):
        found = self.with_server(lambda port: self.examine(
            "127.0.0.1", port, user="ada", password="wrong"), database=None)
        self.assert_statuses(found, login="failed")
        self.assertEqual(found["login"].code, "E-AUTH")
        self.assertIn("wrong user name or password", found["login"].text)

    def test_a_user_name_that_is_none(self):
        found = self.with_server(lambda port: self.examine(
            "127.0.0.1", port, user="a b", password="x"), database=None)
        self.assert_statuses(found, login="failed")


if __name__ == "__main__":
    unittest.main()
