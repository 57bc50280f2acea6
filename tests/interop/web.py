"""A page in a browser by aioquic, as PROTOCOL.md §10 has it."""

import asyncio
import contextlib
import os

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.buffer import Buffer, BufferReadError
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamDataReceived

from .client import MESSAGE
from .codec import AFTER_LOGIN, BEFORE_LOGIN, Assembler, encode
from .login import PAGE_GS2_HEADER, PASSWORD, TICKET, ScramClient, end_point, ticket_begin
from .peer import Refused

CLOSE_SESSION = 0x2843
DRAIN_SESSION = 0x78AE


class Page(QuicConnectionProtocol):
    """A connection with HTTP/3. ``received`` has what came on the streams of its session."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._http = H3Connection(self._quic, enable_webtransport=True)
        self._answers = {}
        self._request = b""
        self._changed = asyncio.Event()
        self._end = None
        self.received = {}

    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived) and event.stream_id in self.received:
            # What comes back on a stream of ours has no head.
            self.received[event.stream_id] += event.data
        else:
            if isinstance(event, ConnectionTerminated):
                self._end = event
            for found in self._http.handle_event(event):
                if isinstance(found, HeadersReceived):
                    self._answers[found.stream_id] = dict(found.headers)
                elif isinstance(found, DataReceived):
                    self._request += found.data
        self._changed.set()

    async def until(self, found):
        """What ``found()`` says, once that is something.

        ConnectionError: the connection ended before.
        """
        while (value := found()) is None:
            if self._end is not None:
                raise ConnectionError(f"ended: {self._end}")
            self._changed.clear()
            await self._changed.wait()
        return value

    async def ask(self, method="CONNECT", path="/quicchat", origin="https://chat.example",
                  protocol="webtransport"):
        """The stream of a request, and its answer."""
        fields = {":method": method, ":scheme": "https", ":authority": "chat.example",
                  ":path": path, ":protocol": protocol, "origin": origin,
                  "wt-available-protocols": '"quicchat/1"'}
        stream = self._quic.get_next_available_stream_id()
        self._http.send_headers(stream, [(key.encode(), value.encode())
                                         for key, value in fields.items() if value],
                                end_stream=method != "CONNECT")
        self.transmit()
        return stream, await self.until(lambda: self._answers.get(stream))

    async def status(self, **request):
        _, answer = await self.ask(**request)
        return int(answer[b":status"])

    def open(self, session):
        stream = self._http.create_webtransport_stream(session)
        self.received[stream] = b""
        return stream

    def send(self, stream, data, fin=False):
        self._quic.send_stream_data(stream, data, fin)
        self.transmit()

    async def asked_to_end(self):
        """The server said that it will end."""
        await self.until(lambda: self._capsules().get(DRAIN_SESSION))

    def _capsules(self):
        """The whole ones so far, by their type (RFC 9297 §3.2)."""
        found = {}
        buffer = Buffer(data=self._request)
        with contextlib.suppress(BufferReadError):  # the rest of one is under way
            while not buffer.eof():
                kind = buffer.pull_uint_var()
                found[kind] = buffer.pull_bytes(buffer.pull_uint_var())
        return found

    def farewell(self):
        """Code and reason of the server's close; None: it has not closed."""
        body = self._capsules().get(CLOSE_SESSION)
        return None if body is None else (int.from_bytes(body[:4], "big"), body[4:].decode())

    async def closed(self):
        """Code and reason of the server's close."""
        return await self.until(self.farewell)


class PageChat:
    """A page that is to log in. The server's close is raised as Refused."""

    def __init__(self, page, session):
        self._page, self._session = page, session
        self._assemblers = {}
        self._requests = 0
        self._rooms = {}  # their streams
        self.control = self._open(BEFORE_LOGIN)

    @classmethod
    async def begin(cls, page, **request):
        session, answer = await page.ask(**request)
        assert answer[b":status"] == b"200", answer
        return cls(page, session)

    def _open(self, limit):
        stream = self._page.open(self._session)
        self._assemblers[stream] = Assembler(limit)
        return stream

    def send(self, stream, frame, /, **fields):
        self._page.send(stream, encode({"frame": frame, **fields}))

    async def take(self, stream, name):
        """The next frame of that name; others are left out."""
        assembler = self._assemblers[stream]

        def found():
            assembler.feed(self._page.received[stream])
            self._page.received[stream] = b""
            while (frame := assembler.next()) is not None:
                if frame["frame"] == name:
                    return frame
                if frame["frame"] == "error":
                    return frame["code"], frame["text"]
            return self._page.farewell()

        frame = await self._page.until(found)
        if isinstance(frame, tuple):
            raise Refused(*frame)
        return frame

    def _begin(self, mechanism, data):
        self.send(self.control, "hello", minor_min=0, minor_max=0, features=[], agent="{}")
        self.send(self.control, "login_begin", mechanism=mechanism, device=bytes(16), data=data)

    async def _done(self):
        done = await self.take(self.control, "login_done")
        self._assemblers[self.control].limit = AFTER_LOGIN
        return done

    async def log_in(self, user, password, certificate, header=PAGE_GS2_HEADER):
        """§5.11, bound to a certificate in DER form."""
        scram = ScramClient(user, password, end_point(certificate), header=header)
        self._begin(PASSWORD, scram.first())
        challenge = await self.take(self.control, "login_challenge")
        self.send(self.control, "login_response", data=scram.final(challenge["data"]))
        done = await self._done()
        scram.check(done["data"])
        return done["user"]

    async def show(self, ticket, binding):
        """§5.10."""
        self._begin(TICKET, ticket_begin(ticket, binding))
        done = await self._done()
        assert done["data"] == b"", done
        return done["user"]

    async def say(self, room, text):
        """Gets an Ack for a message to a room, which is joined first."""
        if room not in self._rooms:
            self._rooms[room] = self._open(AFTER_LOGIN)
            self.send(self._rooms[room], "join", request=self._request(), room=room, kind=0)
            await self.take(self._rooms[room], "joined")
        stream = self._rooms[room]
        self.send(stream, "publish", request=self._request(), id=os.urandom(16), text=text,
                  attributes="{}", act=MESSAGE)
        await self.take(stream, "ack")

    def _request(self):
        self._requests += 1
        return self._requests


def certfile_of(server):
    """Of the certificate that browsers are shown."""
    return server.web_pair[1] if server.web_pair else server.config.certfile


@contextlib.asynccontextmanager
async def browse(port, certificate):
    """A page that trusts this certificate."""
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["h3"],
                                      max_datagram_frame_size=65536, server_name="localhost")
    configuration.load_verify_locations(cafile=str(certificate))
    async with connect("127.0.0.1", port, configuration=configuration,
                       create_protocol=Page) as page:
        yield page
