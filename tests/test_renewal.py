"""A self-made certificate is renewed before its time is over, and no client is alarmed; files that
others can read or write are a warning."""

import asyncio
import contextlib
import os
import stat
import unittest
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock

from _support import Case, account, copy_pair, quicchat
from quicchat.certificates import (CertificatePair, announce_next, load_pair, load_web_pair,
                                   make_pair, make_short_lived)
from quicchat.cli import serve as serve_command

NAMES = ["chat.example", "localhost", "127.0.0.1", "::1"]


class Pairs(Case):
    def write_pair(self, days, names=NAMES, folder=None):
        """A pair that this program made when it was good for so many days; 0: it is over."""
        certificate, key = quicchat._core.make_self_signed(names, days)
        folder = folder or self.folder
        for name, text, mode in (("server.crt", certificate, 0o640), ("server.key", key, 0o600)):
            (folder / name).write_text(text)
            (folder / name).chmod(mode)
        return CertificatePair(certificate, key, quicchat._core.fingerprint(certificate))

    def copy_pair(self, name):
        """One of tests/quic/certificates."""
        copy_pair(name, self.folder)
        return self.read_pair()

    def read_pair(self):
        certificate, key = ((self.folder / name).read_text()
                            for name in ("server.crt", "server.key"))
        quicchat._core.check_pair(certificate, key)
        return CertificatePair(certificate, key, quicchat._core.fingerprint(certificate))

    def assert_renewed(self, old, days):
        new = self.read_pair()
        self.assertEqual((new.key_pem, new.fingerprint), (old.key_pem, old.fingerprint))
        self.assertNotEqual(new.certificate_pem, old.certificate_pem)
        left = new.end - datetime.now(UTC)
        self.assertTrue(timedelta(days=days - 1) < left <= timedelta(days=days), left)


class Command(Pairs):
    def test_the_key_stays(self):
        old = self.write_pair(0)
        result = self.command("cert", "--renew", "--days", "100")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(old.fingerprint.encode(), result.stdout)
        self.assert_renewed(old, 100)
        self.assertEqual(stat.S_IMODE((self.folder / "server.crt").stat().st_mode), 0o640)
        self.assertEqual(sorted(os.listdir(self.folder)), ["server.crt", "server.key"])

    def test_of_a_configuration(self):
        (self.folder / "keys").mkdir()
        old = self.write_pair(0, ["chat.example"], self.folder / "keys")
        config = self.write_config(certfile="keys/server.crt", keyfile="keys/server.key")
        self.assertEqual(self.command("cert", "--renew", "--config", config, cwd="/").returncode, 0)
        for name in ("server.crt", "server.key"):
            (self.folder / "keys" / name).rename(self.folder / name)
        self.assert_renewed(old, 397)

    def test_a_link_stays_one(self):
        (self.folder / "live").mkdir()
        old = self.write_pair(0)
        (self.folder / "server.crt").rename(self.folder / "live" / "real.crt")
        (self.folder / "server.crt").symlink_to("live/real.crt")
        self.assertEqual(self.command("cert", "--renew").returncode, 0)
        self.assertTrue((self.folder / "server.crt").is_symlink())
        self.assert_renewed(old, 397)

    def test_what_cannot_be_renewed(self):
        self.assert_words(self.command("cert", "--renew"), 66, "E-CERT-MISSING", "fix:")
        self.assert_words(self.command("cert", "--days", "0"), 64, "E-USAGE", "1 to")
        self.write_pair(0)
        other = quicchat._core.make_self_signed(NAMES, 9)[1]
        (self.folder / "server.key").write_text(other)
        before = (self.folder / "server.crt").read_text()
        self.assert_words(self.command("cert", "--renew"), 78, "E-CERT-MISMATCH", "fix:")
        self.assertEqual((self.folder / "server.crt").read_text(), before)


class Servers(Pairs):
    def test_one_that_is_over_is_renewed_at_the_start(self):
        old = self.write_pair(0)
        server = self.start_server()
        self.assertIn("renewed the certificate", server.log)
        self.assertIn(old.fingerprint, server.log)
        self.assert_renewed(old, 397)

    def test_clients_that_know_the_key_notice_nothing(self):
        pair = self.write_pair(60)
        first = self.start_server()
        self.assertIn(b"in #lobby", self.chat(first, ["hello"]).stdout)
        first.stop()
        with mock.patch("quicchat.certificates.RENEW_DAYS", 90):
            config = self.config(port=first.port)

            async def main():
                async with quicchat.serve(config) as server:
                    self.assertTrue(server.pair.renewed)
                    async with quicchat.connect("127.0.0.1", first.port, **account()) as chat:
                        self.assertEqual(chat.fingerprint, pair.fingerprint)

            self.run_async(main)
        self.assert_renewed(pair, 397)

    def test_one_that_runs_renews_in_time(self):
        old = self.write_pair(60)
        said = []

        class Log:
            say = warn = fail = said.append

        async def main():
            async with quicchat.serve(self.config()) as server:
                renewing = asyncio.create_task(serve_command._renew(server, Log(), 0.01))
                try:
                    await asyncio.sleep(0.1)
                    self.assertEqual(said, [])
                    with mock.patch("quicchat.certificates.RENEW_DAYS", 90):
                        while not said:
                            await asyncio.sleep(0.01)
                    self.assertEqual(server.fingerprint, old.fingerprint)
                finally:
                    renewing.cancel()

        self.run_async(main)
        self.assertIn("renewed the certificate", said[0])
        self.assert_renewed(old, 397)

    def test_those_of_others_are_left_alone(self):
        pair = self.write_pair(0, ["chat.example"])  # as if somebody else had made it
        result = self.script("server.py", "--config", self.write_config())
        self.assert_words(result, 78, "E-CERT-SELF-EXPIRED", "quicchat cert --renew", "same key")
        self.assertEqual((self.folder / "server.crt").read_text(), pair.certificate_pem)

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_folder_that_cannot_be_written(self):
        self.write_pair(9)
        config = self.write_config(database=None, files=None)
        self.folder.chmod(0o500)
        self.addCleanup(self.folder.chmod, 0o700)
        self.assertIn("should be renewed", self.start_server(config=config).log)


class BesideThem(Pairs):
    """Servers whose own certificate browsers would let no page pin."""

    def started(self, **changes):
        found = []

        async def main():
            config = self.config(web={"origins": ["https://chat.example"]}, **changes)
            async with quicchat.serve(config) as server:
                found.extend((server.web_pair, server.pair.warnings))

        self.run_async(main)
        return found

    def test_both_of_the_servers_may_be_in_one_file(self):
        self.copy_pair("rsa_2048")
        both = self.folder / "both.pem"
        both.write_text("".join((self.folder / name).read_text()
                                for name in ("server.crt", "server.key")))
        both.chmod(0o600)
        shown, warnings = self.started(certfile="both.pem", keyfile="both.pem")
        self.assertEqual((shown[1], warnings), (self.folder / "both.web.crt", ()))

    def test_a_server_that_can_make_none_serves_all_others(self):
        self.copy_pair("rsa_2048")
        (self.folder / "server.web.crt").symlink_to("nowhere/server.crt")  # nor write one there
        shown, (warning,) = self.started()
        self.assertIsNone(shown)
        self.assertIn("server.web.crt", warning)

    def test_one_that_is_damaged_is_not_passed_over(self):
        self.copy_pair("rsa_2048")
        self.started()
        (self.folder / "server.web.key").write_text("nonsense")
        with self.assertRaisesRegex(quicchat.errors.CertificateError, "server.web.key"):
            self.started()


class ForPages(Pairs):
    """Certificates that web pages pin: browsers take them for 14 days at most."""

    def setUp(self):
        super().setUp()
        self.paths = (self.folder / "server.crt", self.folder / "server.key")

    def test_one_is_made_where_there_is_none(self):
        make_short_lived(*self.paths, "chat.example")
        pair = load_pair(*self.paths, "chat.example")
        self.assertTrue(pair.can_be_pinned and pair.is_for_pages)
        self.assertLessEqual(pair.life, timedelta(days=14))
        self.assertEqual((pair.renewed, pair.warnings), (False, ()))

    def test_a_longer_one_of_ours_is_replaced_with_the_same_key(self):
        old = self.write_pair(60)
        self.assertFalse(old.can_be_pinned)
        make_short_lived(*self.paths, "chat.example")
        self.assert_renewed(old, 13)
        made = self.read_pair()
        make_short_lived(*self.paths, "chat.example")
        self.assertEqual(self.read_pair(), made)

    def test_those_of_others_are_left_alone(self):
        pair = self.write_pair(60, ["chat.example"])  # as if somebody else had made it
        make_short_lived(*self.paths, "chat.example")
        self.assertEqual(self.read_pair(), pair)

    def test_it_is_renewed_at_half_of_its_life_for_as_long_again(self):
        make_short_lived(*self.paths, "chat.example")
        old = self.read_pair()
        with mock.patch("quicchat.certificates.datetime", wraps=datetime) as clock:
            clock.now = lambda zone: datetime.now(zone) + timedelta(days=6)
            self.assertFalse(load_pair(*self.paths, "").renewed)
            clock.now = lambda zone: datetime.now(zone) + timedelta(days=7)
            self.assertTrue(load_pair(*self.paths, "").renewed)
        self.assert_renewed(old, 13)

    @contextlib.contextmanager
    def days_later(self, days):
        """Certificates are looked at and made as if it were so many days later."""
        later = timedelta(days=days)
        core = mock.Mock(wraps=quicchat._core)
        core.CoreError = quicchat._core.CoreError
        core.check_pair = lambda *pair: None  # that looks at the time
        core.renew_self_signed = lambda *what: quicchat._core.renew_self_signed(
            *what[:4], int(later.total_seconds()) + sum(what[4:]))
        with (mock.patch("quicchat.certificates.datetime", wraps=datetime) as clock,
              mock.patch("quicchat.certificates._core", core)):
            clock.now = lambda zone: datetime.now(zone) + later
            yield

    def test_pages_know_the_next_one_ahead_for_as_long_as_they_are_open(self):
        make_short_lived(*self.paths, "chat.example")
        pair = self.read_pair()
        for renewals in range(1, 4):
            with self.days_later(6.6 * (renewals - 1)):
                following = announce_next(pair, self.paths[0])
            with self.days_later(6.6 * renewals - 1):
                self.assertEqual(announce_next(pair, self.paths[0]), following)  # published once
                self.assertFalse(load_pair(*self.paths, "").renewed)
            with self.days_later(6.6 * renewals):
                renewed = load_pair(*self.paths, "")
                self.assertTrue(renewed.renewed and renewed.is_for_pages)
                self.assertFalse(renewed.wants_renewal)
                self.assertEqual(renewed.certificate_pem, following)
                self.assertEqual(self.paths[0].read_text(), following)
                self.assertEqual(renewed.fingerprint, pair.fingerprint)
                self.assertLessEqual(renewed.begin, datetime.now(UTC)
                                     + timedelta(days=6.6 * renewals))
            pair = replace(renewed, renewed=False)
        self.assertEqual(sorted(os.listdir(self.folder)), ["server.crt", "server.key"])

    def test_browsers_are_shown_another_pair_where_pages_cannot_pin_the_servers(self):
        paths = (self.folder / "server.web.crt", self.folder / "server.web.key")
        for name, is_needed in (("rsa_2048", True), ("p384_cn_only", True), ("leaf", False)):
            with self.subTest(name):
                pair = self.copy_pair(name)
                found = load_web_pair(pair, *self.paths, "chat.example")
                self.assertEqual([path.exists() for path in paths], [is_needed] * 2)
                if is_needed:
                    self.assertTrue(found[0].made and found[0].can_be_pinned)
                    self.assertEqual(found[1], paths[0])
                    self.assertEqual(stat.S_IMODE(paths[1].stat().st_mode), 0o600)
                    again = load_web_pair(pair, *self.paths, "chat.example", doing="reload")
                    self.assertEqual(replace(again[0], made=True), found[0])
                    with self.days_later(7):
                        renewed = load_web_pair(pair, *self.paths, "")[0]
                    self.assertTrue(renewed.renewed)
                    self.assertEqual(renewed.fingerprint, found[0].fingerprint)
                    paths[0].unlink()
                    with self.assertRaisesRegex(quicchat.errors.CertificateError, "server.web.crt"):
                        load_web_pair(pair, *self.paths, "")
                    paths[1].unlink()
                else:
                    self.assertIsNone(found)
        self.write_pair(9)  # of this kind, but for so short a time that pages can pin it
        self.assertIsNone(load_web_pair(self.read_pair(), *self.paths, ""))

    def test_what_cannot_be_the_next_one_is_made_anew(self):
        make_short_lived(*self.paths, "chat.example")
        pair = self.read_pair()
        path = self.folder / "server.crt.next"

        def another(days, later):
            return quicchat._core.renew_self_signed(pair.certificate_pem, pair.key_pem, NAMES,
                                                    days, 86_400 * later)

        for text in ("", "nonsense", quicchat._core.make_self_signed(NAMES, 13)[0],
                     another(60, 7), pair.certificate_pem, another(13, -1)):
            path.write_text(text)
            following = announce_next(pair, self.paths[0])
            self.assertNotEqual(following, text)
            self.assertEqual(path.read_text(), following)
        # One that is not good yet, or half over, takes no certificate's place.
        for later in (10, 1):
            path.write_text(another(13, later))
            with self.days_later(8):
                renewed = load_pair(*self.paths, "")
            self.assertTrue(renewed.renewed and renewed.is_for_pages)
            self.assertNotEqual(renewed.certificate_pem, path.read_text())
            self.paths[0].write_text(pair.certificate_pem)
        self.assertIsNone(announce_next(self.write_pair(60), self.paths[0]))


class Modes(Case):
    def warnings(self, **changes):
        path = self.write_config(**changes)
        path.chmod(0o600)
        if not (self.folder / "server.crt").exists():
            make_pair(self.folder / "server.crt", self.folder / "server.key", [])
        change = self.change
        notices = []

        async def main():
            async with quicchat.serve(path):
                pass
            change()
            async with quicchat.serve(path) as server:
                notices.extend((*server.pair.warnings, *server.notices))

        self.run_async(main)
        return notices

    def change(self):
        pass

    def test_as_they_are_made_none_is_exposed(self):
        self.assertEqual(self.warnings(), [])

    def test_each_that_is_exposed_is_named(self):
        for name, mode, word in (("config.json", 0o644, "readable by everyone"),
                                 ("config.json", 0o620, "writable by its group"),
                                 ("server.key", 0o640, "readable by its group"),
                                 ("server.crt", 0o666, "writable by everyone"),
                                 ("quicchat.db", 0o604, "readable by everyone"),
                                 ("quicchat.files", 0o755, "readable by everyone")):
            with self.subTest(name):
                path = self.folder / name
                self.change = lambda path=path, mode=mode: path.chmod(mode)
                found = self.warnings()
                self.assertEqual(len(found), 1, found)
                self.assertIn(str(path), found[0])
                self.assertIn(word, found[0])
                self.assertIn("chmod", found[0])
                path.chmod(0o700 if path.is_dir() else 0o600)
                for other in self.folder.glob("quicchat.db-*"):
                    other.chmod(0o600)

    def test_a_configuration_without_secrets_may_be_read(self):
        self.change = lambda: (self.folder / "config.json").chmod(0o644)
        self.assertEqual(self.warnings(auth={"users": []}), [])


if __name__ == "__main__":
    unittest.main()
