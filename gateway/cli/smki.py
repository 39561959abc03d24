"""`hanlab smki`: a test PKI, and folders of certificates and keys."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import smki_folder
from protocols.addresses import Eui64
from protocols.errors import HanlabError, InputError
from protocols.gbcs.json_fields import Json
from protocols.gbcs.smki import CERTIFICATE_SIGNING, RemotePartyRole
from protocols.gbcs.times import generalized_time, instant_of
from protocols.interfaces import SECOND

app = typer.Typer(
    help="Make a test PKI and handle folders of certificates and keys.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

BAD_INPUT = 2

_SEEDED_START = 1_772_409_600 * SECOND  # 2026-03-02, the day virtual runs begin
_ROLES = {role.name.lower().replace("_", "-"): role for role in RemotePartyRole}

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the PKI; it is a key store as well.")]
Seed = Annotated[int | None, typer.Option(help="Keys that repeat, for tests; without it the system's randomness.")]
Start = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="First day of validity; default today.")]
Identifiers = Annotated[list[str], typer.Argument(metavar="EUI...", help="EUI-64 of each, 16 hexadecimal digits.")]
Role = Annotated[str, typer.Argument(metavar="ROLE", help=", ".join(_ROLES))]
Generation = Annotated[int, typer.Option(min=0, help="With a seed: each generation has keys of its own.")]
Replace = Annotated[bool, typer.Option("--replace", help="Overwrite what is there.")]
Sources = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Certificates, keys, or folders of them.")]
Into = Annotated[Path, typer.Option("--into", metavar="DIR", help="Folder to write into; made if it is not there.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command()
def init(folder: Folder, seed: Seed = None, start: Start = None) -> None:
    """Make root, issuing and device issuing authority in a new folder. Key files are readable by you only.

    With --seed and without --start validity begins on 2026-03-02, so that all octets repeat.
    """
    try:
        smki_folder.create(folder, seed, _start(start, seeded=seed is not None))
    except HanlabError as error:
        raise _failure(error) from None
    print(f"{folder}: root, issuing, device-issuing")


@app.command()
def device(folder: Folder, identifiers: Identifiers, generation: Generation = 0, replace: Replace = False) -> None:
    """Issue certificates to devices, for digital signing and key agreement."""
    try:
        pki = smki_folder.open_pki(folder)
        for eui in [Eui64.parse(text) for text in identifiers]:
            pairs = smki_folder.pairs_of(pki.device(eui, generation))
            smki_folder.add(folder, eui, pairs, replace=replace)
            print(f"{eui}: device, ds, ka")
    except HanlabError as error:
        raise _failure(error) from None


@app.command()
def organisation(
    folder: Folder, role: Role, identifiers: Identifiers, generation: Generation = 0, replace: Replace = False
) -> None:
    """Issue certificates to organisations in a role.

    A supplier gets a pair for prepayment top-ups too, a role for XML signing just the pair for that.
    """
    try:
        pki = smki_folder.open_pki(folder)
        if role.lower() not in _ROLES:
            raise InputError(f"role {role!r}: none of {', '.join(_ROLES)}")
        wanted = _ROLES[role.lower()]
        for eui in [Eui64.parse(text) for text in identifiers]:
            pairs = smki_folder.organisation_pairs(pki, eui, wanted, generation)
            smki_folder.add(folder, eui, pairs, replace=replace)
            print(f"{eui}: {role.lower()}, {', '.join(pairs)}")
    except HanlabError as error:
        raise _failure(error) from None


@app.command("import")
def import_(sources: Sources, into: Into, replace: Replace = False) -> None:
    """Take foreign certificates and keys into a folder, each under the name it ought to have.

    A key is filed under the certificate it belongs to. Nothing is written if anything cannot be read, or would change
    what is there without --replace.
    """
    try:
        for item in smki_folder.import_files(sources, into, replace=replace):
            print(f"{item.source}: {item.name}")
    except HanlabError as error:
        raise _failure(error) from None


@app.command()
def show(folder: Folder, as_json: AsJson = False) -> None:
    """List the certificates of any key store folder: role, usage, validity, key, and whether a path leads to a root."""
    try:
        rows = smki_folder.rows(folder, time.time_ns())
    except HanlabError as error:
        raise _failure(error) from None
    for row in rows:
        role = _role(row)
        fields: dict[str, Json] = {
            "name": row.name,
            "role": role,
            "usage": row.usage,
            "key_id": row.key_id.hex(),
            "valid_from": _day(row.valid_from),
            "valid_until": _day(row.valid_until),
            "private_key": row.private_key,
            "path": row.path,
        }
        if as_json:
            print(json.dumps(fields))
        else:
            key = "key" if row.private_key else "-"
            validity = f"{fields['valid_from']} to {fields['valid_until']}"
            print(f"{row.name:28} {role:22} {row.usage}  {fields['key_id']}  {validity}  {key:3}  {row.path}")


def _role(row: smki_folder.Row) -> str:
    if row.role is None:
        return "device-issuer" if row.usage == CERTIFICATE_SIGNING else "device"
    return row.role.name.lower().replace("_", "-")


def _start(text: str | None, *, seeded: bool) -> int:
    if text is None:
        return _SEEDED_START if seeded else time.time_ns()
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"--start: not a day as 2026-03-02: {text!r}") from None
    return instant_of(day)


def _day(instant: int) -> str:
    text = generalized_time(instant).decode()
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"


def _failure(error: HanlabError) -> typer.Exit:
    print(f"hanlab: {error}", file=sys.stderr)
    return typer.Exit(BAD_INPUT)
