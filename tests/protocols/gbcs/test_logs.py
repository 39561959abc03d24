"""ECS23 and ECS35: logs read between two times, in the published form."""

import pytest

from protocols.errors import DecodeError, UsageError
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.use_cases import ecs23, ecs35
from protocols.interfaces import DAY, HOUR, SECOND

MIDNIGHT = 1_420_070_400 * SECOND  # 2015-01-01
RANGE = "01 0204 0204 120001 090600005E2C64FF 0F02 120000 06{:08X} 06{:08X} 0100"
NEW_YEAR = 0x1C374A80
_ECS23 = (
    "01 0003 0100{0:02X}200004 02  01 0003 0100{0:02X}200004 03  01 0003 0100{0:02X}240004 02"
    "01 0003 0100{0:02X}240004 03  04 0007 0100{0:02X}1800FF 02"
    + RANGE.format(0x1C34A744, NEW_YEAR)
    + "01 0007 0100{0:02X}1800FF 04"
)
PUBLISHED = [
    (
        ecs23.Command(MIDNIGHT - 2 * DAY - 60 * SECOND, MIDNIGHT, 1, 1002),
        "D9200003EA00 06" + _ECS23.format(0x20) + "06 000000000000",
    ),
    (
        ecs23.Command(MIDNIGHT - 2 * DAY - 60 * SECOND, MIDNIGHT, 3, 1002),
        "D9200003EA00 12" + "".join(_ECS23.format(quantity) for quantity in (0x20, 0x34, 0x48)) + "12" + "00" * 18,
    ),
    (
        ecs23.Response(
            (ecs23.Phase(147, 239, None, None, AccessResult.HARDWARE_FAULT, AccessResult.OTHER_REASON),), 1003
        ),
        "DA200003EB00 00 06 0600000093 0202 0F00 16FF 06000000EF 0202 0F00 16FF 00 00"
        "06 0100 0100 0100 0100 0101 01FA",
    ),
    (
        ecs23.Response(
            (ecs23.Phase(1, 2, (ecs23.Average(MIDNIGHT - HOUR, 240), ecs23.Average(MIDNIGHT, 241)), 3600),), 1002
        ),
        "DA200003EA00 00 06 0600000001 0202 0F00 16FF 0600000002 0202 0F00 16FF"
        "13 0202 06 06 10 1C373C70 000000F0 1C374A80 000000F1 0600000E10 06 0100 0100 0100 0100 0100 0100",
    ),
    (
        ecs35.Command(ecs35.Log.SECURITY, MIDNIGHT - DAY, MIDNIGHT, 1000),
        "D9200003E800 01 04 0007 0000636201FF 02" + RANGE.format(0x1C35F900, NEW_YEAR) + "01 00",
    ),
    (ecs35.Response(None, (), AccessResult.HARDWARE_FAULT, 1002), "DA200003EA00 00 01 00 01 0101"),
    (
        ecs35.Response(ecs35.Log.SECURITY, (ecs35.Entry(MIDNIGHT, 0x8F1C),), counter=1000),
        "DA200003E800 00 01 13 0202 06 12 06 1C374A80 8F1C 01 0100",
    ),
    (
        ecs35.Response(
            ecs35.Log.EVENT, (ecs35.Entry(MIDNIGHT, 0x8154, bytes.fromhex("009B")), ecs35.Entry(MIDNIGHT, 0x8F01)),
            counter=1000,
        ),
        "DA200003E800 00 01 13 0203 06 12 09 10 1C374A80 8154 02 009B 1C374A80 8F01 00 01 0100",
    ),
    (
        ecs35.Response(ecs35.Log.POWER, (ecs35.Entry(MIDNIGHT, 0x8F58, bytes.fromhex("00000021")),), counter=1000),
        "DA200003E800 00 01 13 0203 06 12 06 0A 1C374A80 8F58 00000021 01 0100",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "published"), PUBLISHED)
def test_published_payloads(value: ecs23.Command, published: str) -> None:
    octets = bytes.fromhex(published)
    assert value.encode() == octets
    assert type(value).decode(octets) == value


BROKEN = [
    (ecs23.Command, "D9200003EA00 12" + "".join(_ECS23.format(q) for q in (0x20, 0x34)) + "12" + "00" * 12),
    (ecs23.Command, "D9200003EA00 06" + _ECS23.format(0x20).replace("1C374A80", "1C374A8") + "06 000000000000"),
    (ecs35.Command, "D9200003E800 01 04 0007 0000636202FF 02" + RANGE.format(0, NEW_YEAR) + "01 00"),
    (ecs35.Command, "D9200003E800 01 04 0007 0000636201FF 02" + RANGE.format(0, 1).replace("0F02", "0F03") + "01 00"),
    (ecs35.Response, "DA200003E800 00 01 13 0202 06 12 05 1C374A80 8F 01 0100"),  # half an entry
    (ecs35.Response, "DA200003E800 00 01 13 0202 06 11 05 1C374A80 8F 01 0100"),  # other columns
    (ecs35.Response, "DA200003E800 00 01 13 0202 06 12 00 01 0101"),  # a log, and a failure
    (ecs23.Response, "DA200003EB00 00 00 00"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "octets"), BROKEN)
def test_what_is_not_of_the_use_case_is_refused(kind: type[ecs23.Command], octets: str) -> None:
    digits = "".join(octets.split())
    with pytest.raises(DecodeError):
        kind.decode(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def test_other_information_that_a_log_has_no_room_for_is_refused() -> None:
    with pytest.raises(UsageError, match="security log"):
        ecs35.Response(ecs35.Log.SECURITY, (ecs35.Entry(MIDNIGHT, 1, b"x"),)).encode()
