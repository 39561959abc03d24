"""Frames captured from real Zigbee networks, opened and sealed again."""

from typing import Any

import pytest

from protocols.addresses import Eui64
from protocols.aps import commands as aps_commands
from protocols.aps import frame as aps
from protocols.aps.security import ApsSecurity
from protocols.nwk import commands as nwk_commands
from protocols.nwk import frame as nwk
from protocols.nwk.security import NwkSecurity, read_auxiliary
from protocols.zdp import messages as zdp
from tests.support.security_vectors import cases

Vector = dict[str, Any]
pytestmark = pytest.mark.judge("security")

COMMANDS = {
    "NWK leave broadcast": nwk_commands.Leave,
    "NWK link status command": nwk_commands.LinkStatus,
    "NWK many-to-one route request": nwk_commands.RouteRequest,
    "NWK route record command": nwk_commands.RouteRecord,
    "confirm-key, APS link key + NWK": aps_commands.ConfirmKey,
    "device announce": zdp.DeviceAnnounce,
    "node descriptor request": zdp.NodeDescriptorRequest,
    "request-key TC link key, APS link key + NWK": aps_commands.RequestKey,
    "transport-key TC link key, APS key-load key + NWK": aps_commands.TransportTrustCentreLinkKey,
    "transport-key network key, APS key-transport key, no NWK security": aps_commands.TransportNetworkKey,
    "verify-key, NWK only": aps_commands.VerifyKey,
}


def opened(vector: Vector) -> tuple[nwk.NwkHeader, bytes]:
    """Return NWK header and NWK payload in clear."""
    octets = bytes.fromhex(vector["nwk_frame"])
    header, end = nwk.decode_header(octets)
    if not header.security:
        return header, octets[end:]
    security = NwkSecurity(bytes.fromhex(vector["network_key"]), read_auxiliary(octets, end).key_sequence)
    return header, security.unprotect(octets, end)[0]


@pytest.mark.parametrize("vector", cases("captured_frames"))
def test_nwk_frame_opens_and_seals_to_the_same_octets(vector: Vector) -> None:
    octets = bytes.fromhex(vector["nwk_frame"])
    header, end = nwk.decode_header(octets)
    assert header.encode() == octets[:end]
    assert header.security is vector["nwk_security"]
    if not header.security:
        assert octets[end:].hex() == vector["nwk_payload"]
        return
    auxiliary = read_auxiliary(octets, end)
    security = NwkSecurity(bytes.fromhex(vector["network_key"]), auxiliary.key_sequence)
    plain, source, counter = security.unprotect(octets, end)
    assert plain.hex() == vector["nwk_plaintext"]
    assert (source.wire + counter.to_bytes(4, "little")).hex() == vector["nwk_nonce"][:24]
    assert security.protect(octets[:end], source, counter, plain) == octets


@pytest.mark.parametrize("vector", [case for case in cases("captured_frames") if "aps" in case.values[0]])
def test_aps_command_opens_and_seals_to_the_same_octets(vector: Vector) -> None:
    _, octets = opened(vector)
    header, end = aps.decode_header(octets)
    assert header.encode() == octets[:end]
    security = ApsSecurity(bytes.fromhex(vector["aps"]["link_key"]))
    plain, source, counter = security.unprotect(octets, end)
    assert plain.hex() == vector["aps"]["plaintext"]
    key_id = octets[end] >> 3 & 3
    again = security.protect(octets[:end], source, counter, plain, key_id=key_id, extended_nonce=True)
    assert again == octets


@pytest.mark.parametrize(
    "vector", [case for case in cases("captured_frames") if case.values[0].get("what") in COMMANDS]
)
def test_command_decodes_and_encodes_to_the_same_octets(vector: Vector) -> None:
    header, octets = opened(vector)
    if header.frame_type == nwk.FrameType.COMMAND:
        command: object = nwk_commands.decode_command(octets)
        assert nwk_commands.decode_command(octets).encode() == octets
    else:
        aps_header, end = aps.decode_header(octets)
        assert aps_header.encode() == octets[:end]
        plain = octets[end:]
        if aps_header.security:
            plain = ApsSecurity(bytes.fromhex(vector["aps"]["link_key"])).unprotect(octets, end)[0]
        if aps_header.frame_type == aps.FrameType.COMMAND:
            command = aps_commands.decode_command(plain)
            assert aps_commands.decode_command(plain).encode() == plain
        else:
            transaction, message = zdp.decode(aps_header.cluster, plain)
            assert zdp.encode(message, transaction) == (aps_header.cluster, plain)
            command = message
    assert type(command) is COMMANDS[vector["what"]]


def test_transport_key_names_its_receiver() -> None:
    vectors = {case.id: case.values[0] for case in cases("captured_frames")}
    if "cap-09" not in vectors:
        pytest.skip("the captured frames are absent")
    _, octets = opened(vectors["cap-09"])
    plain, source, _ = ApsSecurity(b"ZigBeeAlliance09").unprotect(octets, 2)
    command = aps_commands.decode_command(plain)
    assert isinstance(command, aps_commands.TransportNetworkKey)
    assert command.destination == Eui64.parse("a4c1386d9b280fdf")
    assert (command.source, command.key_sequence) == (source, 0)
