"""ECS70, GCS28, ECS17b and GCS13a against payloads of published messages (Reference Test Data Set 4.5.0)."""

from typing import Any

import pytest
from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.gbcs.use_cases import ecs17b, ecs70, gcs13a, gcs28
from protocols.interfaces import SECOND
from tests.support.codec_property import assert_codec

ESME, USER = Eui64(0x00DB1234567890A0), Eui64(0x90B3D51F30010000)
MIDNIGHT = 1_420_070_400 * SECOND  # 2015-01-01T00:00:00Z

PUBLISHED = [
    (
        ecs70.Command(MIDNIGHT - 50 * SECOND, MIDNIGHT + 10 * SECOND, 1002),
        "D9200003EA00 05 0200080000010000FF09 0300080000010000FF05 0300080000010000FF04 0100080000010000FF02"
        "0100080000010000FF04 05 1605 0203 090CFFFFFFFFFFFFFFFFFF8000FF 090C07DE0C1FFF173B0A008000FF"
        "090C07DF0101FF00000A008000FF 0F00 00 00",
    ),
    (
        ecs70.Response(MIDNIGHT, 0, 1000),
        "DA200003E800 00 05 00 00 00 090C07DF0101FF000000008000FF 1100 05 0200 0300 0300 0100 0100",
    ),
    (ecs70.Response(None, 0, 1002), "DA200003EA00 00 05 0000000000 05 0200 0300 0300 0101 01FA"),
    (
        gcs28.Command(MIDNIGHT - 1800 * SECOND, MIDNIGHT + 1800 * SECOND),
        "3022 180F32303134313233313233333030305A 180F32303135303130313030333030305A",
    ),
    (gcs28.Response(MIDNIGHT, gcs28.ClockStatus.UNRELIABLE), "3014 180F32303135303130313030303030305A 020102"),
    (gcs13a.Command(), "010901 010702000B 000000 0203 0103 0003 0000"),
    (
        ecs17b.Command(1000, USER, ESME),
        "D9200003E800 01 03001E00002B0208FF01 01 0202 0101 0205 120001 090600005E2C220A 0F02 120000 0202 1600 00"
        "0101 0202 1602 0205 09090400000000000003E8 090890B3D51F30010000 090800DB1234567890A0 0900 0202 1602"
        "0202 090102 0900",
    ),
    (ecs17b.Registers(10, 0x0A), "0201 0204 060000000A 0202 0F00 161E 060000000A 0202 0F00 1620"),
    (ecs17b.Registers(10, 0x0A, 10), "0201 0205 060000000A 0202 0F00 161E 060000000A 0202 0F00 1620 060000000A"),
]


@pytest.mark.parametrize(("value", "published"), PUBLISHED, ids=lambda each: type(each).__module__.rsplit(".")[-1])
def test_published_payloads(value: ecs70.Command, published: str) -> None:
    octets = bytes.fromhex(published)
    assert value.encode() == octets
    assert type(value).decode(octets) == value


def test_what_tells_success() -> None:
    assert ecs70.Response(MIDNIGHT).success
    assert not ecs70.Response(None).success
    assert not ecs70.Response(MIDNIGHT, 1).success
    assert gcs28.Response(MIDNIGHT).success
    assert not gcs28.Response(MIDNIGHT, gcs28.ClockStatus.INVALID).success


times = st.integers(0, 4_000_000_000).map(lambda seconds: seconds * SECOND)
counters = st.integers(0, 2**24 - 1)


@pytest.mark.parametrize(
    "values",
    [
        st.builds(ecs70.Command, times, times, counters),
        st.builds(ecs70.Response, times, st.integers(0, 255), counters) | st.builds(ecs70.Response, st.none()),
        st.builds(gcs28.Command, times, times),
        st.builds(gcs28.Response, times, st.sampled_from(gcs28.ClockStatus) | st.integers(3, 255)),
        st.builds(ecs17b.Command, st.integers(0, 2**64 - 1), st.just(USER), st.just(ESME)),
    ],
    ids=["ecs70 command", "ecs70 response", "gcs28 command", "gcs28 response", "ecs17b command"],
)
def test_payloads_survive_and_noise_is_harmless(values: st.SearchStrategy[ecs70.Command]) -> None:
    decoders = (ecs70.Command, ecs70.Response, gcs28.Command, gcs28.Response, ecs17b.Command)

    def decode(octets: bytes) -> Any:  # noqa: ANN401 - a value of any of them
        for kind in decoders:
            try:
                return kind.decode(octets)
            except DecodeError:
                continue
        raise DecodeError("none of them", data=octets)

    assert_codec(values, lambda value: value.encode(), decode, noise=st.binary(max_size=60), examples=40)


def test_another_read_is_refused() -> None:
    with pytest.raises(DecodeError, match="not the components of the use case"):
        gcs13a.Command.decode(bytes.fromhex("010901 0107020005 000000 0602"))
