"""Entries that open, however oddly they are written (SPEC §3.5 to §3.7, §12.2, §13)."""

import json
import unicodedata

from .case import GONE, case
from .points import P, add, compress, decompress, is_canonical, of_order_8, order
from .sealing import Session, b64, in_lines, url_safe, with_spare_bits


def all_cases():
    yield from spellings_of_base64()
    yield from session_keys()
    yield from names()
    yield from claims()
    yield from plaintexts()
    yield from metadata()
    yield from json_of_the_entry()
    yield from ephemeral_keys()


def spellings_of_base64():
    def every(change):
        return lambda it, sealed: {name: change(text) for name, text in sealed.json().items()}

    def one(part, change):
        return lambda it, sealed: {part: change(sealed.json()[part])}

    def padded(text):
        return text + "=" * (-len(text) % 4)

    def one_block_too_many(it, plain):
        """Three blocks fill base64 without spare bits, four do not."""
        return plain + b" " * (-(len(plain) + 1) % 48 + 16)

    yield case("parts-padded", "All three parts are padded base64.", parts=every(padded))
    yield case(
        "parts-url-safe", "All three parts are in the url-safe alphabet.", parts=every(url_safe)
    )
    yield case(
        "mac-with-too-much-padding",
        "The tag has four signs of padding where one would do.",
        parts=one("mac", lambda text: text + "===="),
    )
    yield case(
        "ciphertext-in-lines",
        "The ciphertext is broken into lines of 76 letters.",
        parts=one("ciphertext", in_lines),
    )
    yield case(
        "ciphertext-in-lines-of-windows",
        "The ciphertext is broken into lines that end with CR and LF.",
        parts=one("ciphertext", lambda text: in_lines(text, end="\r\n", width=64)),
    )
    yield case(
        "spaces-around-the-mac",
        "The tag stands between white space.",
        parts=one("mac", lambda text: f" {text}\t\n"),
    )
    for part in ("ephemeral", "mac"):
        yield case(
            f"spare-bits-in-the-{part}",
            f"The last letter of the {part} has spare bits that are not zero.",
            parts=one(part, with_spare_bits),
        )
    yield case(
        "spare-bits-in-the-ciphertext",
        "The last letter of the ciphertext has spare bits that are not zero.",
        plaintext=one_block_too_many,
        parts=one("ciphertext", with_spare_bits),
    )


def session_keys():
    yield case(
        "session-key-in-sharing-format",
        "The session key is in the sharing format, with a signature that verifies.",
        key=lambda it: it.session.shared(),
    )
    yield case(
        "session-key-in-sharing-format-from-index-7",
        "The session key is in the sharing format and begins at message 7.",
        session=Session("sharing format from 7", 7),
        key=lambda it: it.session.shared(),
    )
    yield case(
        "session-key-in-sharing-format-padded",
        "The session key is in the sharing format, in padded base64.",
        key=lambda it: b64(it.session.shared()) + "==",
    )
    yield case(
        "session-key-in-sharing-format-with-spare-bits",
        "The session key is in the sharing format; its last letter has spare bits.",
        key=lambda it: with_spare_bits(b64(it.session.shared())),
    )
    yield case(
        "session-key-url-safe",
        "The session key is in the url-safe alphabet.",
        key=lambda it: url_safe(b64(it.session.exported())),
    )
    yield case(
        "session-key-in-lines",
        "The session key is broken into lines.",
        key=lambda it: in_lines(b64(it.session.exported())),
    )
    yield case(
        "session-key-with-spaces",
        "The session key has spaces around it and in it.",
        key=lambda it: f" {in_lines(b64(it.session.exported()), ' ', 4)} ",
    )
    yield case(
        "index-300",
        "The key begins at message 300.",
        session=Session("index 300", 300),
        metadata={"first_message_index": 300},
    )
    yield case(
        "index-ff000000",
        "The key says that it begins at message 0xff000000; nobody can tell without a message.",
        session=Session("index ff000000", 0xFF000000),
    )
    zeros = Session("ratchet of zeros")
    zeros.ratchet = bytes(128)
    yield case(
        "ratchet-of-zeros",
        "The ratchet is all zeros; nobody can tell without a message.",
        session=zeros,
    )
    mixed = Session("point of mixed order")
    mixed.point = compress(add(decompress(mixed.point), decompress(next(of_order_8()))))
    assert order(decompress(mixed.point)) is None and is_canonical(mixed.point)
    yield case(
        "kpub-of-mixed-order",
        "The public key inside has a part of small order, but is not of small order itself.",
        session=mixed,
    )


def names():
    both = Session.such_that("url-safe", lambda id: "+" in id and "/" in id)
    yield case(
        "map-key-padded",
        "The map key is the session's id in padded base64.",
        names=lambda it: {"session_id": it.session.id + "="},
    )
    yield case(
        "map-key-url-safe",
        "The map key is the session's id in the url-safe alphabet.",
        session=both,
        names=lambda it: {"session_id": url_safe(it.session.id)},
    )
    yield case(
        "map-key-with-spare-bits",
        "The last letter of the map key has spare bits that are not zero.",
        names=lambda it: {"session_id": with_spare_bits(it.session.id)},
    )
    yield case(
        "session-id-inside",
        "The plaintext repeats the session's id.",
        inside=lambda it: {"session_id": it.session.id},
    )
    yield case(
        "session-id-inside-padded",
        "The plaintext repeats the session's id in another spelling.",
        inside=lambda it: {"session_id": it.session.id + "="},
    )
    yield case("session-id-inside-null", "The id inside is null.", inside={"session_id": None})
    yield case(
        "room-id-inside",
        "The plaintext repeats the room's id.",
        inside=lambda it: {"room_id": it.room_id},
    )
    yield case("room-id-inside-null", "The room inside is null.", inside={"room_id": None})
    yield case(
        "both-ids-inside",
        "The plaintext repeats both ids, as js-sdk writes it.",
        inside=lambda it: {"room_id": it.room_id, "session_id": it.session.id},
    )
    yield case(
        "room-id-inside-with-escapes",
        "The room inside is the same, written with escapes.",
        inside=lambda it: {"room_id": it.room_id},
        plaintext=lambda it, plain: plain.replace(
            b'"room_id":"!', rb'"room_id":"\u0021'
        ).replace(b"example", rb"ex\u0061mple"),
        names=lambda it: {"room_id": "!quarry:example.org"},
    )
    yield case(
        "room-of-version-12",
        "The room's id has no server part, as in rooms of version 12.",
        names={"room_id": "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"},
        inside={"room_id": "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"},
    )
    hostile = '!"\\/\n\x1b[2J\u202e\u0000\u3042\U0001f511:example.org'
    yield case(
        "room-id-of-odd-characters",
        "The room's id has quotes, control characters and letters of other scripts.",
        names={"room_id": hostile},
        inside={"room_id": hostile},
    )
    yield case(
        "same-session-in-another-room",
        "A session that another room has too; each room keeps its own.",
        session=Session("before"),
        names={"room_id": "!copied:example.org"},
    )


def claims():
    chain = "forwarding_curve25519_key_chain"
    keys = [b64(Session(f"forwarder {number}").point) for number in range(2)]

    def kept(name, about, fields):
        return case(name, about, inside=fields, keeps=fields)

    yield case(
        "nothing-beside-the-key",
        "The plaintext has an algorithm and a session key, and nothing else.",
        inside={"sender_key": GONE, "sender_claimed_keys": GONE, chain: GONE},
    )
    yield case("sender-key-missing", "There is no sender_key.", inside={"sender_key": GONE})
    yield kept("sender-key-empty", "The sender_key is empty.", {"sender_key": ""})
    yield kept("sender-key-null", "The sender_key is null.", {"sender_key": None})
    yield kept("sender-key-as-number", "The sender_key is a number.", {"sender_key": 7})
    yield kept("sender-key-short", "The sender_key is 31 bytes.", {"sender_key": b64(bytes(31))})
    yield case(
        "claimed-keys-missing",
        "There are no sender_claimed_keys.",
        inside={"sender_claimed_keys": GONE},
    )
    claimed = "sender_claimed_keys"
    yield kept("claimed-keys-null", "The sender_claimed_keys are null.", {claimed: None})
    yield kept("claimed-keys-empty", "The sender_claimed_keys are empty.", {claimed: {}})
    yield kept(
        "claimed-keys-as-array",
        "The sender_claimed_keys are an array.",
        {claimed: [Session("device in an array").id]},
    )
    yield kept(
        "claimed-key-no-point",
        "The claimed ed25519 key is no key at all.",
        {claimed: {"ed25519": "none"}},
    )
    yield kept(
        "claimed-key-of-another-kind",
        "A key of another kind is claimed beside the usual one.",
        {claimed: {"ed25519": Session("device of two kinds").id, "org.example": "x"}},
    )
    yield case("chain-missing", "There is no forwarding chain.", inside={chain: GONE})
    yield kept("chain-null", "The forwarding chain is null.", {chain: None})
    yield kept("chain-as-text", "The forwarding chain is a text.", {chain: keys[0]})
    yield kept("chain-of-two-keys", "The key was passed on twice.", {chain: keys})
    for name, field in (
        ("shared-history", "shared_history"),
        ("m-shared-history", "m.shared_history"),
        ("msc3061-shared-history", "org.matrix.msc3061.shared_history"),
    ):
        yield kept(name, f"The history is said to be shared, as {field}.", {field: True})
    yield kept(
        "shared-history-in-all-spellings",
        "The three spellings of shared_history disagree.",
        {
            "shared_history": False,
            "m.shared_history": True,
            "org.matrix.msc3061.shared_history": False,
        },
    )
    yield kept("shared-history-null", "The shared_history is null.", {"shared_history": None})
    yield kept(
        "fields-of-old-clients",
        "The plaintext has fields that old clients wrote.",
        {"untrusted": True, "sender_claimed_ed25519_key": Session("old device").id},
    )
    yield kept(
        "unknown-fields-inside",
        "The plaintext has unknown fields of every kind.",
        {
            "org.example.nested": {"a": [1, {"b": None}], "c": {}},
            "org.example.number": 1.5,
            "org.example.text": '\u3042 \U0001f511 "\\/\n\x1b[2J',
            "": "a field without a name",
        },
    )


def plaintexts():
    yield case(
        "claim-twice",
        "The sender_key stands twice in the plaintext.",
        plaintext=lambda it, plain: plain.replace(
            b'"session_key"', b'"sender_key":"","session_key"'
        ),
    )
    yield case(
        "plaintext-in-lines",
        "The plaintext is JSON over several lines, with white space around it.",
        plaintext=lambda it, plain: f"\n{json.dumps(json.loads(plain), indent=2)}\r\n\t".encode(),
    )
    yield case(
        "plaintext-with-escapes",
        "Names, the algorithm and the session key are written with escapes.",
        plaintext=lambda it, plain: plain.replace(b"/", rb"\/")
        .replace(b'"session_key"', rb'"session\u005fkey"')
        .replace(b'"algorithm":"m.', rb'"\u0061lgorithm":"\u006d.'),
    )
    yield case(
        "plaintext-with-huge-number",
        "An unknown field of the plaintext is a number that no computer holds.",
        plaintext=lambda it, plain: plain.replace(b"{", b'{"org.example.huge":-1e999,', 1),
    )
    yield case(
        "padding-of-16",
        "The plaintext is whole blocks, so that the padding is one more block.",
        plaintext=lambda it, plain: plain + b" " * (-len(plain) % 16),
    )
    yield case(
        "padding-of-1",
        "The padding is one byte.",
        plaintext=lambda it, plain: plain + b" " * (-(len(plain) + 1) % 16),
    )


def metadata():
    for name, value, read in (
        ("index-missing", GONE, None),
        ("index-null", None, None),
        ("index-as-text", "3", 3),
        ("index-as-float", 3.0, 3),
        ("index-of-a-half", 0.5, None),
        ("index-negative", -1, None),
        ("index-huge", 2**64, None),
        ("index-as-object", {"index": 3}, None),
        ("index-lies", 5, 5),
    ):
        yield case(
            name,
            "The first_message_index is outside the lock and may be anything; the key begins at 0.",
            entry={"first_message_index": value},
            metadata={"first_message_index": read, "forwarded_count": 0, "is_verified": False},
        )
    for name, value, read in (
        ("count-missing", GONE, None),
        ("count-null", None, None),
        ("count-as-text", "2", 2),
        ("count-as-float", 0.0, 0),
        ("count-negative", -2, None),
    ):
        yield case(
            name,
            "The forwarded_count is outside the lock and may be anything.",
            entry={"forwarded_count": value},
            metadata={"first_message_index": 0, "forwarded_count": read, "is_verified": False},
        )
    for name, value, read in (
        ("is-verified-0", 0, False),
        ("is-verified-1", 1, True),
        ("is-verified-null", None, None),
        ("is-verified-missing", GONE, None),
    ):
        yield case(
            name,
            "The is_verified is outside the lock and may be anything.",
            entry={"is_verified": value},
            metadata={"first_message_index": 0, "forwarded_count": 0, "is_verified": read},
        )
    yield case(
        "metadata-missing",
        "The entry has session_data and nothing else.",
        entry={"first_message_index": GONE, "forwarded_count": GONE, "is_verified": GONE},
        metadata={"first_message_index": None, "forwarded_count": None, "is_verified": None},
    )
    yield case(
        "index-beyond-all-numbers",
        "The first_message_index is a number that no computer holds.",
        text=lambda it, text: text.replace('index":0', 'index":1e400'),
        metadata={"first_message_index": None, "forwarded_count": 0, "is_verified": False},
    )


def json_of_the_entry():
    yield case(
        "unknown-fields",
        "The entry and its session_data have unknown fields.",
        entry={"org.example.uploaded": {"at": [1, 2.5], "by": None}},
        parts={"unsigned": {"backup_mac": "AAAA"}, "signatures": {}, "version": 1},
    )
    yield case(
        "index-twice",
        "The first_message_index stands twice.",
        text=lambda it, text: text.replace("{", '{"first_message_index":4,', 1),
    )
    yield case(
        "unknown-field-twice",
        "A field that nobody knows stands twice in session_data.",
        text=lambda it, text: text.replace('_data":{', '_data":{"x":1,"x":2,'),
    )
    yield case(
        "entry-with-escapes",
        "Every slash in the entry is escaped, and so are letters of its names.",
        text=lambda it, text: text.replace("/", r"\/")
        .replace('"session_data"', r'"session\u005Fdata"')
        .replace('"mac"', r'"\u006dac"'),
    )
    yield case(
        "entry-in-lines",
        "The entry is JSON over several lines.",
        text=lambda it, text: json.dumps(json.loads(text), indent="\t").replace("\n", "\r\n"),
    )
    yield case(
        "brackets-in-a-text",
        "An unknown field is a text of brackets and quotes, which nest nothing.",
        entry={"org.example.text": '[{"' * 40 + "\\"},
    )
    yield case(
        "odd-characters-in-an-unknown-field",
        "An unknown field has control characters and characters that change the direction.",
        entry={"org.example.text": unicodedata.normalize("NFD", "\u00e9\x00\x1b\u202e\U0001f511")},
    )
    yield case(
        "nested-28-levels",
        "An unknown field nests so deeply that there are 32 levels from the outside of the body.",
        text=lambda it, text: text.replace("{", '{"org.example":' + "[" * 27 + "]" * 27 + ",", 1),
    )
    yield case(
        "entry-of-65536-bytes",
        "The entry is as large as an entry may be.",
        text=lambda it, text: text.replace("{", '{"org.example":"<fill>",', 1),
        fill={"with": "x", "to": 65536},
    )


def ephemeral_keys():
    usual = bytes([9]) + bytes(31)
    yield case(
        "ephemeral-with-its-high-bit",
        "The highest bit of the ephemeral key is set; X25519 ignores it.",
        sealing={"ephemeral": usual[:-1] + b"\x80"},
    )
    yield case(
        "ephemeral-not-reduced",
        "The ephemeral key is a number above 2^255 - 19; X25519 reduces it.",
        sealing={"ephemeral": (P + 9).to_bytes(32, "little")},
    )
    # u^3 + 486662 u^2 + u is no square for u = 2, so 2 lies on the twist.
    assert pow(8 + 486662 * 4 + 2, (P - 1) // 2, P) == P - 1
    yield case(
        "ephemeral-on-the-twist",
        "The ephemeral key is on the twist of the curve; X25519 takes it.",
        sealing={"ephemeral": bytes([2]) + bytes(31)},
    )
