"""A client of quicchat by aioquic, as PROTOCOL.md has it."""

import asyncio
import contextlib
import hashlib
import os
import ssl

from aioquic.quic.connection import QuicConnection

from .codec import AFTER_LOGIN, BEFORE_LOGIN, Assembler, encode
from .login import PASSWORD, TOKEN, DeviceToken, ScramClient
from .peer import Peer, configuration

NO_DEVICE = bytes(16)
MESSAGE = {"kind": 0, "target": 0, "subject": "", "value": 0, "until": 0}
EMPTY_AGENT = "{}"


def act(kind, **fields):
    """§6.9: what a record does."""
    names = ("message", "edit", "deletion", "reaction", "unreaction", "topic", "role", "access")
    return MESSAGE | {"kind": names.index(kind)} | fields


class Client(Peer):
    """A connection to a server."""

    def __init__(self, quic, **options):
        super().__init__(quic, **options)
        # §1.4: "A client SHOULD allow a server no streams at all."
        quic._local_max_streams_bidi.value = quic._local_max_streams_uni.value = 0
        self.control = self.stream(0)
        self.control.assembler = Assembler(BEFORE_LOGIN)
        self.user = ""
        self.welcome = None
        self._next_stream = 0
        self._next_request = 0

    # Login.

    def open(self):
        """A new stream."""
        self._next_stream += 4
        return self.stream(self._next_stream)

    def hello(self, minor_min=0, minor_max=0, features=(), agent=EMPTY_AGENT):
        self.control.send("hello", minor_min=minor_min, minor_max=minor_max,
                          features=list(features), agent=agent)

    async def _greeted(self):
        self.welcome = await self.control.take("welcome")

    async def login(self, user, password, device=NO_DEVICE, binding=None):
        """§5.1 and §5.3, by password."""
        scram = ScramClient(user, password, binding or self.binding())
        self.hello()
        self.control.send("login_begin", mechanism=PASSWORD, device=device, data=scram.first())
        await self._greeted()
        challenge = await self.control.take("login_challenge")
        self.control.send("login_response", data=scram.final(challenge["data"]))
        done = await self.control.take("login_done")
        scram.check(done["data"])
        self._ready(done)

    def begin_with(self, token, binding=None):
        """§5.8: the one flight of a login by token; Joins may follow at once."""
        self.hello()
        self.control.send("login_begin", mechanism=TOKEN, device=token.device,
                          data=token.begin(binding or self.binding()))

    async def login_with(self, token, binding=None):
        self.begin_with(token, binding)
        await self.logged_in_with(token)

    async def logged_in_with(self, token):
        await self._greeted()
        done = await self.control.take("login_done")
        assert done["data"] == token.signature(self.binding())
        self._ready(done)

    def _ready(self, done):
        self.user = done["user"]
        self.control.assembler.limit = AFTER_LOGIN

    async def token(self, device):
        """The token that the server hands out after the login."""
        frame = await self.control.take("token")
        return DeviceToken(self.user, device, frame["generation"], frame["key"])

    # Requests.

    def request(self):
        self._next_request += 1
        return self._next_request

    async def ask(self, stream, frame, answer, /, fin=False, **fields):
        """A request and its answer; an Error raises Refused."""
        request = self.request()
        stream.send(frame, fin=fin, request=request, **fields)
        return await stream.take(answer, request=request)

    async def join(self, room, kind=0, **position):
        """A member's stream and the frame Joined."""
        stream = self.open()
        joined = await self.ask(stream, "join", "joined", room=room, kind=kind, **position)
        return stream, joined

    async def publish(self, stream, text, what=MESSAGE, id=None, attributes="{}"):
        return await self.ask(stream, "publish", "ack", id=id or os.urandom(16), text=text,
                              attributes=attributes, act=what)

    async def tell(self, user, text, id=None):
        return await self.ask(self.control, "tell", "ack", id=id or os.urandom(16), to=user,
                              text=text, attributes="{}")

    async def page(self, name, answer, **fields):
        """The Events of a page of history or a search, and its last frame."""
        stream = self.open()
        end = await self.ask(stream, name, answer, fin=True, **fields)
        await stream.over()
        assert stream.finished and stream.log[-1] == end
        return stream.log[:-1], end

    async def history(self, room, offset, before=0, after=0):
        return await self.page("history_request", "history_end", room=room, offset=offset,
                               before=before, after=after)

    async def search(self, room, words, before=0, count=10):
        return await self.page("search_request", "search_end", room=room, words=words,
                               before=before, count=count)

    # Files, §6.16.

    async def offer(self, room, name, data, id, /, **wrong):
        """A stream and the offset from which the server wants the bytes."""
        stream = self.open()
        fields = {"id": id, "room": room, "name": name, "size": len(data),
                  "digest": hashlib.sha256(data).digest(), "attributes": "{}", "reply_to": 0}
        ready = await self.ask(stream, "file_offer", "file_ready", **fields | wrong)
        return stream, ready["offset"]

    async def upload(self, room, name, data, id, /, **wrong):
        stream, offset = await self.offer(room, name, data, id, **wrong)
        send_bytes(stream, data[offset:])
        stream.finish()
        return await stream.take("ack")

    async def fetch(self, room, offset, start=0):
        """FileHead and the bytes from `start` on."""
        stream = self.open()
        head = await self.ask(stream, "file_request", "file_head", fin=True, room=room,
                              offset=offset, **{"from": start})
        await stream.over()
        if stream.frames and stream.frames[-1]["frame"] == "error":
            await stream.take("nothing", request=stream.frames[-1]["request"])
        return head, b"".join(frame["data"] for frame in stream.frames)

    # Hints, §2.4 and §6.13.

    def type_in(self, stream):
        self._quic.send_datagram_frame(encode({"frame": "typing", "stream": stream.number,
                                               "user": ""}))
        self.transmit()

    async def typing(self):
        data = await self.datagrams.get()
        assembler = Assembler()
        assembler.feed(data)
        return assembler.next()

    # The network.

    async def move(self, change_id=True):
        """Goes on from another UDP port. With the same connection id it is what a NAT does."""
        old = self._transport
        if change_id:
            self._quic.change_connection_id()
        await bind(self)
        old.close()
        # Before the client has said something from there, nobody can know where it is.
        self._quic.send_ping(0)
        self.transmit()

    @property
    def port(self):
        return self._transport.get_extra_info("sockname")[1]

    @property
    def retries(self):
        """How many Retry packets came."""
        return self._quic._retry_count


def send_bytes(stream, data, size=16_000):
    for place in range(0, len(data), size):
        stream.send("file_data", data=data[place:place + size])


async def bind(protocol):
    await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: protocol, local_addr=("127.0.0.1", 0))


def make_client(tokens=None, tickets=None, **options):
    options = {"server_name": "127.0.0.1", "verify_mode": ssl.CERT_NONE} | options
    quic = QuicConnection(
        configuration=configuration(is_client=True, **options),
        token_handler=None if tokens is None else tokens.append,
        session_ticket_handler=None if tickets is None else tickets.append)
    return Client(quic)


@contextlib.asynccontextmanager
async def dial(port, **options):
    """A client whose handshake is complete. Raises Refused if the server closes before."""
    client = make_client(**options)
    await bind(client)
    try:
        client.connect(("127.0.0.1", port))
        try:
            await client.wait_connected()
        except ConnectionError:
            client.raise_end()
            raise
        yield client
    finally:
        client.close()
        client._transport.close()


