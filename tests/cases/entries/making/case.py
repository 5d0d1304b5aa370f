"""One case: a usual entry, changed in one place, and what must become of it."""

import json

from .sealing import THIS, Sealed, Session, b64, compact, made_up

# Takes a field away.
GONE = object()

ALGORITHM = "m.megolm.v1.aes-sha2"
ROOMS = (
    "!quarry:example.org",
    "!lighthouse:example.org",
    "!Ngi8vTdiXwCiZKbmqNTNsCGYoZ4BElKdfkbsZVSl-d4",
)
REASONS = (
    "malformed",
    "ephemeral",
    "mac",
    "corrupt",
    "algorithm",
    "missing_field",
    "session_key",
    "id_mismatch",
    "room_mismatch",
    "too_large",
)


def changed(fields, changes):
    """The fields with some set, added or GONE."""
    both = {**fields, **changes}
    return {name: value for name, value in both.items() if value is not GONE}


class Making:
    """The making of one entry. Each layer may be changed; all others are as clients write them."""

    def __init__(self, name, session=None):
        self.name = name
        self.session = session or Session(name)
        self.room_id = ROOMS[made_up(f"room {name}", 1)[0] % len(ROOMS)]
        self.session_id = self.session.id
        self.key = self.session.exported()

    def usual_fields(self):
        return {
            "algorithm": ALGORITHM,
            "sender_key": b64(made_up(f"sender {self.name}", 32)),
            "sender_claimed_keys": {"ed25519": Session(f"device {self.name}").id},
            "forwarding_curve25519_key_chain": [],
            "session_key": self.key if isinstance(self.key, str) else b64(self.key),
        }

    def usual_entry(self, sealed):
        return {
            "first_message_index": self.session.index,
            "forwarded_count": 0,
            "is_verified": False,
            "session_data": sealed,
        }


def case(
    name,
    about,
    reason=None,
    *,
    session=None,
    key=None,
    names=None,
    inside=None,
    plaintext=None,
    sealing=None,
    parts=None,
    entry=None,
    text=None,
    fill=None,
    alone=None,
    metadata=None,
    keeps=None,
):
    """Makes one case. Without a reason it opens.

    Each change is a value or a function of what is made up to there: `names` the map keys, `key`
    the session key (bytes or text), `inside` fields of the plaintext, `plaintext` its bytes,
    `sealing` how it is sealed, `parts` fields of `session_data`, `entry` fields of the entry,
    `text` its JSON.
    """
    it = Making(name, session)

    def change(what, *given):
        return what(it, *given) if callable(what) else what

    if names:
        for field, value in change(names).items():
            setattr(it, field, value)
    if key is not None:
        it.key = change(key)
    fields = it.usual_fields()
    if inside is not None:
        fields = changed(fields, change(inside))
    it.plaintext = compact(fields).encode()
    if plaintext is not None:
        it.plaintext = change(plaintext, it.plaintext)
    it.sealed = Sealed(it.plaintext, name, **(change(sealing) if sealing is not None else {}))
    sealed = it.sealed.json()
    if parts is not None:
        sealed = changed(sealed, change(parts, it.sealed))
    whole = it.usual_entry(sealed)
    if entry is not None:
        whole = change(entry, whole) if callable(entry) else changed(whole, entry)

    made = {"about": about, "room_id": it.room_id, "session_id": it.session_id}
    if text is None and fill is None:
        made["entry"] = whole
    else:
        made["entry_text"] = text(it, compact(whole)) if text else compact(whole)
        assert not fill or made["entry_text"].count("<fill>") == 1, name
    if fill:
        made["fill"] = fill
    if alone:
        made["alone"] = alone
    if reason:
        assert reason in REASONS, reason
        made["expected"] = {"reason": reason}
    else:
        made["expected"] = opening(it, metadata, keeps)
    return name, made


def opening(it, metadata, keeps):
    expected = {
        "opens": True,
        "session_id": it.session.id,
        "first_known_index": it.session.index,
        "session_key": b64(it.session.exported()),
    }
    if metadata is not None:
        expected["metadata"] = metadata
    if keeps is not None:
        expected["keeps"] = keeps
    return expected


def write(folder, name, contents):
    path = folder / f"{name}.json"
    path.write_text(json.dumps(contents, indent=2) + "\n", encoding="ascii")
    return path


def backup():
    """The keys of all cases, and the entries beside each of them."""
    beside = [
        case("before", "An entry as clients write it, before the case.")[1],
        case("after", "An entry as clients write it, after the case.")[1],
    ]
    return {
        "about": "The backup of all cases: its keys, and two good entries to stand beside a case.",
        "private_key": b64(THIS.secret),
        "public_key": b64(THIS.public),
        "recovery_key": THIS.recovery_key(),
        "beside": beside,
    }
