"""An exchange on the air as Wireshark reads it."""

from pathlib import Path

import pytest

from protocols.aps.frame import data_header
from protocols.crypto import ecqv
from protocols.crypto.ecqv import Suite2Certificate
from protocols.crypto.suites import Suite
from protocols.zcl.clusters import key_establishment
from tests.support import tshark
from tests.support.cbke import DEVICE, HUB, Network, credentials, initiator, issued, keys, responder
from tests.support.hand_built import KEYS, SE, HandBuilt

pytestmark = pytest.mark.judge("tshark")


def _captured(folder: Path, suite: Suite) -> tuple[Network, Path]:
    """Put the six messages on the air between hub and device, network security only."""
    network = Network(initiator(credentials(DEVICE, (suite,))), responder(credentials(HUB, (suite,))))
    network.start()
    network.run()
    assert keys(network.at_device)
    air = HandBuilt()
    air.associate()
    air.announce()
    for counter, (sender, frame) in enumerate(network.air):
        other = HUB if sender == DEVICE else DEVICE
        header = data_header(1, key_establishment.CLUSTER, SE, 1, counter, security=False, ack_request=False)
        air.send(sender, other, header + frame)
    capture = folder / "capture.pcapng"
    capture.write_bytes(air.capture)
    return network, capture


def _fields(capture: Path, *names: str) -> list[list[str]]:
    """Return the fields of each message, once although it takes two hops."""
    prefixed = [f"zbee_zcl_se.ke.{name}" for name in names]
    return tshark.fields(capture, KEYS, prefixed, display_filter="zbee_zcl")[::2]


@pytest.mark.parametrize("suite", list(Suite))
def test_the_six_messages_are_read(tmp_path: Path, suite: Suite) -> None:
    network, capture = _captured(tmp_path, suite)
    assert tshark.faults(capture, KEYS) == []
    commands = _fields(capture, "cmd.srv_rx.id", "cmd.srv_tx.id")
    numbers = ["0x00", "0x01", "0x02"]
    assert commands == [pair for number in numbers for pair in ([number, ""], ["", number])]
    points = [frame[3:].hex() for _, frame in network.air[2:4]]
    macs = [frame[3:].hex() for _, frame in network.air[4:6]]
    assert [row[0] for row in _fields(capture, "qeu") if row[0]] == points[:1]
    assert [row[0] for row in _fields(capture, "qev") if row[0]] == points[1:]
    assert [row[0] for row in _fields(capture, "macu") if row[0]] == macs[:1]
    assert [row[0] for row in _fields(capture, "macv") if row[0]] == macs[1:]
    times = _fields(capture, "attr.suite", "init.ephemeral.time", "init.confirm.time")
    assert times[:2] == [[f"0x{suite:04x}", "3", "6"]] * 2


@pytest.mark.parametrize("suite", list(Suite))
def test_the_certificates_are_read(tmp_path: Path, suite: Suite) -> None:
    _, capture = _captured(tmp_path, suite)
    shown = _fields(capture, "cert.subject", "cert.issuer", "cert.reconst")[:2]
    held = [issued(eui, suite).certificate for eui in (DEVICE, HUB)]
    expected = [[c.subject.big.hex(), c.issuer.big.hex(), c.reconstruction.hex()] for c in held]
    assert [[text.replace(":", "") for text in row] for row in shown] == expected


def test_the_fields_of_a_suite_2_certificate_are_read(tmp_path: Path) -> None:
    _, capture = _captured(tmp_path, Suite.SUITE_2)
    certificate = issued(DEVICE, Suite.SUITE_2).certificate
    assert isinstance(certificate, Suite2Certificate)
    names = ("type", "serialno", "curve", "hash", "key.usage.agreement", "key.usage.signature")
    row = _fields(capture, *(f"cert.{name}" for name in names))[0]
    serial = int.from_bytes(certificate.serial)
    assert [int(text, 0) for text in row] == [0, serial, ecqv.CURVE_SECT283K1, ecqv.HASH_AES_MMO, 1, 1]
