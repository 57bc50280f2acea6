"""tests/vectors/webtransport.txt, read by pylsqpack, which aioquic stands on."""

import json
import pathlib
import unittest

import pylsqpack
from aioquic.buffer import Buffer

VECTORS = pathlib.Path(__file__).parents[1] / "vectors" / "webtransport.txt"


def read_vectors():
    for line in VECTORS.read_text().splitlines():
        if line and not line.startswith("#"):
            name, frame, meaning = line.split("\t")
            yield name, bytes.fromhex(frame), json.loads(meaning)


def section_of(frame):
    """The payload of a HEADERS frame (RFC 9114 §7.2.2)."""
    assert frame[0] == 0x01
    if frame[1] < 0x40:
        size, rest = frame[1], frame[2:]
    else:
        size, rest = int.from_bytes(frame[1:3], "big") & 0x3FFF, frame[3:]
    assert len(rest) == size
    return rest


def read_capsule(frame):
    """What the capsule in a DATA frame means (RFC 9297 §3.2, RFC 9114 §7.2.1)."""
    data = Buffer(data=frame)
    assert data.pull_uint_var() == 0x00
    assert data.pull_uint_var() == len(frame) - data.tell()
    kind, size = data.pull_uint_var(), data.pull_uint_var()
    value = data.pull_bytes(size)
    assert data.eof()
    if kind == 0x78AE:
        assert not value
        return {"capsule": "drain"}
    assert kind == 0x2843
    return {"capsule": "close", "code": int.from_bytes(value[:4], "big"),
            "text": value[4:].decode()}


class Requests(unittest.TestCase):
    def test_another_decoder_reads_the_same(self):
        for name, frame, meaning in read_vectors():
            with self.subTest(name):
                if "capsule" in meaning:
                    self.assertEqual(read_capsule(frame), meaning)
                    continue
                decoder = pylsqpack.Decoder(0, 0)  # no dynamic table
                if "error" in meaning:
                    with self.assertRaises((pylsqpack.DecompressionFailed,
                                            pylsqpack.StreamBlocked)):
                        decoder.feed_header(0, section_of(frame))
                    continue
                _, fields = decoder.feed_header(0, section_of(frame))
                self.assertEqual({key.decode(): value.decode() for key, value in fields},
                                 meaning["fields"])


if __name__ == "__main__":
    unittest.main()
