"""`hanlab gbcs`: GBCS messages as JSON or as a readable tree, back to octets, and new ones from their fields."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from gateway.assembly.system_entropy import SystemEntropy
from gateway.cli import gbcs_input
from protocols.errors import DecodeError, HanlabError, InputError
from protocols.gbcs import blocks, building, document
from protocols.gbcs.envelope import Message
from protocols.gbcs.json_fields import Json
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.listing import block_listing, listing
from protocols.gbcs.protection import INVALID, UNCHECKED
from protocols.gbcs.use_cases.table import USE_CASES

app = typer.Typer(
    help="Decode, encode and build GBCS messages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

GOOD, FAILED, BAD_INPUT = 0, 1, 2


Messages = Annotated[
    list[str],
    typer.Argument(
        metavar="HEX|FILE", help="Messages in hexadecimal, or in base64 as DUIS carries them, or files that hold one."
    ),
]
KeystoreFolder = Annotated[
    Path | None, typer.Option("--keystore", metavar="DIR", help="Folder of <eui>-<ds|ka>.pem and .key files.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Exit 1 also for a signature, MAC or encrypted part that was not checked, for a payload in none of the "
        "three languages, and for an encrypted part without its form; standard error says which.",
    ),
]
Source = Annotated[str, typer.Argument(metavar="[FILE]", help="JSON of `hanlab gbcs decode --json`; - for stdin.")]


UseCaseName = Annotated[str, typer.Argument(metavar="USE-CASE", help="Its name or message code: CS06, CCS04, 0012.")]
Description = Annotated[str, typer.Option("--json", metavar="FILE|-", help="The message; - for standard input.")]
Template = Annotated[bool, typer.Option("--template", help="Print JSON to start from instead.")]


@app.command()
def decode(
    messages: Messages, keystore: KeystoreFolder = None, as_json: AsJson = False, strict: Strict = False
) -> None:
    """Show messages, and check signatures and MACs with the keys of a key store.

    Encrypted parts are shown with the keys there are. Exit 0: all good. 1: a signature, MAC or encrypted part is
    invalid. 2: something cannot be read.
    """
    try:
        keys = None if keystore is None else _load(keystore)
    except InputError as error:
        raise _failure(error) from None
    decoder = _Decoder(keys, as_json=as_json, strict=strict)
    for number, argument in enumerate(messages, 1):
        decoder.take(argument, number)
    raise typer.Exit(decoder.worst)


@app.command()
def encode(source: Source = "-") -> None:
    """Make the octets again from the JSON that `decode --json` printed, and from that alone.

    Any number of objects may follow each other; each gives a line of hexadecimal. Exit 2: something is wrong with one.
    """
    try:
        for number, value in enumerate(gbcs_input.objects_in(gbcs_input.read_json(source)), 1):
            print(document.restore(value, f"message {number}").hex().upper())
    except HanlabError as error:
        raise _failure(error) from None


def _load(folder: Path) -> Keystore:
    """Return the key store; certificates under another's name are left out, with a word to the user."""
    misnamed = list[str]()
    keys = Keystore.load(folder, misnamed=misnamed)
    for line in misnamed:
        print(f"hanlab: left out: {line}", file=sys.stderr)
    return keys


class _Decoder:
    """Prints messages, joins those that come in blocks, and keeps the worst exit code."""

    def __init__(self, keys: Keystore | None, *, as_json: bool, strict: bool) -> None:
        self._keys, self._as_json, self._strict = keys, as_json, strict
        self._joiner = blocks.Joiner()
        self.worst = GOOD

    def take(self, argument: str, number: int) -> None:
        """Print what an argument holds: a message, or a block and perhaps the message it completes."""
        is_file = gbcs_input.is_file(argument)
        source = argument if is_file else f"argument {number}"
        try:
            octets = gbcs_input.octets_of(gbcs_input.read_text(argument) if is_file else gbcs_input.typed(argument))
            if blocks.is_block(octets):
                self._block(octets, source)
            else:
                self._message(Message.decode(octets), source)
        except (DecodeError, InputError) as error:
            self._unreadable(source, str(error))

    def _block(self, octets: bytes, source: str) -> None:
        block = blocks.Block.decode(octets)
        shown = document.describe_block(block, source)
        print(json.dumps(shown) if self._as_json else "\n".join(block_listing(block, shown)))
        whole = self._joiner.receive(octets)
        if whole is not None:
            self._message(Message.decode(whole), f"{source} and the blocks before")

    def _message(self, message: Message, source: str) -> None:
        described = document.describe(message, source, self._keys)
        print(json.dumps(described) if self._as_json else "\n".join(listing(message, described)))
        failures = list(_failures(described, strict=self._strict))
        for failure in failures if self._strict else ():
            print(f"{source}: {failure}", file=sys.stderr)
        self.worst = max(self.worst, FAILED if failures else GOOD)

    def _unreadable(self, source: str, error: str) -> None:
        if self._as_json:
            print(json.dumps(document.unreadable(source, error)))
        else:
            print(f"{source}: {error}", file=sys.stderr)
        self.worst = BAD_INPUT


def _failures(described: dict[str, Json], *, strict: bool) -> Iterator[str]:
    """Yield what is wrong with a readable message: what is invalid; if strict, what is not shown to be valid."""
    for name, field in (("signature", "signature"), ("MAC", "mac"), ("encrypted part", "encrypted")):
        verdict = str(described[field])
        if verdict == INVALID or (strict and verdict.startswith(UNCHECKED)):
            yield f"{name} {verdict}"
    refused = described["refused"]
    if strict and isinstance(refused, list):
        yield from (str(each) for each in refused)


@app.command()
def build(
    use_case: UseCaseName,
    description: Description = "-",
    keystore: KeystoreFolder = None,
    template: Template = False,
) -> None:
    """Build a message from JSON: its envelope, and the fields of its payload under `payload`.

    Without --keystore the result is a pre-command. With it the message is signed and gets its MAC, as the use case and
    its originator demand; `"signed"` and `"mac"` (true, false) in the JSON say otherwise. `{"plaintext": HEX}` in place
    of an encrypted part is sealed for its reader.
    """
    try:
        if template:
            row = building.find(use_case, None)
            print(json.dumps(building.describe_template(row, row.directions[0]), indent=2))
            return
        (described,) = gbcs_input.only(list(gbcs_input.objects_in(gbcs_input.read_json(description))))
        keys = None if keystore is None else _load(keystore)
        octets = building.build(building.find(use_case, described), described, keys, SystemEntropy())
    except HanlabError as error:
        raise _failure(error) from None
    print(octets.hex().upper())


@app.command("use-cases")
def use_cases(as_json: AsJson = False) -> None:
    """List the use cases: message code, name, purpose, languages; `*` marks those `build` can make."""
    for row in USE_CASES.values():
        languages = [language.value for language in row.languages]
        if as_json:
            directions = [direction.name.lower() for direction in row.directions]
            shown = {"message_code": f"{row.message_code:04X}", "name": row.name, "title": row.title}
            print(json.dumps({**shown, "directions": directions, "languages": languages, "built": bool(row.module)}))
        else:
            print(f"{row.message_code:04X}{'*' if row.module else ' '} {'/'.join(languages):8} {row.title}")


@app.command()
def access(
    use_case: Annotated[str | None, typer.Argument(metavar="[USE-CASE]", help="Its name or message code.")] = None,
    device: Annotated[str | None, typer.Option(help="A kind of device: ESME, GSME, CHF, GPF, PPMID, HCALCS.")] = None,
    as_json: AsJson = False,
) -> None:
    """List who may send which command to which devices, and how it is protected.

    Devices judge by this table. `counter`: a repeated or older counter is refused. `inferred`: no reference message
    shows the row.
    """
    from gateway.cli.gbcs_access import show

    try:
        show(use_case, device, as_json=as_json)
    except HanlabError as error:
        raise _failure(error) from None


@app.command()
def transcript(
    use_case: Annotated[str, typer.Argument(metavar="cs02b", help="The use case; CS02b is the one there is.")],
    device: Annotated[str, typer.Option(help="A device of the home that holds credentials.")] = "bridge-1",
    cut_before: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Cut the device's power before its N-th put.")
    ] = None,
    home: Annotated[str, typer.Option(help="A home's YAML file, or the name of a shipped one.")] = "home-1",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same octets.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Let the ACB replace its credentials on an emulated device, step by step, and tell which hold afterwards.

    Exit 0: the device holds the old or the new ones, and obeys those alone. 1: anything else.
    """
    from gateway.cli.gbcs_transcript import show

    try:
        good = show(use_case, device, cut_before, home, seed, as_json=as_json)
    except HanlabError as error:
        raise _failure(error) from None
    raise typer.Exit(GOOD if good else FAILED)


def _failure(error: HanlabError) -> typer.Exit:
    print(f"hanlab: {error}", file=sys.stderr)
    return typer.Exit(BAD_INPUT)
