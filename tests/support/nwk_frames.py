"""NWK frames of a captured HAN, opened with its network keys."""

from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.mac.frame import MacFrame
from protocols.nwk.commands import NwkCommand, decode_command
from protocols.nwk.frame import FrameType, NwkHeader, decode_header
from protocols.nwk.security import NwkSecurity
from tests.support.han import Han


class Seen(NamedTuple):
    """One NWK frame on the air; one that was repeated comes several times."""

    time: int
    network: str
    sender: int  # short address of the hop
    receiver: int
    header: NwkHeader
    hop: Eui64 | None  # None without NWK security
    payload: bytes


def nwk_frames(han: Han, since: int = 0) -> list[Seen]:
    """Return what went over the air from `since` on."""
    keys = list(dict.fromkeys(key for label, key in han.keys if label.startswith("network key")))
    found = []
    for network, time, octets in han.log.frames:
        if time < since or octets[0] & 7 != 1:
            continue
        mac = MacFrame.decode(octets[:-2])
        header, end = decode_header(mac.payload)
        hop: Eui64 | None = None
        payload = mac.payload[end:]
        if header.security:
            payload, hop = _open(keys, mac.payload, end)
        found.append(Seen(time, network, int(mac.source or 0), int(mac.destination or 0), header, hop, payload))
    return found


def _open(keys: list[bytes], octets: bytes, end: int) -> tuple[bytes, Eui64]:
    for key in keys:
        try:
            payload, hop, _ = NwkSecurity(key, octets[end + 13]).unprotect(octets, end)
        except DecodeError:
            continue
        return payload, hop
    raise AssertionError("a frame under no known network key")


def nwk_commands(han: Han, since: int = 0) -> list[tuple[Seen, NwkCommand]]:
    """Return the NWK commands that went over the air from `since` on, with their frames."""
    seen = nwk_frames(han, since)
    return [(each, decode_command(each.payload)) for each in seen if each.header.frame_type == FrameType.COMMAND]
