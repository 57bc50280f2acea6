"""A server of quicchat by aioquic, as PROTOCOL.md has it."""

import asyncio
import contextlib
import datetime
import ipaddress

from aioquic.asyncio.server import QuicServer
from aioquic.buffer import Buffer
from aioquic.quic.packet import QuicFrameType, QuicPacketType, pull_quic_header
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from .client import MESSAGE, send_bytes
from .codec import AFTER_LOGIN, BEFORE_LOGIN, CLASSES, ERRORS, Assembler, ProtocolError, encode
from .house import FILE, Refusal, Upload
from .login import PASSWORD, TOKEN, LoginProblem, ScramServer, claim_of
from .peer import Peer, configuration

NEW_TOKEN = b"a token of the aioquic server"
CONTROL = {"tell", "create_room", "rooms_request", "mark_read", "set_profile"}
FIRST = {"join", "history_request", "search_request", "file_offer", "file_request"}


class Session(Peer):
    """The server's end of a connection. `alter` gets every frame before it is sent, and returns it,
    another one, bytes, or None."""

    def __init__(self, quic, house, alter, **options):
        super().__init__(quic, **options)
        self.house, self.alter = house, alter
        self.user, self.device, self.mechanism = "", b"", ""
        self.scram = None
        self.hello = None
        self.is_ready = False
        self.rooms = {}  #: {stream number: Room}
        self.offers = {}  #: {stream number: (the FileOffer, Upload)}
        self.stream(0).assembler = Assembler(BEFORE_LOGIN)
        house.sessions.append(self)
        quic._write_handshake_done_frame = self._write_handshake_done

    def _write_handshake_done(self, builder):
        """Hands out a token as well (RFC 9000 §19.7), which aioquic has no call for."""
        type(self._quic)._write_handshake_done_frame(self._quic, builder)
        buffer = builder.start_frame(QuicFrameType.NEW_TOKEN, capacity=64)
        buffer.push_uint_var(len(NEW_TOKEN))
        buffer.push_bytes(NEW_TOKEN)

    # What comes.

    def on_data(self, stream, data, fin):
        super().on_data(stream, data, fin)
        if stream.number == 0:
            if fin:
                raise ProtocolError("unexpected_frame")
            self.handle_all(stream)
        elif self.is_ready:
            self.handle_all(stream)

    def handle_all(self, stream):
        while stream.frames:
            frame = stream.frames.popleft()
            try:
                self.handle(stream, frame)
            except Refusal as refusal:
                self.refuse(stream, frame, str(refusal))
            except (LoginProblem, KeyError, ValueError) as problem:
                if self.is_ready:
                    raise
                refused = "token_refused" if self.mechanism == TOKEN else "login_failed"
                self.close(ERRORS[refused], repr(problem))
                return
        if stream.finished and stream.number:
            self.on_end(stream)

    def handle(self, stream, frame):
        """§7: what may come, and when."""
        name = frame["frame"]
        is_first = len(stream.log) == len(stream.frames) + 1
        if stream.number == 0:
            allowed = (CONTROL if self.is_ready else {"hello"} if self.hello is None
                       else {"login_response"} if self.scram else {"login_begin"})
        else:
            allowed = (FIRST if is_first else
                       {"publish", "members_request"} if stream.number in self.rooms else
                       {"file_data"})
        if name not in allowed:
            raise ProtocolError("unexpected_frame")
        if frame.get("request") == 0:
            raise ProtocolError("malformed_frame")
        getattr(self, f"on_{name}")(stream, frame)

    def on_end(self, stream):
        room = self.rooms.pop(stream.number, None)
        offer = self.offers.pop(stream.number, None)
        if room is not None:
            self.leave(room, stream)
        elif offer is not None:
            self.finish_upload(stream, *offer)

    def refuse(self, stream, frame, name):
        ends = frame["frame"] in FIRST
        self.say(stream, "error", fin=ends, request=frame["request"], code=ERRORS[name],
                 retry_after_ms=0, text=name, **{"class": CLASSES[name]})

    # What goes.

    def say(self, stream, frame, /, fin=False, **fields):
        self.show(stream, {"frame": frame, **fields}, fin)

    def show(self, stream, frame, fin=False):
        altered = self.alter(frame)
        data = altered if isinstance(altered, bytes) else encode(altered) if altered else b""
        stream.write(data, fin)

    # Login, §5.

    def on_hello(self, stream, frame):
        self.hello = frame
        if frame["minor_min"] > 0:
            raise ProtocolError("version_mismatch")
        self.say(stream, "welcome", minor=0, features=[], message_bytes_max=32_768,
                 attributes_bytes_max=8192, rooms_max=100, agent='{"name":"aioquic"}')

    def on_login_begin(self, stream, frame):
        self.mechanism, self.device = frame["mechanism"], frame["device"]
        if self.mechanism == PASSWORD:
            self.scram = ScramServer(self.house.verifier_of, self.binding())
            self.say(stream, "login_challenge", data=self.scram.challenge(frame["data"]))
        elif self.mechanism == TOKEN:
            user, generation, proof = claim_of(frame["data"])
            token = self.house.tokens[user.lower(), self.device]
            if token.begin(self.binding())[-32:] != proof or token.generation != generation:
                raise LoginProblem("the proof is wrong")
            self.ready(stream, user.lower(), token.signature(self.binding()))
        else:
            raise LoginProblem(self.mechanism)

    def on_login_response(self, stream, frame):
        self.ready(stream, self.scram.user.lower(), self.scram.done(frame["data"]))

    def ready(self, stream, user, proof):
        self.user, self.is_ready = user, True
        self.house.logins.append((user, self.mechanism))
        stream.assembler.limit = AFTER_LOGIN
        self.say(stream, "login_done", user=user, data=proof)
        if any(self.device):
            token = self.house.new_token(user, self.device)
            self.say(stream, "token", generation=token.generation, key=token.key)
        for other in list(self.streams.values()):
            if other.number:
                self.handle_all(other)

    # Rooms, §6.

    def on_join(self, stream, frame):
        room = self.house.room(frame["room"], self.user)
        if room in self.rooms.values():
            raise Refusal("already_joined")
        role = room.roles.setdefault(self.user, 3)
        first, recovered = room.head + 1, False
        if frame["kind"] == 1:
            first = max(1, room.head + 1 - min(frame["count"], 1000))
        elif frame["kind"] == 2 and frame["epoch"] == room.epoch and frame["offset"] <= room.head:
            first, recovered = frame["offset"] + 1, True
        self.rooms[stream.number] = room
        self.say(stream, "joined", request=frame["request"], room=room.name_for(self.user),
                 epoch=room.epoch, head=room.head, next=first, recovered=recovered, role=role,
                 access=room.access, marker=room.markers.get(self.user, 0), topic=room.topic)
        for event in room.records[first - 1:]:
            self.show(stream, event)
        self.tell_presence(room, True)
        room.members.append((self, stream))

    def leave(self, room, stream):
        room.members.remove((self, stream))
        self.tell_presence(room, False)
        stream.finish()

    def tell_presence(self, room, present):
        if self.user not in {session.user for session, _ in room.members}:
            for session, stream in room.members:
                session.say(stream, "presence", user=self.user, present=present,
                            display=self.house.displays.get(self.user, ""))

    def on_publish(self, stream, frame):
        room = self.rooms[stream.number]
        if not frame["text"] and frame["act"]["kind"] == 0:
            raise Refusal("invalid_text")
        self.put(room, stream, frame, frame["text"], frame["act"])

    def put(self, room, stream, frame, text, act, fin=False):
        """Stores, acknowledges, and tells everybody."""
        ack, event = room.append(self.user, self.device, frame["id"], text, frame["attributes"],
                                 act)
        self.say(stream, "ack", fin=fin, request=frame["request"], **ack)
        for session, other in list(room.members) if event else []:
            session.show(other, event)
        if event and room.pair:
            self.house_tells(room, event)
        return ack

    def house_tells(self, room, event):
        told = {key: event[key] for key in ("offset", "time", "id", "from", "text", "attributes",
                                            "act")}
        for session in self.house.sessions:
            if session.user in room.pair and session.end is None and session.is_ready \
                    and room not in session.rooms.values():
                session.say(session.stream(0), "told", epoch=room.epoch,
                            to=room.name_for(event["from"])[1:], **told)

    def on_tell(self, stream, frame):
        room = self.house.private(self.user, frame["to"].lower())
        self.put(room, stream, frame, frame["text"], MESSAGE)

    def on_create_room(self, stream, frame):
        ack = self.house.create(self.user, self.device, frame["id"], frame["room"],
                                frame["access"], frame["topic"])
        self.say(stream, "ack", request=frame["request"], **ack)

    def on_rooms_request(self, stream, frame):
        rooms = [{"room": room.name_for(self.user), "topic": room.topic, "access": room.access,
                  "role": room.roles.get(self.user, 0), "head": room.head,
                  "marker": room.markers.get(self.user, 0), "unread": 0, "mentions": 0}
                 for room in self.house.visible(self.user)]
        self.say(stream, "rooms", request=frame["request"], rooms=rooms, complete=True)

    def on_members_request(self, stream, frame):
        room = self.rooms[stream.number]
        present = {session.user for session, _ in room.members}
        people = [{"user": user, "role": role, "present": user in present,
                   "display": self.house.displays.get(user, "")}
                  for user, role in sorted(room.roles.items())]
        self.say(stream, "members", request=frame["request"], people=people, complete=True)

    def on_mark_read(self, stream, frame):
        room = self.house.room(frame["room"], self.user)
        if frame["epoch"] == room.epoch:
            marker = min(room.head, max(frame["offset"], room.markers.get(self.user, 0)))
            room.markers[self.user] = marker
            for session, _ in room.members if frame["shared"] else []:
                if session is not self:
                    session.say(session.stream(0), "marker", room=room.name, user=self.user,
                                offset=marker)

    def on_set_profile(self, stream, frame):
        self.house.displays[self.user] = frame["display"]
        self.say(stream, "profile", request=frame["request"], user=self.user,
                 display=frame["display"])

    # Pages, §6.12 and §6.15.

    def on_history_request(self, stream, frame):
        room, place = self.house.room(frame["room"], self.user), max(1, frame["offset"])
        before = min(frame["before"], 100)
        after = min(frame["after"], 100 - before)
        older = room.records[:place - 1]
        page = older[max(0, len(older) - before):] + room.records[place - 1:][:after]
        for event in page:
            self.show(stream, event)
        last = page[-1]["offset"] if page else place - 1
        self.say(stream, "history_end", fin=True, request=frame["request"], epoch=room.epoch,
                 reaches_start=not page or page[0]["offset"] == 1,
                 reaches_head=last >= room.head)

    def on_search_request(self, stream, frame):
        room, words = self.house.room(frame["room"], self.user), frame["words"].lower().split()
        if not words or not frame["count"]:
            raise Refusal("invalid_request")
        found = [event for event in reversed(room.records[:frame["before"] - 1])
                 if event["act"]["kind"] in (0, FILE)
                 and all(word in event["text"].lower() for word in words)]
        for event in found[:frame["count"]]:
            self.show(stream, event)
        more = found[frame["count"] - 1]["offset"] if len(found) > frame["count"] else 0
        self.say(stream, "search_end", fin=True, request=frame["request"], epoch=room.epoch,
                 next=more)

    # Files, §6.16.

    def on_file_offer(self, stream, frame):
        key = (self.user, self.device, frame["id"])
        new = Upload(frame["name"], frame["size"], frame["digest"])
        old = self.house.uploads.get(key, new)
        upload = old if (old.size, old.digest) == (new.size, new.digest) else new
        self.house.uploads[key] = upload
        self.offers[stream.number] = (frame, upload)
        self.say(stream, "file_ready", request=frame["request"], offset=len(upload.data))

    def on_file_data(self, stream, frame):
        self.offers[stream.number][1].data += frame["data"]

    def finish_upload(self, stream, frame, upload):
        if len(upload.data) < upload.size:
            stream.finish()  # a pause
            return
        if not upload.is_whole:
            upload.data.clear()
            self.refuse(stream, frame, "file_mismatch")
            return
        room = self.house.room(frame["room"], self.user)
        act = MESSAGE | {"kind": FILE, "target": frame["reply_to"], "value": upload.size,
                         "subject": upload.digest.hex()}
        ack = self.put(room, stream, frame, upload.name, act, fin=True)
        self.house.files[room.epoch, ack["offset"]] = upload

    def on_file_request(self, stream, frame):
        room = self.house.room(frame["room"], self.user)
        upload = self.house.files.get((room.epoch, frame["offset"]))
        if upload is None:
            raise Refusal("no_such_file")
        self.say(stream, "file_head", request=frame["request"], epoch=room.epoch,
                 name=upload.name, size=upload.size, digest=upload.digest)
        altered = self.alter({"frame": "file_data", "data": bytes(upload.data[frame["from"]:])})
        if altered is not None:
            send_bytes(stream, altered["data"])
            stream.finish()


class Door(QuicServer):
    """Takes its own token instead of a Retry, and keeps what it was shown."""

    def __init__(self, **options):
        super().__init__(**options)
        self.shown = []  #: the token of each new connection id

    def datagram_received(self, data, addr):
        header = pull_quic_header(Buffer(data=data), host_cid_length=8)
        is_new = header.destination_cid not in self._protocols
        if header.packet_type == QuicPacketType.INITIAL and is_new:
            self.shown.append(header.token)
        retry, self._retry = self._retry, None if header.token == NEW_TOKEN else self._retry
        super().datagram_received(data, addr)
        self._retry = retry


def make_certificate(kind="P-256"):
    """A key and a certificate of its own for 127.0.0.1."""
    key = {"P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
           "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
           "Ed25519": ed25519.Ed25519PrivateKey.generate,
           "RSA": lambda: rsa.generate_private_key(65_537, 2048)}[kind]()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "interop")])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=9))
                   .add_extension(x509.SubjectAlternativeName([address]), critical=False)
                   .sign(key, None if kind == "Ed25519" else hashes.SHA256()))
    return key, certificate


@contextlib.asynccontextmanager
async def serve(house, alter=lambda frame: frame, retry=False, kind="P-256", **options):
    """A server on a port of its own; gives (port, Door, certificate)."""
    options = configuration(is_client=False, **options)
    options.private_key, options.certificate = make_certificate(kind)

    def create(quic, **more):
        return Session(quic, house, alter, **more)

    transport, door = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Door(configuration=options, create_protocol=create, retry=retry),
        local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1], door, options.certificate
    finally:
        door.close()


