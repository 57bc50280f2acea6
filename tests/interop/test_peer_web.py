"""Pages: a browser by aioquic and a real server, beside a client of quicchat/1."""

import contextlib
import unittest

from _support import account, copy_pair, quicchat

from .cases import PeerCase, logged_in, name_of, soon
from .codec import BEFORE_LOGIN, Assembler, encode
from .web import browse, certfile_of

WEB = {"origins": ["https://chat.example"]}


class Pages(PeerCase):
    def browse(self, port, server):
        return browse(port, certfile_of(server))

    def test_requests_are_answered(self):
        async def scenario(port, server):
            async with self.browse(port, server) as page:
                for status, request in (
                        (404, {"method": "GET", "protocol": ""}),
                        (405, {"method": "POST", "protocol": ""}),
                        (404, {"path": "/"}),
                        (501, {"protocol": "websocket"}),
                        (403, {"origin": "https://evil.example"}),
                        (403, {"origin": ""}),
                        (200, {"path": "/quicchat?room=lobby"}),
                        (429, {})):
                    with self.subTest(status=status, **request):
                        self.assertEqual(await soon(page.status(**request)), status)

        self.meet(scenario, web=WEB)

    def test_a_page_speaks_the_protocol_beside_native_clients(self):
        async def scenario(port, server):
            async with self.browse(port, server) as page, logged_in(port) as ada:
                session, response = await soon(page.ask())
                self.assertEqual(response[b"wt-protocol"], b'"quicchat/1"')
                control = page.open(session)
                page.send(control, encode({"frame": "hello", "minor_min": 0, "minor_max": 0,
                                           "features": [], "agent": "{}"}))
                assembler = Assembler(BEFORE_LOGIN)

                def answer():
                    assembler.feed(page.received[control])
                    page.received[control] = b""
                    return assembler.next()

                welcome = await soon(page.until(answer))
                self.assertEqual((welcome["frame"], welcome["rooms_max"]), ("welcome", 100))
                room, _ = await ada.join("#lobby")
                await soon(ada.publish(room, "still here"))

        self.meet(scenario, web=WEB)

    def test_a_page_that_breaks_the_protocol_hears_why(self):
        async def scenario(port, server):
            async with self.browse(port, server) as page:
                session, _ = await soon(page.ask())
                page.send(page.open(session), encode(
                    {"frame": "goaway", "code": 0, "grace_ms": 0, "text": ""}))
                code, reason = await soon(page.closed())
                self.assertEqual(code, 3)
                self.assertIn("state forbids", reason)

        self.meet(scenario, web=WEB)

    def test_a_page_hears_that_the_server_ends(self):
        async def main():
            async with contextlib.AsyncExitStack() as pages:
                config = self.config(web=WEB, limits={"drain_timeout": 0.1})
                async with quicchat.serve(config) as server:
                    page = await pages.enter_async_context(
                        self.browse(server.address[1], server))
                    await soon(page.ask())
                await soon(page.asked_to_end())
                code, _ = await soon(page.closed())
                self.assertEqual(name_of(code), "server_shutdown")

        self.run_async(main)

    def test_pages_are_shown_a_certificate_of_their_own_where_the_servers_is_of_rsa(self):
        copy_pair("rsa_2048", self.folder)

        async def scenario(port, server):
            shown, certfile = server.web_pair
            self.assertEqual(certfile, self.folder / "server.web.crt")
            self.assertNotEqual(shown.fingerprint, server.fingerprint)
            async with self.browse(port, server) as page:
                await soon(page.ask())
            async with quicchat.connect("127.0.0.1", port, **account()) as ada:
                self.assertEqual(ada.fingerprint, server.fingerprint)
            before = certfile.read_bytes()
            certfile.unlink()
            (self.folder / "server.web.key").unlink()
            await server.reload(server.config)
            self.assertNotEqual(certfile.read_bytes(), before)
            async with self.browse(port, server) as page:
                await soon(page.ask())

        self.meet(scenario, web=WEB)

    def test_without_the_key_no_page_comes(self):
        async def scenario(port, server):
            with self.assertRaises(ConnectionError):
                async with self.browse(port, server):
                    pass

        self.meet(scenario)


if __name__ == "__main__":
    unittest.main()
