"""The document, the vectors and the code say the same: every vector is read by what PROTOCOL.md
says, and written again."""

import base64
import json
import re
import unittest
from pathlib import Path

from interop import codec
from interop.login import (
    GS2_HEADER,
    PAGE_GS2_HEADER,
    DeviceToken,
    LoginProblem,
    ScramClient,
    ScramServer,
    Verifier,
    attributes_of,
    claim_of,
    end_point,
    hosted,
    is_proof,
    pinned,
    sha256,
    ticket_begin,
)

# PROTOCOL.md §5.3, in the words of the vectors.
EXPORTER = {"label": "EXPORTER-Channel-Binding", "context_bytes": "0", "bytes": "32"}
VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def lines_of(name):
    text = (VECTORS / name).read_text()
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def sections_of(name):
    """{head: {key: value}} of vectors with heads in brackets."""
    sections = {}
    for line in lines_of(name):
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        else:
            key, value = line.split(" = ", 1)
            section[key] = value
    return sections


def with_hex(value):
    """Data, epochs and ids as the vectors have them."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: with_hex(one) for name, one in value.items()}
    return [with_hex(one) for one in value] if isinstance(value, list) else value


class Frames(unittest.TestCase):
    vectors = [line.split("\t") for line in lines_of("frames.txt")]

    def test_every_frame_of_the_document_has_a_vector(self):
        seen = {json.loads(meaning).get("frame") for _, _, meaning in self.vectors}
        self.assertEqual(seen - {None}, set(codec.NUMBERS))

    def test_every_vector_means_what_the_document_says(self):
        self.assertGreater(len(self.vectors), 100)
        for name, data, meaning in self.vectors:
            expected = json.loads(meaning)
            with self.subTest(name):
                self.assertEqual(*self.read(bytes.fromhex(data), expected))

    def read(self, data, expected):
        is_canonical = expected.pop("canonical", True)
        assembler = codec.Assembler()
        assembler.feed(data)
        try:
            frame = assembler.next()
        except codec.ProtocolError as error:
            return {"error": str(error)}, expected
        if frame is None:
            return {"error": "skipped" if assembler.is_empty else "incomplete"}, expected
        self.assertTrue(assembler.is_empty)
        self.assertEqual(codec.encode(frame) == data, is_canonical)
        return with_hex(frame), expected

    def test_no_piece_of_a_frame_is_a_frame(self):
        for name, data, meaning in self.vectors:
            data = bytes.fromhex(data)
            if "error" in json.loads(meaning) or len(data) > 200:
                continue
            with self.subTest(name):
                assembler = codec.Assembler()
                for byte in data[:-1]:
                    assembler.feed(bytes([byte]))
                    self.assertIsNone(assembler.next())
                assembler.feed(data[-1:])
                self.assertIsNotNone(assembler.next())

    def test_every_error_of_the_document_has_a_number_of_its_own(self):
        self.assertGreater(len(codec.ERRORS), 50)
        self.assertEqual(len(set(codec.ERRORS.values())), len(codec.ERRORS))
        for name in re.findall(r'"error": "(\w+)"', "\n".join(lines_of("frames.txt"))):
            self.assertIn(name, {*codec.ERRORS, "skipped"})


def mentions(text):
    """PROTOCOL.md §3.5."""
    found = re.findall(r"(?<![A-Za-z0-9_.-])@([A-Za-z0-9_.-]+)", text)
    names = [name.rstrip(".-") for name in found]
    return [name for name in names if 0 < len(name) <= 32]


class Texts(unittest.TestCase):
    def test_mentions(self):
        for line in lines_of("mentions.txt"):
            vector = json.loads(line)
            with self.subTest(vector["text"]):
                self.assertEqual(mentions(vector["text"]), vector["names"])


class Logins(unittest.TestCase):
    def test_passwords(self):
        self.check_passwords(sections_of("scram.txt"), GS2_HEADER)

    def test_passwords_in_pages(self):
        vectors = sections_of("scram_page.txt")
        for name, vector in vectors.items():
            with self.subTest(name):
                certificate = bytes.fromhex(vector["certificate"])
                self.assertEqual(end_point(certificate).hex(), vector["binding"])
        self.check_passwords(vectors, PAGE_GS2_HEADER)

    def check_passwords(self, vectors, header):
        accepted = 0
        for name, vector in vectors.items():
            with self.subTest(name):
                binding = bytes.fromhex(vector["binding"])
                verifier = Verifier.of(vector["password"], int(vector["iterations"]),
                                       base64.b64decode(vector["salt"]))
                server = ScramServer(lambda user: verifier, binding, vector["server_nonce"],
                                     header)
                if vector["accepted"] == "no":
                    with self.assertRaises(LoginProblem):
                        server.challenge(vector["client_first"].encode())
                        server.done(vector["client_final"].encode())
                    continue
                accepted += 1
                client = ScramClient(vector["user"], vector["password"], binding,
                                     vector["client_nonce"], header)
                self.assertEqual(client.first().decode(), vector["client_first"])
                first = server.challenge(client.first())
                self.assertEqual(first.decode(), vector["server_first"])
                # The vectors have fewer iterations than a client accepts.
                final = client.prove(first.decode(), attributes_of(first.decode()))
                self.assertEqual(final.decode(), vector["client_final"])
                done = server.done(final)
                self.assertEqual(done.decode(), vector["server_final"])
                client.check(done)
                with self.assertRaises(LoginProblem):
                    client.check(b"v=" + b"A" * 43 + b"=")
        self.assertGreaterEqual(accepted, 2)

    def test_tickets(self):
        for name, vector in sections_of("ticket.txt").items():
            with self.subTest(name):
                begin = ticket_begin(vector["ticket"], bytes.fromhex(vector["binding"]))
                self.assertEqual(begin.hex(), vector["login_begin"])
        self.assertEqual(pinned(b"current").hex(),
                         sections_of("ticket.txt")["one_pinned_certificate"]["binding"])
        self.assertEqual(hosted("chat.example.org:443").hex(),
                         sections_of("ticket.txt")["host"]["binding"])

    def test_tokens(self):
        vectors = sections_of("token.txt")
        self.assertEqual(vectors.pop("exporter"), EXPORTER)
        for name, vector in vectors.items():
            with self.subTest(name):
                data = {key: bytes.fromhex(value) for key, value in vector.items()
                        if key not in ("user", "generation")}
                token = DeviceToken(vector["user"], data["device"], int(vector["generation"]),
                                    data["token"])
                self.assertEqual(token.begin(data["binding"]), data["login_begin"])
                self.assertEqual(token.signature(data["binding"]), data["login_done"])
                self.assertEqual(token.auth_message(data["binding"]), data["auth_message"])
                self.assertEqual(sha256(token.client_key()), data["stored_key"])
                user, generation, proof = claim_of(data["login_begin"])
                self.assertEqual((user, generation), (token.user, token.generation))
                self.assertTrue(is_proof(data["stored_key"], data["auth_message"], proof))
                self.assertFalse(is_proof(data["stored_key"], data["auth_message"] + b"x", proof))


if __name__ == "__main__":
    unittest.main()
