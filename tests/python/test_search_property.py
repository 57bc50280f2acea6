"""Random texts and random searches over a real server: what is found is what a naive search finds,
by Python's own idea of which letters are the same."""

import asyncio
import json
import os

import pytest
import quicchat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

PATIENCE = 60 * float(os.environ.get("QUICCHAT_TEST_TIMEOUT_SCALE") or 1)

# The letters whose case does not count (PROTOCOL.md §6.15), and some of which it does.
BLOCKS = [(0x20, 0x7E), (0xA1, 0x17F), (0x370, 0x52F)]
FOLDED = st.sampled_from([chr(c) for first, last in BLOCKS for c in range(first, last + 1)
                          if chr(c).isprintable()])
OTHERS = st.sampled_from("ẞԱႠẀ👍🏽\u0301\t\n\u00a0\u200b")
FEW = st.sampled_from("aAäÄ čČσςΣжЖ")
TEXTS = st.text(FEW | FOLDED | OTHERS, min_size=1, max_size=12)
ACTS = st.lists(st.tuples(st.just("send"), TEXTS) |
                st.tuples(st.just("edit"), st.integers(0, 9), TEXTS) |
                st.tuples(st.just("delete"), st.integers(0, 9)), min_size=1, max_size=8)


def folded(text):
    """Letter by letter: what becomes several letters stays as it is."""
    def fold(letter):
        small = letter.casefold()
        in_blocks = any(first <= ord(letter) <= last for first, last in BLOCKS)
        return small if in_blocks and len(small) == 1 else letter

    return "".join(map(fold, text))


def naive(messages, text):
    words = [word for word in folded(text).split(" ") if word]
    return [offset for offset, said in sorted(messages.items(), reverse=True)
            if all(word in folded(said) for word in words)]


class World:
    """A server, somebody who talks and somebody who searches. A search costs ten requests of four
    hundred, so a world wears out."""

    def __init__(self, folder, runner):
        self.folder, self.runner = folder, runner
        self.uses, self.server = 0, None

    def begin(self):
        self.end()
        self.runner.run(self._begin())

    async def _begin(self):
        config = self.folder / "config.json"
        config.write_text(json.dumps({
            "host": "127.0.0.1", "port": 0, "certfile": "server.crt", "keyfile": "server.key",
            "auth": {"iterations": 100_000, "users": [{"username": "ada", "password": "pass"}]},
            "database": None}))
        self.server = await quicchat.serve(config).__aenter__()
        tls = quicchat.TLS.trust_on_first_use(self.folder / "known_servers")
        self.chat = await quicchat.connect("127.0.0.1", self.server.address[1], user="ada",
                                           password="pass", tls=tls, events=False)
        self.room = await self.chat.join("#lobby")
        self.messages, self.uses = {}, 0

    async def _end(self):
        await self.chat.close()
        await self.server.__aexit__(None, None, None)

    def end(self):
        if self.server is not None:
            self.runner.run(self._end())
            self.server = None

    async def do(self, kind, *rest):
        if kind == "send":
            receipt = await self.room.send(*rest)
            self.messages[receipt.offset] = rest[0]
        elif self.messages:
            offset = sorted(self.messages)[-1 - rest[0] % len(self.messages)]
            if kind == "edit":
                await self.room.edit(offset, rest[1])
                self.messages[offset] = rest[1]
            else:
                await self.room.delete(offset)
                del self.messages[offset]

    async def search(self, text, limit):
        """In pages, to the end."""
        found, before = [], None
        while True:
            page = await self.room.search(text, before=before, limit=limit)
            assert len(page.records) <= limit
            assert [m.text for m in page.records] == [self.messages[m.offset]
                                                      for m in page.records]
            found += [m.offset for m in page.records]
            if page.next is None:
                return found
            before = page.next


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with asyncio.Runner() as runner:
        world = World(tmp_path_factory.mktemp("search"), runner)
        yield world
        world.end()


@settings(max_examples=60, deadline=None, database=None,
          suppress_health_check=[HealthCheck.too_slow])
@example(acts=[("send", "İıŉß ΟΔΥΣΣΕΥΣ µ")], text="οδυσσευς μ", limit=1)
@example(acts=[("send", "ſtreet"), ("send", "STREET")], text="Street", limit=1)
@given(acts=ACTS, text=TEXTS, limit=st.integers(20, 100))
def test_a_search_is_a_naive_search(world, acts, text, limit):
    async def check():
        async with asyncio.timeout(PATIENCE):
            for act in acts:
                await world.do(*act)
            if not text.strip(" "):
                with pytest.raises(quicchat.RequestError):
                    await world.search(text, limit)
                return
            assert await world.search(text, limit) == naive(world.messages, text)

    if world.uses % 10 == 0:
        world.begin()
    world.uses += 1
    world.runner.run(check())
