"""The table of use cases: complete, consistent with the reference messages, and found by name."""

import pytest

from protocols.gbcs.alert_names import alert_name
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Category, Cra, Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import use_case_of
from protocols.gbcs.use_cases.table import USE_CASES, DeviceKind, Language, by_name
from tests.support import use_cases as uc
from tests.support.vectors import rtds_keystore, rtds_names, rtds_octets

KINDS = {
    0xA0: DeviceKind.ESME,
    0xA1: DeviceKind.GSME,
    0xA2: DeviceKind.CHF,
    0xA3: DeviceKind.GPF,
    0xA4: DeviceKind.PPMID,
    0xA5: DeviceKind.HCALCS,
    0xA6: DeviceKind.SAPC,
}
MODULE_CODES = {
    uc.ccs01: (uc.ccs01.MESSAGE_CODE,),
    uc.ccs02: (uc.ccs02.MESSAGE_CODE,),
    uc.ccs03: (uc.ccs03.MESSAGE_CODE,),
    uc.ccs04: (uc.ccs04.MESSAGE_CODE, uc.ccs04.CHECKING_MESSAGE_CODE),
    uc.ccs07: (uc.ccs07.MESSAGE_CODE,),
    uc.ccs08: (uc.ccs08.MESSAGE_CODE,),
    uc.cs02a: (uc.cs02a.MESSAGE_CODE, uc.cs02a.LOAD_CONTROLLER_MESSAGE_CODE),
    uc.cs02b: (
        uc.cs02b.ALERT_MESSAGE_CODE,
        uc.cs02b.LOAD_CONTROLLER_ALERT_MESSAGE_CODE,
        *uc.cs02b.MESSAGE_CODES.values(),
    ),
    uc.cs03: (uc.cs03.MESSAGE_CODE_A1, uc.cs03.MESSAGE_CODE_A2, uc.cs03.MESSAGE_CODE_B, uc.cs03.MESSAGE_CODE_C),
    uc.cs04: (uc.cs04.MESSAGE_CODE_AC, uc.cs04.MESSAGE_CODE_B),
    uc.cs06: (uc.cs06.MESSAGE_CODE, uc.cs06.ALERT_MESSAGE_CODE),
    uc.cs07: (uc.cs07.MESSAGE_CODE,),
    uc.cs08: (uc.cs08.MESSAGE_CODE,),
    uc.cs09: (uc.cs09.MESSAGE_CODE,),
    uc.cs14: (uc.cs14.MESSAGE_CODE,),
    uc.ecs23: (uc.ecs23.MESSAGE_CODE, uc.ecs23.THREE_PHASES_MESSAGE_CODE),
    uc.ecs61a: (uc.ecs61a.MESSAGE_CODE,),
    uc.ecs35: (uc.ecs35.EVENT_MESSAGE_CODE, uc.ecs35.SECURITY_MESSAGE_CODE, uc.ecs35.POWER_MESSAGE_CODE),
    uc.ecs52: (uc.ecs52.MESSAGE_CODE,),
    uc.ecs17b: (uc.ecs17b.MESSAGE_CODE,),
    uc.gcs13a: (uc.gcs13a.MESSAGE_CODE,),
    uc.undelivered: (uc.undelivered.MESSAGE_CODE, uc.undelivered.SUB_GHZ_MESSAGE_CODE),
    uc.ecs70: (uc.ecs70.MESSAGE_CODE,),
    uc.gcs28: (uc.gcs28.MESSAGE_CODE,),
    uc.ecs80: (uc.ecs80.MESSAGE_CODE,),
    uc.ecs100: (uc.ecs100.MESSAGE_CODE,),
    uc.fdra: (uc.fdra.MESSAGE_CODE, uc.fdra.GSME_MESSAGE_CODE),
    uc.gcs38: (uc.gcs38.MESSAGE_CODE,),
    uc.gcs59: (uc.gcs59.MESSAGE_CODE,),
    uc.gcs62: (uc.gcs62.MESSAGE_CODE,),
    uc.miiwa: (uc.miiwa.MESSAGE_CODE, uc.miiwa.GSME_MESSAGE_CODE),
    uc.generic_alert: (uc.generic_alert.CRITICAL_MESSAGE_CODE, uc.generic_alert.NON_CRITICAL_MESSAGE_CODE),
}


def test_every_module_stands_in_the_table_under_its_codes() -> None:
    listed = {row.message_code: row.module for row in USE_CASES.values() if row.module is not None}
    expected = {code: module.__name__.rpartition(".")[2] for module, codes in MODULE_CODES.items() for code in codes}
    assert listed == expected


def test_every_code_of_the_sheet_has_a_name() -> None:
    others = (0x0014, 0x0092, 0x00FA, 0x0093, 0x0094, 0x0062, 0x007F, 0x000A, 0x000B, 0x000C, 0x011B, 0x00CC, 0x00CD)
    sub_ghz = (*range(0x010A, 0x010F), *range(0x0110, 0x0116), 0x0121, 0x0122, 0x0123, 0x0124, 0x0125, 0x0126, 0x00D5)
    assert [f"{code:04X}" for code in (*others, *sub_ghz) if use_case_of(code) == "unknown"] == []
    assert use_case_of(0x0114) == "DBCH10"
    assert use_case_of(0xFFFF) == "unknown"


def test_names_are_unique() -> None:
    names = [row.name for row in USE_CASES.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("CS06", [0x0012]),
        ("cs06", [0x0012]),
        ("CCS05", [0x0004]),
        ("ccs04", [0x0004]),
        ("CCS05/CCS04", [0x0004]),
        ("0012", [0x0012]),
        ("012b", [0x012B]),
        ("CS02b supplier by TCoS", [0x0107]),
        ("CS02b", [0x00CB, *range(0x0100, 0x010A)]),
        ("CS02g", [0x0124, 0x0125, 0x0126]),
        ("generic critical alert", [0x1000]),
        ("ECS70", [0x0062]),
        ("CS", []),
        ("", []),
    ],
)
def test_a_use_case_is_found_by_name_or_code(name: str, codes: list[int]) -> None:
    assert [row.message_code for row in by_name(name)] == codes


@pytest.mark.judge("rtds")
@pytest.mark.parametrize("name", rtds_names())
def test_a_reference_message_is_as_its_row_says(name: str) -> None:
    message = Message.decode(rtds_octets(name))
    row = USE_CASES[message.message_code]
    assert message.cra in row.directions
    if message.cra is Cra.ALERT:
        assert row.critical == (message.category is Category.CRITICAL_ALERT)
    languages = {b"\x01\x09": Language.GBZ, b"\xd9": Language.DLMS, b"\xda": Language.DLMS, b"\x0f": Language.DLMS}
    found = next((kind for head, kind in languages.items() if message.payload.startswith(head)), Language.DER)
    assert found in row.languages


@pytest.mark.judge("rtds")
@pytest.mark.parametrize("name", [name for name in rtds_names() if "_COMMAND_" in name])
def test_a_reference_command_is_allowed_by_a_row_that_is_not_inferred(name: str) -> None:
    message = Message.decode(rtds_octets(name))
    certificate = rtds_keystore().certificate(message.originator, "ds")
    assert certificate is not None
    assert certificate.role is not None
    row = USE_CASES[message.message_code]
    on_behalf = message.supplementary_party is not None
    access = row.access_of(certificate.role, KINDS[message.target & 0xFF], on_behalf=on_behalf)
    assert access is not None
    assert not access.inferred
    signed = access.signed if access.signed is not None else row.critical
    if access.devices != (DeviceKind.CHF,):
        assert signed == bool(message.signature)
    assert access.mac == (message.mac is not None)


def test_only_the_broker_touches_the_log_of_the_hub() -> None:
    for code in (0x0001, 0x0002, 0x0003, 0x0004, 0x010F, 0x00FE):
        allowed = {access.originator for access in USE_CASES[code].access}
        assert allowed == {RemotePartyRole.ACCESS_CONTROL_BROKER}
        assert USE_CASES[code].access_of(RemotePartyRole.SUPPLIER, DeviceKind.CHF) is None
        assert USE_CASES[code].access_of(RemotePartyRole.ACCESS_CONTROL_BROKER, DeviceKind.ESME) is None


def test_reads_are_not_replay_protected_and_changes_are() -> None:
    assert [
        use_case_of(row.message_code)
        for row in USE_CASES.values()
        if row.module and Cra.COMMAND in row.directions and not row.replay_protected
    ] == [
        "CCS05/CCS04",
        "CS02a",
        "CS07",
        "ECS17b",
        "ECS23",
        "ECS35a",
        "ECS35b",
        "ECS52",
        "GCS13a",
        "GCS38",
        "ECS35e",
        "ECS61a",
        "ECS23b",
        "CCS07",
        "CCS06",
        "CS02f",
        "CS08",
    ]


def test_every_alert_code_that_is_built_has_a_meaning() -> None:
    assert [code.name for code in AlertCode if alert_name(code) == "unknown"] == []
    assert alert_name(0x8F36) == "supply restored, 3 minutes or more"
    assert alert_name(0x8002) == "average voltage above the over-voltage threshold"
    assert alert_name(0x809C) == "voltage back above the sag threshold, phase 3"
    assert alert_name(0x8010) == "over-current"
    assert alert_name(0x9999) == "unknown"
