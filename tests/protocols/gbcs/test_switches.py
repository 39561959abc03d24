"""ECS61a: the switches of an ESME, in the published form."""

import pytest

from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.use_cases import ecs61a
from protocols.gbcs.use_cases.ecs61a import Entry, SpecialDay

SUMMER = bytes.fromhex("FFFF0615FF"), bytes.fromhex("FFFF0915FF")
NONE = Eui64(0)
COMMAND = (
    "D9200003EA00 11"
    + "".join(f"01 0001 00005E2C00{n:02X} 02" for n in (*range(0x0B, 0x10), *range(0x15, 0x1A)))
    + "01 000B 00000B0003FF 02  01 000A 00000C0002FF 02"
    + "".join(f"01 0046 00{n:02X}60030AFF 02" for n in range(1, 6))
    + "11" + "00" * 17
)  # fmt: skip
RESPONSE = (
    "DA200003EB00 00 11 0A12 414C43535F315F4465736372697074696F6E 0A03 414243 0A00 0A00 0A00"
    "0908 0000000000000000 0908 00DB123456789097 0908 0000000000000000 0908 0000000000000000 0908 0000000000000000"
    "0102 0203 120001 0905 FFFF0C19FF 1101 0203 120003 0905 07DF0403FF 1103"
    "0102 020A 120001 03FF 0906 00000A0067FF 120101 0904 07000000 12FFFF 0407FE 040400 0905 FFFFFFFFFF 0905 FFFFFFFFFF"
    "020A 120005 03FF 0906 00000A0067FF 120202 0904 0E000000 12FFFF 040706 0404F0 0905 FFFF0615FF 0905 FFFF0915FF"
    "03FF 0300 03FF 00 00 11" + "0100" * 15 + "0101 01FA"
)
VALUE = ecs61a.Response(
    (b"ALCS_1_Description", b"ABC", b"", b"", b""),
    (NONE, Eui64(0x00DB123456789097), NONE, NONE, NONE),
    (SpecialDay(1, bytes.fromhex("FFFF0C19FF"), 1), SpecialDay(3, bytes.fromhex("07DF0403FF"), 3)),
    (
        Entry(1, 1, True, bytes((7, 0, 0, 0))),
        Entry(5, 2, False, bytes((14, 0, 0, 0)), 3, 15, *SUMMER),
    ),
    (True, False, True, None, None),
    (AccessResult.SUCCESS,) * 3 + (AccessResult.HARDWARE_FAULT, AccessResult.OTHER_REASON),
    1003,
)


def test_published_payloads() -> None:
    command, response = bytes.fromhex(COMMAND), bytes.fromhex(RESPONSE)
    assert ecs61a.Command(1002).encode() == command
    assert ecs61a.Command.decode(command) == ecs61a.Command(1002)
    assert VALUE.encode() == response
    assert ecs61a.Response.decode(response) == VALUE


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("0101 01FA", "0100 01FA"),  # a success without a state
        ("0300 03FF", "0300 00"),  # a failure that is told as none
        ("120101", "120103"),  # a script that is none
        ("040706", "040707"),  # an eighth day
        ("0A03 414243", "0903 414243"),
        ("0102 0203 120001", "0103 0203 120001"),
        ("0905 07DF0403FF 1103", "0904 07DF0403 1103"),
    ],
)
def test_another_response_is_refused(right: str, wrong: str) -> None:
    with pytest.raises(DecodeError):
        ecs61a.Response.decode(bytes.fromhex(RESPONSE.replace(right, wrong)))


@pytest.mark.parametrize("wrong", [COMMAND + "00", COMMAND.replace("00005E2C000C", "00005E2C000D"), COMMAND[:-2]])
def test_another_command_is_refused(wrong: str) -> None:
    with pytest.raises(DecodeError):
        ecs61a.Command.decode(bytes.fromhex(wrong))
