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
from protocols.gbcs.encryption import Protected
from protocols.gbcs.envelope import Cra
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.times import LAST_SECOND, ZIGBEE_EPOCH
from protocols.interfaces import SECOND
from tests.support import use_cases as uc
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
averages = lists(st.builds(uc.ecs23.Average, zigbee_instants, uint32))
phases = (
    st.builds(uc.ecs23.Phase, uint32, uint32, averages, uint32, success, success)
    | st.builds(uc.ecs23.Phase, uint32, uint32, st.none(), uint32, failures, success)
    | st.builds(uc.ecs23.Phase, uint32, uint32, averages, st.none(), success, failures)
)
LOG_DATA = {
    uc.ecs35.Log.EVENT: st.binary(max_size=200), uc.ecs35.Log.SECURITY: st.just(b""), uc.ecs35.Log.POWER: octets(4)
}  # fmt: skip
switch_times = st.builds(
    uc.ecs61a.Entry, uint16, st.integers(1, 5), st.booleans(), octets(4), st.integers(0, 0x7F), st.integers(0, 0xF),
    octets(5), octets(5), st.booleans(),
)  # fmt: skip
install_codes = st.sampled_from(uc.ccs01.INSTALL_CODE_LENGTHS).flatmap(octets)
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
contents = st.builds(uc.cs02a.CellContents, key_usages, cell_usages, euis, octets(8))
specialists = st.builds(uc.cs02b.SpecialistCounter, codes(uc.cs02b.CounterUsage), uint64)
changes = st.builds(uc.cs02b.CounterChange, roles, uint64, st.none() | lists(specialists))
controls = st.builds(
    uc.cs02b.Control,
    codes(uc.cs02b.Mode), uint64, st.none() | cells, st.none() | uint64, st.none() | lists(specialists),
    st.none() | lists(changes), st.sampled_from(uc.cs02b.TimeChecks), st.none() | st.binary(max_size=32),
)  # fmt: skip
cell_outcomes = st.builds(uc.cs02b.CellOutcome, cells, statuses, euis, octets(8), euis, octets(8))
credential_outcomes = st.builds(uc.cs02b.Outcome, uint64, codes(uc.cs02b.Mode), lists(changes), lists(cell_outcomes))
outcomes = st.builds(uc.cs06.Outcome, codes(uc.cs06.OutcomeCode), uint32)
entries = st.builds(LogEntry, euis, codes(DeviceType))
keys = st.builds(HashedKey, euis, st.just(b"") | octets(16))
backups = st.builds(LogBackup, instants, euis, lists(keys))
states = st.builds(
    DeviceState, euis, uint8, int8, int8, int8, uint8, uint8, uint8, octets(12), uint8, uint8, uint8, uint8, uint8
)

PAYLOADS: dict[type, Strategy] = {
    uc.ccs01.Command: st.builds(
        uc.ccs01.Command, euis, install_codes, codes(uc.ccs01.LogDeviceType), uint16, st.booleans(), uint24
    ),
    uc.ccs01.Response: st.builds(uc.ccs01.Response, results, results, results, uint24),
    uc.ccs02.Command: st.builds(uc.ccs02.Command, euis, uint24),
    uc.ccs02.Response: st.builds(uc.ccs02.Response, results, uint24),
    uc.ccs03.Command: st.builds(uc.ccs03.Command, euis, lists(keys), uint24),
    uc.ccs03.Response: st.builds(uc.ccs03.Response, results, uint24),
    uc.ccs04.Command: st.builds(uc.ccs04.Command, uint24),
    uc.ccs04.Response: st.builds(uc.ccs04.Response, lists(states), success, uint24)
    | st.builds(uc.ccs04.Response, st.none(), failures, uint24),
    uc.ccs07.Command: st.builds(uc.ccs07.Command, uint24),
    uc.ccs07.Response: st.builds(uc.ccs07.Response, backups, backups, success, success, uint24)
    | st.builds(uc.ccs07.Response, backups, st.none(), success, failures, uint24)
    | st.builds(uc.ccs07.Response, st.none(), st.none(), failures, failures, uint24),
    uc.ccs08.Alert: st.builds(uc.ccs08.Alert, alert_codes, instants, euis, uint32, codes(uc.ccs08.TransferCode)),
    uc.cs02a.Command: st.builds(uc.cs02a.Command, cells, lists(roles)),
    uc.cs02a.Response: st.builds(
        uc.cs02a.Response,
        lists(
            st.builds(uc.cs02a.RemoteParty, roles, statuses)
            | st.builds(uc.cs02a.RemoteParty, roles, statuses, uint64, lists(contents))
        ),
    ),
    uc.cs02b.Command: st.builds(
        uc.cs02b.Command, controls, lists(st.builds(uc.cs02b.Replacement, certificates, cells)), lists(certificates),
        st.none() | instants,
    ),
    uc.cs02b.Response: st.builds(uc.cs02b.Response, st.none() | credential_outcomes),
    uc.cs02b.Alert: st.builds(uc.cs02b.Alert, alert_codes, instants, credential_outcomes),
    uc.cs03.Command: st.builds(
        uc.cs03.Command, codes(uc.cs03.MethodAndRole), euis, codes(DeviceType), st.none() | certificates
    ),
    uc.cs03.Response: st.builds(uc.cs03.Response, codes(JoinCode)),
    uc.cs04.Command: st.builds(uc.cs04.Command, euis),
    uc.cs04.Response: st.builds(uc.cs04.Response, codes(uc.cs04.UnjoinCode)),
    uc.cs06.Command: st.builds(uc.cs06.Command, octets(32), uint64, st.none() | instants),
    uc.cs06.Response: st.builds(uc.cs06.Response, st.none() | outcomes),
    uc.cs06.Alert: st.builds(uc.cs06.Alert, alert_codes, instants, uint64, outcomes),
    uc.cs07.Command: st.builds(uc.cs07.Command),
    uc.cs07.Response: st.builds(uc.cs07.Response, st.none() | lists(entries), codes(uc.cs07.ReadCode)),
    uc.cs08.Command: st.builds(uc.cs08.Command),
    uc.cs08.Response: st.builds(uc.cs08.Response, uint32, codes(uc.cs08.ReadCode)),
    uc.cs09.Alert: st.builds(uc.cs09.Alert, instants, uint32, codes(uc.cs09.ActivationCode), alert_codes),
    uc.cs14.Alert: st.builds(uc.cs14.Alert, instants, backups, alert_codes, uint24),
    uc.ecs100.Alert: st.builds(uc.ecs100.Alert, instants, uint16, uint64, alert_codes, uint24),
    uc.ecs17b.Command: st.builds(uc.ecs17b.Command, uint64, euis, euis),
    uc.ecs17b.Response: st.builds(
        uc.ecs17b.Response, st.builds(Protected, uint64, euis, euis, st.binary(max_size=200)), success, uint24
    )
    | st.builds(uc.ecs17b.Response, st.none(), failures, uint24),
    uc.ecs23.Command: st.builds(uc.ecs23.Command, zigbee_instants, zigbee_instants, st.sampled_from((1, 3)), uint24),
    uc.ecs23.Response: st.builds(
        uc.ecs23.Response, phases.map(lambda each: (each,)) | st.tuples(phases, phases, phases), uint24
    ),
    uc.ecs35.Command: st.builds(
        uc.ecs35.Command, st.sampled_from(uc.ecs35.Log), zigbee_instants, zigbee_instants, uint24
    ),
    uc.ecs35.Response: st.sampled_from(tuple(LOG_DATA)).flatmap(
        lambda log: st.builds(
            uc.ecs35.Response, st.just(log),
            lists(st.builds(uc.ecs35.Entry, zigbee_instants, uint16, LOG_DATA[log])), success, uint24,
        )
    )
    | st.builds(uc.ecs35.Response, st.none(), st.just(()), failures, uint24),
    uc.ecs52.Command: st.builds(uc.ecs52.Command, uint24),
    uc.ecs52.Response: st.builds(uc.ecs52.Response, uint32, success, uint24)
    | st.builds(uc.ecs52.Response, st.none(), failures, uint24),
    uc.ecs61a.Command: st.builds(uc.ecs61a.Command, uint24),
    uc.ecs61a.Response: st.lists(
        st.tuples(st.booleans(), success) | st.tuples(st.none(), failures), min_size=5, max_size=5
    ).flatmap(
        lambda states: st.builds(
            uc.ecs61a.Response, st.tuples(*(st.binary(max_size=20),) * 5), st.tuples(*(euis,) * 5),
            lists(st.builds(uc.ecs61a.SpecialDay, uint16, octets(5), uint8)), lists(switch_times),
            st.just(tuple(state for state, _ in states)), st.just(tuple(code for _, code in states)), uint24,
        )
    ),
    uc.ecs70.Command: st.builds(uc.ecs70.Command, instants, instants, uint24),
    uc.ecs70.Response: st.builds(uc.ecs70.Response, instants, uint8, uint24)
    | st.builds(uc.ecs70.Response, st.none(), st.just(0), uint24),
    uc.ecs80.Alert: st.builds(uc.ecs80.Alert, alert_codes, instants, instants, instants, uint24),
    uc.fdra.Alert: st.builds(uc.fdra.Alert, alert_codes, instants, octets(32), uint24),
    uc.fdra.GsmeAlert: st.builds(uc.fdra.GsmeAlert, alert_codes, zigbee_instants, octets(32)),
    uc.gcs13a.Command: st.builds(uc.gcs13a.Command),
    uc.gcs13a.Response: st.builds(uc.gcs13a.Response, st.binary(min_size=17, max_size=90)),
    uc.gcs28.Command: st.builds(uc.gcs28.Command, instants, instants),
    uc.gcs28.Response: st.builds(uc.gcs28.Response, instants, codes(uc.gcs28.ClockStatus)),
    uc.gcs38.Command: st.builds(uc.gcs38.Command),
    uc.gcs38.Response: st.builds(uc.gcs38.Response, uint32)
    | st.builds(uc.gcs38.Response, st.none(), codes(ZclStatus).filter(lambda status: status != ZclStatus.SUCCESS)),
    uc.gcs59.Command: st.builds(uc.gcs59.Command, lists(entries)),
    uc.gcs59.Response: st.builds(uc.gcs59.Response, lists(st.builds(uc.gcs59.Restored, entries, codes(JoinCode)))),
    uc.gcs62.Alert: st.builds(uc.gcs62.Alert, instants, lists(entries), alert_codes),
    uc.generic_alert.Alert: st.builds(uc.generic_alert.Alert, alert_codes, instants, uint24),
    uc.generic_alert.GsmeAlert: st.builds(uc.generic_alert.GsmeAlert, alert_codes, zigbee_instants),
    uc.miiwa.Alert: st.builds(uc.miiwa.Alert, instants, codes(uc.miiwa.Cause, uint16), alert_codes, uint24),
    uc.undelivered.Alert: st.builds(
        uc.undelivered.Alert, instants, euis, euis, codes(Cra), uint64, alert_codes, uint24
    ),
    uc.miiwa.GsmeAlert: st.builds(uc.miiwa.GsmeAlert, zigbee_instants, codes(uc.miiwa.Cause, uint16), alert_codes),
}  # fmt: skip
