"""Turns the dissected capture into what the checks ask for."""

from collections import defaultdict
from pathlib import Path

from gateway.campaigns.evidence.capture import CaptureEvidence, OtaEvent, TunnelMessage, read_capture
from gateway.campaigns.evidence.transfers import Transfer as Seen
from gateway.campaigns.verify.air import Air, Carried, Running, Transfer
from gateway.campaigns.verify.gbcs_view import judge
from protocols.addresses import Eui64
from protocols.errors import DecodeError, InputError
from protocols.gbcs.blocks import Joiner, is_block
from protocols.gbcs.keystore import Keystore
from protocols.pcapng import read_keys
from protocols.zcl.clusters import ota


def read_air(capture: Path, keys: Path, certificates: Keystore) -> Air:
    """Dissect the capture in one pass. Raises InputError if it is no capture or the keys are no key table."""
    try:
        read_keys(keys.read_text(encoding="utf-8"))
    except (InputError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{keys}: {error}") from error
    return air_of(read_capture(capture, keys), certificates)


def air_of(seen: CaptureEvidence, certificates: Keystore) -> Air:
    """Return what a dissected capture shows."""
    ends = _first_ends(seen.ota)
    return Air(
        frames=seen.frames,
        networks=tuple(seen.networks),
        protected=seen.protected,
        defects=tuple(f"frame {d.frame} on {d.network}: {d.kind}, {d.reason}" for d in seen.defects),
        first=seen.first,
        last=seen.last,
        transfers=tuple(_transfer(transfer, ends) for transfer in seen.transfers),
        running=tuple(
            Running(event.device, event.command.file_version, event.time, event.frame)
            for event in seen.ota
            if isinstance(event.command, ota.QueryNextImageRequest) and event.device is not None
        ),
        carried=_carried(seen.messages, certificates),
        link_keys=seen.link_keys,
        readings=tuple(seen.readings),
        energy=tuple(seen.energy),
    )


_GET, _GET_RESPONSE, _PUT = b"\x01", b"\x02", b"\x03"  # GBCS 10.2.2: how a gas meter that sleeps exchanges messages

_Ends = dict[tuple[Eui64, int], list[OtaEvent]]


def _first_ends(events: list[OtaEvent]) -> _Ends:
    """Return the Upgrade End Requests by device and version, in order of time."""
    ends: _Ends = {}
    for event in events:
        if isinstance(event.command, ota.UpgradeEndRequest) and event.device is not None:
            ends.setdefault((event.device, event.command.file_version), []).append(event)
    return ends


def _transfer(seen: Seen, ends: _Ends) -> Transfer:
    """Take over a transfer; it ended with its first Upgrade End, however often the device repeats that."""
    ended, status, frame = seen.ended, seen.status, seen.last_frame
    for event in ends.get((seen.device, seen.file_version), ()):
        if seen.started <= event.time <= seen.ended and isinstance(event.command, ota.UpgradeEndRequest):
            ended, status, frame = event.time, event.command.status, event.frame
            break
    return Transfer(
        device=seen.device,
        manufacturer=seen.manufacturer_code,
        image_type=seen.image_type,
        version=seen.file_version,
        image=seen.image,
        size=seen.size or 0,
        blocks=len(seen.blocks),
        conflicting=tuple(seen.conflicting),
        started=seen.started,
        ended=ended,
        status=status,
        upgrade_wait=_wait(seen.end_response),
        frame=frame,
    )


def _wait(response: ota.UpgradeEndResponse | None) -> int | None:
    if response is None or response.upgrade_time == ota.UPGRADE_WAIT:
        return None if response is None else ota.UPGRADE_WAIT
    return response.upgrade_time - response.current_time


def _carried(messages: list[TunnelMessage], certificates: Keystore) -> tuple[Carried, ...]:
    """Return each message once, at its first sighting: a device sends an alert again until it is acknowledged.

    One that travels in blocks is seen with the block that completes it.
    """
    found: dict[tuple[Eui64, bool, bytes], Carried] = {}
    joiners = defaultdict[tuple[Eui64, bool], Joiner](Joiner)
    for message in messages:
        octets = _whole(joiners[message.device, message.upward], _bare(message.data))
        key = (message.device, message.upward, octets)
        if octets and key not in found:
            judged = judge(octets, certificates)
            found[key] = Carried(message.device, message.upward, message.time, message.frame, octets, judged)
    return tuple(found.values())


def _whole(joiner: Joiner, octets: bytes) -> bytes:
    """Return a message, or what a block completes; empty for another block, a bad one as it is."""
    if not is_block(octets):
        return octets
    try:
        return joiner.receive(octets) or b""
    except DecodeError:
        return octets


def _bare(data: bytes) -> bytes:
    """Return the GBCS message without what stands in front of it to and from a gas meter; empty for a GET."""
    if data[:1] == _PUT:
        return data[1:]
    if data[:1] == _GET_RESPONSE:
        return data[2:]
    return b"" if data == _GET else data
