"""Point multiplication as the textbook writes it, affine double-and-add: the reference for results and for speed."""

from protocols.crypto.curves import Curve, Point


def multiply(curve: Curve, scalar: int, point: Point | None) -> Point | None:
    """Return `scalar` times `point`, by the binary digits of `scalar`."""
    total: Point | None = None
    for digit in f"{scalar:b}":
        total = _double(curve, total)
        if digit == "1":
            total = add(curve, total, point)
    return total


def add(curve: Curve, left: Point | None, right: Point | None) -> Point | None:
    if left is None or right is None:
        return right if left is None else left
    if left == right:
        return _double(curve, left)
    if left[0] == right[0]:
        return None
    field = curve.field
    slope = field.multiply(left[1] ^ right[1], field.invert(left[0] ^ right[0]))
    x = field.square(slope) ^ slope ^ left[0] ^ right[0] ^ curve.a
    return x, field.multiply(slope, left[0] ^ x) ^ x ^ left[1]


def _double(curve: Curve, point: Point | None) -> Point | None:
    if point is None or point[0] == 0:
        return None
    field = curve.field
    slope = point[0] ^ field.multiply(point[1], field.invert(point[0]))
    x = field.square(slope) ^ slope ^ curve.a
    return x, field.square(point[0]) ^ field.multiply(slope ^ 1, x)
