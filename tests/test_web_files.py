"""The web server of `quicchat serve --web`: what it serves, and what it does not."""

import asyncio
import base64
import contextlib
import hashlib
import json
import ssl
import unittest
from pathlib import Path
from unittest import mock

from _support import PATIENCE, Case, copy_pair, quicchat, scaled

if quicchat is not None:
    from quicchat import web
    from quicchat.cli._web import WebSide

FILES = {
    "index.html": "<!doctype html>", "app.js": "export {}", "quicchat/index.js": "export {}",
    "quicchat/worker.js": "export {}", "quicchat/quicchat.wasm": "\0asm", "notes.txt": "not served",
}


class Serving(Case):
    def setUp(self):
        super().setUp()
        self.site = self.folder / "site"
        for name, text in FILES.items():
            path = self.site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.folder / "secret.html").write_text("secret")
        (self.site / "link.html").symlink_to(self.folder / "secret.html")
        self.where = web.Where("127.0.0.1", 12345, ("aGFzaA==",))

    def serve(self, scenario, **more):
        async def all_of_it():
            bound = web.bind_page("127.0.0.1", 0)
            served = web.PageServer(web.WebFiles(self.site), bound, lambda: self.where, **more)
            async with served:
                async with asyncio.timeout(PATIENCE):
                    await scenario(served)
        asyncio.run(all_of_it())

    async def ask(self, served, request, tls=None):
        """The status, the headers and the body."""
        reader, writer = await asyncio.open_connection(*served.address, ssl=tls)
        with contextlib.closing(writer):
            writer.write(request if isinstance(request, bytes) else request.encode())
            answer = await reader.read()
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(status.split()[1]), headers, body

    async def get(self, served, path, method="GET", more=""):
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost:1\r\n"
        return await self.ask(served, f"{head}{more}\r\n")

    def test_the_page_and_the_module_come_with_their_types(self):
        async def scenario(served):
            for path, kind in (("/", "text/html; charset=utf-8"),
                               ("/app.js?v=1", "text/javascript; charset=utf-8"),
                               ("/quicchat/quicchat.wasm", "application/wasm")):
                status, headers, body = await self.get(served, path)
                self.assertEqual((status, headers["Content-Type"]), (200, kind), path)
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(int(headers["Content-Length"]), len(body))
            _, headers, _ = await self.get(served, "/")
            policy = headers["Content-Security-Policy"]
            self.assertIn("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';", policy)
            self.assertIn("connect-src 'self' https://127.0.0.1:12345;", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            tag = headers["ETag"]
            status, _, body = await self.get(served, "/", more=f"If-None-Match: {tag}\r\n")
            self.assertEqual((status, body), (304, b""))

        self.serve(scenario)

    def test_quicchat_json_says_where_the_server_is_and_is_never_kept(self):
        async def scenario(served):
            status, headers, body = await self.get(served, "/quicchat.json")
            self.assertEqual((status, headers["Cache-Control"]), (200, "no-store"))
            self.assertEqual(json.loads(body), {"url": "https://127.0.0.1:12345/quicchat",
                                                "hashes": ["aGFzaA=="]})
            # A server on all addresses is where the page is; what is no name is not repeated.
            self.where = web.Where("", 12345, ("a", "b"))
            for field, host in (("chat.example:8443", "chat.example"), ("[::1]:80", "[::1]"),
                                ("<b>", "localhost")):
                request = f"GET /quicchat.json HTTP/1.1\r\nHost: {field}\r\n\r\n"
                _, _, body = await self.ask(served, request)
                self.assertEqual(json.loads(body)["url"], f"https://{host}:12345/quicchat")

        self.serve(scenario)

    def test_paths_lead_to_the_files_alone(self):
        async def scenario(served):
            for path in ("/../secret.html", "/%2e%2e/secret.html", "/link.html", "/notes.txt",
                         "//index.html", "/quicchat/", "/quicchat/../index.html", "/nothing"):
                status, _, body = await self.get(served, path)
                self.assertEqual((status, body), (404, b"404 Not Found\n"), path)

        self.serve(scenario)

    def test_only_reading_is_possible(self):
        async def scenario(served):
            status, headers, body = await self.get(served, "/", method="HEAD")
            self.assertEqual((status, headers["Content-Length"], body), (200, "15", b""))
            for method in ("POST", "PUT", "DELETE", "OPTIONS"):
                status, headers, _ = await self.get(served, "/", method=method)
                self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))

        self.serve(scenario)

    def test_requests_are_bounded(self):
        async def scenario(served):
            for request in (b"\x16\x03\x01\x02\x00 no HTTP\r\n\r\n", b"GET / HTTP/2\r\n\r\n",
                            b"GET /" + b"x" * 3000 + b" HTTP/1.1\r\n\r\n",
                            b"GET http://other.example/ HTTP/1.1\r\n\r\n"):
                self.assertEqual((await self.ask(served, request))[0], 400, request[:20])
            long = b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n"
            with contextlib.suppress(ConnectionError):  # it does not read all of that
                self.assertEqual((await self.ask(served, long))[0], 431)
            self.assertEqual((await self.get(served, "/"))[0], 200)

        self.serve(scenario)

    def test_who_asks_nothing_is_left_and_too_many_get_nothing(self):
        async def scenario(served):
            idle = [await asyncio.open_connection(*served.address) for _ in range(2)]
            _, writer = await asyncio.open_connection(*served.address)
            reader, extra = await asyncio.open_connection(*served.address)
            self.assertEqual(await reader.read(), b"")  # the third was let in, the fourth was not
            for quiet, _ in idle:
                self.assertEqual(await quiet.read(), b"")
            for end in (writer, extra, *(writer for _, writer in idle)):
                end.close()
            self.assertEqual((await self.get(served, "/"))[0], 200)

        with (mock.patch.object(web, "_REQUEST_SECONDS", scaled(0.5)),
              mock.patch.object(web, "_CONNECTIONS_MAX", 3)):
            self.serve(scenario)

    def test_one_address_does_not_take_the_room_of_all(self):
        async def scenario(served):
            async def connect(address):
                return await asyncio.open_connection(*served.address, local_addr=(address, 0))

            slow = [await connect("127.0.0.1") for _ in range(web._CONNECTIONS_MAX)]
            with contextlib.ExitStack() as stack:
                for _, writer in slow:
                    stack.enter_context(contextlib.closing(writer))
                reader, writer = await connect("127.0.0.2")
                stack.enter_context(contextlib.closing(writer))
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                self.assertTrue((await reader.read()).startswith(b"HTTP/1.1 200 "))

        self.serve(scenario)

    def test_networks_are_those_of_an_attacker(self):
        for peer, network in ((("192.0.2.7", 1), "192.0.2.7"),
                              (("::ffff:192.0.2.7", 1), "192.0.2.7"),
                              (("2001:db8:1:2:3::4", 1, 0, 0), "2001:db8:1:2::/64"),
                              (("fe80::1%eth0", 1, 0, 2), "fe80::/64"), (None, "None")):
            self.assertEqual(web._network(peer), network)

    def test_other_addresses_are_served_by_https(self):
        cert, key = self.folder / "page.crt", self.folder / "page.key"
        pair = quicchat.certificates.load_pair(cert, key, "localhost")
        self.assertTrue(pair.made)

        async def scenario(served):
            trusted = ssl.create_default_context(cafile=str(cert))
            reader, writer = await asyncio.open_connection(
                *served.address, ssl=trusted, server_hostname="localhost")
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            self.assertTrue((await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n"))
            writer.close()

        self.serve(scenario, tls=(cert, key))

    def test_a_page_that_was_not_built_is_an_error_with_a_way_out(self):
        with self.assertRaises(quicchat.ConfigError) as caught:
            web.WebFiles(self.folder)
        self.assertIn("there is no index.html", str(caught.exception))
        self.assertIn("bindings/web/build.sh", caught.exception.hint)

    def test_a_port_that_is_taken_is_an_error(self):
        with web.bind_page("127.0.0.1", 0) as bound:
            with self.assertRaises(quicchat.BindError):
                web.bind_page("127.0.0.1", bound.getsockname()[1])

    def test_the_hash_is_that_of_the_certificate(self):
        der = base64.b64encode(b"certificate").decode()
        pem = f"-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n"
        self.assertEqual(web.certificate_hash(pem + pem.replace(der, "b3RoZXI=")),
                         base64.b64encode(hashlib.sha256(b"certificate").digest()).decode())


class Served(Case):
    """What `quicchat serve --web` makes of a configuration."""

    def site(self):
        site = self.folder / "site"
        for name, text in FILES.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_text(text)
        return site

    def told(self, **changes):
        site = self.site()
        config = self.config(database=None, admin=None, **changes)

        async def main():
            side = WebSide(site, config)
            with contextlib.closing(side):
                async with quicchat.serve(side.apply(config)) as server:
                    async with side.serve(server) as page:
                        self.assertEqual(side.notices(server), [])
                        answer = json.loads(page._json("localhost"))
                        shown = server.web_pair[0] if server.web_pair else server.pair
                        return answer, shown.certificate_pem

        return self.run_async(main)

    def test_pages_are_told_the_next_certificate_as_well(self):
        answer, present = self.told()
        announced = (self.folder / "server.crt.next").read_text()
        self.assertEqual(answer["hashes"], [web.certificate_hash(present),
                                            web.certificate_hash(announced)])
        self.assertNotIn("passwords", answer)

    def test_pages_are_told_of_a_pair_of_their_own_where_they_cannot_pin_the_servers(self):
        copy_pair("rsa_2048", self.folder)
        answer, present = self.told()
        announced = (self.folder / "server.web.crt.next").read_text()
        self.assertEqual(answer["hashes"], [web.certificate_hash(present),
                                            web.certificate_hash(announced)])
        self.assertEqual(present, (self.folder / "server.web.crt").read_text())

    def test_a_page_is_told_what_a_reload_has_changed(self):
        site = self.site()

        def settings(web, **more):
            return self.config(database=None, admin=None, web=web, **more)

        async def main():
            first = settings({"tickets": None})
            with contextlib.closing(WebSide(site, first)) as side:
                async with quicchat.serve(side.apply(first)) as server:
                    async with side.serve(server) as page:
                        self.assertNotIn("passwords", json.loads(page._json("localhost")))
                        done = await server.reload(side.apply(settings(
                            {"origins": ["https://a.example"], "path": "/chat",
                             "passwords": False})))
                        self.assertEqual(done.changed, ("web", "web.passwords"))
                        told = json.loads(page._json("localhost"))
                        self.assertIs(told["passwords"], False)
                        self.assertTrue(told["url"].endswith("/chat"), told)
                        await server.reload(side.apply(settings(None)))
                        self.assertNotIn("passwords", json.loads(page._json("localhost")))
                        self.assertEqual(server.config.web.origins[0],
                                         f"http://127.0.0.1:{side.port}")

        self.run_async(main)

    def test_passwords_are_for_the_page_unless_the_configuration_says_no(self):
        for said, shown in (({"passwords": False}, False), ({"passwords": True}, None),
                            ({"tickets": None}, None)):
            self.assertEqual(self.told(web=said)[0].get("passwords"), shown, said)


class Page(unittest.TestCase):
    """What the page is made of: no other host, nothing that makes markup of texts."""

    PAGE = Path(__file__).resolve().parent.parent / "bindings" / "web" / "page"

    def test_texts_never_become_markup(self):
        files = sorted(self.PAGE.glob("*.js"))
        self.assertGreaterEqual(len(files), 3)
        for path in files:
            for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                         "srcdoc", "setHTML", "DOMParser"):
                self.assertNotIn(word, path.read_text(), path.name)

    def test_the_page_asks_no_other_host(self):
        for path in self.PAGE.iterdir():
            text = path.read_text().replace("connect-src 'self' https:", "")
            self.assertNotRegex(text, r"https?://[a-z]|@import|url\(", path.name)
        page = (self.PAGE / "index.html").read_text()
        self.assertIn("script-src 'self' 'wasm-unsafe-eval'", page)
        self.assertNotRegex(page, r"<script(?! type=\"module\" src=\"app.js\">)|\son[a-z]+=|style=")


if __name__ == "__main__":
    unittest.main()
