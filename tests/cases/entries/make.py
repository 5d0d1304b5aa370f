#!/usr/bin/env python3
"""Makes all cases anew, from nothing but names: the same files each time.

Needs the package `cryptography`. Shares no code with keyhaul: what a case expects follows from how
it was made and from the specification.
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True

from making import case, opening, refused  # noqa: E402

HERE = Path(__file__).parent


def main():
    written = {case.write(HERE, "backup", case.backup())}
    places = set()
    for name, made in [*opening.all_cases(), *refused.all_cases()]:
        place = (made["room_id"], made["session_id"])
        assert place not in places, f"{name}: another case stands at {place}"
        places.add(place)
        path = case.write(HERE, name, made)
        assert path not in written, f"{name}: two cases of this name"
        written.add(path)
    for path in set(HERE.glob("*.json")) - written:
        path.unlink()
    print(f"{len(written) - 1} cases")


if __name__ == "__main__":
    main()
