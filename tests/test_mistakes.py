"""The mistakes that people make: each has its sentence, its code and its exit status."""

import os
import re
import unittest

from _support import ACCOUNTS, Case, account, quicchat, udp_peer


class ServerMistakes(Case):
    def serve(self, *arguments, **config):
        return self.script("server.py", "--config", self.write_config(**config), *arguments)

    def make_pair(self, name="server"):
        folder = self.folder / name
        self.assert_words(self.command("cert", "--out", folder), 0)
        for suffix in ("crt", "key"):
            (folder / f"server.{suffix}").rename(self.folder / f"{name}.{suffix}")

    def test_missing_certificate(self):
        self.make_pair()
        (self.folder / "server.crt").unlink()
        self.assert_words(self.serve(), 66, "[E-CERT-MISSING]", "certificate file not found",
                          "server.crt", "from config.json", "fix:")

    def test_missing_key(self):
        self.make_pair()
        (self.folder / "server.key").unlink()
        self.assert_words(self.serve(), 66, "[E-CERT-MISSING]", "private key file not found",
                          "server.key")

    def test_mismatched_pair(self):
        self.make_pair("server")
        self.make_pair("other")
        self.assert_words(self.serve(keyfile="other.key"), 78, "[E-CERT-MISMATCH]",
                          "does not belong to the certificate")

    def write_expired_pair(self):
        certificate, key = quicchat._core.make_self_signed(["127.0.0.1"], -1)
        (self.folder / "server.crt").write_text(certificate)
        (self.folder / "server.key").write_text(key)
        (self.folder / "server.key").chmod(0o600)
        return certificate, key

    def test_an_expired_certificate(self):
        self.write_expired_pair()
        self.assert_words(self.serve(), 78, "[E-CERT-SELF-EXPIRED]", "time is over", "fix:")

    def test_an_expired_certificate_of_another_server(self):
        certificate, key = self.write_expired_pair()
        server = quicchat._core.Server(
            address="127.0.0.1:0", certificate_pem=certificate, key_pem=key, accounts=[],
            iterations=100_000, database="", durability="fsync", files="",
            files_in_memory=False, hook_timeout=None, check_timeout=None, accepts_unchecked=False,
            rooms=["#lobby"], operators=[], anybody_makes_rooms=True, alpn="quicchat/1",
            agent="{}", limits={})
        port = server.address.rpartition(":")[2]
        result = self.script("chat_client.py", "--port", port, "--cafile", "server.crt",
                             input=b"ada\nx\n")
        self.assert_words(result, 77, "[E-CERT-EXPIRED]", "not valid at this time")

    def test_exchanged_files(self):
        self.make_pair()
        self.assert_words(self.serve(certfile="server.key", keyfile="server.crt"), 78,
                          "[E-CERT-INVALID]", "holds a private key", "exchange")

    def test_something_else_as_certificate(self):
        self.make_pair()
        (self.folder / "server.crt").write_text("hello")
        self.assert_words(self.serve(), 78, "[E-CERT-INVALID]", "no certificate in PEM form")

    def test_a_key_that_everyone_can_read_is_a_warning(self):
        self.make_pair()
        os.chmod(self.folder / "server.key", 0o644)
        server = self.start_server()
        self.assertIn("is readable by everyone (mode 0644)", server.log)
        self.assertIn("chmod 600", server.log)

    def test_port_in_use(self):
        first = self.start_server()
        self.assert_words(self.serve("--port", first.port), 71, "[E-PORT-IN-USE]",
                          f"UDP port {first.port} on 127.0.0.1 is already in use", "fix:")

    def test_an_address_of_another_computer(self):
        self.assert_words(self.serve(host="192.0.2.1"), 71, "[E-BIND]",
                          "does not have the address 192.0.2.1")

    def test_no_configuration(self):
        self.assert_words(self.script("server.py", "--config", "nowhere.json"), 66,
                          "[E-CONFIG-MISSING]", "nowhere.json")

    def test_broken_json_is_shown_with_line_and_column(self):
        path = self.folder / "config.json"
        path.write_text('{\n  "host": "127.0.0.1",\n  "port": 4433\n  "certfile": "a"\n}')
        result = self.script("server.py", "--config", path)
        self.assert_words(result, 65, "[E-CONFIG-JSON]", "config.json:4:3: expected ','",
                          '"certfile": "a"', "^")

    def test_unknown_key_and_wrong_type_at_once(self):
        self.assert_words(self.serve(certfle="x", port="4433"), 78, "[E-CONFIG]",
                          'unknown key "certfle" - did you mean "certfile"?',
                          '"port" must be an integer from 0 to 65535, got the string "4433"')

    def test_check_only_checks(self):
        result = self.serve("--check")
        self.assert_words(result, 0)
        self.assertIn(b"3 account(s)", result.stdout)
        self.assertFalse((self.folder / "server.crt").exists())


class ClientMistakes(Case):
    def test_nothing_listens(self):
        with udp_peer(lambda data: None) as port:
            pass
        result = self.script("chat_client.py", "--port", port, input=b"ada\nx\n")
        self.assert_words(result, 69, "[E-UNREACHABLE]",
                          f"nothing is listening on 127.0.0.1 UDP port {port}")

    def reach(self, port, seconds):
        async def main():
            await quicchat.connect("127.0.0.1", port, **account(),
                                   limits=quicchat.Limits(handshake_timeout=seconds))

        with self.assertRaises(quicchat.HandshakeTimeout) as caught:
            self.run_async(main)
        self.assertEqual(caught.exception.code, "E-TIMEOUT")
        self.assertEqual(quicchat.exit_status(caught.exception), 69)
        return quicchat.explain(caught.exception)

    def test_a_server_that_is_silent(self):
        with udp_peer(lambda data: None) as port:
            words = self.reach(port, 1)
        self.assertIn(f"no answer from 127.0.0.1 UDP port {port} after 1 s", words)
        self.assertIn("UDP is blocked", words)

    def test_a_server_that_is_not_quic(self):
        with udp_peer(lambda data: b"220 hello, this is something else\r\n") as port:
            words = self.reach(port, 1)
        self.assertIn("it is not a quicchat server", words)

    def test_an_echo(self):
        with udp_peer(lambda data: data) as port:
            self.assertIn("it is not a quicchat server", self.reach(port, 1))

    def test_wrong_password_and_unknown_user_read_the_same(self):
        server = self.start_server()
        wrong = self.chat(server, [], password="nonsense")
        self.assert_words(wrong, 77, "[E-AUTH]",
                          "login refused for 'ada': wrong user name or password")
        unknown = self.script("chat_client.py", "--port", server.port, input=b"zoe\nx\n")
        self.assert_words(unknown, 77)
        self.assertEqual(re.sub(rb"'\w+'", b"", unknown.stderr),
                         re.sub(rb"'\w+'", b"", re.sub(rb"(?m)^quicchat: new server.*\n", b"",
                                                       wrong.stderr)))
        self.assertIn("login refused", server.log)
        self.assertNotIn("nonsense", server.log)

    def test_a_name_that_cannot_be_one(self):
        server = self.start_server()
        result = self.script("chat_client.py", "--port", server.port, input=b"a b\nx\n")
        self.assert_words(result, 77, "not a user name: 'a b'")

    def test_a_changed_server_key_stops_hard(self):
        first = self.start_server()
        self.assert_words(self.chat(first, []), 0, "new server 127.0.0.1", "trusting its key")
        port = first.port
        first.stop()
        for name in ("server.crt", "server.key"):
            (self.folder / name).unlink()
        second = self.start_server("--port", port)
        result = self.chat(second, [])
        self.assert_words(result, 77, "[E-KEY-CHANGED]", "HAS CHANGED", str(self.known_servers))
        self.assertNotIn("logged in", second.log)

    def test_a_key_that_was_pinned(self):
        server = self.start_server()
        pin = re.search(r"sha256:[0-9a-f]{64}", server.log).group()
        arguments = ("chat_client.py", "--port", server.port, "--pin")
        typed = b"ada\n" + ACCOUNTS["ada"].encode() + b"\n"
        self.assert_words(self.script(*arguments, pin, input=typed), 0)
        other = "sha256:" + "0" * 64
        self.assert_words(self.script(*arguments, other, input=typed), 77, "[E-KEY-CHANGED]",
                          "than the pinned one", pin)
        self.assert_words(self.script(*arguments, "sha256:12", input=typed), 78,
                          "not a fingerprint")

    def test_a_certificate_that_nobody_vouches_for(self):
        server = self.start_server()
        typed = b"ada\n" + ACCOUNTS["ada"].encode() + b"\n"
        self.assert_words(self.script("chat_client.py", "--port", server.port, "--system-ca",
                                      input=typed), 77, "[E-CERT-UNTRUSTED]", "--pin sha256:")
        self.assert_words(self.script("chat_client.py", "--port", server.port, "--cafile",
                                      "server.crt", input=typed), 0)
        result = self.script("chat_client.py", "--port", server.port, "--insecure", input=typed)
        self.assert_words(result, 0, "--insecure: nobody checks")

    def test_a_new_server_elsewhere_is_not_trusted_without_a_terminal(self):
        tls = quicchat.TLS.trust_on_first_use()
        with self.assertRaises(quicchat.CertificateError) as caught:
            tls._learn("chat.example.org", 4433, "sha256:" + "a" * 64)
        self.assertEqual(caught.exception.code, "E-CERT-UNTRUSTED")
        self.assertFalse(self.known_servers.exists())

    def test_another_version_of_the_protocol(self):
        async def main():
            async with quicchat.Server(self.config(), _alpn="quicchat/2") as server:
                await quicchat.connect("127.0.0.1", server.address[1], **account())

        with self.assertRaises(quicchat.ProtocolVersionError) as caught:
            self.run_async(main)
        self.assertEqual(caught.exception.code, "E-VERSION")
        self.assertEqual(quicchat.exit_status(caught.exception), 76)
        self.assertIn("pip install --upgrade quicchat", quicchat.explain(caught.exception))

    def test_an_unknown_host_name(self):
        result = self.script("chat_client.py", "--server-ip", "no.such.host.invalid",
                             input=b"ada\nx\n")
        self.assert_words(result, 69, "[E-UNREACHABLE]", "unknown host name: no.such.host.invalid")

    def test_lines_that_cannot_be_sent_are_told_one_by_one(self):
        server = self.start_server()
        result = self.chat(server, ["x" * 40_000, b"\xff\xfe", "\x1b[31mred", "/dance", "@zoe hi",
                                    "@bob", "fine"])
        errors = result.stderr.decode()
        self.assertEqual(result.returncode, 65, errors)
        for words in ("the message is too long", "not valid UTF-8", "forbidden characters",
                      "no such command: /dance", "nobody of that name", "to write to one person"):
            self.assertIn(words, errors)
        self.assertIn(b"<ada> fine", result.stdout)
        self.assertNotIn(b"\x1b", result.stdout + result.stderr)

    def test_an_unknown_room(self):
        server = self.start_server()
        result = self.script("chat_client.py", "--port", server.port, "--room", "#nowhere",
                             input=b"ada\n" + ACCOUNTS["ada"].encode() + b"\nhello\n")
        self.assert_words(result, 65, "[E-NO-SUCH-ROOM]", "there is no such room")


if __name__ == "__main__":
    unittest.main()
