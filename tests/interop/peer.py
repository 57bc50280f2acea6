"""What the client and the server of aioquic share: streams of frames, and the channel binding."""

import asyncio
import hashlib
from collections import deque

from aioquic import tls
from aioquic.asyncio import QuicConnectionProtocol
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration

from .codec import AFTER_LOGIN, Assembler, ProtocolError, encode

ALPN = "quicchat/1"
V1, V2 = 1, 0x6B3343CF  # RFC 9000 §15, RFC 9369 §3.1
DATAGRAM_FRAME_BYTES_MAX = 1200


class Ended(Exception):
    """The stream or the connection ended before what was waited for."""


class Refused(Exception):
    """The answer is an Error frame, or the connection was closed; `code` says why."""

    def __init__(self, code, text=""):
        super().__init__(f"{code} {text}")
        self.code = code


def configuration(is_client, **options):
    """For aioquic: what PROTOCOL.md §1 says, and what a test wants otherwise."""
    options = {"alpn_protocols": [ALPN], "supported_versions": [V1],
               "max_data": 1 << 20, "max_stream_data": 256 << 10,
               "max_datagram_frame_size": DATAGRAM_FRAME_BYTES_MAX} | options
    return QuicConfiguration(is_client=is_client, **options)


def exporter(schedule, exporter_secret, label, size):
    """RFC 8446 section 7.5, with an empty context. `exporter_secret` is exporter_master_secret."""
    empty = schedule.hash_empty_value
    secret = tls.hkdf_expand_label(schedule.algorithm, exporter_secret, label, empty,
                                   schedule.algorithm.digest_size)
    return tls.hkdf_expand_label(schedule.algorithm, secret, b"exporter", empty, size)


def fingerprint_of(certificate):
    """PROTOCOL.md §9, of a certificate as the package `cryptography` has them."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    info = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "sha256:" + hashlib.sha256(info).hexdigest()


class Stream:
    """A stream of frames."""

    def __init__(self, peer, number):
        self.peer, self.number = peer, number
        self.assembler = Assembler(AFTER_LOGIN)
        self.frames = deque()  #: those that nobody has taken
        self.log = []  #: all that came
        self.finished = False  #: by the other end
        self.reset_code = None
        self._news = asyncio.Event()

    def receive(self, data, fin):
        """PROTOCOL.md §2.1: "A stream that ends inside a frame is `malformed_frame`."."""
        self.assembler.feed(data)
        while (frame := self.assembler.next()) is not None:
            self.frames.append(frame)
            self.log.append(frame)
        if fin and not self.assembler.is_empty:
            raise ProtocolError("malformed_frame")
        self.finished = self.finished or fin
        self.wake()

    def wake(self):
        self._news.set()

    @property
    def is_over(self):
        return self.finished or self.reset_code is not None or self.peer.end is not None

    async def wait(self):
        """For anything new."""
        self._news.clear()
        await self._news.wait()

    async def next(self):
        """The next frame, whatever it is."""
        while not self.frames:
            if self.is_over:
                raise Ended(f"stream {self.number}: {self.peer.end}")
            await self.wait()
        return self.frames.popleft()

    async def take(self, name, **fields):
        """The first frame of that name and with those fields; others stay where they are."""
        while True:
            for frame in self.frames:
                if frame["frame"] == name and all(frame[k] == v for k, v in fields.items()):
                    self.frames.remove(frame)
                    return frame
                if frame["frame"] == "error" and frame["request"] == fields.get("request"):
                    self.frames.remove(frame)
                    raise Refused(frame["code"], frame["text"])
            if self.is_over:
                self.peer.raise_end()
                raise Ended(f"no {name} {fields} on stream {self.number}, but {self.log}")
            await self.wait()

    async def over(self):
        """Waits for the end of what the other end says."""
        while not self.is_over:
            await self.wait()

    async def acknowledged(self):
        """Waits until the other end has all that was written here."""
        sender = self.peer._quic._streams[self.number].sender
        while sender._buffer_start < sender._buffer_stop:
            await self.peer.ping()

    def send(self, frame, /, fin=False, **fields):
        self.write(encode({"frame": frame, **fields}), fin)

    def write(self, data, fin=False):
        self.peer._quic.send_stream_data(self.number, data, fin)
        self.peer.transmit()

    def finish(self):
        self.write(b"", fin=True)

    def reset(self, code=0):
        self.peer._quic.reset_stream(self.number, code)
        self.peer.transmit()


class Peer(QuicConnectionProtocol):
    """One end of a connection."""

    def __init__(self, quic, **options):
        super().__init__(quic, **options)
        self.streams = {}
        self.end = None  #: ConnectionTerminated
        self.alpn = None
        self.datagrams = asyncio.Queue()
        self._exporter_secret = None
        self._update_traffic_key = quic._update_traffic_key
        quic._update_traffic_key = self._on_traffic_key

    def _on_traffic_key(self, direction, epoch, suite, secret):
        # RFC 8446 section 7.1: exporter_master_secret is made of what the first application secret
        # is made of, ClientHello to the server's Finished. It is the moment of the first one.
        if epoch == tls.Epoch.ONE_RTT and self._exporter_secret is None:
            self._exporter_secret = self._quic.tls.key_schedule.derive_secret(b"exp master")
        self._update_traffic_key(direction, epoch, suite, secret)

    def binding(self):
        """PROTOCOL.md §5.3: the channel binding of RFC 9266."""
        return exporter(self._quic.tls.key_schedule, self._exporter_secret,
                        b"EXPORTER-Channel-Binding", 32)

    @property
    def key_phases(self):
        """Of what is sent and of what is received: each key update turns one over."""
        pair = self._quic._cryptos[tls.Epoch.ONE_RTT]
        return pair.send.key_phase, pair.recv.key_phase

    async def update_keys(self):
        """A key update, once both ends know that the one before is over. aioquic forgets the old
        keys at once, and ngtcp2 takes no new ones before what it sent with its own was
        acknowledged: who updates earlier hears nothing any more (RFC 9001 §6.5)."""
        await self.ping()
        while self._quic._spaces[tls.Epoch.ONE_RTT].ack_at is not None:
            await asyncio.sleep(0.005)
        self.request_key_update()

    @property
    def version(self):
        return self._quic._version

    def stream(self, number):
        if number not in self.streams:
            self.streams[number] = Stream(self, number)
        return self.streams[number]

    def fail(self, error):
        """Closes with the code of a ProtocolError."""
        self.close(error.code, str(error))

    def raise_end(self):
        if self.end is not None:
            raise Refused(self.end.error_code, self.end.reason_phrase)

    async def closed(self):
        """How the connection ended."""
        await self.wait_closed()
        return self.end

    def quic_event_received(self, event):
        match event:
            case events.StreamDataReceived():
                try:
                    self.on_data(self.stream(event.stream_id), event.data, event.end_stream)
                except ProtocolError as error:
                    self.fail(error)
            case events.StreamReset():
                self.stream(event.stream_id).reset_code = event.error_code
                self.stream(event.stream_id).wake()
            case events.DatagramFrameReceived():
                self.datagrams.put_nowait(event.data)
            case events.ProtocolNegotiated():
                self.alpn = event.alpn_protocol
            case events.ConnectionTerminated():
                self.end = event
                for stream in self.streams.values():
                    stream.wake()

    def on_data(self, stream, data, fin):
        stream.receive(data, fin)
