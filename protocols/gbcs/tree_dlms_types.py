"""The data types of DLMS as the trees write them, and readable forms of dates and texts."""

NULL, ARRAY, STRUCTURE, BIT_STRING = "null-data", "array", "structure", "bit-string"
COMPACT_ARRAY, DONT_CARE = "compact-array", "dont-care"
OCTET_STRING = "octet-string"

NAMES = {
    0x00: NULL,
    0x01: ARRAY,
    0x02: STRUCTURE,
    0x03: "boolean",
    0x04: BIT_STRING,
    0x05: "double-long",
    0x06: "double-long-unsigned",
    0x09: OCTET_STRING,
    0x0A: "visible-string",
    0x0C: "utf8-string",
    0x0D: "bcd",
    0x0F: "integer",
    0x10: "long",
    0x11: "unsigned",
    0x12: "long-unsigned",
    0x13: COMPACT_ARRAY,
    0x14: "long64",
    0x15: "long64-unsigned",
    0x16: "enum",
    0x17: "float32",
    0x18: "float64",
    0x19: "date-time",
    0x1A: "date",
    0x1B: "time",
    0xFF: DONT_CARE,
}
TAGS = {name: tag for tag, name in NAMES.items()}
NUMBERS = {  # octets, signed
    "boolean": (1, False),
    "double-long": (4, True),
    "double-long-unsigned": (4, False),
    "integer": (1, True),
    "long": (2, True),
    "unsigned": (1, False),
    "long-unsigned": (2, False),
    "long64": (8, True),
    "long64-unsigned": (8, False),
    "enum": (1, False),
}
FIXED = {"bcd": 1, "float32": 4, "float64": 8, "date-time": 12, "date": 5, "time": 4}  # octets, kept as they are
EMPTY = (NULL, DONT_CARE)

_TIME_TAIL = bytes.fromhex("8000FF")  # deviation and clock status not specified
_SHORTEST_TEXT = 4
_NO_YEAR = 0xFFFF


def meaning(kind: str, octets: bytes) -> str | None:
    """Return a date or text that octets seem to be, None if they seem to be neither."""
    if kind == "date-time" or (kind == OCTET_STRING and len(octets) == FIXED["date-time"]):
        return _date_time(octets)
    if kind in ("date", "time"):
        return _date(octets) if kind == "date" else _time(octets)
    text = kind in ("visible-string", "utf8-string") or (kind == OCTET_STRING and len(octets) >= _SHORTEST_TEXT)
    if text and octets and octets.isascii() and (shown := octets.decode("ascii")).isprintable():
        return repr(shown)
    return None


def _date_time(octets: bytes) -> str | None:
    if octets[9:] == _TIME_TAIL and octets[:9] in (bytes(9), b"\xff" * 9):
        return "now" if octets[0] == 0 else "never"
    date, time = _date(octets[:5]), _time(octets[5:9])
    return None if date is None or time is None else f"{date} {time}"


def _date(octets: bytes) -> str | None:
    year, month, day = int.from_bytes(octets[:2], "big"), octets[2], octets[3]
    known = 1 <= month <= 12 or month >= 0xFD
    if not known or not (1 <= day <= 31 or day >= 0xFD) or not (1970 <= year <= 9999 or year == _NO_YEAR):
        return None
    parts = ("*" if year == _NO_YEAR else f"{year:04}", _two(month, 12), _two(day, 31))
    return "-".join(parts)


def _time(octets: bytes) -> str | None:
    limits = (23, 59, 59)
    if any(octet > limit and octet != 0xFF for octet, limit in zip(octets, limits, strict=False)):
        return None
    return ":".join(_two(octet, limit) for octet, limit in zip(octets, limits, strict=False))


def _two(octet: int, limit: int) -> str:
    return f"{octet:02}" if octet <= limit else "*"
