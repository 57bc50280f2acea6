"""The chat page in Chromium when servers die, networks are cut, and many come at once."""

import asyncio
import contextlib
import unittest

from _browser import IS_LONG, STEP, Browser, Relay
from _support import ACCOUNTS, copy_pair, quicchat, scaled
from quicchat.certificates import PINNED_DAYS, make_short_lived

PAGES = 20 if IS_LONG else 4
IDLE_SECONDS = scaled(8)  # after which a connection that is cut is over


class Faults(Browser):
    def setUp(self):
        super().setUp()
        self.sent = []

    async def say_all(self, page, *texts):
        for text in texts:
            await self.say(page, text)
            self.sent.append(text)

    async def assert_all_there(self, page, native, *others):
        """Nothing lost, twice or out of order: what the page shows is what the room has, and
        each sender's own is in it as it was sent."""
        for text in (self.sent[-1], *(texts[-1] for texts in others)):
            await page.wait_for_selector(f'article .text:text-is("{text}")')
        async with native("eve") as eve:
            there = [m.text for m in (await eve.history("#lobby", limit=100)).messages]
        for texts in (self.sent, *others):
            self.assertEqual([text for text in there if text in texts], list(texts))
        self.assertEqual(len(there), len(self.sent) + sum(map(len, others)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STEP):
                while await self.texts(page) != there:
                    await asyncio.sleep(0.1)
        self.assertEqual(await self.texts(page), there)

    def test_a_server_that_is_killed_and_started_again_loses_nothing(self):
        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            theirs = []
            async with native() as bob:
                room = await bob.join("#lobby")

                async def send(text):
                    theirs.append(text)
                    await room.send(text)

                for i in range(5):
                    await self.say_all(page, f"page {i}")
                    await send(f"bob {i}")
                # Some are under way when it dies, some are written while it is dead.
                await self.say_all(page, "page 5", "page 6")
                self.server.kill()
                under_way = asyncio.create_task(send("bob 5"))
                await self.say_all(page, "page 7", "page 8")
                await asyncio.to_thread(self.server.start)
                await page.wait_for_selector('article .text:text-is("page 8")')
                await under_way
                await self.say_all(page, "page 9")
                await send("bob 6")
                await self.assert_all_there(page, native, theirs)
            await page.wait_for_selector("#banner", state="hidden")

        self.browse(scenario)

    def test_a_certificate_that_was_announced_takes_the_place_of_the_present_one(self):
        async def scenario(open_page, _):
            page = await open_page()
            await self.log_in(page)
            self.server.kill()
            (self.folder / "server.crt.next").replace(self.folder / "server.crt")
            await asyncio.to_thread(self.server.start)
            await self.say(page, "still here")
            await page.wait_for_selector("article .text:text-is('still here')")

        self.browse(scenario)

    def test_a_server_with_a_key_of_rsa_has_another_one_for_pages(self):
        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            async with native() as bob:
                await (await bob.join("#lobby")).send("by the other key")
            await page.wait_for_selector("article .text:text-is('by the other key')")
            self.assertTrue((self.folder / "server.web.key").exists())

        self.browse(scenario)

    def test_a_page_comes_back_after_its_network_was_cut(self):
        relay = self.relay()

        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            theirs = ["bob 0", "bob 1"]
            async with native() as bob:
                room = await bob.join("#lobby")
                await self.say_all(page, "page 0")
                await page.wait_for_selector('article .text:text-is("page 0")')
                relay.is_cut = True
                await self.say_all(page, "page 1", "page 2")
                for text in theirs:
                    await room.send(text)
                # It notices by itself, and goes on trying.
                await page.wait_for_selector("#banner:visible")
                await self.say_all(page, "page 3")
                relay.is_cut = False
                await page.wait_for_selector("#banner", state="hidden")
                await self.say_all(page, "page 4")
                await self.assert_all_there(page, native, theirs)

        self.browse(scenario)

    def test_a_page_on_a_network_that_loses_a_tenth_of_all_datagrams(self):
        relay = self.relay()

        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            relay.losses = 0.1
            theirs = [f"bob {i}" for i in range(20)]
            async with native() as bob:
                room = await bob.join("#lobby")
                for i, text in enumerate(theirs):
                    await self.say_all(page, f"page {i}")
                    await room.send(text)
                await self.assert_all_there(page, native, theirs)

        self.browse(scenario)

    def test_a_page_whose_address_changes_stays_connected(self):
        relay = self.relay()

        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            async with native() as bob:
                room = await bob.join("#lobby")
                theirs = []
                for i in range(4):
                    relay.move()
                    # Either side may be the first to send by the new way.
                    if i % 2:
                        await room.send(f"bob {i}")
                        theirs.append(f"bob {i}")
                    await self.say_all(page, f"page {i}")
                    await page.wait_for_selector(f'article .text:text-is("page {i}")')
                await self.assert_all_there(page, native, theirs)
            self.assertEqual(self.server.log().count("logged in as ada"), 1, self.server.log())

        self.browse(scenario)

    def relay(self):
        """Between the pages and the server."""
        relay = Relay(self.server.port)
        self.addCleanup(relay.close)
        self.relay_port = relay.port
        return relay

    def test_a_page_that_fails_after_its_login_is_at_the_entrance_again(self):
        async def broken(route):
            answer = await route.fetch()
            body = (await answer.text()).replace("of await chat.rooms()",
                                                 "of await chat.members('#nowhere')")
            await route.fulfill(response=answer, body=body)

        async def scenario(open_page, native):
            async def prepare(page):
                await page.route("**/app.js", broken)

            page = await open_page(prepare=prepare)
            await page.fill("#login [name=user]", "ada")
            await page.fill("#login [name=password]", ACCOUNTS["ada"])
            await page.click("#login button")
            while True:  # a busy server may not answer a browser in time
                await page.wait_for_selector("#login-error:not(:empty)")
                said = await page.inner_text("#login-error")
                if "cannot be reached" not in said:
                    break
                await page.fill("#login [name=password]", ACCOUNTS["ada"])
                await page.click("#login button")
            self.assertIn("was not joined", said)
            self.assertTrue(await page.is_visible("#login"))
            self.assertFalse(await page.is_visible("#chat"))
            async with native() as bob, asyncio.timeout(STEP):
                room = await bob.join("#lobby")
                while ("ada", True) in [(p.user, p.present) for p in await room.members()]:
                    await asyncio.sleep(0.1)

        self.browse(scenario)

    def test_many_pages_at_once(self):
        async def scenario(open_page, native):
            pages = await asyncio.gather(*(open_page() for _ in range(PAGES)))
            await asyncio.gather(*(self.log_in(page) for page in pages))
            for i, page in enumerate(pages):
                await self.say(page, f"from page {i}")
            texts = [f"from page {i}" for i in range(PAGES)]
            for page in pages:
                for text in texts:
                    await page.wait_for_selector(f'article .text:text-is("{text}")')
                self.assertEqual(sorted(await self.texts(page)), sorted(texts))
            orders = {tuple(await self.texts(page)) for page in pages}
            self.assertEqual(len(orders), 1)

        self.browse(scenario)

    def changes(self):
        if "certificate" in self.id():
            # Those that are made ahead are not good yet: this one is, as it begins an hour early.
            paths = (self.folder / "server.crt", self.folder / "server.key")
            make_short_lived(*paths, "127.0.0.1")
            (self.folder / "server.crt.next").write_text(quicchat._core.renew_self_signed(
                *(path.read_text() for path in paths), ["localhost"], PINNED_DAYS, 60))
        if "of_rsa" in self.id():
            copy_pair("rsa_2048", self.folder)
        if self.id().endswith("network_was_cut"):
            return {"limits": {"idle_timeout": IDLE_SECONDS}}
        return {}


if __name__ == "__main__":
    unittest.main()
