"""What one entry is made of, from the inside out: session key, plaintext, sealed parts, JSON.

All bytes follow from names, so that making the cases again gives the same files.
"""

import hashlib
import hmac
import json
from base64 import b64encode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def b64(data):
    return b64encode(data).decode().rstrip("=")


def url_safe(text):
    return text.replace("+", "-").replace("/", "_")


def in_lines(text, end="\n", width=76):
    return "".join(text[at : at + width] + end for at in range(0, len(text), width))


def with_spare_bits(text):
    """The same bytes in base64, with the spare bits of the last letter set."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spare = {2: 0b1111, 3: 0b11}[len(text) % 4]
    last = letters.index(text[-1])
    assert last & spare == 0
    return text[:-1] + letters[last | spare]


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def flipped(data, at, bit=1):
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def made_up(name, length):
    """Bytes that look random and follow from a name."""
    return hashlib.shake_256(name.encode()).digest(length)


class Backup:
    """The two keys of a backup version."""

    def __init__(self, name):
        self.secret = made_up(f"backup {name}", 32)
        self.private = X25519PrivateKey.from_private_bytes(self.secret)
        self.public = self.private.public_key().public_bytes(*RAW)

    def recovery_key(self):
        """The private key as text (SPEC §4): prefix, key, parity, in groups of four letters."""
        data = b"\x8b\x01" + self.secret
        parity = 0
        for byte in data:
            parity ^= byte
        number, text = int.from_bytes(data + bytes([parity]), "big"), ""
        letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
        while number:
            number, digit = divmod(number, 58)
            text = letters[digit] + text
        return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


THIS = Backup("of the cases")
OTHER = Backup("of somebody else")


class Session:
    """A megolm session with a ratchet that no message ever proved."""

    def __init__(self, name, index=0):
        self.name, self.index = name, index
        self.signing = Ed25519PrivateKey.from_private_bytes(made_up(f"session {name}", 32))
        self.point = self.signing.public_key().public_bytes(*RAW)
        self.ratchet = made_up(f"ratchet {name}", 128)

    @classmethod
    def such_that(cls, name, test):
        """The first session of the name whose id passes a test."""
        tries = (cls(f"{name} {number}") for number in range(10_000))
        return next(session for session in tries if test(session.id))

    @property
    def id(self):
        return b64(self.point)

    def fields(self):
        return self.index.to_bytes(4, "big") + self.ratchet + self.point

    def exported(self, version=1):
        """The export format, 165 bytes."""
        return bytes([version]) + self.fields()

    def shared(self, version=2, signer=None):
        """The sharing format, 229 bytes: the same and a signature of it."""
        signed = self.exported(version)
        return signed + (signer or self).signing.sign(signed)


class Sealed:
    """The sealed parts of one entry, as bytes (SPEC §3.4)."""

    def __init__(self, plaintext, name, backup=THIS, padded=None, ephemeral=None, iv=None):
        if ephemeral is None:
            private = X25519PrivateKey.from_private_bytes(made_up(f"ephemeral {name}", 32))
            ephemeral = private.public_key().public_bytes(*RAW)
            secret = private.exchange(X25519PublicKey.from_public_bytes(backup.public))
        else:
            # Its private key is nobody's, so the shared secret comes from the other side.
            secret = backup.private.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        keys = HKDF(hashes.SHA256(), 80, salt=None, info=b"").derive(secret)
        self.aes, self.hmac, self.iv = keys[:32], keys[32:64], iv or keys[64:]
        self.ephemeral = ephemeral
        self.ciphertext = self.encrypt(padded(plaintext) if padded else pkcs7(plaintext))
        self.whole_mac = hmac.digest(self.hmac, b"", "sha256")
        self.mac = self.whole_mac[:8]

    def encrypt(self, blocks):
        encryptor = Cipher(algorithms.AES(self.aes), modes.CBC(self.iv)).encryptor()
        return encryptor.update(blocks) + encryptor.finalize()

    def decrypt(self, blocks):
        """The bytes that come out of other blocks, padding included."""
        decryptor = Cipher(algorithms.AES(self.aes), modes.CBC(self.iv)).decryptor()
        return decryptor.update(blocks) + decryptor.finalize()

    def json(self):
        return {
            "ephemeral": b64(self.ephemeral),
            "ciphertext": b64(self.ciphertext),
            "mac": b64(self.mac),
        }


def pkcs7(data):
    length = 16 - len(data) % 16
    return data + bytes([length]) * length


def is_padded(blocks):
    return blocks == pkcs7(blocks[: -blocks[-1]]) if 0 < blocks[-1] <= 16 else False
