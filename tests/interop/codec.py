"""Frames, from the tables of PROTOCOL.md §4 themselves: a field that the document does not have
cannot be sent or read here.

A frame is a dict: "frame", its name, and then its fields. Data, epochs and ids are bytes.
"""

import re
from pathlib import Path

PROTOCOL = (Path(__file__).resolve().parents[2] / "include/quicchat/PROTOCOL.md").read_text()

BEFORE_LOGIN, AFTER_LOGIN = 4096, 65_536  # §2.2: the longest payloads

_CLASSES = {name: int(number) for number, name in
            re.findall(r"^- (\d) \*([a-z ]+)\*", PROTOCOL, re.M)}
# §8: {name: number} and {name: class}
ERRORS, CLASSES = {}, {}
for _number, _name, _class in re.findall(r"\| (\d+) \| (\w+) \| ([a-z ]+) \|", PROTOCOL):
    ERRORS[_name], CLASSES[_name] = int(_number), _CLASSES[_class]

# §4: "a number that its table does not have in a field role, access, kind or durability".
CHOICES = {"role": 5, "access": 2, "durability": 2, "flag": 1}
ACT_KIND_MAX = max(int(number) for number in
                   re.findall(r"^\| [a-z]+ \| (\d+) \| [^|]*\|[^|]*\|[^|]*\|$", PROTOCOL, re.M))

# §3.3: in a frame of either end.
BOUNDS = {("hello", "agent"): 1024, ("welcome", "agent"): 1024, ("error", "text"): 512,
          ("goaway", "text"): 512, ("login_begin", "data"): 2048, ("login_begin", "mechanism"): 32,
          ("login_challenge", "data"): 2048, ("login_response", "data"): 2048,
          ("login_done", "data"): 2048, ("members_request", "after"): 32,
          ("rooms_request", "after"): 64, ("file_offer", "digest"): 32,
          ("typing", "user"): 32}
# §3.2 and §3.3: what a server sends is no longer than what it takes.
SERVER_BOUNDS = {"user": 32, "from": 32, "to": 32, "room": 64, "topic": 512, "display": 64,
                 "name": 255, "digest": 32}
FEATURES_MAX, FEATURE_BYTES_MAX = 100, 32


class ProtocolError(Exception):
    """What closes the connection; its text is the error's name in §8."""

    @property
    def code(self):
        return ERRORS[str(self)]


def snake_case(name):
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def parse_fields(text):
    """[(name, kind)] of a cell of the tables, or of the definition of a structure."""
    text = re.sub(r"\([^)]*\)", "", text)
    fields = [tuple(part.split(None, 1)) for part in text.split(",") if part.strip()]
    return [(field[0], field[-1].strip()) for field in fields]


def parse_tables():
    """{type: (name, sender, fields)} and {name: {kind: fields}} for what depends on a kind."""
    frames, positions = {}, {}
    for number, name, sender, cell in re.findall(
            r"^\| (0x\w\w) \| (\w+) \| (client|server|both) \| (.*) \|$", PROTOCOL, re.M):
        if cell.startswith("as "):
            continue  # it has its fields in another line
        name = snake_case(name)
        first, *cases = cell.split(";")
        for case in cases:
            kind, fields = re.fullmatch(r' kind (\d) "[^"]+": (.+)', case).groups()
            positions.setdefault(name, {})[int(kind)] = (
                [] if fields == "nothing" else parse_fields(fields))
        frames[int(number, 16)] = (name, sender, parse_fields(first))
    return frames, positions


FRAMES, POSITIONS = parse_tables()
NUMBERS = {name: number for number, (name, _, _) in FRAMES.items()}
STRUCTURES = {name: parse_fields(" ".join(fields.split())) for name, fields in
              re.findall(r"^- `(\w+)` = (.+?)\.$", PROTOCOL, re.M | re.S)}


# --- Writing -------------------------------------------------------------------------------------


def varint(value):
    """RFC 9000 §16."""
    for prefix, size in enumerate((1, 2, 4, 8)):
        if value < 1 << (8 * size - 2):
            return (value | prefix << (8 * size - 2)).to_bytes(size, "big")
    raise ValueError(value)


def with_length(data):
    return varint(len(data)) + data


def write(kind, value):
    if kind.startswith("list of "):
        return varint(len(value)) + b"".join(write(kind[8:], one) for one in value)
    if kind in STRUCTURES:
        return write_fields(STRUCTURES[kind], value)
    match kind:
        case "number" | "flag" | "time":
            return varint(int(value))
        case "epoch" | "id":
            assert len(value) == (8 if kind == "epoch" else 16)
            return value
        case "text":
            return with_length(value.encode())
        case "data":
            return with_length(value)
        case "texts":
            return varint(len(value)) + b"".join(with_length(one.encode()) for one in value)
    raise ValueError(f"PROTOCOL.md §4 does not say what {kind!r} is")


def write_fields(fields, values):
    assert set(values) == {name for name, _ in fields}, (fields, values)
    return b"".join(write(kind, values[name]) for name, kind in fields)


def encode(frame):
    """The bytes of a frame."""
    values = dict(frame)
    name = values.pop("frame")
    number = NUMBERS[name]
    fields = FRAMES[number][2]
    if name in POSITIONS:
        fields = fields + POSITIONS[name][values["kind"]]
    return varint(number) + with_length(write_fields(fields, values))


# --- Reading -------------------------------------------------------------------------------------


class Reader:
    """The rest of a payload."""

    def __init__(self, data):
        self.data, self.place = data, 0

    def take(self, size):
        if size > len(self.data) - self.place:
            raise ProtocolError("malformed_frame")
        self.place += size
        return self.data[self.place - size:self.place]

    def varint(self):
        first = self.take(1)[0]
        rest = self.take((1 << (first >> 6)) - 1)
        return int.from_bytes(bytes([first & 0x3F]) + rest, "big")

    def text(self, bound=None):
        """§3.1: "UTF-8 without control characters. Tab and newline are allowed"."""
        data = self.take(self.varint())
        if bound is not None and len(data) > bound:
            raise ProtocolError("malformed_frame")
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise ProtocolError("malformed_frame") from None
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text):
            raise ProtocolError("malformed_frame")
        return text


def read(reader, kind, bound):
    if kind.startswith("list of "):
        return [read_fields(reader, STRUCTURES[kind[8:]], SERVER_BOUNDS.get)
                for _ in range(reader.varint())]
    match kind:
        case "number" | "time":
            return reader.varint()
        case "flag":
            return bool(reader.varint())
        case "epoch" | "id":
            return reader.take(8 if kind == "epoch" else 16)
        case "text":
            return reader.text(bound)
        case "data":
            data = reader.take(reader.varint())
            if bound is not None and len(data) > bound:
                raise ProtocolError("malformed_frame")
            return data
        case "texts":
            count = reader.varint()
            if count > FEATURES_MAX:
                raise ProtocolError("malformed_frame")
            return [reader.text(FEATURE_BYTES_MAX) for _ in range(count)]
    return read_fields(reader, STRUCTURES[kind], {"kind": ACT_KIND_MAX}.get)


def read_fields(reader, fields, bound_of):
    values = {}
    for name, kind in fields:
        begin = reader.place
        values[name] = read(reader, kind, bound_of(name))
        most = CHOICES.get(kind if kind == "flag" else name)
        if most is None and name == "kind":
            most = bound_of(name)
        if most is not None and Reader(reader.data[begin:]).varint() > most:
            raise ProtocolError("malformed_frame")
    return values


def decode_payload(number, payload):
    """The frame of a known type."""
    name, sender, fields = FRAMES[number]

    def bound_of(field):
        if name in POSITIONS and field == "kind":
            return max(POSITIONS[name])
        return BOUNDS.get((name, field),
                          SERVER_BOUNDS.get(field) if sender == "server" else None)

    reader = Reader(payload)
    values = read_fields(reader, fields, bound_of)
    if name in POSITIONS:
        values |= read_fields(reader, POSITIONS[name][values["kind"]], bound_of)
    while reader.place < len(payload):  # §2.3
        extension = reader.varint()
        reader.take(reader.varint())
        if extension % 2 == 0:
            raise ProtocolError("unknown_frame")
    return {"frame": name, **values}


class Assembler:
    """Makes frames of the bytes of a stream."""

    def __init__(self, limit=AFTER_LOGIN):
        self.limit, self._data = limit, b""

    def feed(self, data):
        self._data += data

    @property
    def is_empty(self):
        return not self._data

    def next(self):
        """The next frame that is complete and known, or None."""
        while True:
            reader = Reader(self._data)
            try:
                number, length = reader.varint(), reader.varint()
            except ProtocolError:
                return None  # the header is not complete
            if length > self.limit:
                raise ProtocolError("frame_too_large")
            if len(self._data) - reader.place < length:
                return None
            payload = reader.take(length)
            self._data = self._data[reader.place:]
            if number in FRAMES:
                return decode_payload(number, payload)
            if number % 2 == 0:
                raise ProtocolError("unknown_frame")
