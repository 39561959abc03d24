"""APS header, commands and security by properties; captured commands are in `tests/protocols/nwk`."""

import pytest
from hypothesis import strategies as st

from protocols.addresses import Eui64, ShortAddress
from protocols.aps import commands
from protocols.aps.frame import (
    ApsHeader,
    DeliveryMode,
    Fragmentation,
    FrameType,
    acknowledgement_of,
    data_header,
    decode_header,
)
from protocols.aps.security import (
    EXTENDED_OVERHEAD,
    SHORT_OVERHEAD,
    ApsSecurity,
    KeyId,
    read_auxiliary,
)
from protocols.errors import DecodeError, IntegrityError, TruncatedError
from tests.support.codec_property import assert_codec, uint8, uint16, uint64

euis = st.builds(Eui64, uint64)
keys = st.binary(min_size=16, max_size=16)
flag = st.booleans()
unicast = st.sampled_from((DeliveryMode.UNICAST, DeliveryMode.BROADCAST)).map(int)
fragment = st.sampled_from((Fragmentation.FIRST, Fragmentation.OTHER)).map(int)
ends = (uint8, uint16, uint16, uint8, uint8, flag, flag)
zero = [st.just(0)] * 4
whole = [st.just(0)] * 3  # no fragment


def headers(kind: int, *fields: st.SearchStrategy[object]) -> st.SearchStrategy[ApsHeader]:
    """Return headers with every field drawn; those not given are of a whole unicast frame."""
    rest = (st.just(0), st.just(False), *whole)[len(fields) - 7 :]
    return st.builds(ApsHeader, st.just(kind), *fields, *rest)


HEADERS: dict[str, st.SearchStrategy[ApsHeader]] = {
    "data": headers(0, *ends, unicast),
    "group": headers(0, uint16, *ends[1:], st.just(int(DeliveryMode.GROUP))),
    "fragment": headers(0, *ends, st.just(0), st.just(False), fragment, uint8),
    "command": headers(1, *zero, uint8, flag, flag, unicast),
    "acknowledgement": headers(2, *ends),
    "acknowledged command": headers(2, *zero, uint8, flag, flag, st.just(0), st.just(True)),
    "acknowledged fragment": headers(2, *ends, st.just(0), st.just(False), fragment, uint8, uint8),
}
COMMANDS: list[st.SearchStrategy[commands.ApsCommand]] = [
    st.builds(commands.TransportNetworkKey, keys, uint8, euis, euis),
    st.builds(commands.TransportTrustCentreLinkKey, keys, euis, euis),
    st.builds(commands.TransportApplicationLinkKey, keys, euis, st.booleans()),
    st.builds(commands.UpdateDevice, euis, uint16.map(ShortAddress), uint8),
    st.builds(commands.RemoveDevice, euis),
    st.builds(commands.RequestKey, st.just(2), euis),
    st.builds(commands.RequestKey, st.just(4), st.none()),
    st.builds(commands.SwitchKey, uint8),
    st.builds(commands.Tunnel, euis, st.binary(max_size=60)),
    st.builds(commands.VerifyKey, uint8, euis, keys),
    st.builds(commands.ConfirmKey, uint8, uint8, euis),
]
SOURCE = Eui64(0x00DB1234567890A0)
HEADER = data_header(1, 0x0019, 0x0109, 2, 77, security=True, ack_request=True)


@pytest.mark.parametrize("values", HEADERS.values(), ids=HEADERS)
def test_header_survives_the_wire(values: st.SearchStrategy[ApsHeader]) -> None:
    assert_codec(values, ApsHeader.encode, lambda octets: decode_header(octets)[0])


@pytest.mark.parametrize("values", COMMANDS)
def test_command_survives_the_wire(values: st.SearchStrategy[commands.ApsCommand]) -> None:
    assert_codec(values, lambda command: command.encode(), commands.decode_command, examples=50)


def test_fast_header_is_the_general_one() -> None:
    header, end = decode_header(HEADER + b"payload")
    assert header == ApsHeader(FrameType.DATA, 1, 0x0019, 0x0109, 2, 77, True, True)
    assert header.encode() == HEADER
    assert end == len(HEADER) == 8


def test_acknowledgement_swaps_endpoints_and_keeps_the_counter() -> None:
    data = ApsHeader(FrameType.DATA, 1, 0x0704, 0x0109, 2, 77, True, True)
    assert acknowledgement_of(data) == ApsHeader(FrameType.ACKNOWLEDGEMENT, 2, 0x0704, 0x0109, 1, 77)
    assert acknowledgement_of(data).encode().hex() == "02020407090101" + "4d"


def test_acknowledgement_of_a_command_has_a_counter_only() -> None:
    command = ApsHeader(FrameType.COMMAND, 0, 0, 0, 0, 9, ack_request=True)
    assert acknowledgement_of(command).encode().hex() == "1209"


def test_acknowledgement_of_a_fragment_names_the_first_block_of_its_window_and_has_a_bit_for_each() -> None:
    fragment = ApsHeader(0, 1, 0x0704, 0x0109, 2, 77, True, True, 0, False, Fragmentation.OTHER, 5)
    acknowledgement = acknowledgement_of(fragment, 3, 0xFD)
    assert acknowledgement.encode().hex() == "82" + "02" + "0407" + "0901" + "01" + "4d" + "01" + "03" + "fd"
    assert decode_header(acknowledgement.encode()) == (acknowledgement, 11)


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("key_id", [KeyId.LINK, KeyId.KEY_TRANSPORT, KeyId.KEY_LOAD])
def test_protected_frame_opens_again(key_id: KeyId, extended: bool) -> None:
    security = ApsSecurity(bytes(range(16)))
    frame = security.protect(HEADER, SOURCE, 99, b"payload", key_id=key_id, extended_nonce=extended)
    assert len(frame) == len(HEADER) + 7 + (EXTENDED_OVERHEAD if extended else SHORT_OVERHEAD)
    auxiliary = read_auxiliary(frame, 8)
    assert (auxiliary.key_id, auxiliary.counter, auxiliary.source) == (key_id, 99, SOURCE if extended else None)
    assert security.unprotect(frame, 8, SOURCE) == (b"payload", SOURCE, 99)
    inner = b"outer" + frame
    assert security.unprotect(inner, 13, SOURCE, start=5) == (b"payload", SOURCE, 99)


def test_short_form_needs_to_know_the_originator() -> None:
    security = ApsSecurity(bytes(range(16)))
    frame = security.protect(HEADER, SOURCE, 99, b"payload")
    with pytest.raises(DecodeError, match="originator"):
        security.unprotect(frame, 8)
    with pytest.raises(IntegrityError, match="MIC"):
        security.unprotect(frame, 8, Eui64(SOURCE + 1))


@pytest.mark.parametrize("extended", [False, True])
def test_every_altered_octet_is_noticed(extended: bool) -> None:
    security = ApsSecurity(bytes(range(16)))
    frame = security.protect(HEADER, SOURCE, 7, b"payload", extended_nonce=extended)
    for at in range(len(frame)):
        altered = frame[:at] + bytes((frame[at] ^ 0x40,)) + frame[at + 1 :]
        with pytest.raises(DecodeError):
            security.unprotect(altered, 8, SOURCE)
    with pytest.raises(TruncatedError):
        security.unprotect(frame[: 8 + (EXTENDED_OVERHEAD if extended else SHORT_OVERHEAD) - 1], 8, SOURCE)


def test_network_key_is_refused_at_aps() -> None:
    with pytest.raises(DecodeError, match="network key"):
        read_auxiliary(HEADER + b"\x28" + bytes(20), 8)


def test_frames_between_pans_and_reserved_delivery_are_refused() -> None:
    for control in (0x03, 0x04):
        with pytest.raises(DecodeError, match="not handled"):
            decode_header(bytes((control,)) + HEADER[1:])
    with pytest.raises(DecodeError, match="extended header"):
        decode_header(b"\x81\x01\x00")
