"""Random scripts of acts by several people, against a model that is a few dictionaries: whoever
folds the events of a room, live or from the start or from pages of history, sees what the model
says. So the order of events, edits, tombstones and roles mean the same on both sides."""

import asyncio
import json
import os
from dataclasses import dataclass, field

import pytest
import quicchat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quicchat import Access, Role

PATIENCE = 60 * float(os.environ.get("QUICCHAT_TEST_TIMEOUT_SCALE") or 1)

PEOPLE = ["ada", "bob", "eve"]
AUTHOR = "the author"  # of what the act is about
TEXTS = st.sampled_from(["a", "b", "hello", "👍🏽", "two\nlines"])
WHO = st.sampled_from(PEOPLE)
EMOJI = st.sampled_from(["👍🏽", "+1"])
# An offset: of a role, of the two messages that each script begins with, of what may follow. Few,
# so that acts meet each other.
WHICH = st.integers(3, 6)
BEGIN = [("send", "ada", "one"), ("send", "bob", "two"), ("edit", "bob", 5, "three")]

MESSAGES = st.one_of(
    st.tuples(st.just("send"), WHO, TEXTS),
    st.tuples(st.just("reply"), WHO, WHICH, TEXTS),
    st.tuples(st.just("edit"), WHO | st.just(AUTHOR), WHICH, TEXTS),
    st.tuples(st.just("delete"), WHO | st.just(AUTHOR), WHICH),
    st.tuples(st.just("react"), WHO, WHICH, EMOJI),
    st.tuples(st.just("unreact"), WHO, WHICH, EMOJI),
)
ROOM = st.one_of(
    st.tuples(st.just("topic"), WHO, TEXTS),
    st.tuples(st.just("role"), WHO, WHO, st.sampled_from(
        [Role.MUTED, Role.MEMBER, Role.MODERATOR, Role.OWNER])),
    st.tuples(st.just("access"), WHO, st.sampled_from(Access)),
)
# Mostly messages: in an archived room not much happens any more.
SCRIPTS = st.lists(st.integers(0, 7).flatmap(lambda n: MESSAGES if n else ROOM),
                   min_size=10, max_size=40)


@dataclass
class Seen:
    """A room as somebody sees it who knows nothing but its records."""

    messages: dict = field(default_factory=dict)  # offset -> [sender, text, reply_to]
    reactions: set = field(default_factory=set)  # (offset, sender, text)
    topic: str = ""
    roles: dict = field(default_factory=dict)
    access: Access = Access.EVERYBODY
    head: int = 0

    def take(self, record):
        assert record.offset == self.head + 1, "a hole"
        self.head = record.offset
        match record:
            case quicchat.Message():
                text = None if record.deleted else record.text
                self.messages[record.offset] = [record.sender, text, record.reply_to]
            case quicchat.Edited():
                # A text that is gone stays so, whatever follows.
                assert record.deleted or self.messages[record.target][1] is not None
                self.messages[record.target][1] = None if record.deleted else record.text
            case quicchat.Deleted():
                self.messages[record.target][1] = None
            case quicchat.Reaction():
                key = (record.target, record.sender, record.text)
                (self.reactions.discard if record.removed else self.reactions.add)(key)
            case quicchat.TopicChanged():
                self.topic = record.topic
            case quicchat.RoleChanged():
                self.roles[record.user] = record.role
            case quicchat.AccessChanged():
                self.access = record.access
            case quicchat.RoomCreated():
                self.topic, self.access = record.topic, record.access
                self.roles[record.sender] = Role.OWNER


@dataclass
class Model(Seen):
    """The same room as the rules say it must be (PROTOCOL.md §6.9 and §6.10)."""

    edited: set = field(default_factory=set)  # offsets

    def try_act(self, act):
        """What the act is refused with; None, and the room is changed, if it may be done."""
        kind, who, *rest = act
        role, archived = self.roles[who], self.access is Access.ARCHIVED
        right = {"topic": Role.MODERATOR, "access": Role.OWNER}.get(kind, Role.MEMBER)
        if kind != "role" and (role < right or (archived and kind != "access")):
            return "forbidden"
        return getattr(self, "_" + kind)(who, *rest)

    def _commit(self):
        self.head += 1

    def _is_message(self, target):
        return target in self.messages and self.messages[target][1] is not None

    def _send(self, who, text, reply_to=None):
        self._commit()
        self.messages[self.head] = [who, text, reply_to]

    def _reply(self, who, target, text):
        return self._send(who, text, target) if self._is_message(target) else "no_such_message"

    def _edit(self, who, target, text):
        if not self._is_message(target):
            return "no_such_message"
        if self.messages[target][0] != who:
            return "forbidden"
        self._commit()
        self.messages[target][1] = text
        self.edited.add(target)
        return None

    def _delete(self, who, target):
        if not self._is_message(target):
            return "no_such_message"
        author = self.messages[target][0]
        tidies = self.roles[who] >= Role.MODERATOR and self.roles[author] < self.roles[who]
        if author != who and not tidies:
            return "forbidden"
        self._commit()
        self.messages[target][1] = None
        self.edited.discard(target)
        return None

    def _react(self, who, target, text):
        if not self._is_message(target):
            return "no_such_message"
        if (target, who, text) in self.reactions:
            return "no_change"
        self._commit()
        self.reactions.add((target, who, text))
        return None

    def _unreact(self, who, target, text):
        if not self._is_message(target):
            return "no_such_message"
        if (target, who, text) not in self.reactions:
            return "no_change"
        self._commit()
        self.reactions.remove((target, who, text))
        return None

    def _topic(self, who, text):
        self._commit()
        self.topic = text

    def _role(self, who, user, role):
        mine, before = self.roles[who], self.roles[user]
        below = before < Role.MODERATOR > role and mine >= Role.MODERATOR
        if mine < Role.OWNER and (not below or self.access is Access.ARCHIVED):
            return "forbidden"
        owners = list(self.roles.values()).count(Role.OWNER)
        if before is Role.OWNER is not role and owners < 2:
            return "forbidden"
        self._commit()
        self.roles[user] = role
        return None

    def _access(self, who, access):
        self._commit()
        self.access = access


def request(room, act):
    kind, _, *rest = act
    match kind:
        case "reply":
            return room.send(rest[1], reply_to=rest[0])
        case "topic" | "role" | "access":
            return getattr(room, "set_" + kind)(*rest)
    return getattr(room, kind)(*rest)


async def play(rooms, model, script):
    """Each act in turn; what it is answered with is what the model says."""
    for act in script:
        if act[1] == AUTHOR:
            act = (act[0], model.messages.get(act[2], PEOPLE)[0], *act[2:])
        expected = model.try_act(act)
        try:
            await request(rooms[act[1]], act)
            answer = None
        except quicchat.RequestError as error:
            answer = error.name
        assert answer == expected, act


async def follow(chat, room, head):
    """Folds the live events of a room up to the offset that everybody must have seen."""
    seen = Seen()
    while seen.head < head:
        event = await anext(chat)
        if getattr(event, "room", None) == room and isinstance(event, quicchat.events.RoomRecord):
            seen.take(event)
    return seen


async def read_pages(chat, room, limit, model):
    """The same from pages of history, from the newest one back. Their messages are as they are
    now."""
    page = await chat.history(room, limit=limit)
    records = list(page.records)
    while not page.reaches_start:
        page = await chat.history(room, before=page.first, limit=limit)
        records = [*page.records, *records]
    seen = Seen()
    for record in records:
        seen.take(record)
        if isinstance(record, quicchat.Message):
            assert seen.messages[record.offset] == model.messages[record.offset]
            assert record.edited == (record.offset in model.edited)
    return seen


def compare(seen, model):
    for name in ("messages", "reactions", "topic", "roles", "access", "head"):
        assert getattr(seen, name) == getattr(model, name), name


class World:
    """A server and three people. An account may make a hundred rooms, and a connection ask 400
    things at once, so a world wears out."""

    ROOMS = 20

    def __init__(self, folder, runner):
        self.folder, self.runner = folder, runner
        self.rooms = 0
        self.server, self.chats = None, {}

    def next_room(self):
        """The name of a room that there was not yet."""
        if self.rooms % self.ROOMS == 0:
            self.end()
            self.runner.run(self._begin())
        self.rooms += 1
        return f"#room{self.rooms}"

    async def _begin(self):
        users = [{"username": name, "password": "pass word"} for name in PEOPLE]
        config = self.folder / "config.json"
        config.write_text(json.dumps({
            "host": "127.0.0.1", "port": 0, "certfile": "server.crt", "keyfile": "server.key",
            "auth": {"iterations": 100_000, "users": users}, "database": None}))
        self.server = await quicchat.serve(config).__aenter__()
        tls = quicchat.TLS.trust_on_first_use(self.folder / "known_servers")
        for name in PEOPLE:
            self.chats[name] = await quicchat.connect(
                "127.0.0.1", self.server.address[1], user=name, password="pass word", tls=tls)

    async def _end(self):
        for chat in self.chats.values():
            await chat.close()
        await self.server.__aexit__(None, None, None)

    def end(self):
        if self.server is not None:
            self.runner.run(self._end())
            self.server = None


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with asyncio.Runner() as runner:
        world = World(tmp_path_factory.mktemp("rooms"), runner)
        yield world
        world.end()


async def check(chats, name, script, limit):
    async with asyncio.timeout(PATIENCE):
        await chats["ada"].create_room(name, access=Access.INVITATION)
        rooms = {"ada": await chats["ada"].join(name, last=10)}
        for other in PEOPLE[1:]:
            await rooms["ada"].invite(other)
            rooms[other] = await chats[other].join(name, last=10)
        model = Model(roles={"ada": Role.OWNER, "bob": Role.MEMBER, "eve": Role.MEMBER},
                      access=Access.INVITATION, head=3)
        await play(rooms, model, [*BEGIN, *script])
        for who, chat in chats.items():
            compare(await follow(chat, name, model.head), model)
            compare(await read_pages(chat, name, limit, model), model)
            assert {p.user: p.role for p in await rooms[who].members()} == model.roles
            await rooms[who].leave()
            again = await chat.join(name, last=100)
            assert (again.role, again.access) == (model.roles[who], model.access)
            assert again.topic == model.topic
            compare(await follow(chat, name, model.head), model)
            await again.leave()


@settings(max_examples=100, deadline=None, database=None,
          suppress_health_check=[HealthCheck.too_slow])
@given(script=SCRIPTS, limit=st.integers(5, 30))
def test_every_view_of_a_room_is_the_model_s(world, script, limit):
    name = world.next_room()
    world.runner.run(check(world.chats, name, script, limit))
