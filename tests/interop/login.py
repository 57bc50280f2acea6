"""Logins of PROTOCOL.md §5: SCRAM-SHA-256-PLUS and QUICCHAT-TOKEN, both ends; QUICCHAT-TICKET, the
page's end."""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass

PASSWORD, TOKEN, TICKET = "SCRAM-SHA-256-PLUS", "QUICCHAT-TOKEN", "QUICCHAT-TICKET"
GS2_HEADER = "p=tls-exporter,,"
#: §5.11: in pages, whose binding is the server's certificate.
PAGE_GS2_HEADER = "p=tls-server-end-point,,"


class LoginProblem(Exception):
    """A proof or a signature is wrong, or a message is not one."""


def hmac_sha256(key, data):
    return hmac.digest(key, data, "sha256")


def sha256(data):
    return hashlib.sha256(data).digest()


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def base64_text(data):
    return base64.b64encode(data).decode()


def nonce():
    """§5.3: "A nonce has at least 18 random bytes before it becomes text."."""
    return base64_text(os.urandom(18))


def end_point(certificate):
    """§5.11: the binding of a page to a certificate in DER form."""
    return sha256(certificate)


def attributes_of(message):
    """{letter: value} of a SCRAM message without its GS2 header."""
    return dict(part.split("=", 1) for part in message.split(","))


def proof_of(client_key, auth_message):
    return xor(client_key, hmac_sha256(sha256(client_key), auth_message))


def is_proof(stored_key, auth_message, proof):
    """Whether who made the proof knows the key of which this is the hash."""
    client_key = xor(proof, hmac_sha256(stored_key, auth_message))
    return hmac.compare_digest(sha256(client_key), stored_key)


class ScramClient:
    """RFC 5802 for a client, where both ends have `binding`."""

    def __init__(self, user, password, binding, client_nonce=None, header=GS2_HEADER):
        self._password, self._binding, self._header = password, binding, header
        self._nonce = client_nonce or nonce()
        self._bare = f"n={user},r={self._nonce}"
        self._signature = b""

    def first(self):
        return (self._header + self._bare).encode()

    def final(self, challenge):
        """The second message, to the server's first one."""
        server_first = challenge.decode()
        values = attributes_of(server_first)
        if not values["r"].startswith(self._nonce) or values["r"] == self._nonce:
            raise LoginProblem("the server's nonce is not ours and some of its own")
        if not 100_000 <= int(values["i"]) <= 2_000_000:
            raise LoginProblem("iterations")
        return self.prove(server_first, values)

    def prove(self, server_first, values):
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(),
                                     base64.b64decode(values["s"]), int(values["i"]))
        channel = base64_text(self._header.encode() + self._binding)
        without_proof = f"c={channel},r={values['r']}"
        auth_message = f"{self._bare},{server_first},{without_proof}".encode()
        self._signature = hmac_sha256(hmac_sha256(salted, b"Server Key"), auth_message)
        proof = proof_of(hmac_sha256(salted, b"Client Key"), auth_message)
        return f"{without_proof},p={base64_text(proof)}".encode()

    def check(self, done):
        """§5.4: "The client MUST verify the server's signature"."""
        if done.decode() != f"v={base64_text(self._signature)}":
            raise LoginProblem("the server's signature is wrong")


@dataclass(frozen=True)
class Verifier:
    """What a server keeps of a password."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    @classmethod
    def of(cls, password, iterations=100_000, salt=None):
        salt = salt or os.urandom(16)
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
        return cls(salt, iterations, sha256(hmac_sha256(salted, b"Client Key")),
                   hmac_sha256(salted, b"Server Key"))


class ScramServer:
    """RFC 5802 for a server. `verifier_of` finds what is kept for a user, or raises KeyError."""

    def __init__(self, verifier_of, binding, server_nonce=None, header=GS2_HEADER):
        self._verifier_of, self._binding, self._header = verifier_of, binding, header
        self._own_nonce = server_nonce or nonce()
        self._bare = self._first = self._nonce = ""
        self.user = ""
        self._verifier = None

    def challenge(self, data):
        """The answer to the client's first message."""
        message = data.decode()
        if not message.startswith(self._header):  # §5.3: other bindings, "n" and "y", and authzid
            raise LoginProblem("the header is another one")
        self._bare = message.removeprefix(self._header)
        values = attributes_of(self._bare)
        self.user, self._nonce = values["n"], values["r"] + self._own_nonce
        self._verifier = self._verifier_of(self.user)
        self._first = (f"r={self._nonce},s={base64_text(self._verifier.salt)},"
                       f"i={self._verifier.iterations}")
        return self._first.encode()

    def done(self, data):
        """The server's signature for the client's last message."""
        message = data.decode()
        without_proof, proof = message.rsplit(",p=", 1)
        values = attributes_of(without_proof)
        auth_message = f"{self._bare},{self._first},{without_proof}".encode()
        channel = base64.b64decode(values["c"])
        if channel != self._header.encode() + self._binding or values["r"] != self._nonce:
            raise LoginProblem("the channel or the nonce is another one")
        if not is_proof(self._verifier.stored_key, auth_message, base64.b64decode(proof)):
            raise LoginProblem("the proof is wrong")
        return f"v={base64_text(hmac_sha256(self._verifier.server_key, auth_message))}".encode()


# --- Tokens, §5.8 --------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeviceToken:
    """A token as a device has it."""

    user: str
    device: bytes
    generation: int
    key: bytes

    def client_key(self):
        return hmac_sha256(self.key, b"Client Key")

    def auth_message(self, binding):
        user = self.user.encode()
        return (b"quicchat token login" + bytes([len(user)]) + user + self.device
                + self.generation.to_bytes(8, "big") + binding)

    def begin(self, binding):
        """LoginBegin.data."""
        user = self.user.encode()
        return (bytes([len(user)]) + user + self.generation.to_bytes(8, "big")
                + proof_of(self.client_key(), self.auth_message(binding)))

    def signature(self, binding):
        """LoginDone.data."""
        return hmac_sha256(hmac_sha256(self.key, b"Server Key"), self.auth_message(binding))


def claim_of(data):
    """(user, generation, proof) of LoginBegin.data."""
    size = data[0]
    if len(data) != 1 + size + 8 + 32:
        raise LoginProblem("the claim is not one")
    return data[1:1 + size].decode(), int.from_bytes(data[-40:-32], "big"), data[-32:]


# --- Tickets, §5.10 ------------------------------------------------------------------------------


def pinned(*certificates):
    """§5.9: the binding of a page that pinned these, in DER form."""
    return bytes([1, len(certificates)]) + b"".join(map(end_point, certificates))


def hosted(host_and_port):
    """§5.9: the binding of a page that pinned nothing."""
    return bytes([2, len(host_and_port)]) + host_and_port.encode()


def ticket_begin(ticket, binding):
    """LoginBegin.data. The signature is a key, and does not travel."""
    signed, _, last = ticket.rpartition(".")
    signature = base64.urlsafe_b64decode(last + "=" * (-len(last) % 4))
    proof = hmac_sha256(signature, b"quicchat ticket login" + binding)
    return binding + proof + signed.encode()
