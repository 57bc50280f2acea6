"""tests/vectors/webtransport.txt, read by pylsqpack, which aioquic stands on."""

import json
import pathlib
import unittest

import pylsqpack

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


class Requests(unittest.TestCase):
    def test_another_decoder_reads_the_same(self):
        for name, frame, meaning in read_vectors():
            with self.subTest(name):
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
