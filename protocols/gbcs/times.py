"""Instants as GBCS writes them. Ours are int ns since 1970 UTC; all forms here keep whole seconds and cut the rest."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias

from protocols.errors import DecodeError, UsageError
from protocols.interfaces import SECOND

INSTANT = "instant"
Instant: TypeAlias = Annotated[int, INSTANT]  # ns since 1970 UTC; the annotation tells it from other numbers in JSON

ZIGBEE_EPOCH = 946_684_800 * SECOND  # 2000-01-01 UTC
LAST_SECOND = 253_402_300_799 * SECOND  # 9999-12-31 23:59:59 UTC

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DLMS_LENGTH = 12
_UNSPECIFIED = 0xFF
_DLMS_TAIL = bytes.fromhex("008000FF")  # hundredths 0, deviation not specified, clock status not specified
_DEVIATIONS = (bytes.fromhex("8000"), bytes.fromhex("0000"))


def _datetime(instant: int) -> datetime:
    if not 0 <= instant <= LAST_SECOND:
        raise UsageError(f"an instant outside the years 1970 to 9999: {instant} ns")
    return _EPOCH + timedelta(seconds=instant // SECOND)


def instant_of(moment: datetime) -> int:
    """Return the instant of a date and time with a time zone; whole seconds."""
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * SECOND


def _instant(fields: tuple[int, int, int, int, int, int], shown: bytes) -> int:
    try:
        instant = instant_of(datetime(*fields, tzinfo=UTC))
    except ValueError:
        raise DecodeError("not a date and time", data=shown) from None
    if instant < 0:
        raise DecodeError("a date before 1970", data=shown)
    return instant


def generalized_time(instant: int) -> bytes:
    """Return `YYYYMMDDhhmmssZ`, 15 octets of ASCII."""
    moment = _datetime(instant)
    return f"{moment.year:04}{moment:%m%d%H%M%S}Z".encode()


def parse_generalized_time(text: bytes) -> int:
    """Read `YYYYMMDDhhmmssZ`; DecodeError for any other form."""
    digits = text[:14]
    if len(text) != 15 or text[14:] != b"Z" or not digits.isdigit():
        raise DecodeError("GeneralizedTime is not YYYYMMDDhhmmssZ", data=text)
    pairs = [int(digits[i : i + 2]) for i in range(4, 14, 2)]
    return _instant((int(digits[:4]), pairs[0], pairs[1], pairs[2], pairs[3], pairs[4]), text)


def utc_time(instant: int) -> bytes:
    """Return `YYMMDDhhmmssZ`, 13 octets of ASCII; for the years 1970 to 2049."""
    moment = _datetime(instant)
    if not 1970 <= moment.year < 2050:
        raise UsageError(f"UTCTime cannot tell the year {moment.year}")
    return f"{moment:%y%m%d%H%M%S}Z".encode()


def dlms_date_time(instant: int, *, weekday: bool = False) -> bytes:
    """Return 12 octets: deviation and clock status not specified, as the reference messages have them.

    weekday: whether it is told, 1 for Monday; most reference messages do not.
    """
    moment = _datetime(instant)
    day = moment.isoweekday() if weekday else _UNSPECIFIED
    fields = (moment.month, moment.day, day, moment.hour, moment.minute, moment.second)
    return moment.year.to_bytes(2, "big") + bytes(fields) + _DLMS_TAIL


def parse_dlms_date_time(octets: bytes) -> int:
    """Read 12 octets of DLMS date-time in UTC; weekday, hundredths and clock status are ignored."""
    if len(octets) != _DLMS_LENGTH:
        raise DecodeError(f"a DLMS date-time of {len(octets)} octets", data=octets)
    if octets[9:11] not in _DEVIATIONS:
        raise DecodeError("a DLMS date-time that is not UTC", offset=9, data=octets)
    year = int.from_bytes(octets[:2], "big")
    return _instant((year, octets[2], octets[3], octets[5], octets[6], octets[7]), octets)


def zigbee_time(instant: int) -> int:
    """Return whole seconds since 2000-01-01 UTC, 32 bits."""
    seconds = (instant - ZIGBEE_EPOCH) // SECOND
    if not 0 <= seconds < 1 << 32:
        raise UsageError(f"an instant ZigBee time cannot tell: {instant} ns")
    return seconds


def from_zigbee_time(seconds: int) -> int:
    """Return the instant `seconds` after 2000-01-01 UTC."""
    return ZIGBEE_EPOCH + seconds * SECOND
