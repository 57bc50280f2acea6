"""What a small server of quicchat keeps: accounts, rooms and files, all in memory."""

import hashlib
import os
import time
from dataclasses import dataclass, field

from .client import MESSAGE
from .login import DeviceToken, Verifier

EDIT, DELETION, TOPIC, CREATION, TOMBSTONE, FILE = 1, 2, 5, 8, 9, 10
EVERYBODY, INVITATION = 0, 1
MEMBER, OWNER = 3, 5


class Refusal(Exception):
    """An Error frame; its text is the error's name in PROTOCOL.md §8."""


def now():
    return int(time.time() * 1000)


@dataclass(eq=False)
class Room:
    """PROTOCOL.md §6.1: "A room is a log."."""

    name: str
    access: int = EVERYBODY
    topic: str = ""
    pair: frozenset = frozenset()  #: of a room of two people
    epoch: bytes = field(default_factory=lambda: os.urandom(8))
    records: list = field(default_factory=list)
    roles: dict = field(default_factory=dict)
    markers: dict = field(default_factory=dict)
    members: list = field(default_factory=list)  #: (session, stream) of each
    stored: dict = field(default_factory=dict)  #: (user, device, id): (what, ack)

    @property
    def head(self):
        return len(self.records)

    def name_for(self, user):
        """§6.6: "Each of them calls it by `@` and the other's name"."""
        return "@" + max(self.pair - {user} or self.pair) if self.pair else self.name

    def append(self, user, device, id, text, attributes, act):
        """§6.3: the Ack, and the Event if it is a new one."""
        key, what = (user, device, id), (text, attributes, act)
        if key in self.stored:
            first, ack = self.stored[key]
            if first != what and not self.records[ack["offset"] - 1]["changed_by"]:
                raise Refusal("conflict")
            return ack, None
        event = {"frame": "event", "offset": self.head + 1, "time": now(), "id": id,
                 "from": user, "text": text, "attributes": attributes, "act": act,
                 "changed_by": 0}
        self.change(event)
        self.records.append(event)
        ack = {"epoch": self.epoch, "offset": event["offset"], "durability": 0,
               "time": event["time"]}
        self.stored[key] = (what, ack)
        return ack, event

    def change(self, event):
        """§6.9: what a record does to the one it is about."""
        kind, target = event["act"]["kind"], event["act"]["target"]
        if kind in (EDIT, DELETION):
            if not 0 < target <= self.head or self.records[target - 1]["act"]["kind"] != 0:
                raise Refusal("no_such_message")
            if self.records[target - 1]["from"] != event["from"]:
                raise Refusal("forbidden")
        if kind == EDIT:
            self.records[target - 1] |= {"text": event["text"], "changed_by": event["offset"],
                                         "attributes": event["attributes"]}
        elif kind == DELETION:
            self.records[target - 1] |= {"text": "", "changed_by": event["offset"],
                                         "attributes": "{}",
                                         "act": MESSAGE | {"kind": TOMBSTONE}}
        elif kind == TOPIC:
            self.topic = event["text"]


@dataclass
class Upload:
    """A file that is under way, or has come."""

    name: str
    size: int
    digest: bytes
    data: bytearray = field(default_factory=bytearray)

    @property
    def is_whole(self):
        return len(self.data) == self.size and hashlib.sha256(self.data).digest() == self.digest


class House:
    """All that outlives a connection."""

    def __init__(self, passwords, rooms=("#lobby",), iterations=100_000):
        self.verifiers = {name: Verifier.of(password, iterations)
                          for name, password in passwords.items()}
        self.rooms = {name: Room(name) for name in rooms}
        self.tokens = {}  #: {(user, device): the newest DeviceToken}
        self.displays = {}
        self.uploads = {}  #: {(user, device, id): Upload}
        self.files = {}  #: {(room, offset): Upload}
        self.sessions = []
        self.logins = []  #: (user, mechanism) of each

    def verifier_of(self, user):
        return self.verifiers[user.lower()]

    def new_token(self, user, device):
        old = self.tokens.get((user, device))
        token = DeviceToken(user, device, old.generation + 1 if old else 1, os.urandom(32))
        self.tokens[user, device] = token
        return token

    def room(self, name, user):
        """The room that this user calls so."""
        if name.startswith("@"):
            return self.private(user, name[1:].lower())
        room = self.rooms.get(name.lower())
        if room is None or room.access == INVITATION and user not in room.roles:
            raise Refusal("no_such_room")
        return room

    def private(self, user, other):
        if other not in self.verifiers:
            raise Refusal("no_such_user")
        pair = frozenset((user, other))
        return self.rooms.setdefault(pair, Room("", INVITATION, pair=pair,
                                                roles=dict.fromkeys(pair, MEMBER)))

    def visible(self, user):
        """§6.5: in the order of their canonical names, those of two people behind."""
        rooms = [room for room in self.rooms.values()
                 if room.access == EVERYBODY or user in room.roles]
        return sorted(rooms, key=lambda room: (bool(room.pair), room.name.lower()))

    def create(self, user, device, id, name, access, topic):
        """The Ack of a room that is made."""
        room = self.rooms.get(name.lower())
        if room is not None and (user, device, id) not in room.stored:
            raise Refusal("room_exists")
        if room is None:
            room = self.rooms[name.lower()] = Room(name, access, topic, roles={user: OWNER})
        act = MESSAGE | {"kind": CREATION, "subject": name, "value": access}
        return room.append(user, device, id, topic, "{}", act)[0]
