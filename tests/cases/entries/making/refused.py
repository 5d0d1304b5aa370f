"""Entries with one fault each, and the reason why they are refused (SPEC §3.4 to §3.7, §12)."""

import json
import unicodedata
from hmac import digest

from .case import ALGORITHM, GONE, case
from .points import P, decompress, is_canonical, of_order_8, order
from .sealing import OTHER, Sealed, Session, b64, compact, flipped, is_padded, made_up


def all_cases():
    yield from malformed_entries()
    yield from malformed_parts()
    yield from malformed_json()
    yield from too_deep_or_large()
    yield from ephemeral_keys()
    yield from macs()
    yield from broken_blocks()
    yield from broken_plaintexts()
    yield from fields_inside()
    yield from session_key_forms()
    yield from session_key_points()
    yield from ids()
    yield from rooms()


def malformed_entries():
    def refused(name, about, entry):
        return case(name, about, "malformed", entry=entry)

    for name, value in (("null", None), ("text", "text"), ("number", 7), ("true", True)):
        kind = "the word true" if value is True else "null" if value is None else f"a {name}"
        yield refused(f"entry-as-{name}", f"The entry is {kind}.", lambda it, _, value=value: value)
    yield refused("entry-empty", "The entry is an empty object.", lambda it, _: {})
    yield refused(
        "entry-as-array",
        "The entry is an array around its session_data.",
        lambda it, usual: [usual["session_data"]],
    )
    yield refused(
        "entry-without-its-outside",
        "The three parts stand in the entry itself.",
        lambda it, usual: usual["session_data"],
    )
    for name, value in (("missing", GONE), ("null", None), ("number", 7), ("empty", {})):
        yield refused(
            f"session-data-{'as-' if value == 7 else ''}{name}",
            f"The session_data is {'a ' if value == 7 else ''}{name}.",
            {"session_data": value},
        )
    yield refused(
        "session-data-as-text",
        "The session_data is a text, as in the examples of the specification.",
        {"session_data": "SSBBTSBBIEZJU0gK"},
    )
    yield refused(
        "session-data-as-array",
        "The session_data is an array of the three texts.",
        lambda it, usual: {**usual, "session_data": list(usual["session_data"].values())},
    )


def malformed_parts():
    def refused(name, about, parts):
        return case(name, about, "malformed", parts=parts)

    for part in ("ephemeral", "ciphertext", "mac"):
        yield refused(f"{part}-missing", f"There is no {part}.", {part: GONE})
        yield refused(f"{part}-null", f"The {part} is null.", {part: None})
        yield refused(f"{part}-as-number", f"The {part} is a number.", {part: 7})
        yield refused(
            f"{part}-as-array-of-bytes",
            f"The {part} is an array of numbers.",
            lambda it, sealed, part=part: {part: list(getattr(sealed, part))[:32]},
        )
        yield refused(
            f"{part}-not-base64",
            f"The {part} has a letter that is none of base64.",
            lambda it, sealed, part=part: {part: "!" + sealed.json()[part][1:]},
        )
    yield refused(
        "ephemeral-of-45-letters",
        "The ephemeral key has one letter more than whole groups of base64.",
        lambda it, sealed: {"ephemeral": b64(sealed.ephemeral + b"\0") + "A"},
    )
    yield refused("ciphertext-empty", "The ciphertext is empty.", {"ciphertext": ""})
    yield refused(
        "ciphertext-not-whole-blocks",
        "The ciphertext ends in the middle of a block.",
        lambda it, sealed: {"ciphertext": b64(sealed.ciphertext[:-7])},
    )
    yield refused(
        "ciphertext-of-one-byte-more",
        "The ciphertext has a byte after its last block.",
        lambda it, sealed: {"ciphertext": b64(sealed.ciphertext + b"\0")},
    )
    yield refused("mac-empty", "The tag is empty.", {"mac": ""})
    for length in (1, 7, 9, 16, 32):
        yield refused(
            f"mac-of-{length}-byte{'s' if length > 1 else ''}",
            f"The tag is {length} of the 32 bytes of the whole HMAC; 8 are right.",
            lambda it, sealed, length=length: {"mac": b64(sealed.whole_mac[:length])},
        )
    yield refused(
        "mac-in-hex",
        "The tag is written in hex, which is base64 of 12 bytes.",
        lambda it, sealed: {"mac": sealed.mac.hex()},
    )


def malformed_json():
    def refused(name, about, text, alone=None):
        return case(name, about, "malformed", text=text, alone=alone)

    yield refused(
        "mac-twice",
        "The mac stands twice in session_data, so nobody knows which one is meant.",
        lambda it, text: text.replace('"mac"', '"mac":"AAAAAAAAAAA","mac"'),
    )
    yield refused(
        "session-data-twice",
        "The session_data stands twice, so nobody knows which one is meant.",
        lambda it, text: text.replace('"session_data"', '"session_data":{},"session_data"'),
    )
    yield refused(
        "entry-with-comma-at-its-end",
        "The entry has a comma after its last field.",
        lambda it, text: text[:-1] + ",}",
    )
    yield refused(
        "entry-with-single-quotes",
        "The entry is not JSON: it is written with single quotes.",
        lambda it, text: text.replace('"', "'"),
    )
    yield refused(
        "entry-without-a-colon",
        "The entry is not JSON: a colon is missing.",
        lambda it, text: text.replace('"is_verified":', '"is_verified" '),
    )
    yield refused(
        "entry-with-comment",
        "The entry is not JSON: there is a comment in it.",
        lambda it, text: text.replace("{", "{/* made by hand */", 1),
    )
    yield refused(
        "index-as-nan",
        "The entry is not JSON: the index is no number.",
        lambda it, text: text.replace('index":0', 'index":NaN'),
    )
    yield refused(
        "index-with-leading-zero",
        "The entry is not JSON: the index begins with a zero.",
        lambda it, text: text.replace('index":0', 'index":03'),
    )
    yield refused(
        "ciphertext-with-raw-line-break",
        "The entry is not JSON: a line break stands in a text without an escape.",
        lambda it, text: text.replace('"ciphertext":"', '"ciphertext":"\n'),
    )
    broken = "What is left open or closed wrongly here breaks the body around it."
    yield refused(
        "entry-as-bare-word", "The entry is a word.", lambda it, text: "undefined", alone=broken
    )
    yield refused(
        "entry-cut-in-its-ciphertext",
        "The entry ends in the middle of its ciphertext.",
        lambda it, text: text[: text.index('"ciphertext"') + 100],
        alone=broken,
    )
    yield refused(
        "entry-without-its-last-bracket",
        "The last bracket of the entry is missing.",
        lambda it, text: text[:-1],
        alone=broken,
    )
    yield refused(
        "entry-with-wrong-bracket",
        "The session_data is closed by the bracket of an array.",
        lambda it, text: text[:-2] + "]}",
        alone=broken,
    )
    yield refused("entry-of-nothing", "There is no entry.", lambda it, text: "", alone=broken)


def too_deep_or_large():
    def unknown(value):
        return lambda it, text: text.replace("{", '{"org.example":' + value + ",", 1)

    yield case(
        "nested-33-levels-of-arrays",
        "An unknown field nests so deeply that the entry has 33 levels.",
        "malformed",
        text=unknown("[" * 32 + "]" * 32),
    )
    yield case(
        "nested-33-levels-of-objects",
        "An unknown field of session_data nests so deeply that the entry has 33 levels.",
        "malformed",
        text=lambda it, text: text.replace(
            '_data":{', '_data":{"unsigned":' + '{"a":' * 30 + "{}" + "}" * 30 + ",", 1
        ),
    )
    yield case(
        "nested-1000-levels",
        "An unknown field nests a thousand levels deep.",
        "malformed",
        text=unknown("[" * 1000 + "]" * 1000),
    )
    large = {"with": "x", "to": 65537}
    yield case(
        "entry-of-65537-bytes",
        "The entry is one byte larger than an entry may be.",
        "too_large",
        text=unknown('"<fill>"'),
        fill=large,
    )
    yield case(
        "entry-too-large-by-its-ciphertext",
        "The ciphertext makes the entry too large.",
        "too_large",
        parts={"ciphertext": "<fill>"},
        fill={"with": "A", "to": 70_000},
    )
    yield case(
        "entry-too-large-by-its-mac",
        "The tag makes the entry too large.",
        "too_large",
        parts={"mac": "<fill>"},
        fill={"with": "A", "to": 200_000},
    )
    yield case(
        "entry-too-large-by-white-space",
        "White space between its fields makes the entry too large.",
        "too_large",
        text=lambda it, text: text.replace("{", "{<fill>", 1),
        fill={"with": " ", "to": 65_537},
    )
    yield case(
        "entry-too-large-by-a-number",
        "The index has so many digits that the entry is too large.",
        "too_large",
        text=lambda it, text: text.replace('index":0', 'index":1<fill>'),
        fill={"with": "0", "to": 80_000},
    )
    yield case(
        "entry-too-large-as-text",
        "The entry is one huge text.",
        "too_large",
        text=lambda it, text: '"<fill>"',
        fill={"with": "x", "to": 1_000_000},
    )


def ephemeral_keys():
    def refused(name, about, change):
        return case(name, about, "ephemeral", parts=change)

    of_order_8 = (
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    )
    top = 1 << 255
    for name, number in (
        ("0", 0),
        ("1", 1),
        ("minus-1", P - 1),
        ("of-order-8", of_order_8[0]),
        ("of-the-other-order-8", of_order_8[1]),
        ("p", P),
        ("p-plus-1", P + 1),
        ("0-with-its-high-bit", top),
        ("1-with-its-high-bit", top + 1),
        ("of-order-8-with-its-high-bit", top + of_order_8[0]),
    ):
        assert doubles_to_zero(number % top % P)
        yield refused(
            f"ephemeral-{name}",
            "The ephemeral key is of low order: with it everybody knows the shared secret.",
            lambda it, sealed, number=number: {"ephemeral": b64(number.to_bytes(32, "little"))},
        )
    for length in (0, 31, 33, 64):
        yield refused(
            f"ephemeral-of-{length}-bytes",
            f"The ephemeral key is {length} bytes; 32 are right.",
            lambda it, sealed, length=length: {
                "ephemeral": b64((sealed.ephemeral + made_up("more", 32))[:length])
            },
        )
    yield refused(
        "ephemeral-in-hex",
        "The ephemeral key is written in hex, which is base64 of 48 bytes.",
        lambda it, sealed: {"ephemeral": sealed.ephemeral.hex()},
    )


def doubles_to_zero(u):
    """Says whether a point of Curve25519 or its twist is of order 1, 2, 4 or 8."""
    x, z = u, 1
    for _ in range(3):
        plus, minus = (x + z) ** 2 % P, (x - z) ** 2 % P
        x, z = plus * minus % P, (plus - minus) * (minus + 121666 * (plus - minus)) % P
    return z == 0


def macs():
    def refused(name, about, **change):
        return case(name, about, "mac", **change)

    other = Sealed(b"{}", "another entry")
    yield refused(
        "locked-for-another-backup",
        "The entry was locked for the key of another backup.",
        sealing={"backup": OTHER},
    )
    yield refused(
        "mac-over-the-ciphertext",
        "The tag is made over the ciphertext, as MSC1219 has it.",
        parts=lambda it, sealed: {"mac": b64(digest(sealed.hmac, sealed.ciphertext, "sha256")[:8])},
    )
    yield refused(
        "mac-with-flipped-bit",
        "One bit of the tag is flipped.",
        parts=lambda it, sealed: {"mac": b64(flipped(sealed.mac, 7))},
    )
    yield refused("mac-of-zeros", "The tag is all zeros.", parts={"mac": b64(bytes(8))})
    yield refused(
        "mac-of-another-entry",
        "The tag is that of another entry of the same backup.",
        parts={"mac": b64(other.mac)},
    )
    yield refused(
        "mac-of-the-last-bytes",
        "The tag is the last 8 bytes of the HMAC in place of the first.",
        parts=lambda it, sealed: {"mac": b64(sealed.whole_mac[-8:])},
    )
    yield refused(
        "mac-with-the-other-key",
        "The tag is made with the AES key in place of the HMAC key.",
        parts=lambda it, sealed: {"mac": b64(digest(sealed.aes, b"", "sha256")[:8])},
    )
    yield refused(
        "ephemeral-of-another-entry",
        "The ephemeral key is that of another entry of the same backup.",
        parts={"ephemeral": b64(other.ephemeral)},
    )
    yield refused(
        "ephemeral-with-flipped-bit",
        "One bit of the ephemeral key is flipped.",
        parts=lambda it, sealed: {"ephemeral": b64(flipped(sealed.ephemeral, 0))},
    )


def broken_blocks():
    def refused(name, about, change):
        def parts(it, sealed):
            blocks = change(sealed)
            opened = sealed.decrypt(blocks)
            assert not is_padded(opened) or not is_object(opened[: -opened[-1]]), name
            return {"ciphertext": b64(blocks)}

        return case(name, about, "corrupt", parts=parts)

    def padded(name, about, padding):
        def change(plain):
            blocks = padding(plain)
            assert len(blocks) % 16 == 0 and not is_padded(blocks), name
            return blocks

        return case(name, about, "corrupt", sealing={"padded": change})

    def filled(plain, last):
        """Whole blocks that end with the given bytes."""
        return plain + b" " * (-(len(plain) + len(last)) % 16) + last

    yield padded("padding-of-0", "The padding's last byte is 0.", lambda p: filled(p, b"\0"))
    yield padded("padding-of-17", "The padding is 17.", lambda p: filled(p, b"\x11" * 17))
    yield padded("padding-of-255", "The padding's last byte is 255.", lambda p: filled(p, b"\xff"))
    yield padded(
        "padding-not-of-one-byte",
        "The bytes of the padding differ.",
        lambda p: filled(p, b"\x04\x04\x03\x04"),
    )
    yield padded("padding-missing", "There is no padding.", lambda p: filled(p[:-1], b"}"))
    yield padded(
        "padding-of-zeros", "The padding is zeros.", lambda p: p + bytes(-len(p) % 16 or 16)
    )
    yield refused(
        "last-block-missing", "The last block is missing.", lambda sealed: sealed.ciphertext[:-16]
    )
    yield refused(
        "first-block-missing", "The first block is missing.", lambda sealed: sealed.ciphertext[16:]
    )
    yield refused(
        "only-the-first-block",
        "All blocks but the first are missing.",
        lambda sealed: sealed.ciphertext[:16],
    )
    yield refused(
        "flipped-bit-in-the-first-block",
        "One bit of the first block is flipped.",
        lambda sealed: flipped(sealed.ciphertext, 3),
    )
    yield refused(
        "flipped-bit-in-the-last-block",
        "One bit of the last block is flipped.",
        lambda sealed: flipped(sealed.ciphertext, len(sealed.ciphertext) - 1),
    )
    yield refused(
        "flipped-bit-before-the-last-block",
        "One bit before the last block is flipped, which breaks the padding.",
        lambda sealed: flipped(sealed.ciphertext, len(sealed.ciphertext) - 17, 0x80),
    )
    yield refused(
        "blocks-swapped",
        "The first two blocks are swapped.",
        lambda sealed: sealed.ciphertext[16:32] + sealed.ciphertext[:16] + sealed.ciphertext[32:],
    )
    yield refused(
        "ciphertext-of-zeros", "The ciphertext is all zeros.", lambda sealed: bytes(64)
    )
    yield refused(
        "ciphertext-of-another-entry",
        "The ciphertext is that of another entry of the same backup.",
        lambda sealed: Sealed(b'{"algorithm":"m.megolm.v1.aes-sha2"}', "another entry").ciphertext,
    )
    yield case(
        "iv-of-zeros",
        "The ciphertext was made with an IV of zeros, so its first block comes out wrong.",
        "corrupt",
        sealing={"iv": bytes(16)},
    )


def is_object(plaintext):
    try:
        return isinstance(json.loads(plaintext.decode()), dict)
    except ValueError:
        return False


def broken_plaintexts():
    def refused(name, about, plaintext):
        def change(it, plain):
            broken = plaintext(plain)
            assert not is_object(broken), name
            return broken

        return case(name, about, "corrupt", plaintext=change)

    yield refused("plaintext-empty", "Nothing is inside.", lambda plain: b"")
    yield refused("plaintext-not-json", "No JSON is inside.", lambda plain: b"I AM A FISH")
    yield refused("plaintext-as-array", "An array is inside.", lambda plain: b"[" + plain + b"]")
    yield refused(
        "plaintext-as-array-of-values",
        "The values of the fields are inside, without their names.",
        lambda plain: compact(list(json.loads(plain).values())).encode(),
    )
    yield refused(
        "plaintext-as-text",
        "A text is inside, which is the plaintext as JSON.",
        lambda plain: compact(plain.decode()).encode(),
    )
    yield refused("plaintext-as-number", "A number is inside.", lambda plain: b"7")
    yield refused("plaintext-null", "Null is inside.", lambda plain: b"null")
    yield refused("plaintext-cut", "The plaintext has no end.", lambda plain: plain[:-40])
    yield refused("plaintext-twice", "Two objects are inside.", lambda plain: plain + plain)
    yield refused(
        "plaintext-with-bytes-after-it",
        "There are zeros after the plaintext.",
        lambda plain: plain + bytes(5),
    )
    yield refused(
        "plaintext-with-comma-at-its-end",
        "The plaintext has a comma after its last field.",
        lambda plain: plain[:-1] + b",}",
    )
    yield refused(
        "plaintext-with-single-quotes",
        "The plaintext is written with single quotes.",
        lambda plain: plain.replace(b'"', b"'"),
    )
    yield refused(
        "plaintext-with-raw-line-break",
        "A line break stands in the session key without an escape.",
        lambda plain: plain.replace(b'"session_key":"', b'"session_key":"\n'),
    )
    yield refused(
        "plaintext-not-utf-8",
        "A field inside is Latin-1, not UTF-8.",
        lambda plain: plain.replace(b"{", b'{"by":"Andr\xe9",', 1),
    )
    yield refused(
        "plaintext-in-utf-16",
        "The plaintext is UTF-16.",
        lambda plain: "\ufeff".encode("utf-16-le") + plain.decode().encode("utf-16-le"),
    )
    yield refused(
        "plaintext-with-bom",
        "A byte order mark stands before the plaintext, which JSON does not allow.",
        lambda plain: b"\xef\xbb\xbf" + plain,
    )


def fields_inside():
    for name, value in (
        ("megolm-v2", "m.megolm.v2.aes-sha2"),
        ("olm", "m.olm.v1.curve25519-aes-sha2"),
        ("of-the-backup", "m.megolm_backup.v1.curve25519-aes-sha2"),
        ("empty", ""),
        ("in-capitals", ALGORITHM.upper()),
        ("with-space", ALGORITHM + " "),
        ("cut", ALGORITHM[:-1]),
    ):
        yield case(
            f"algorithm-{name}",
            f"The algorithm is {value!r}, not {ALGORITHM}.",
            "algorithm",
            inside={"algorithm": value},
        )
    for field in ("algorithm", "session_key"):
        for name, words, value in (
            ("missing", "missing", GONE),
            ("null", "null", None),
            ("as-number", "a number", 1),
            ("as-array", "an array", ["m.megolm.v1.aes-sha2"]),
            ("as-object", "an object", {}),
        ):
            yield case(
                f"{field.replace('_', '-')}-{name}",
                f"The {field} is {words}.",
                "missing_field",
                inside={field: value},
            )
    yield case(
        "session-key-under-another-name",
        "The session key is in a field that is not called session_key.",
        "missing_field",
        inside=lambda it: {"session_key": GONE, "sessionKey": b64(it.key)},
    )
    yield case(
        "plaintext-without-fields",
        "An empty object is inside.",
        "missing_field",
        plaintext=b"{}",
    )


def session_key_forms():
    def refused(name, about, key):
        return case(name, about, "session_key", key=key)

    yield refused("session-key-empty", "The session key is empty.", "")
    yield refused(
        "session-key-not-base64",
        "The session key has a letter that is none of base64.",
        lambda it: b64(it.key)[:-1] + "*",
    )
    yield refused(
        "session-key-of-221-letters",
        "The session key has one letter more than whole groups of base64.",
        lambda it: b64(it.key) + "A",
    )
    for length in (32, 164, 166, 228):
        yield refused(
            f"session-key-of-{length}-bytes",
            f"The session key is {length} bytes; 165 are right, or 229 with a signature.",
            lambda it, length=length: (it.key + it.session.shared()[165:])[:length],
        )
    yield refused(
        "session-key-of-230-bytes",
        "The session key in the sharing format has a byte after it.",
        lambda it: it.session.shared() + b"\0",
    )
    for version in (0, 3, 255):
        yield refused(
            f"session-key-of-version-{version}",
            f"The session key says that its format is {version}.",
            lambda it, version=version: it.session.exported(version),
        )
    yield refused(
        "session-key-of-version-2-without-signature",
        "The session key says that it is the sharing format, but has no signature.",
        lambda it: it.session.exported(2),
    )
    yield refused(
        "session-key-of-version-1-with-signature",
        "The session key says that it is the export format, but has a signature.",
        lambda it: it.session.shared(1),
    )
    yield refused(
        "session-key-in-hex",
        "The session key is written in hex.",
        lambda it: it.key.hex(),
    )
    yield refused(
        "session-key-base64-twice",
        "The session key is base64 of its base64.",
        lambda it: b64(b64(it.key).encode()),
    )
    yield refused(
        "signature-with-flipped-bit",
        "One bit of the signature in the sharing format is flipped.",
        lambda it: flipped(it.session.shared(), 200),
    )
    yield refused(
        "signature-of-another-key",
        "The signature in the sharing format is by another session's key.",
        lambda it: it.session.shared(signer=Session("another signer")),
    )
    yield refused(
        "signature-of-zeros",
        "The signature in the sharing format is all zeros.",
        lambda it: it.session.shared()[:165] + bytes(64),
    )
    yield refused(
        "signature-over-another-index",
        "The index in the sharing format was changed after signing.",
        lambda it: flipped(it.session.shared(), 4),
    )
    yield refused(
        "signature-over-another-ratchet",
        "A byte of the ratchet in the sharing format was changed after signing.",
        lambda it: flipped(it.session.shared(), 60),
    )
    yield refused(
        "signature-over-version-1",
        "The signature in the sharing format is made over the export format.",
        lambda it: it.session.shared()[:165] + it.session.shared(1)[165:],
    )


def session_key_points():
    def refused(name, about, point):
        session = Session(name)
        session.point = point
        return case(name, about, "session_key", session=session)

    def number(y, sign=0):
        return (y | sign << 255).to_bytes(32, "little")

    no_point = next(number(y) for y in range(2, 99) if decompress(number(y)) is None)
    yield refused("kpub-no-point", "The public key inside is no point.", no_point)
    large = (number(P + k) for k in range(19))
    large = [y for y in large if decompress(y) and order(decompress(y)) is None]
    assert not any(is_canonical(y) for y in large)
    yield refused(
        "kpub-not-canonical",
        "The public key inside is a good point, written as a number above 2^255 - 19.",
        large[0],
    )
    yield refused(
        "kpub-not-canonical-and-negative",
        "The public key inside is a good point, written as a number above 2^255 - 19.",
        number(int.from_bytes(large[-1], "little"), 1),
    )
    yield refused("kpub-of-ones", "The public key inside is all ones.", b"\xff" * 32)
    weak = {"zeros": number(0), "order-1": number(1), "order-2": number(P - 1)}
    weak["order-4"] = number(0, 1)
    for which, point in enumerate(of_order_8()):
        weak[f"order-8-{'ab'[which]}"] = point
        weak[f"order-8-{'ab'[which]}-negative"] = point[:31] + bytes([point[31] | 0x80])
    for name, point in weak.items():
        assert order(decompress(point)) is not None and is_canonical(point)
        yield refused(
            f"kpub-of-{name}",
            "The public key inside is of small order: it verifies signatures of anything.",
            point,
        )


def ids():
    def refused(name, about, **change):
        return case(name, about, "id_mismatch", **change)

    def under(name, about, spelling):
        return refused(name, about, names=lambda it: {"session_id": spelling(it)})

    def another(it):
        return Session(f"another than {it.name}").id

    yield under("id-of-another-session", "The map key is another session's id.", another)
    yield under("map-key-empty", "The map key is empty.", lambda it: "")
    yield under("map-key-cut", "The map key lacks its last letter.", lambda it: it.session.id[:-1])
    yield under(
        "map-key-of-33-bytes",
        "The map key is the id and one byte more.",
        lambda it: b64(it.session.point + b"\0"),
    )
    yield under(
        "map-key-with-flipped-bit",
        "The map key differs from the id in one bit.",
        lambda it: b64(flipped(it.session.point, 31)),
    )
    yield under(
        "map-key-in-small-letters",
        "The map key lost its capitals.",
        lambda it: it.session.id.lower(),
    )
    yield under(
        "map-key-not-base64", "The map key is a word.", lambda it: "the key of our living room"
    )
    yield under(
        "map-key-of-odd-characters",
        "The map key has quotes, control characters and other scripts.",
        lambda it: 'a"\\\n\x1b[31m\u202e\x00\u3042\U0001f511',
    )
    yield under(
        "map-key-base64-twice",
        "The map key is base64 of the id.",
        lambda it: b64(it.session.id.encode()),
    )
    yield under("map-key-in-hex", "The map key is in hex.", lambda it: it.session.point.hex())
    yield under(
        "map-key-is-the-sender-key",
        "The map key is the key of the sender's device.",
        lambda it: it.usual_fields()["sender_key"],
    )
    yield refused(
        "session-id-inside-of-another",
        "The plaintext names another session than the map key.",
        inside=lambda it: {"session_id": another(it)},
    )
    yield refused("session-id-inside-empty", "The id inside is empty.", inside={"session_id": ""})
    yield refused(
        "session-id-inside-cut",
        "The id inside lacks its last letter.",
        inside=lambda it: {"session_id": it.session.id[:-1]},
    )
    yield refused(
        "session-id-inside-not-base64",
        "The id inside is a word.",
        inside={"session_id": "unknown!"},
    )
    yield refused(
        "both-session-ids-of-another",
        "The map key and the plaintext agree, but the key inside is another session's.",
        names=lambda it: {"session_id": another(it)},
        inside=lambda it: {"session_id": another(it)},
    )
    yield refused(
        "key-of-another-session",
        "The session key is another session's.",
        key=lambda it: Session(f"another than {it.name}").exported(),
    )


def rooms():
    def refused(name, about, spelling, room="!gr\u00fcn:example.org"):
        return case(
            name,
            about,
            "room_mismatch",
            names={"room_id": room},
            inside={"room_id": spelling(room)},
        )

    yield refused("room-inside-of-another", "Another room is named.", lambda room: "!x:example.org")
    yield refused("room-inside-empty", "The room inside is empty.", lambda room: "")
    yield refused("room-inside-in-capitals", "The room inside is in capitals.", str.upper)
    yield refused("room-inside-with-space", "The room inside ends with a space.", "{} ".format)
    yield refused(
        "room-inside-without-server",
        "The room inside lacks its server.",
        lambda room: room.split(":")[0],
    )
    yield refused(
        "room-inside-with-server",
        "The room inside has a server, that of the map key has none.",
        "{}:example.org".format,
        room="!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM",
    )
    yield refused(
        "room-inside-as-in-an-address",
        "The room inside is written as in an address.",
        lambda room: room.replace("!", "%21").replace(":", "%3A"),
    )
    yield refused(
        "room-inside-in-another-form-of-unicode",
        "The room inside looks the same, but its letters are composed otherwise.",
        lambda room: unicodedata.normalize("NFD", room),
    )
    yield refused(
        "room-inside-with-invisible-character",
        "The room inside looks the same, but has a character that nobody sees.",
        lambda room: room.replace(":", "\u200b:"),
    )
