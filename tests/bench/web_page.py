"""What the chat page costs in Chromium, over loopback with `quicchat serve --web`.

    python3 tests/bench/web_page.py [CHATS [MESSAGES]]

Prints the time from navigation to the first message on the screen, with a login by ticket; from
publish to Ack in a page; and for CHATS (default: 200) chats in some pages, each with a connection
of its own, when all were online, when all had one message, and the server's memory for each.
tests/prepare_web.sh gets what it needs.
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
CHATS_OF_A_PAGE = 50  # a process of the browser has room for about 100 modules

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

CHATS = """async (tickets) => {
  const { connect } = await import('./quicchat/index.js');
  const where = await (await fetch('quicchat.json')).json();
  const wasm = await (await fetch('quicchat/quicchat.wasm')).arrayBuffer();
  const module = await WebAssembly.compile(wasm);
  const login = { ticket: async () => tickets.pop() };
  const enter = async () => {
    for (;;) {
      try {
        return await connect(where.url, { hashes: where.hashes, login, wasm: module });
      } catch (error) {
        if (error.code !== 'handshake_timeout') throw error;
      }
    }
  };
  window.chats = [];
  const count = tickets.length / 2;
  while (window.chats.length < count) { // some at a time, as people come
    const some = Math.min(10, count - window.chats.length);
    window.chats.push(...await Promise.all(Array.from({ length: some }, enter)));
  }
  window.rooms = await Promise.all(window.chats.map((chat) => chat.join('#lobby')));
}"""

HEAR = """() => Promise.all(window.rooms.map(async (room) => {
  for await (const event of room.events()) if (event.text === 'to all') return;
}))"""


async def open_page(browser, server):
    page = await (await browser.new_context()).new_page()
    page.set_default_timeout(300_000)
    await page.goto(server.url)
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


async def measure(server, chats, messages):
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
        before = memory_of(server.process)
        pages = [await open_page(browser, server) for _ in range(-(-chats // CHATS_OF_A_PAGE))]
        shares = [chats // len(pages) + (i < chats % len(pages)) for i in range(len(pages))]
        begin = time.monotonic()
        for page, share in zip(pages, shares, strict=True):
            await page.evaluate(CHATS, tickets(2 * share))
        online = time.monotonic() - begin
        each = (memory_of(server.process) - before) / chats
        print(f"{chats} chats in {len(pages)} pages: all online after {online:.1f} s, "
              f"{each:.1f} KiB each at the server")
        heard = [asyncio.create_task(page.evaluate(HEAR)) for page in pages]
        await asyncio.sleep(1)  # all of them listen
        begin = time.monotonic()
        await page.evaluate("() => window.rooms[0].send('to all')")
        await asyncio.gather(*heard)
        print(f"a message to all of them: {1000 * (time.monotonic() - begin):.0f} ms")
        await browser.close()


def main(chats=200, messages=500):
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
            asyncio.run(measure(server, chats, messages))
        finally:
            server.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
