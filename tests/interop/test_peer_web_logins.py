"""Logins of pages: a browser by aioquic and a real server, also while that takes another
configuration."""

import ssl
import time
import unittest

from _support import ACCOUNTS, quicchat

from .cases import PeerCase, logged_in, soon
from .login import GS2_HEADER, hosted, pinned
from .web import PageChat, browse, certfile_of

OURS, THEIRS = "https://chat.example", "https://other.example"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
TICKETS = {"keys": "ticket.keys", "audience": "chat.example", "hosts": ["chat.example:443"]}
HOST = hosted("chat.example:443")


def der(server):
    return ssl.PEM_cert_to_DER_cert(certfile_of(server).read_text())


class PageCase(PeerCase):
    def setUp(self):
        super().setUp()
        self.write_keys(KEY)

    def write_keys(self, *keys):
        path = self.folder / "ticket.keys"
        path.write_text("\n".join(keys) + "\n")
        path.chmod(0o600)

    def page(self, server):
        return browse(server.address[1], certfile_of(server))

    def ticket(self, user="carol", key=KEY, **more):
        return quicchat.make_ticket(user, key=key, audience="chat.example", **more)

    def meet(self, scenario, web=None):
        super().meet(scenario, web=web, database=None, admin=None)

    def settings(self, web):
        """As in `meet`, with another `web`."""
        return self.config(web=web, database=None, admin=None, limits={"drain_timeout": 0.1})

    async def enters(self, server, user="ada", **request):
        """A page that logs in by password, and is closed then."""
        async with self.page(server) as page:
            chat = await soon(PageChat.begin(page, **request))
            self.assertEqual(await soon(chat.log_in(user, ACCOUNTS[user], der(server))), user)

    async def shows(self, server, ticket, binding=HOST):
        """Who a page is that shows a ticket, and is closed then."""
        async with self.page(server) as page:
            chat = await soon(PageChat.begin(page))
            return await soon(chat.show(ticket, binding))


class Logins(PageCase):
    def test_by_password(self):
        async def scenario(port, server):
            async with self.page(server) as page, logged_in(port, "bob") as bob:
                chat = await soon(PageChat.begin(page))
                self.assertEqual(await soon(chat.log_in("ADA", ACCOUNTS["ada"], der(server))),
                                 "ada")
                room, _ = await bob.join("#lobby")
                await soon(chat.say("#lobby", "from the page"))
                event = await soon(room.take("event"))
                self.assertEqual((event["from"], event["text"]), ("ada", "from the page"))
            for certificate, header, password in (
                    (b"another certificate", None, ACCOUNTS["ada"]),
                    (der(server), GS2_HEADER, ACCOUNTS["ada"]),
                    (der(server), None, "wrong")):
                with self.subTest(header=header, password=password):
                    async with self.page(server) as page:
                        chat = await soon(PageChat.begin(page))
                        await self.refused("login_failed", chat.log_in(
                            "ada", password, certificate, **({"header": header} if header else {})))

        self.meet(scenario, web={"origins": [OURS], "passwords": True})

    def test_by_ticket(self):
        async def scenario(port, server):
            self.assertEqual(await self.shows(server, self.ticket()), "carol")
            self.assertEqual(await self.shows(server, self.ticket("ADA"), pinned(der(server))),
                             "ada")
            self.assertEqual(await self.shows(server, self.ticket(origin=OURS)), "carol")
            used = self.ticket()
            await self.shows(server, used)
            for ticket, binding in (
                    (used, HOST), (self.ticket(origin=THEIRS), HOST),
                    (self.ticket(key=KEY[::-1]), HOST),
                    (self.ticket(), pinned(b"another certificate")),
                    (self.ticket(), hosted("other.example:443"))):
                await self.refused("ticket_refused", self.shows(server, ticket, binding))

        self.meet(scenario, web={"origins": [OURS], "tickets": TICKETS})

    def test_a_ticket_from_before_the_start_is_not_taken(self):
        # What was used before is not known after a restart.
        now = int(time.time())
        ticket = quicchat.tickets.sign({"sub": "carol", "aud": "chat.example", "iat": now - 2,
                                        "exp": now + 250, "jti": "a-random-id-of-22-chars"},
                                       KEY.encode())

        async def scenario(port, server):
            await self.refused("ticket_refused", self.shows(server, ticket))
            self.assertEqual(await self.shows(server, self.ticket()), "carol")

        self.meet(scenario, web={"origins": [OURS], "tickets": TICKETS})


class Reloads(PageCase):
    def test_origins_are_those_of_pages_that_come(self):
        async def scenario(port, server):
            async with self.page(server) as page, logged_in(port, "bob") as bob:
                chat = await soon(PageChat.begin(page))
                await soon(chat.log_in("ada", ACCOUNTS["ada"], der(server)))
                room, _ = await soon(bob.join("#lobby"))
                for web, statuses in (
                        ({"origins": [THEIRS], "passwords": True}, (403, 200, 404)),
                        ({"origins": [OURS], "path": "/chat", "passwords": True}, (404, 404, 403)),
                        ({"passwords": True}, (404, 404, 404)),
                        ({"origins": ["*"], "passwords": True}, (200, 200, 404))):
                    with self.subTest(web):
                        done = await server.reload(self.settings(web))
                        self.assertEqual((done.changed, done.notices), (("web",), ()))
                        self.assertEqual((await server.reload()).changed, ())
                        found = []
                        for request in ({}, {"origin": THEIRS},
                                        {"origin": THEIRS, "path": "/chat"}):
                            async with self.page(server) as other:
                                found.append(await soon(other.status(**request)))
                        self.assertEqual(tuple(found), statuses)
                        # Who is there stays.
                        await soon(chat.say("#lobby", "still here"))
                        await soon(bob.publish(room, "here as well"))

        self.meet(scenario, web={"origins": [OURS], "passwords": True})

    def test_passwords_are_for_logins_that_come(self):
        async def scenario(port, server):
            async with self.page(server) as page, logged_in(port, "bob"):
                await self.refused("login_failed", self.enters(server))
                done = await server.reload(self.settings({"origins": [OURS], "passwords": True}))
                self.assertEqual((done.changed, done.notices), (("web.passwords",), ()))
                chat = await soon(PageChat.begin(page))
                await soon(chat.log_in("ada", ACCOUNTS["ada"], der(server)))
                await self.enters(server)
                done = await server.reload(self.settings({"origins": [OURS]}))
                self.assertEqual((done.changed, done.notices), (("web.passwords",), ()))
                await self.refused("login_failed", self.enters(server))
                await soon(chat.say("#lobby", "still here"))
                async with logged_in(port, "eve"):
                    pass

        self.meet(scenario, web={"origins": [OURS]})

    def test_keys_of_tickets_are_for_logins_that_come(self):
        async def scenario(port, server):
            used = self.ticket()
            async with self.page(server) as page:
                chat = await soon(PageChat.begin(page))
                await soon(chat.show(used, HOST))
                self.write_keys(KEY[::-1], KEY)
                self.assertEqual((await server.reload()).changed, ("tickets",))
                await self.shows(server, self.ticket(key=KEY[::-1]))
                await self.refused("ticket_refused", self.shows(server, used))
                self.write_keys(KEY[::-1])
                await server.reload()
                await self.refused("ticket_refused", self.shows(server, self.ticket()))
                await server.reload(self.settings({"origins": [OURS]}))
                await self.refused("login_failed", self.shows(server, self.ticket(key=KEY[::-1])))
                await soon(chat.say("#lobby", "still here"))

        self.meet(scenario, web={"origins": [OURS], "tickets": TICKETS})

    def test_pages_where_there_were_none_need_a_restart(self):
        async def scenario(port, server):
            done = await server.reload(self.settings({"origins": [OURS]}))
            self.assertEqual(done.changed, ())
            self.assertEqual(done.notices, ("web: takes effect at the next start, since this "
                                            "server began without pages",))
            with self.assertRaises(ConnectionError):
                async with self.page(server):
                    pass

        self.meet(scenario)


if __name__ == "__main__":
    unittest.main()
