"""`hanlab gbcs`: GBCS messages as JSON or as a readable tree, and back to octets."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from protocols.errors import DecodeError, HanlabError, InputError
from protocols.gbcs import document
from protocols.gbcs.envelope import Message
from protocols.gbcs.json_fields import Json
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.listing import listing
from protocols.gbcs.protection import INVALID, UNCHECKED

app = typer.Typer(
    help="Decode and encode GBCS messages.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

GOOD, FAILED, BAD_INPUT = 0, 1, 2

_LARGEST_FILE = 1 << 20  # octets; the longest message of the reference data has 4 KB
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")

Messages = Annotated[
    list[str], typer.Argument(metavar="HEX|FILE", help="Messages in hexadecimal, or files that hold it.")
]
KeystoreFolder = Annotated[
    Path | None, typer.Option("--keystore", metavar="DIR", help="Folder of <eui>-<ds|ka>.pem and .key files.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 also for a signature or MAC that was not checked.")]
Source = Annotated[str, typer.Argument(metavar="[FILE]", help="JSON of `hanlab gbcs decode --json`; - for stdin.")]


@app.command()
def decode(
    messages: Messages, keystore: KeystoreFolder = None, as_json: AsJson = False, strict: Strict = False
) -> None:
    """Show messages, and check signatures and MACs with the keys of a key store.

    Exit 0: all good. 1: a signature or MAC is invalid. 2: something cannot be read.
    """
    try:
        keys = None if keystore is None else Keystore.load(keystore)
    except InputError as error:
        raise _failure(error) from None
    worst = GOOD
    for number, argument in enumerate(messages, 1):
        worst = max(worst, _decode_one(argument, number, keys, as_json=as_json, strict=strict))
    raise typer.Exit(worst)


@app.command()
def encode(source: Source = "-") -> None:
    """Make the octets again from the JSON that `decode --json` printed, and from that alone.

    Any number of objects may follow each other; each gives a line of hexadecimal. Exit 2: something is wrong with one.
    """
    try:
        for number, value in enumerate(_objects(_read_json(source)), 1):
            print(document.restore(value, f"message {number}").hex().upper())
    except HanlabError as error:
        raise _failure(error) from None


def _decode_one(argument: str, number: int, keys: Keystore | None, *, as_json: bool, strict: bool) -> int:
    """Print one message and return the exit code it asks for."""
    source = argument if _is_file(argument) else f"argument {number}"
    try:
        message = Message.decode(_octets(_text_of(argument)))
    except (DecodeError, InputError) as error:
        if as_json:
            print(json.dumps(document.unreadable(source, str(error))))
        else:
            print(f"{source}: {error}", file=sys.stderr)
        return BAD_INPUT
    described = document.describe(message, source, keys)
    print(json.dumps(described) if as_json else "\n".join(listing(message, described)))
    return _exit_code(described, strict=strict)


def _exit_code(described: dict[str, Json], *, strict: bool) -> int:
    verdicts = (str(described["signature"]), str(described["mac"]))
    unchecked = strict and any(verdict.startswith(UNCHECKED) for verdict in verdicts)
    return FAILED if unchecked or INVALID in verdicts else GOOD


def _text_of(argument: str) -> str:
    """Return a message's hexadecimal: the argument itself or what the file it names holds."""
    if _is_file(argument):
        return _read_text(argument)
    if set(argument) <= _HEXADECIMAL:
        return argument
    raise InputError(f"neither hexadecimal nor a file: {argument[:60]!r}")


def _is_file(argument: str) -> bool:
    try:
        return Path(argument).is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero octet
        return False


def _read_text(source: str) -> str:
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


def _read_json(source: str) -> str:
    """Return the text of a file of any size, of standard input for `-`."""
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{source}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: not a text at octet {error.start}") from None


def _octets(text: str) -> bytes:
    digits = "".join(text.split())
    wrong = next((index for index, character in enumerate(digits) if character not in _HEXADECIMAL), None)
    if wrong is not None:
        raise InputError(f"not hexadecimal: {digits[wrong]!r} at digit {wrong}")
    if not digits:
        raise InputError("empty")
    if len(digits) % 2:
        raise InputError(f"an odd number of hexadecimal digits ({len(digits)})")
    return bytes.fromhex(digits)


def _objects(text: str) -> Iterator[object]:
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
        yield value


def _failure(error: HanlabError) -> typer.Exit:
    print(f"hanlab: {error}", file=sys.stderr)
    return typer.Exit(BAD_INPUT)
