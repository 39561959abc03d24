"""What a fleet without radio shows: the GBCS messages at its hubs, in the words of the checks; `frame` is the line."""

import json
from collections.abc import Iterator
from pathlib import Path

from gateway.campaigns.evidence.link_keys import LinkKeys, PairKeys
from gateway.campaigns.verify.air import Air, Carried
from gateway.campaigns.verify.gbcs_view import judge
from protocols.addresses import Eui64
from protocols.errors import InputError
from protocols.gbcs.keystore import Keystore


def read_wan(path: Path, certificates: Keystore) -> Air:
    """Read wan.jsonl. Raises InputError: file, line."""
    carried = tuple(_carried(path, certificates))
    first, last = (carried[0].time, carried[-1].time) if carried else (0, 0)
    return Air(
        frames=len(carried), networks=(), protected=0, defects=(), first=first, last=last, transfers=(), running=(),
        carried=carried, link_keys=LinkKeys([], [], [], [], PairKeys([], {}, [])),
    )  # fmt: skip


def _carried(path: Path, certificates: Keystore) -> Iterator[Carried]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(f"{path}: cannot be read: {wrong}") from wrong
    for number, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            device, octets = Eui64.parse(str(told["device"])), bytes.fromhex(told["message"])
            upward, time = told["upward"], told["ns"]
            if not isinstance(upward, bool) or type(time) is not int:
                raise TypeError("upward is yes or no, ns a whole number")
            yield Carried(device, upward, time, number, octets, judge(octets, certificates))
        except (KeyError, TypeError, ValueError, InputError, RecursionError) as wrong:
            raise InputError(f"{path}: line {number}: not a message: {wrong}") from wrong
