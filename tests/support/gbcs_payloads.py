"""Strategies for every payload of `protocols.gbcs.use_cases`, by class."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.gbcs.cells import CellIdentifier, CellUsage, KeyUsage
from protocols.gbcs.codes import (
    AccessResult,
    AlertCode,
    CredentialStatus,
    DeviceType,
    JoinCode,
    ZclStatus,
    named,
)
from protocols.gbcs.device_log import DeviceState, HashedKey, LogBackup, LogEntry
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.times import LAST_SECOND, ZIGBEE_EPOCH
from protocols.gbcs.use_cases import (
    ccs01,
    ccs02,
    ccs03,
    ccs04,
    ccs07,
    ccs08,
    cs02a,
    cs02b,
    cs03,
    cs04,
    cs06,
    cs07,
    cs08,
    cs09,
    cs14,
    ecs52,
    ecs80,
    ecs100,
    fdra,
    gcs38,
    gcs59,
    gcs62,
    generic_alert,
    miiwa,
)  # fmt: skip
from protocols.interfaces import SECOND
from tests.support.codec_property import uint8, uint16, uint32, uint64

Strategy = st.SearchStrategy[Any]


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    """Return an instant, ns since 1970 UTC."""
    return round(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * SECOND


def codes(table: Any, numbers: st.SearchStrategy[int] = uint8) -> Strategy:  # noqa: ANN401 - any IntEnum
    return numbers.map(lambda number: named(table, number))


def lists(items: Strategy) -> Strategy:
    return st.lists(items, max_size=4).map(tuple)


def octets(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=length, max_size=length)


uint24 = st.integers(0, 0xFFFFFF)
int8 = st.integers(-128, 127)
instants = st.integers(0, LAST_SECOND // SECOND).map(lambda second: second * SECOND)
zigbee_instants = uint32.map(lambda second: ZIGBEE_EPOCH + second * SECOND)
euis = st.builds(Eui64, uint64)
alert_codes = codes(AlertCode, uint16)
results = codes(AccessResult)
failures = results.filter(lambda result: result != AccessResult.SUCCESS)
success = st.just(AccessResult.SUCCESS)
install_codes = st.sampled_from(ccs01.INSTALL_CODE_LENGTHS).flatmap(octets)
certificates = st.binary(max_size=300).map(
    lambda body: (
        b"\x30\x82" + len(body).to_bytes(2, "big") + body
        if len(body) > 0xFF
        else b"\x30" + (b"\x81" if len(body) > 0x7F else b"") + bytes((len(body),)) + body
    )
)

key_usages = codes(KeyUsage, st.integers(1, 255))
cell_usages = codes(CellUsage)
roles = codes(RemotePartyRole)
cells = st.builds(CellIdentifier, roles, key_usages, cell_usages)
statuses = codes(CredentialStatus)
contents = st.builds(cs02a.CellContents, key_usages, cell_usages, euis, octets(8))
specialists = st.builds(cs02b.SpecialistCounter, codes(cs02b.CounterUsage), uint64)
changes = st.builds(cs02b.CounterChange, roles, uint64, st.none() | lists(specialists))
controls = st.builds(
    cs02b.Control,
    codes(cs02b.Mode), uint64, st.none() | cells, st.none() | uint64, st.none() | lists(specialists),
    st.none() | lists(changes), st.sampled_from(cs02b.TimeChecks), st.none() | st.binary(max_size=32),
)  # fmt: skip
cell_outcomes = st.builds(cs02b.CellOutcome, cells, statuses, euis, octets(8), euis, octets(8))
credential_outcomes = st.builds(cs02b.Outcome, uint64, codes(cs02b.Mode), lists(changes), lists(cell_outcomes))
outcomes = st.builds(cs06.Outcome, codes(cs06.OutcomeCode), uint32)
entries = st.builds(LogEntry, euis, codes(DeviceType))
keys = st.builds(HashedKey, euis, st.just(b"") | octets(16))
backups = st.builds(LogBackup, instants, euis, lists(keys))
states = st.builds(
    DeviceState, euis, uint8, int8, int8, int8, uint8, uint8, uint8, octets(12), uint8, uint8, uint8, uint8, uint8
)

PAYLOADS: dict[type, Strategy] = {
    ccs01.Command: st.builds(
        ccs01.Command, euis, install_codes, codes(ccs01.LogDeviceType), uint16, st.booleans(), uint24
    ),
    ccs01.Response: st.builds(ccs01.Response, results, results, results, uint24),
    ccs02.Command: st.builds(ccs02.Command, euis, uint24),
    ccs02.Response: st.builds(ccs02.Response, results, uint24),
    ccs03.Command: st.builds(ccs03.Command, euis, lists(keys), uint24),
    ccs03.Response: st.builds(ccs03.Response, results, uint24),
    ccs04.Command: st.builds(ccs04.Command, uint24),
    ccs04.Response: st.builds(ccs04.Response, lists(states), success, uint24)
    | st.builds(ccs04.Response, st.none(), failures, uint24),
    ccs07.Command: st.builds(ccs07.Command, uint24),
    ccs07.Response: st.builds(ccs07.Response, backups, backups, success, success, uint24)
    | st.builds(ccs07.Response, backups, st.none(), success, failures, uint24)
    | st.builds(ccs07.Response, st.none(), st.none(), failures, failures, uint24),
    ccs08.Alert: st.builds(ccs08.Alert, alert_codes, instants, euis, uint32, codes(ccs08.TransferCode)),
    cs02a.Command: st.builds(cs02a.Command, cells, lists(roles)),
    cs02a.Response: st.builds(
        cs02a.Response,
        lists(
            st.builds(cs02a.RemoteParty, roles, statuses)
            | st.builds(cs02a.RemoteParty, roles, statuses, uint64, lists(contents))
        ),
    ),
    cs02b.Command: st.builds(
        cs02b.Command, controls, lists(st.builds(cs02b.Replacement, certificates, cells)), lists(certificates),
        st.none() | instants,
    ),
    cs02b.Response: st.builds(cs02b.Response, st.none() | credential_outcomes),
    cs02b.Alert: st.builds(cs02b.Alert, alert_codes, instants, credential_outcomes),
    cs03.Command: st.builds(
        cs03.Command, codes(cs03.MethodAndRole), euis, codes(DeviceType), st.none() | certificates
    ),
    cs03.Response: st.builds(cs03.Response, codes(JoinCode)),
    cs04.Command: st.builds(cs04.Command, euis),
    cs04.Response: st.builds(cs04.Response, codes(cs04.UnjoinCode)),
    cs06.Command: st.builds(cs06.Command, octets(32), uint64, st.none() | instants),
    cs06.Response: st.builds(cs06.Response, st.none() | outcomes),
    cs06.Alert: st.builds(cs06.Alert, alert_codes, instants, uint64, outcomes),
    cs07.Command: st.builds(cs07.Command),
    cs07.Response: st.builds(cs07.Response, st.none() | lists(entries), codes(cs07.ReadCode)),
    cs08.Command: st.builds(cs08.Command),
    cs08.Response: st.builds(cs08.Response, uint32, codes(cs08.ReadCode)),
    cs09.Alert: st.builds(cs09.Alert, instants, uint32, codes(cs09.ActivationCode), alert_codes),
    cs14.Alert: st.builds(cs14.Alert, instants, backups, alert_codes, uint24),
    ecs100.Alert: st.builds(ecs100.Alert, instants, uint16, uint64, alert_codes, uint24),
    ecs52.Command: st.builds(ecs52.Command, uint24),
    ecs52.Response: st.builds(ecs52.Response, uint32, success, uint24)
    | st.builds(ecs52.Response, st.none(), failures, uint24),
    ecs80.Alert: st.builds(ecs80.Alert, alert_codes, instants, instants, instants, uint24),
    fdra.Alert: st.builds(fdra.Alert, alert_codes, instants, octets(32), uint24),
    fdra.GsmeAlert: st.builds(fdra.GsmeAlert, alert_codes, zigbee_instants, octets(32)),
    gcs38.Command: st.builds(gcs38.Command),
    gcs38.Response: st.builds(gcs38.Response, uint32)
    | st.builds(gcs38.Response, st.none(), codes(ZclStatus).filter(lambda status: status != ZclStatus.SUCCESS)),
    gcs59.Command: st.builds(gcs59.Command, lists(entries)),
    gcs59.Response: st.builds(gcs59.Response, lists(st.builds(gcs59.Restored, entries, codes(JoinCode)))),
    gcs62.Alert: st.builds(gcs62.Alert, instants, lists(entries), alert_codes),
    generic_alert.Alert: st.builds(generic_alert.Alert, alert_codes, instants, uint24),
    generic_alert.GsmeAlert: st.builds(generic_alert.GsmeAlert, alert_codes, zigbee_instants),
    miiwa.Alert: st.builds(miiwa.Alert, instants, codes(miiwa.Cause, uint16), alert_codes, uint24),
    miiwa.GsmeAlert: st.builds(miiwa.GsmeAlert, zigbee_instants, codes(miiwa.Cause, uint16), alert_codes),
}  # fmt: skip
