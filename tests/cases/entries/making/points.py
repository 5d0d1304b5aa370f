"""Edwards25519 in plain arithmetic: slow, and enough to say which 32 bytes are which point."""

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
NEUTRAL = (0, 1)


def decompress(encoded):
    """The point of an encoding, canonical or not; None where it is none."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, (number & (2**255 - 1)) % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        return None
    return ((P - x) % P if x % 2 != sign else x, y)


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return (x % P, y % P)


def compress(point):
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def is_canonical(encoded):
    return int.from_bytes(encoded, "little") & (2**255 - 1) < P


def order(point):
    """1, 2, 4 or 8; None where it is larger."""
    for doublings in range(4):
        if point == NEUTRAL:
            return 2**doublings
        point = add(point, point)
    return None


def of_order_8():
    """The encodings of a point of order 8 and of its negative."""
    for y in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ):
        encoded = bytes.fromhex(y)
        assert order(decompress(encoded)) == 8
        yield encoded
