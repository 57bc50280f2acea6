"""The chat page in Chromium, against `quicchat serve --web`, with a native client in the same room.

Needs Chromium (Debian: chromium), the Python package playwright, and what bindings/web/build.sh
has put into build/web: tests/prepare_web.sh gets them."""

import asyncio
import os
import re
import socket
import unittest
from pathlib import Path

from _browser import Browser
from _support import PATIENCE, next_of, quicchat


class Chatting(Browser):
    def test_a_page_and_a_native_client_chat(self):
        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            async with native() as bob:
                room = await bob.join("#lobby")
                await page.wait_for_selector("#member-list >> text=bob")
                typing = asyncio.create_task(next_of(room, quicchat.events.Typing))
                await page.type("#say textarea", "h")
                self.assertEqual((await typing).user, "ada")
                await self.say(page, "hello from a page")
                heard = await next_of(room, quicchat.events.Message)
                self.assertEqual((heard.sender, heard.text), ("ada", "hello from a page"))
                await room.send("hello @ada", reply_to=heard)
                await page.wait_for_selector("article.mentions >> text=hello @ada")
                self.assertIn("hello from a page", await page.inner_text(".mentions .quote"))
                await room.react(heard, "\N{THUMBS UP SIGN}")
                await page.wait_for_selector(".mine .reactions button")
                # Keys: the last message of our own is edited, and then everybody sees that.
                await page.press("#say textarea", "ArrowUp")
                await self.say(page, "hello again")
                edited = await next_of(room, quicchat.events.Edited)
                self.assertEqual((edited.target, edited.text), (heard.offset, "hello again"))
                await page.wait_for_selector(".mine >> text=(edited)")

        self.browse(scenario)

    def test_unread_messages_are_counted_and_history_is_read_on(self):
        async def scenario(open_page, native):
            async with native() as bob:
                lobby = await bob.join("#lobby")
                await asyncio.gather(*(lobby.send(f"number {i}") for i in range(120)))
                await bob.create_room("#tea")
                tea = await bob.join("#tea")
                page = await open_page()
                await self.log_in(page)
                await page.wait_for_selector("text=number 119")
                self.assertEqual(await page.locator("article").count(), 50)
                await page.evaluate("document.getElementById('log').scrollTop = 0")
                await page.wait_for_selector("article >> nth=99")
                await page.fill("#enter input", "tea")
                await page.press("#enter input", "Enter")
                await page.wait_for_selector('#room-name:has-text("#tea")')
                await page.click("#room-list >> text=#lobby")
                await tea.send("come here, @ada")
                unread = await page.wait_for_selector("#room-list .unread.mention")
                self.assertEqual(await unread.inner_text(), "1")
                await page.fill("#search input", "number 77")
                await page.press("#search input", "Enter")
                await page.wait_for_selector("#found >> text=number 77")

        self.browse(scenario)

    def test_files_go_both_ways(self):
        content = os.urandom(700_000)
        (self.folder / "from_page.bin").write_bytes(content)

        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            async with native() as bob:
                room = await bob.join("#lobby")
                await page.set_input_files("#file", self.folder / "from_page.bin")
                sent = await next_of(room, quicchat.events.Message)
                self.assertEqual((sent.text, sent.file.size), ("from_page.bin", len(content)))
                self.assertEqual(await room.read_file(sent), content)
                await room.send_file(content[::-1], name="from_native.bin")
                async with page.expect_download() as download:
                    await page.click("article button >> text=from_native.bin")
                fetched = await download.value
                self.assertEqual(fetched.suggested_filename, "from_native.bin")
                self.assertEqual(Path(await fetched.path()).read_bytes(), content[::-1])

        self.browse(scenario)

    def test_what_others_write_is_text(self):
        hostile = ['<img src=x onerror="document.title=1">', "<script>document.title = 2</script>",
                   "javascript:alert(1)", "https://x.example/\"><b>", "\u202egnp.exe",
                   "<style>*{display:none}</style>"]

        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            async with native() as bob:
                await bob.set_display_name("<b>bob</b>")
                room = await bob.join("#lobby")
                for text in hostile:
                    await room.send(text, attributes={"__proto__": {"x": 1}})
                await room.send_file(b"x", name="<i>.html")
                await page.wait_for_selector("text=<i>.html")
                shown = await page.locator("article .text").all_inner_texts()
                self.assertEqual(shown[:3], hostile[:3])
                self.assertEqual(shown[4], "gnp.exe")
                made = await page.evaluate(
                    "[...document.querySelectorAll('#log :is(img, script, style, i)')].length")
                self.assertEqual(made, 0)
                links = await page.evaluate("[...document.links].map((link) => link.protocol)")
                self.assertEqual(set(links), {"https:"})
                self.assertEqual(await page.title(), "#lobby")

        self.browse(scenario)

    def test_a_page_that_is_closed_is_gone_at_once(self):
        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            async with native() as bob:
                room = await bob.join("#lobby")
                people = await room.members()
                self.assertIn(("ada", True), [(p.user, p.present) for p in people])
                gone = asyncio.create_task(next_of(room, quicchat.events.MemberLeft, user="ada"))
                await page.context.close()
                # An idle timeout would be a minute.
                await asyncio.wait_for(gone, PATIENCE / 2)

        self.browse(scenario)

    def test_a_wrong_password_and_a_network_without_udp_are_told_in_words(self):
        async def scenario(open_page, _):
            page = await open_page()
            await self.log_in(page, password="guess")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
                silent.bind(("127.0.0.1", 0))
                await self.lead(page, silent.getsockname()[1])
                await page.goto(self.server.url)
                await page.fill("#login [name=user]", "ada")
                await page.fill("#login [name=password]", "x")
                await page.click("#login button")
                await page.wait_for_selector('#login-error:has-text("blocks UDP")')

        self.browse(scenario)

    def test_a_screen_reader_is_told_what_everything_is(self):
        async def scenario(open_page, native):
            page = await open_page()

            async def tree(*wanted):
                """The page as the browser gives it to a screen reader (ARIA)."""
                found = await page.locator("body").aria_snapshot()
                lines = [line.strip() for line in found.splitlines()]
                for line in wanted:
                    self.assertIn(f"- {line}", lines, found)
                # What one can act on has a name.
                self.assertNotRegex(found, r"- (button|textbox|searchbox|link|checkbox|combobox"
                                           r"|menuitem)\s*(:|\n|$)")
                return found

            await tree('textbox "User name"', 'textbox "Password"', 'button "Log in"', "alert")
            await self.log_in(page)
            async with native() as bob:
                await (await bob.join("#lobby")).send("hello ada")
                await page.wait_for_selector("article .text:text-is('hello ada')")
                await page.wait_for_selector("#member-list li:has-text('bob')")
                found = await tree('heading "#lobby" [level=1]', 'searchbox "Search in this room"',
                                   'navigation "Rooms":', 'log "Messages":',
                                   'complementary "Members":', 'list "Files on their way"',
                                   'textbox "Message"', 'button "Reply"', 'button "React"',
                                   'button "Send"', "paragraph: online as ada")
            self.assertTrue(re.search(r"article:\n\s+- text: bob\n\s+- time: .*\n"
                                      r"\s+- paragraph: hello ada", found), found)

        self.browse(scenario)


if __name__ == "__main__":
    unittest.main()
