"""A second, independent reader of the wire format: `python3 -m unittest discover -s tests`.

It needs the standard library only, and shares no code with the C++ one. Both read
tests/vectors/frames.txt, so they agree about every frame, and tests/vectors/token.txt and
ticket.txt.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import unittest

VECTORS = pathlib.Path(__file__).parent / "vectors" / "frames.txt"
TOKEN_VECTORS = VECTORS.with_name("token.txt")
TICKET_VECTORS = VECTORS.with_name("ticket.txt")

# PROTOCOL.md §4: type, name, fields. A field is "name kind" with a bound of §3.3 where it has one.
FRAMES = {
    0x02: ("hello", "minor_min number, minor_max number, features texts 32 100, agent text 1024"),
    0x04: ("welcome", "minor number, features texts 32 100, message_bytes_max number, "
                      "attributes_bytes_max number, rooms_max number, agent text 1024"),
    0x06: ("login_begin", "mechanism text 32, device id, data data 2048"),
    0x08: ("login_challenge", "data data 2048"),
    0x0A: ("login_response", "data data 2048"),
    0x0C: ("login_done", "user text 32, data data 2048"),
    0x0E: ("error", "request number, code number, class number, retry_after_ms number, "
                    "text text 512"),
    0x10: ("goaway", "code number, grace_ms number, text text 512"),
    0x12: ("token", "generation number, key data 2048"),
    0x20: ("join", "request number, room text, kind position"),
    0x22: ("joined", "request number, room text 64, epoch epoch, head number, next number, "
                     "recovered flag, role choice 5, access choice 2, marker number, "
                     "topic text 512"),
    0x24: ("publish", "request number, id id, text text, attributes text, act struct act"),
    0x26: ("ack", "request number, epoch epoch, offset number, durability choice 2, time number"),
    0x28: ("event", "offset number, time number, id id, from text 32, text text, "
                    "attributes text, act struct act, changed_by number"),
    0x2A: ("gap", "first number, last number"),
    0x2C: ("members_request", "request number, after text 32"),
    0x2E: ("members", "request number, people list person, complete flag"),
    0x31: ("presence", "user text 32, present flag, display text 64"),
    0x33: ("heartbeat", "head number"),
    0x34: ("tell", "request number, id id, to text, text text, attributes text"),
    0x36: ("told", "epoch epoch, offset number, time number, id id, from text 32, to text 32, "
                   "text text, attributes text, act struct act"),
    0x38: ("create_room", "request number, id id, room text, access choice 2, topic text"),
    0x3A: ("rooms_request", "request number, after text 64"),
    0x3C: ("rooms", "request number, rooms list room, complete flag"),
    0x3E: ("mark_read", "room text, epoch epoch, offset number, shared flag"),
    0x41: ("marker", "room text 64, user text 32, offset number"),
    0x42: ("history_request", "request number, room text, offset number, before number, "
                              "after number"),
    0x44: ("history_end", "request number, epoch epoch, reaches_start flag, reaches_head flag"),
    0x47: ("typing", "stream number, user text 32"),
    0x48: ("search_request", "request number, room text, words text, before number, count number"),
    0x4A: ("search_end", "request number, epoch epoch, next number"),
    0x4C: ("set_profile", "request number, display text"),
    0x4E: ("profile", "request number, user text 32, display text 64"),
    0x50: ("file_offer", "request number, id id, room text, name text, size number, "
                         "digest data 32, attributes text, reply_to number"),
    0x52: ("file_ready", "request number, offset number"),
    0x54: ("file_data", "data data"),
    0x56: ("file_request", "request number, room text, offset number, from number"),
    0x58: ("file_head", "request number, epoch epoch, name text 255, size number, "
                        "digest data 32"),
}

# PROTOCOL.md §3: what stands in a field of kind "struct", or several times in a "list".
STRUCTS = {
    "act": "kind choice 10, target number, subject text, value number, until number",
    "person": "user text 32, role choice 5, present flag, display text 64",
    "room": "room text 64, topic text 512, access choice 2, role choice 5, head number, "
            "marker number, unread number, mentions number",
}


class Refused(Exception):
    """The receiver closes the connection, or skips the frame."""


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, count):
        if count > len(self.data):
            raise Refused("malformed_frame")
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self):
        first = self.take(1)[0]
        rest = self.take((1 << (first >> 6)) - 1)
        return int.from_bytes(bytes([first & 0x3F]) + rest, "big")

    def choice(self, last=1):
        value = self.number()
        if value > last:
            raise Refused("malformed_frame")
        return value

    def sized(self, bytes_max=1 << 62):
        size = self.number()
        if size > bytes_max:
            raise Refused("malformed_frame")
        return self.take(size)

    def field(self, name, kind, *bounds):
        if kind == "struct":
            return {name: self.fields(STRUCTS[bounds[0]])}
        if kind == "list":
            # Each has a byte at least: a larger count is not believed.
            count = self.choice(len(self.data))
            return {name: [self.fields(STRUCTS[bounds[0]]) for _ in range(count)]}
        bounds = [int(bound) for bound in bounds]
        if kind == "position":
            value = self.choice(2)
            more = [{}, {"count": "number"}, {"epoch": "epoch", "offset": "number"}][value]
            return {name: value} | {n: self.field(n, k)[n] for n, k in more.items()}
        read = {
            "number": self.number,
            "flag": lambda: self.choice() == 1,
            "choice": lambda: self.choice(*bounds),
            "epoch": lambda: self.take(8).hex(),
            "id": lambda: self.take(16).hex(),
            "text": lambda: self.sized(*bounds).decode(),
            "data": lambda: self.sized(*bounds).hex(),
            "texts": lambda: self.texts(*bounds),
        }[kind]
        return {name: read()}

    def fields(self, description):
        meaning = {}
        for field in description.split(", "):
            meaning |= self.field(*field.split())
        return meaning

    def texts(self, bytes_max, count_max=1 << 62):
        count = self.choice(count_max)
        return [self.sized(bytes_max).decode() for _ in range(count)]


def decode(data, frame_bytes_max=65536):
    outer = Reader(data)
    kind, length = outer.number(), outer.number()
    if length > frame_bytes_max:
        raise Refused("frame_too_large")
    payload = Reader(outer.take(length))
    assert not outer.data, "more than one frame"
    if kind not in FRAMES:
        raise Refused("skipped" if kind % 2 else "unknown_frame")
    name, fields = FRAMES[kind]
    meaning = {"frame": name} | payload.fields(fields)
    while payload.data:
        extension = payload.number()
        payload.sized()
        if extension % 2 == 0:
            raise Refused("unknown_frame")
    return meaning


def read_vectors():
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, data, meaning = line.split("\t")
            yield name, bytes.fromhex(data), json.loads(meaning)


class Vectors(unittest.TestCase):
    def test_each_frame_means_what_the_file_says(self):
        for name, data, meaning in read_vectors():
            with self.subTest(name):
                if "error" in meaning:
                    with self.assertRaises(Refused) as refused:
                        decode(data)
                    self.assertEqual(str(refused.exception), meaning["error"])
                else:
                    meaning.pop("canonical", None)
                    self.assertEqual(list(decode(data).items()), list(meaning.items()))

    def test_there_is_a_vector_for_each_frame(self):
        seen = {meaning["frame"] for _, _, meaning in read_vectors() if "frame" in meaning}
        self.assertEqual(seen, {name for name, _ in FRAMES.values()})

    def test_names_of_vectors_are_unique(self):
        names = [name for name, _, _ in read_vectors()]
        self.assertEqual(len(names), len(set(names)))


def read_sections(path):
    """The sections of a file of vectors by name."""
    sections = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, value = line.split(" = ", 1)
            section[key] = value
    return sections


def mac(key, message):
    return hmac.digest(key, message, "sha256")


class TokenVectors(unittest.TestCase):
    """PROTOCOL.md §5.8, written down once more."""

    def setUp(self):
        self.vectors = read_sections(TOKEN_VECTORS)
        self.exporter = self.vectors.pop("exporter")

    def test_each_login_is_what_the_file_says(self):
        for name, v in self.vectors.items():
            user, generation = v["user"].encode(), int(v["generation"]).to_bytes(8, "big")
            token, device, binding = map(bytes.fromhex, (v["token"], v["device"], v["binding"]))
            client_key, server_key = mac(token, b"Client Key"), mac(token, b"Server Key")
            stored_key = hashlib.sha256(client_key).digest()
            named = bytes([len(user)]) + user
            message = b"quicchat token login" + named + device + generation + binding
            signature = mac(stored_key, message)
            proof = bytes(a ^ b for a, b in zip(client_key, signature))
            made = {"stored_key": stored_key, "server_key": server_key, "auth_message": message,
                    "proof": proof, "login_begin": named + generation + proof,
                    "login_done": mac(server_key, message)}
            for key, value in made.items():
                with self.subTest(f"{name}: {key}"):
                    self.assertEqual(v[key], value.hex())

    def test_the_longest_name_is_there(self):
        self.assertIn(32, {len(v["user"]) for v in self.vectors.values()})

    def test_the_exporter_is_the_one_of_the_code(self):
        tls = VECTORS.parents[2] / "include" / "quicchat" / "quic" / "impl" / "tls.ipp"
        labels = re.findall(r' label = "([^"]+)"', tls.read_text(encoding="utf-8"))
        self.assertEqual(labels, [self.exporter["label"]])
        self.assertEqual((self.exporter["context_bytes"], self.exporter["bytes"]), ("0", "32"))


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class TicketVectors(unittest.TestCase):
    """PROTOCOL.md §5.10, written down once more: as a site makes a ticket, a page shows it, and a
    server judges it."""

    def test_each_login_is_what_the_file_says(self):
        vectors = read_sections(TICKET_VECTORS)
        for name, v in vectors.items():
            with self.subTest(name):
                signed, _, last = v["ticket"].rpartition(".")
                signature = from_base64url(last)
                self.assertEqual(signature, mac(v["key"].encode(), signed.encode()))
                head, body = (json.loads(from_base64url(part)) for part in signed.split("."))
                self.assertEqual(head["alg"], "HS256")
                self.assertEqual({key: str(value) for key, value in body.items()},
                                 {key: v[key] for key in body})
                binding = bytes.fromhex(v["binding"])
                if name.endswith(("certificate", "certificates")):
                    known = [hashlib.sha256(of).digest() for of in (b"current", b"next")]
                    self.assertEqual(binding, bytes([1, binding[1]]) + b"".join(
                        known[:binding[1]]))
                else:
                    self.assertEqual(binding[:2], bytes([2, len(binding) - 2]))
                proof = mac(signature, b"quicchat ticket login" + binding)
                self.assertEqual(proof.hex(), v["proof"])
                self.assertEqual((binding + proof + signed.encode()).hex(), v["login_begin"])
        self.assertEqual(len(vectors), 4)


if __name__ == "__main__":
    unittest.main()
