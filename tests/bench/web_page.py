"""What the chat page costs in Chromium, over loopback with `quicchat serve --web`.

    python3 tests/bench/web_page.py [PAGES [MESSAGES]]

Prints the time from navigation to the first message on the screen, with a login by ticket; from
publish to Ack in a page; and for PAGES (default: 200) chat pages that are open at once, each in a
tab of its own, when all showed the room, when all showed a message that one of them sent, and the
server's memory for each. tests/prepare_web.sh gets what it needs.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from _browser import CHROMIUM, WebServer, async_playwright, why_not
from _support import Case, quicchat

KEY = "a-key-of-the-bench-alone-0123456789abcdef"
AUDIENCE = "bench"
NAVIGATIONS = 10
AT_ONCE = 10  # pages that open, as people come

FIRST_MESSAGE = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('article')) return;
  window.firstMessage = performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });
"""

ACKS = """async ([tickets, count]) => {
  const { connect } = await import('./quicchat/index.js');
  const where = await (await fetch('quicchat.json')).json();
  const login = { ticket: async () => tickets.pop() };
  const chat = await connect(where.url, { hashes: where.hashes, login });
  const room = await chat.join('#lobby');
  const times = [];
  for (let i = 0; i < count; ++i) {
    const begin = performance.now();
    await room.send(`number ${i}`);
    times.push(performance.now() - begin);
  }
  await chat.close();
  return times;
}"""

async def open_page(browser, server, at=""):
    page = await (await browser.new_context()).new_page()
    page.set_default_timeout(300_000)
    await page.goto(server.url + at)
    return page


def tickets(count):
    return [quicchat.make_ticket("ada", KEY, AUDIENCE, expires=300) for _ in range(count)]


def memory_of(process):
    """Resident, in KiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def line(what, times):
    times = sorted(times)
    print(f"{what}: median {statistics.median(times):.1f} ms, "
          f"longest {times[-1]:.1f} ms of {len(times)}")


async def measure_pages(browser, server, count):
    before = memory_of(server.process)
    begin = time.monotonic()
    turns = asyncio.Semaphore(AT_ONCE)

    async def enter():
        async with turns:
            page = await open_page(browser, server, f"#ticket={tickets(1)[0]}")
            await page.wait_for_selector("article")
            return page

    pages = await asyncio.gather(*(enter() for _ in range(count)))
    each = (memory_of(server.process) - before) / count
    print(f"{count} pages: all show the room after {time.monotonic() - begin:.1f} s, "
          f"{each:.1f} KiB each at the server")
    begin = time.monotonic()
    await pages[0].fill("#say textarea", "to all")
    await pages[0].press("#say textarea", "Enter")
    await asyncio.gather(
        *(page.wait_for_selector('article .text:text-is("to all")') for page in pages))
    print(f"a message that all of them show: {1000 * (time.monotonic() - begin):.0f} ms")


async def measure(server, pages, messages):
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        times = []
        for _ in range(NAVIGATIONS):
            context = await browser.new_context()
            page = await context.new_page()
            page.set_default_timeout(300_000)
            await page.add_init_script(FIRST_MESSAGE)
            await page.goto(f"{server.url}#ticket={tickets(1)[0]}")
            await page.wait_for_selector("article")
            times.append(await page.evaluate("window.firstMessage"))
            await context.close()
        line("navigation to the first message", times)
        page = await open_page(browser, server)
        line("publish to Ack", await page.evaluate(ACKS, [tickets(3), messages]))
        await page.close()
        await measure_pages(browser, server, pages)
        await browser.close()


def main(pages=200, messages=500):
    if problem := why_not():
        sys.exit(problem)
    case = Case()
    with tempfile.TemporaryDirectory() as folder:
        case.folder = Path(folder)
        (case.folder / "ticket.keys").write_text(KEY + "\n")
        (case.folder / "ticket.keys").chmod(0o600)
        many = 1_000_000
        config = case.write_config(
            durability="process",
            web={"origins": ["https://bench.example"],
                 "tickets": {"keys": "ticket.keys", "audience": AUDIENCE}},
            limits={"connections_per_account_max": many, "connections_per_prefix": many,
                    "strangers_per_prefix_max": many, "messages_per_account": many,
                    "messages_per_room": many, "messages_per_prefix": many,
                    "requests_per_account": many, "requests_per_connection": many})
        server = WebServer(case.folder, config)
        time.sleep(1)  # tickets from before a server's start are refused

        async def one_message():
            async with quicchat.connect("127.0.0.1", server.port, user="ada",
                                        password="correct horse",
                                        tls=quicchat.TLS.insecure()) as ada:
                await (await ada.join("#lobby")).send("first")

        try:
            asyncio.run(one_message())
            asyncio.run(measure(server, pages, messages))
        finally:
            server.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
