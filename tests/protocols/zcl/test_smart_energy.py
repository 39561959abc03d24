"""Commands of Metering, Price, Prepayment, Messaging and load control."""

from typing import Any

import pytest
from hypothesis import strategies as st

from protocols.errors import DecodeError, TruncatedError, UsageError
from protocols.zcl.clusters import drlc, messaging, metering, prepayment, price
from protocols.zcl.command_set import Command
from protocols.zcl.frame import ZclFrame
from tests.support.codec_property import assert_codec, uint8, uint16, uint32

int32 = st.integers(-(1 << 31), (1 << 31) - 1)
uint24 = st.integers(0, 0xFF_FFFF)
label = st.binary(max_size=24)

flags, intervals = st.lists(uint32, max_size=6).map(tuple), st.lists(uint24, max_size=20).map(tuple)

CASES: list[tuple[type[Command], tuple[st.SearchStrategy[Any], ...]]] = [
    (metering.GetProfile, (uint8, uint32, uint8)),
    (metering.RequestMirrorResponse, (uint16,)),
    (metering.MirrorReportAttributeResponse, (uint8, flags)),
    (metering.GetProfileResponse, (uint32, uint8, uint8, intervals)),
    (metering.RequestMirror, ()),
    (price.GetCurrentPrice, (uint8,)),
    (price.GetScheduledPrices, (uint32, uint8)),
    (price.PriceAcknowledgement, (uint32, uint32, uint32, uint8)),
    (price.GetTariffInformation, (uint32, uint32, uint8, uint8)),
    (price.PublishPrice, (uint32, label, uint32, uint32, uint8, uint16, uint8, uint8, uint32, uint16, uint32)),
    (
        price.PublishTariffInformation,
        (*[uint32] * 4, uint8, label, uint8, uint8, uint8, uint16, uint8, uint32, uint8, uint24, uint24),
    ),
    (prepayment.SelectAvailableEmergencyCredit, (uint32, uint8)),
    (prepayment.ConsumerTopUp, (uint8, label)),
    (prepayment.ConsumerTopUpResponse, (uint8, int32, uint8, int32)),
    (messaging.GetLastMessage, ()),
    (messaging.MessageConfirmation, (uint32, uint32)),
    (messaging.DisplayMessage, (uint32, uint8, uint32, uint16, label)),
    (messaging.CancelMessage, (uint32, uint8)),
    (messaging.CancelAllMessages, (uint32,)),
    (drlc.ReportEventStatus, (uint32, uint8, uint32, uint8, uint8, uint8)),
    (drlc.GetScheduledEvents, (uint32, uint8)),
    (drlc.LoadControlEvent, (uint32, uint16, uint8, uint32, uint16, uint8, uint8, uint8)),
    (drlc.CancelLoadControlEvent, (uint32, uint16, uint8, uint8, uint32)),
]
SETS = (metering.COMMANDS, price.COMMANDS, prepayment.COMMANDS, messaging.COMMANDS, drlc.COMMANDS)


@pytest.mark.parametrize(("kind", "fields"), CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_command_survives_the_wire(kind: type[Command], fields: tuple[st.SearchStrategy[Any], ...]) -> None:
    (commands,) = (each for each in SETS if kind in (*each.from_client.values(), *each.from_server.values()))
    kinds = commands.from_server if kind in commands.from_server.values() else commands.from_client
    head = b"\x19\x07" if kinds is commands.from_server else b"\x11\x07"
    noise = st.builds(lambda number, rest: head + bytes((number,)) + rest, st.sampled_from(list(kinds)), st.binary())

    def decode(octets: bytes) -> Command:
        return commands.decode(ZclFrame.decode(octets))

    def encode(command: Command) -> bytes:
        return commands.encode(command, 7, from_server=type(command) in commands.from_server.values())

    assert_codec(st.builds(kind, *fields), encode, decode, noise=noise, examples=40)


def test_every_command_has_a_case() -> None:
    held = {kind for each in SETS for side in (each.from_client, each.from_server) for kind in side.values()}
    assert {kind for kind, _ in CASES} == held


def test_what_a_cluster_does_not_have_is_refused() -> None:
    with pytest.raises(DecodeError, match="no Metering command 0x77 of frame control 01"):
        metering.COMMANDS.decode(ZclFrame(0x01, 1, 0x77, b""))
    with pytest.raises(DecodeError, match="no Price command 0x00 of frame control 00"):
        price.COMMANDS.decode(ZclFrame(0x00, 1, 0x00, b""))
    with pytest.raises(UsageError, match="GetCurrentPrice is not sent by a server of Price"):
        price.COMMANDS.encode(price.GetCurrentPrice(), 1, from_server=True)
    with pytest.raises(TruncatedError):
        metering.COMMANDS.decode(ZclFrame.decode(b"\x01\x01\x00\x00"))


def test_fields_that_share_an_octet() -> None:
    control = messaging.control_of(messaging.Importance.HIGH, confirm=True)
    assert control == 0x88
    assert messaging.DisplayMessage(1, control, 0, 5, b"").wants_confirmation
    published = price.PublishPrice(1, b"", 1, 0, 0, price.GBP, 0x52, 0x21, 0, 30, 15_000)
    assert (published.tier, published.trailing_digits) == (2, 5)
    assert metering.formatting(6, 3) == 0xB3
