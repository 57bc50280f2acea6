"""Tickets for web pages: as Python makes them, the command, the file of keys, the configuration."""

import base64
import hmac
import json
import os
import stat
import time
import unittest

from _support import ROOT, Case, quicchat
from quicchat import tickets

KEY = "0123456789abcdef0123456789abcdef"
TICKETS = {"keys": "ticket.keys", "audience": "chat.example"}


def read(ticket):
    """Signed part, claims and signature."""
    def decode(part):
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    signed, _, signature = ticket.rpartition(".")
    head, body = signed.split(".")
    assert json.loads(decode(head)) == {"alg": "HS256", "typ": "JWT"}
    return signed, json.loads(decode(body)), decode(signature)


class MakeTicket(Case):
    def test_it_is_a_token_as_others_make_it(self):
        before = int(time.time())
        ticket = quicchat.make_ticket("ada", KEY, "chat.example", expires=90)
        signed, claims, signature = read(ticket)
        self.assertEqual(signature, hmac.digest(KEY.encode(), signed.encode(), "sha256"))
        self.assertEqual((claims["sub"], claims["aud"]), ("ada", "chat.example"))
        self.assertEqual(claims["exp"] - claims["iat"], 90)
        self.assertTrue(before <= claims["iat"] <= time.time())
        self.assertEqual(len(claims["jti"]), 22)
        self.assertNotIn("origin", claims)
        other = quicchat.make_ticket("ada", KEY.encode(), "chat.example",
                                     origin="https://www.example.org")
        self.assertEqual(read(other)[1]["origin"], "https://www.example.org")
        self.assertNotEqual(read(other)[1]["jti"], claims["jti"])

    def test_it_is_byte_for_byte_what_the_core_makes(self):
        checked = 0
        for section in (ROOT / "tests/vectors/ticket.txt").read_text("utf-8").split("\n[")[1:]:
            v = dict(line.split(" = ", 1) for line in section.splitlines() if " = " in line)
            claims = {name: int(v[name]) if name in ("iat", "exp", "nbf") else v[name]
                      for name in ("sub", "aud", "jti", "iat", "exp", "nbf", "origin")
                      if name in v}
            self.assertEqual(tickets.sign(claims, v["key"].encode()), v["ticket"])
            checked += 1
        self.assertEqual(checked, 4)

    def test_what_no_server_would_take_is_not_made(self):
        for change in ({"user": "a b"}, {"user": ""}, {"key": "short"}, {"key": "k" * 513},
                       {"audience": ""}, {"audience": "a" * 256}, {"audience": "\ud800"},
                       {"audience": "a\nb"}, {"origin": ""}, {"origin": "\x1b"}, {"expires": 0},
                       {"expires": 301}, {"expires": True}, {"expires": 1.5}):
            good = {"user": "ada", "key": KEY, "audience": "chat.example", **change}
            with self.subTest(change), self.assertRaises(quicchat.ConfigError) as caught:
                quicchat.make_ticket(good.pop("user"), good.pop("key"), good.pop("audience"),
                                     **good)
            self.assertNotIn(KEY, str(caught.exception))


class Command(Case):
    def setUp(self):
        super().setUp()
        self.write_config(web={"tickets": TICKETS})
        self.keyfile = self.folder / "ticket.keys"

    def test_a_key_and_a_ticket(self):
        self.assert_words(self.command("ticket", "--new-key"), 0)
        self.assertEqual(stat.S_IMODE(self.keyfile.stat().st_mode), 0o600)
        [key] = self.keyfile.read_text().splitlines()
        self.assertEqual(len(key), 43)
        shown = self.command("ticket", "ada", "--origin", "https://www.example.org",
                             "--expires", "300")
        self.assert_words(shown, 0)
        signed, claims, signature = read(shown.stdout.decode().strip())
        self.assertEqual(signature, hmac.digest(key.encode(), signed.encode(), "sha256"))
        self.assertEqual(claims["exp"] - claims["iat"], 300)
        self.assertEqual(claims["origin"], "https://www.example.org")
        self.assertNotIn(key, self.command("ticket", "ada").stderr.decode())

    def test_another_key_comes_before_the_one_in_use(self):
        keys = []
        self.addCleanup(os.umask, os.umask(0))
        for _ in range(3):
            self.assert_words(self.command("ticket", "--new-key"), 0)
            keys.insert(0, self.keyfile.read_text().splitlines()[0])
            self.assertEqual(self.keyfile.read_text().splitlines(), keys[:2])
        self.assertEqual(stat.S_IMODE(self.keyfile.stat().st_mode), 0o600)
        self.assertEqual(os.listdir(self.folder).count("ticket.keys.new"), 0)

    def test_what_is_wrong_is_said(self):
        self.assert_words(self.command("ticket"), 64, "--new-key")
        self.assert_words(self.command("ticket", "ada", "--new-key"), 64)
        self.assert_words(self.command("ticket", "ada"), 78, "is not there", "--new-key",
                          "[E-TICKET-KEY]")
        for text, words in ((b"", "has 0 keys"), (f"{KEY}\n{KEY}\n{KEY}\n".encode(), "has 3 keys"),
                            (b"# a note\nshort\n", "no key as its key number 1"),
                            (f"{KEY}\na b{KEY}\n".encode(), "number 2"),
                            (KEY.encode() + b"\xff", "no ASCII text")):
            self.keyfile.write_bytes(text)
            self.assert_words(self.command("ticket", "ada"), 78, words)
        self.keyfile.write_text(KEY)
        self.assert_words(self.command("ticket", "a b"), 78, "not a user name")
        self.assert_words(self.command("ticket", "ada", "--expires", "301"), 78, "300")
        self.write_config()
        self.assert_words(self.command("ticket", "ada"), 78, "says nothing of tickets")

    def test_a_file_that_cannot_be_written_stays(self):
        (self.folder / "ticket.keys").mkdir()
        self.assert_words(self.command("ticket", "--new-key"), 78, "cannot be read")


class Configuration(Case):
    def test_what_it_says(self):
        config = self.config()
        self.assertEqual((config.tickets, config.page_passwords), (None, None))
        config = self.config(web={"tickets": None, "passwords": True})
        self.assertEqual((config.tickets, config.page_passwords), (None, True))
        hosts = ["chat.example.org:443", "[2001:db8::1]:12345"]
        config = self.config(web={"tickets": {**TICKETS, "hosts": hosts}})
        self.assertEqual(config.tickets, quicchat.Tickets(
            self.folder / "ticket.keys", "chat.example", tuple(hosts)))

    def test_what_is_wrong(self):
        for web, words in (
                ({"passwords": 1}, '"web.passwords" must be'),
                ({"tickets": []}, '"web.tickets" must be an object'),
                ({"tickets": {}}, '"web.tickets.keys" must be'),
                ({"tickets": {**TICKETS, "audience": ""}}, '"web.tickets.audience" must be'),
                ({"tickets": {**TICKETS, "key": "x"}}, 'did you mean "keys"'),
                ({"tickts": {}}, 'did you mean "tickets"'),
                ({"tickets": {**TICKETS, "hosts": "a:1"}}, '"web.tickets.hosts" must be'),
                (3, '"web" must be an object')):
            with self.subTest(web), self.assertRaises(quicchat.ConfigError) as caught:
                self.config(web=web)
            self.assertIn(words, "\n".join(caught.exception.problems))
        for host in ("chat.example.org", "Chat.example:443", "chat:0443", "chat:0", "chat:65536",
                     "https://chat:443", "a b:443", ":443", 443):
            with self.subTest(host), self.assertRaises(quicchat.ConfigError):
                self.config(web={"tickets": {**TICKETS, "hosts": [host]}})


    def test_logins_of_pages_that_may_not_come_are_named(self):
        words = b"but no page may come: add"
        for web, warned in (({"passwords": True}, True), ({"tickets": TICKETS}, True),
                            (None, False),
                            ({"passwords": True, "origins": ["https://a.example"]}, False)):
            with self.subTest(web):
                result = self.command("serve", "--config", self.write_config(web=web), "--check")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(words in result.stderr, warned, result.stderr)


class Serving(Case):
    def test_keys_are_read_at_the_start_and_at_each_reload(self):
        keyfile = self.folder / "ticket.keys"

        async def scenario():
            config = self.config(web={"tickets": TICKETS}, database=None, admin=None)
            with self.assertRaises(quicchat.QuicChatError) as caught:
                await quicchat.serve(config).start()
            self.assertEqual(caught.exception.code, "E-TICKET-KEY")
            keyfile.write_text(KEY + "\n")
            keyfile.chmod(0o644)
            async with quicchat.serve(config) as server:
                self.assertTrue(any("ticket.keys is readable by everyone" in notice
                                    for notice in server.notices), server.notices)
                self.assertEqual((await server.reload()).changed, ())
                keyfile.write_text(f"{KEY[::-1]}\n{KEY}\n")
                self.assertEqual((await server.reload()).changed, ("tickets",))
                keyfile.write_text("short")
                with self.assertRaises(quicchat.QuicChatError) as caught:
                    await server.reload()
                self.assertEqual(caught.exception.code, "E-TICKET-KEY")
                keyfile.write_text(f"{KEY[::-1]}\n{KEY}\n")
                self.assertEqual((await server.reload()).changed, ())
                done = await server.reload(self.config(
                    web={"passwords": True}, database=None, admin=None))
                self.assertEqual(done.changed, ("tickets", "web.passwords"))
                self.assertNotIn(KEY, repr(server) + repr(done) + repr(server.config))

        self.run_async(scenario)


if __name__ == "__main__":
    unittest.main()
