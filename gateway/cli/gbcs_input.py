"""What the user hands to `hanlab gbcs`: messages in hexadecimal or base64, files of them, and JSON."""

import base64
import binascii
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from protocols.errors import InputError

_LARGEST_FILE = 1 << 20  # octets; the longest message of the reference data has 4 KB
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_BASE64 = ("3Q", "3w")  # how DD and DF, the first octets of messages, begin


def typed(argument: str) -> str:
    """Return an argument that is a message's hexadecimal or base64 itself."""
    if set(argument) <= _HEXADECIMAL or argument.startswith(_BASE64):
        return argument
    raise InputError(f"neither hexadecimal nor a file: {argument[:60]!r}")


def is_file(argument: str) -> bool:
    try:
        return Path(argument).is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero octet
        return False


def read_text(source: str) -> str:
    """Return the text of a file; the error of a bad one does not name it."""
    try:
        with Path(source).open("rb") as stream:
            content = stream.read(_LARGEST_FILE + 1)
        if len(content) > _LARGEST_FILE:
            raise InputError(f"more than {_LARGEST_FILE} octets")
        return content.decode("utf-8")
    except OSError as error:
        raise InputError(error.strerror or "cannot be read") from None
    except UnicodeDecodeError as error:
        raise InputError(f"not a text at octet {error.start}") from None


def read_json(source: str) -> str:
    """Return the text of a file of any size, of standard input for `-`."""
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{source}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: not a text at octet {error.start}") from None


def octets_of(text: str) -> bytes:
    digits = "".join(text.split())
    if digits.startswith(_BASE64):
        return _from_base64(digits)
    if not set(digits) <= _HEXADECIMAL:
        wrong = next(index for index, character in enumerate(digits) if character not in _HEXADECIMAL)
        raise InputError(f"not hexadecimal: {digits[wrong]!r} at digit {wrong}")
    if not digits:
        raise InputError("empty")
    if len(digits) % 2:
        raise InputError(f"an odd number of hexadecimal digits ({len(digits)})")
    return bytes.fromhex(digits)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise InputError(f"not base64: {error}") from None


def only(objects: list[object]) -> list[object]:
    if len(objects) != 1:
        raise InputError(f"{len(objects)} JSON values instead of one")
    return objects


def objects_in(text: str) -> Iterator[object]:
    """Yield the JSON values that stand one after the other."""
    decoder, offset = json.JSONDecoder(), 0
    while offset < len(text):
        if text[offset].isspace():
            offset += 1
            continue
        try:
            value, offset = decoder.raw_decode(text, offset)
        except json.JSONDecodeError as error:
            raise InputError(f"not JSON: {error}") from None
        except RecursionError:
            raise InputError("JSON that is nested too deep") from None
        except ValueError:  # a number of thousands of digits
            raise InputError(f"not JSON: a number that is too long behind char {offset}") from None
        yield value
