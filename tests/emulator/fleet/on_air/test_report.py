"""The fleet's own layout of a report against the codec of the cluster library."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from emulator.fleet.on_air import report
from protocols.errors import DecodeError
from protocols.zcl import data_types
from protocols.zcl.clusters.metering import Attribute
from protocols.zcl.foundation import AttributeReport, ReportAttributes
from protocols.zcl.frame import ZclFrame

octets_8, octets_48 = st.integers(0, 0xFF), st.integers(0, 0xFFFF_FFFF_FFFF)


@given(octets_8, octets_48)
def test_it_is_a_report_of_the_cluster_library(transaction: int, summation: int) -> None:
    octets = report.encode(transaction, summation)
    frame = ZclFrame.decode(octets)
    record = AttributeReport(Attribute.CURRENT_SUMMATION_DELIVERED, data_types.UINT48, summation)
    assert (frame.transaction, frame.command, frame.from_server, frame.cluster_specific) == (
        transaction,
        0x0A,
        True,
        False,
    )
    assert ReportAttributes.decode(frame.payload) == ReportAttributes((record,))
    assert report.decode(octets) == summation


@given(st.binary(max_size=20))
def test_noise_is_refused_or_is_a_report(octets: bytes) -> None:
    with suppress(DecodeError):
        summation = report.decode(octets)
        assert report.encode(octets[1], summation) == octets
