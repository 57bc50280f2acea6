"""What the chat page keeps in Chromium, if somebody wants it to: unsent messages, over a crash, a
reload, and beside another tab."""

import asyncio
import contextlib
import unittest

from _browser import STEP, Browser, Relay

LABEL = "Remember unsent messages on this computer"

UNSENT = """async () => {
  let count = 0;
  for (const { name } of await indexedDB.databases()) {
    const done = (request) => new Promise((resolve) => {
      request.onsuccess = () => resolve(request.result);
    });
    const database = await done(indexedDB.open(name));
    count += await done(database.transaction('unsent').objectStore('unsent').count());
    database.close();
  }
  return count;
}"""


class Kept(Browser):
    async def wait_for_unsent(self, page, count):
        """Until the browser keeps so many messages."""
        async with asyncio.timeout(STEP):
            while await page.evaluate(UNSENT) != count:
                await asyncio.sleep(0.05)

    async def log_in_and_keep(self, page, user="ada"):
        await page.get_by_label(LABEL).focus()
        await page.keyboard.press("Space")
        await self.log_in(page, user)
        await page.wait_for_selector('#kept:has-text("are kept")')

    async def texts_in_lobby(self, native):
        async with native("eve") as eve:
            return [m.text for m in (await eve.history("#lobby", limit=100)).messages]

    @staticmethod
    async def crash(page):
        """Ends the page's process, in the middle of anything."""
        session = await page.context.new_cdp_session(page)
        over = asyncio.Event()
        page.once("crash", lambda _: over.set())
        crashing = asyncio.create_task(session.send("Page.crash"))
        await asyncio.wait_for(over.wait(), STEP)
        crashing.cancel()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await crashing

    def test_what_a_tab_that_crashed_had_not_sent_arrives_once(self):
        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in_and_keep(page)
            await self.say(page, "stored")
            await page.wait_for_selector("article .text:text-is('stored')")
            await self.wait_for_unsent(page, 0)
            self.server.kill()
            for text in ("unsent 1", "unsent 2"):
                await self.say(page, text)
            await self.wait_for_unsent(page, 2)
            await self.crash(page)
            await asyncio.to_thread(self.server.start)
            again = await self.open_page(page.context, "", None)
            self.assertTrue(await again.get_by_label(LABEL).is_checked())
            await self.log_in(again)
            await again.wait_for_selector("article .text:text-is('unsent 2')")
            await self.wait_for_unsent(again, 0)
            sent = ["stored", "unsent 1", "unsent 2"]
            self.assertEqual(await self.texts_in_lobby(native), sent)
            self.assertEqual(await self.texts(again), sent)

        self.browse(scenario)

    def test_what_was_not_sent_before_a_reload_is_sent_after_it(self):
        relay = Relay(self.server.port)
        self.addCleanup(relay.close)
        self.relay_port = relay.port

        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in_and_keep(page)
            relay.is_cut = True
            await self.say(page, "unsent")
            await self.wait_for_unsent(page, 1)
            await page.reload()
            relay.is_cut = False
            await self.log_in(page)
            await page.wait_for_selector("article .text:text-is('unsent')")
            await self.wait_for_unsent(page, 0)
            self.assertEqual(await self.texts_in_lobby(native), ["unsent"])

        self.browse(scenario)

    def test_a_second_tab_says_that_it_keeps_nothing_and_chats(self):
        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in_and_keep(page)
            second = await self.open_page(page.context, "", None)
            await self.log_in(second)
            await second.wait_for_selector('#kept:has-text("not kept. Another tab")')
            await self.say(second, "from the second")
            await page.wait_for_selector("article .text:text-is('from the second')")
            # Who takes the choice back finds nothing kept.
            await second.click("#leave")
            await second.get_by_label(LABEL).uncheck()
            await page.wait_for_selector('#kept:has-text("not kept. What was kept was deleted")')
            self.assertEqual(await page.evaluate("indexedDB.databases()"), [])
            await self.say(page, "all the same")
            await page.wait_for_selector("article .text:text-is('all the same')")

        self.browse(scenario)

    def test_nothing_is_kept_unless_somebody_wants_it(self):
        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            await self.say(page, "hello")
            await page.wait_for_selector("article .text:text-is('hello')")
            self.assertEqual(await page.inner_text("#kept"), "")
            self.assertEqual(await page.evaluate("indexedDB.databases()"), [])
            self.assertEqual(await page.evaluate("localStorage.length"), 0)

        self.browse(scenario)


if __name__ == "__main__":
    unittest.main()
