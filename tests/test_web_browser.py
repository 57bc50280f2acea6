"""The chat page in Chromium, against `quicchat serve --web`, with a native client in the same room.

Needs Chromium (Debian: chromium), the Python package playwright, and what bindings/web/build.sh
has put into build/web."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

from _support import ACCOUNTS, PATIENCE, ROOT, Case, account, environment, next_of, quicchat

SITE = ROOT / "build" / "web"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

try:
    from playwright.async_api import async_playwright
except ImportError:
    async_playwright = None

MILLISECONDS = 1000 * PATIENCE


def why_not():
    """Why these tests cannot run, or None."""
    if async_playwright is None:
        return "the Python package playwright is not installed"
    if CHROMIUM is None:
        return "Chromium is not installed (Debian: chromium)"
    if not (SITE / "quicchat" / "quicchat.wasm").exists():
        return "build/web is not there: sh bindings/web/build.sh"
    return None


class WebServer:
    """`quicchat serve --web` in a process of its own."""

    def __init__(self, folder, config):
        self.folder, self.config = folder, config
        self.port = 0
        self.start()

    def start(self):
        log = self.folder / f"serve-{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "quicchat", "serve", "--config", self.config,
                   "--port", str(self.port), "--web", SITE]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, cwd=self.folder, env=environment())
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(r"listening on .*:(\d+) ", log.read_text())):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the server did not start:\n" + log.read_text())
            time.sleep(0.02)
        self.port = int(found[1])
        self.url = re.search(r"the chat page is at (\S+)", log.read_text())[1]

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)


@unittest.skipIf(why_not(), why_not())
class Browser(Case):
    def setUp(self):
        super().setUp()
        self.server = WebServer(self.folder, self.write_config(durability="process"))
        self.addCleanup(self.server.stop)
        self.complaints = []

    def browse(self, scenario):
        """Runs `scenario(open_page, native)`; afterwards nothing may have been complained of."""
        async def main():
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=CHROMIUM, headless=True, args=["--no-sandbox"])
                try:
                    await scenario(lambda: self.open_page(browser), self.native)
                finally:
                    await browser.close()

        self.run_async(main)
        self.assertEqual(self.complaints, [])

    async def open_page(self, browser):
        context = await browser.new_context()
        page = await context.new_page()
        page.set_default_timeout(MILLISECONDS)

        def look(message):
            # The browser itself logs a server that is away.
            if message.type == "error" and "establish a connection" not in message.text:
                self.complaints.append(message.text)

        def ask(request):
            if not request.url.startswith((self.server.url, "blob:", "data:")):
                self.complaints.append(f"asked {request.url}")

        page.on("console", look)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", ask)
        await page.goto(self.server.url)
        return page

    async def log_in(self, page, user="ada", password=None):
        await page.fill("[name=user]", user)
        await page.fill("[name=password]", password or ACCOUNTS[user])
        await page.click("#login button")
        if password is None:
            await page.wait_for_selector("#member-list li")

    def native(self, user="bob"):
        return quicchat.connect("127.0.0.1", self.server.port, **account(user))

    @staticmethod
    async def say(page, text):
        await page.fill("#say textarea", text)
        await page.press("#say textarea", "Enter")

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

    def test_a_server_that_was_killed_and_started_again(self):
        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            await self.say(page, "before")
            await page.wait_for_selector("article >> text=before")
            self.server.kill()
            await self.say(page, "meanwhile")
            self.server.start()
            await page.wait_for_selector("article >> text=meanwhile")
            await page.wait_for_selector("#banner", state="hidden")
            self.assertEqual(await page.locator("article >> text=before").count(), 1)
            async with native() as bob:
                texts = [m.text for m in (await bob.history("#lobby")).messages]
            self.assertEqual(texts, ["before", "meanwhile"])

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
            await page.wait_for_selector('#login-error:has-text("Wrong user name or password")')
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
                silent.bind(("127.0.0.1", 0))
                silent_port = silent.getsockname()[1]

                async def elsewhere(route):
                    answer = await route.fetch()
                    await route.fulfill(response=answer, body=(await answer.text()).replace(
                        f":{self.server.port}/", f":{silent_port}/"))

                # The policy names the server, and the browser keeps to it.
                await page.route(self.server.url, without_policy)
                await page.route("**/quicchat.json", elsewhere)
                await page.goto(self.server.url)
                await self.log_in(page, password="x")
                await page.wait_for_selector('#login-error:has-text("blocks UDP")')

        self.browse(scenario)


async def without_policy(route):
    answer = await route.fetch()
    headers = {name: value for name, value in answer.headers.items()
               if name != "content-security-policy"}
    await route.fulfill(response=answer, headers=headers)


if __name__ == "__main__":
    unittest.main()
