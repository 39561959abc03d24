"""Instants in the forms of GBCS."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import DecodeError, UsageError
from protocols.gbcs import times
from protocols.interfaces import MILLISECOND, SECOND

seconds = st.integers(0, times.LAST_SECOND // SECOND)


@given(seconds)
def test_an_instant_survives_both_forms(second: int) -> None:
    instant = second * SECOND
    assert times.parse_generalized_time(times.generalized_time(instant)) == instant
    assert times.parse_dlms_date_time(times.dlms_date_time(instant)) == instant


@given(st.integers(0, (1 << 32) - 1))
def test_zigbee_time_counts_from_2000(second: int) -> None:
    assert times.zigbee_time(times.from_zigbee_time(second)) == second


def test_known_forms() -> None:
    instant = round(datetime(2015, 1, 1, tzinfo=UTC).timestamp()) * SECOND
    assert times.generalized_time(instant) == b"20150101000000Z"
    assert times.dlms_date_time(instant).hex() == "07df0101ff000000008000ff"
    assert times.zigbee_time(instant) == 0x1C374A80
    assert times.utc_time(instant) == b"150101000000Z"
    assert times.generalized_time(times.LAST_SECOND) == b"99991231235959Z"


def test_a_fraction_of_a_second_is_cut_off() -> None:
    assert times.generalized_time(999 * MILLISECOND) == b"19700101000000Z"


def test_weekday_and_clock_status_of_others_are_accepted() -> None:
    plain = bytes.fromhex("07DF0101FF000000008000FF")
    filled = bytes.fromhex("07DF01010400000000000004")
    assert times.parse_dlms_date_time(filled) == times.parse_dlms_date_time(plain)


@pytest.mark.parametrize(
    "text", [b"", b"2015010100000Z", b"201501010000000", b"20151301000000Z", b"20150101000000z", b"19691231235959Z"]
)
def test_a_malformed_generalized_time_is_refused(text: bytes) -> None:
    with pytest.raises(DecodeError):
        times.parse_generalized_time(text)


@pytest.mark.parametrize(
    "octets",
    ["", "07DF0101FF0000000080", "FFFF0101FF000000008000FF", "07DF0101FF00000000003CFF", "07DFFF01FF000000008000FF"],
)
def test_a_malformed_date_time_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        times.parse_dlms_date_time(bytes.fromhex(octets))


def test_what_a_form_cannot_tell_is_refused() -> None:
    with pytest.raises(UsageError):
        times.generalized_time(times.LAST_SECOND + SECOND)
    with pytest.raises(UsageError):
        times.zigbee_time(0)
    with pytest.raises(UsageError):
        times.utc_time(times.LAST_SECOND)


def test_the_weekday_is_told_when_asked_for() -> None:
    thursday = times.parse_generalized_time(b"20150101000000Z")
    assert times.dlms_date_time(thursday).hex() == "07df0101ff000000008000ff"
    told = times.dlms_date_time(thursday, weekday=True)
    assert told.hex() == "07df010104000000008000ff"
    assert times.parse_dlms_date_time(told) == thursday
