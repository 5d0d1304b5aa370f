"""Reads and writes key files by the words of the specification alone.

    key_file.py read PASSPHRASE-FILE FILE          prints what is inside
    key_file.py write PASSPHRASE-FILE FILE LOW     locks standard input into FILE

The passphrase stands in a file of its own. With LOW = 1 the IV overflows its low 64 bits at once and
only these count, as in clients on WebCrypto; with 0 all 128 count.
"""

import base64
import hashlib
import hmac
import os
import struct
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HEADER = "-----BEGIN MEGOLM SESSION DATA-----"
TRAILER = "-----END MEGOLM SESSION DATA-----"


def keys(passphrase, salt, rounds):
    both = hashlib.pbkdf2_hmac("sha512", passphrase, salt, rounds, 64)
    return both[:32], both[32:]


def ctr(key, iv, data, low):
    if not low:
        cipher = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
        return cipher.update(data)
    ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    start = int.from_bytes(iv[8:], "big")
    out = bytearray()
    for place in range(0, len(data), 16):
        count = (start + place // 16) % (1 << 64)
        stream = ecb.update(iv[:8] + count.to_bytes(8, "big"))
        out += bytes(a ^ b for a, b in zip(data[place : place + 16], stream))
    return bytes(out)


def read(passphrase, path):
    with open(path, encoding="ascii", newline="") as file:
        text = file.read()
    # Strict: the lines as Element writes them, canonical base64, one line break at the end.
    assert text.endswith(TRAILER + "\n") and "\r" not in text
    lines = text[:-1].split("\n")
    assert lines[0] == HEADER and lines[-1] == TRAILER
    body = lines[1:-1]
    assert all(len(line) == 128 for line in body[:-1]) and 0 < len(body[-1]) <= 128
    data = base64.b64decode("".join(body), validate=True)
    assert base64.b64encode(data).decode() == "".join(body)
    assert data[0] == 1
    salt, iv, rounds = data[1:17], data[17:33], struct.unpack(">I", data[33:37])[0]
    assert rounds == 500_000 and iv[8] < 0x80
    aes, mac = keys(passphrase, salt, rounds)
    right = hmac.new(mac, data[:-32], "sha256").digest()
    assert hmac.compare_digest(right, data[-32:])
    sys.stdout.buffer.write(ctr(aes, iv, data[37:-32], False))


def write(passphrase, path, low):
    salt, rounds = os.urandom(16), 1_000
    iv = b"\xff" * 16 if low else os.urandom(16)
    aes, mac = keys(passphrase, salt, rounds)
    data = b"\x01" + salt + iv + struct.pack(">I", rounds)
    data += ctr(aes, iv, sys.stdin.buffer.read(), low)
    data += hmac.new(mac, data, "sha256").digest()
    with open(path, "w", encoding="ascii") as file:
        # One long line without padding, as matrix-rust-sdk writes it.
        file.write(HEADER + "\n" + base64.b64encode(data).decode().rstrip("=") + "\n" + TRAILER)


def main():
    what, secret, path = sys.argv[1:4]
    with open(secret, "rb") as file:
        passphrase = file.read()
    if what == "read":
        read(passphrase, path)
    else:
        write(passphrase, path, sys.argv[4] == "1")


main()
