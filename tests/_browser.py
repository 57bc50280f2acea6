"""What tests of the chat page in Chromium share: `quicchat serve --web`, the browser, its pages,
and a network that can be cut."""

import asyncio
import contextlib
import os
import random
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from _support import ACCOUNTS, PATIENCE, ROOT, Case, account, environment, quicchat, scaled

SITE = ROOT / "build" / "web"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

#: tests/run.sh --long sets it.
IS_LONG = bool(os.environ.get("QUICCHAT_LONG"))

try:
    from playwright.async_api import Error, async_playwright
except ImportError:
    async_playwright, Error = None, Exception

#: A browser is many processes: on a busy machine each step takes its time. What passes never waits.
STEP = min(2 * PATIENCE, 300.0)
#: A browser gives a server four seconds, whatever a test may wait: slower machines than that are
#: left out of the short run.
SCALE_MAX = 4.0
MILLISECONDS = 1000 * STEP


def why_not():
    """Why these tests cannot run, or None."""
    if (scale := scaled(1.0)) > SCALE_MAX and not IS_LONG:
        return (f"everything takes {scale:.1f} times as long as on a calm machine, and a browser "
                "gives a server four seconds: QUICCHAT_LONG=1 tries it all the same")
    if async_playwright is None:
        return "the Python package playwright is not installed: tests/prepare_web.sh"
    if CHROMIUM is None:
        return "Chromium is not installed (Debian: chromium)"
    if not (SITE / "quicchat" / "quicchat.wasm").exists():
        return "build/web is not there: tests/prepare_web.sh"
    return None


class WebServer:
    """`quicchat serve --web` in a process of its own."""

    def __init__(self, folder, config):
        self.folder, self.config = folder, config
        self.port = 0
        self.start()

    def start(self):
        log = self._log = self.folder / f"serve-{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "quicchat", "serve", "--config", self.config,
                   "--port", str(self.port), "--web", SITE]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, cwd=self.folder, env=environment())
        deadline = time.monotonic() + STEP
        while not (found := re.search(r"listening on .*:(\d+) ", log.read_text())):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the server did not start:\n" + log.read_text())
            time.sleep(0.02)
        self.port = int(found[1])
        self.url = re.search(r"the chat page is at (\S+)", log.read_text())[1]

    def log(self):
        """What it has said since it was started."""
        return self._log.read_text()

    def kill(self):
        self.process.kill()
        self.process.wait(STEP)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(STEP)


class Browser(Case):
    """One Chromium for all tests of a class. Each has a server and pages of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if reason := why_not():
            if os.environ.get("QUICCHAT_WEB_TESTS") and "build/web" in reason:
                raise AssertionError(reason)  # it did not compile
            raise unittest.SkipTest(reason)
        cls.runner = asyncio.Runner()
        cls.addClassCleanup(cls.runner.close)
        cls.driver = cls.runner.run(async_playwright().start())
        cls.addClassCleanup(lambda: cls.runner.run(cls.driver.stop()))
        try:
            cls.browser = cls.runner.run(cls.driver.chromium.launch(
                executable_path=CHROMIUM, headless=True, timeout=MILLISECONDS,
                args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]))
        except Error as error:
            raise unittest.SkipTest(f"Chromium does not start here: {error}") from None
        cls.addClassCleanup(lambda: cls.runner.run(cls.browser.close()))

    def setUp(self):
        super().setUp()
        self.server = WebServer(self.folder, self.write_config(durability="process",
                                                               **self.changes()))
        self.addCleanup(self.server.stop)
        self.complaints = []
        self.relay_port = None

    def changes(self):
        """To the configuration."""
        return {}

    def browse(self, scenario):
        """Runs `scenario(open_page, native)`; afterwards nothing may have been complained of. A
        page is opened at a place of the server's page, after `prepare(page)`."""
        async def main():
            contexts = []

            async def open_page(at="", prepare=None):
                contexts.append(await self.browser.new_context())
                return await self.open_page(contexts[-1], at, prepare)

            try:
                async with asyncio.timeout(3 * STEP):
                    await scenario(open_page, self.native)
            finally:
                for context in contexts:
                    await context.close()

        self.runner.run(main())
        self.assertEqual(self.complaints, [])

    async def open_page(self, context, at, prepare):
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
        if self.relay_port is not None:
            await self.lead(page, self.relay_port)
        if prepare is not None:
            await prepare(page)
        await page.goto(self.server.url + at)
        return page

    async def lead(self, page, port):
        """The page connects to this port from now on, in place of the server's."""
        async def elsewhere(route):
            answer = await route.fetch()
            await route.fulfill(response=answer, body=(await answer.text()).replace(
                f":{self.server.port}/", f":{port}/"))

        # The policy names the server, and the browser keeps to it.
        await page.route(re.compile(re.escape(self.server.url) + "(#.*)?$"), without_policy)
        await page.route("**/quicchat.json", elsewhere)

    async def log_in(self, page, user="ada", password=None):
        """By password; a wrong one may be given. A browser gives a server four seconds, in which a
        busy machine may not answer: then it is tried again."""
        await page.fill("#login [name=user]", user)
        await page.fill("#login [name=password]", password or ACCOUNTS[user])
        for _ in range(10):
            await page.click("#login button")
            await page.wait_for_selector("#member-list li, #login-error:not(:empty)")
            said = await page.inner_text("#login-error")
            if not said if password is None else said.startswith("Wrong user name or password"):
                return
        raise AssertionError(f"the login did not end as it should: {said!r}")

    def native(self, user="bob"):
        return quicchat.connect("127.0.0.1", self.server.port, **account(user))

    @staticmethod
    async def say(page, text):
        await page.fill("#say textarea", text)
        await page.press("#say textarea", "Enter")

    @staticmethod
    async def texts(page):
        """Of the messages on the screen."""
        return await page.locator("article .text").all_inner_texts()


async def without_policy(route):
    answer = await route.fetch()
    headers = {name: value for name, value in answer.headers.items()
               if name != "content-security-policy"}
    await route.fulfill(response=answer, headers=headers)


class Relay:
    """Carries datagrams between clients and a server, unless it is cut; some of them, where it has
    ``losses``: the share that goes astray."""

    def __init__(self, server_port):
        self.is_cut = False
        self.losses = 0.0
        self._chance = random.Random(1)
        self._moves = False
        self._server = ("127.0.0.1", server_port)
        self._selector = selectors.DefaultSelector()
        self._ends = {}  # of clients, by their address
        self._front = self._open(None)
        self.port = self._front.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def _open(self, client):
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.bind(("127.0.0.1", 0))
        end.setblocking(False)
        self._selector.register(end, selectors.EVENT_READ, client)
        return end

    def move(self):
        """The server sees clients come from other ports from now on, as a NAT may do it (RFC 9000
        §9.3)."""
        self._moves = True

    def _carry(self):
        while not self._over.is_set():
            if self._moves:
                self._moves = False
                for client, end in self._ends.items():
                    self._selector.unregister(end)
                    end.close()
                    self._ends[client] = self._open(client)
            for key, _ in self._selector.select(0.1):
                with contextlib.suppress(OSError):
                    data, sender = key.fileobj.recvfrom(65_536)
                    if self.is_cut or self._chance.random() < self.losses:
                        continue
                    if key.data is not None:
                        self._front.sendto(data, key.data)
                        continue
                    if sender not in self._ends:
                        self._ends[sender] = self._open(sender)
                    self._ends[sender].sendto(data, self._server)

    def close(self):
        self._over.set()
        self._thread.join()
        for end in (self._front, *self._ends.values()):
            end.close()
        self._selector.close()
