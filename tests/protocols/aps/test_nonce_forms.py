"""What tshark must have seen before it opens APS frames without the originator's EUI-64 (README of protocols/aps)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from protocols.aps.frame import data_header
from protocols.zcl.clusters import ota
from tests.support import tshark
from tests.support.hand_built import DEVICE, HUB, KEYS, SE, HandBuilt

REQUEST = ota.encode(ota.ImageBlockRequest(1, 2, 3, 4711, 48), 7)


def _nothing(_: HandBuilt) -> None:
    pass


def _first_hop(air: HandBuilt) -> None:
    air.send(DEVICE, HUB, _sealed(air))


BEFORE: dict[str, tuple[Callable[[HandBuilt], None], bool]] = {
    "association": (HandBuilt.associate, True),
    "announcement by its first hop": (lambda air: air.announce(relays=False, ieee=False), True),
    "relayed announcement with IEEE address": (lambda air: air.announce(first_hop=False), True),
    "relayed announcement without": (lambda air: air.announce(first_hop=False, ieee=False), False),
    "another frame by its first hop": (_first_hop, True),
    "nothing": (_nothing, False),
}


def _sealed(air: HandBuilt, *, extended: bool = False) -> bytes:
    header = data_header(1, ota.CLUSTER, SE, 1, 9, security=True, ack_request=True)
    return air.link.protect(header, DEVICE, next(air.counters[DEVICE]), REQUEST, extended_nonce=extended)


def _offset_shown(air: HandBuilt, folder: Path) -> str:
    """Return the file offset that tshark reads from the last frame, empty if it stays encrypted."""
    capture = folder / "capture.pcapng"
    capture.write_bytes(air.capture)
    return tshark.fields(capture, KEYS, ["zbee_zcl_general.ota.file.offset"])[-1][0]


@pytest.mark.judge("tshark")
@pytest.mark.parametrize("before", BEFORE)
def test_relayed_frame_in_short_form_opens_once_the_originator_is_known(before: str, tmp_path: Path) -> None:
    prepare, opens = BEFORE[before]
    air = HandBuilt()
    prepare(air)
    air.send(DEVICE, HUB, _sealed(air), first_hop=False)
    assert _offset_shown(air, tmp_path) == ("4711" if opens else "")


@pytest.mark.judge("tshark")
def test_extended_form_and_source_in_the_nwk_header_need_nothing_before(tmp_path: Path) -> None:
    air = HandBuilt()
    air.send(DEVICE, HUB, _sealed(air, extended=True), first_hop=False)
    assert _offset_shown(air, tmp_path) == "4711"
    air = HandBuilt()
    air.send(DEVICE, HUB, _sealed(air), source_ieee=True, first_hop=False)
    assert _offset_shown(air, tmp_path) == "4711"
