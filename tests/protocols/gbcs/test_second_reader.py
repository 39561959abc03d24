"""The generic tree reads every payload our builders make, to the same values in the order of the wire.

The tree shares no code with the builders, so a mistake in one of them shows here.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.gbcs import tree_der
from protocols.gbcs.cells import CellIdentifier
from protocols.gbcs.codes import DeviceType
from protocols.gbcs.device_log import DeviceState, HashedKey, LogBackup, LogEntry
from protocols.gbcs.payloads import Payload
from protocols.gbcs.smki import TestPki
from protocols.gbcs.tree import READINGS, to_tree
from tests.support import gbcs_payloads as drawn
from tests.support import use_cases as uc
from tests.support.gbcs_payloads import PAYLOADS
from tests.support.vectors import ROOT

Leaf = int | str
Leaves = list[Leaf]

_NOT_VALUES = ("tag", "type", "form", "length_octets", *READINGS)
CERTIFICATES = [TestPki(SeededEntropy(1), 0).device(Eui64(5)).ka_certificate.der, TestPki(SeededEntropy(2), 0).root.der]

certificates = st.sampled_from(CERTIFICATES)
STRATEGIES: dict[type, st.SearchStrategy[Any]] = PAYLOADS | {
    uc.cs02b.Command: st.builds(
        uc.cs02b.Command, drawn.controls, drawn.lists(st.builds(uc.cs02b.Replacement, certificates, drawn.cells)),
        drawn.lists(certificates), st.none() | drawn.instants,
    ),
    uc.cs03.Command: st.builds(
        uc.cs03.Command, drawn.codes(uc.cs03.MethodAndRole), drawn.euis, drawn.codes(DeviceType),
        st.none() | certificates,
    ),
}  # fmt: skip
CLASSES = sorted(STRATEGIES, key=lambda kind: (kind.__module__, kind.__name__))


def leaves(node: object) -> Iterator[Leaf]:
    """Yield the values of a tree in order."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name not in _NOT_VALUES:
                yield from leaves(value)
    elif isinstance(node, list):
        for item in node:
            yield from leaves(item)
    elif isinstance(node, int | str):
        yield node


def hexadecimal(value: bytes | Eui64) -> str:
    return (value.big if isinstance(value, Eui64) else value).hex().upper()


def version(number: int) -> str:
    return f"{number:08X}"


def day_and_time(instant: int) -> tuple[int, int, int, int, int, int]:
    """Return year to second by counting days, without the builders' help."""
    days, rest = divmod(instant // 1_000_000_000, 86_400)
    year = 1970
    while days >= (length := 366 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 365):
        days, year = days - length, year + 1
    february = 29 if length == 366 else 28
    month = 1
    for size in (31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31):
        if days < size:
            break
        days, month = days - size, month + 1
    return year, month, days + 1, rest // 3600, rest // 60 % 60, rest % 60


def generalized(instant: int) -> str:
    return "{:04}{:02}{:02}{:02}{:02}{:02}Z".format(*day_and_time(instant))


def dlms_time(instant: int) -> str:
    year, month, day, hour, minute, second = day_and_time(instant)
    return f"{year:04X}{month:02X}{day:02X}FF{hour:02X}{minute:02X}{second:02X}008000FF"


def zigbee_time(instant: int) -> int:
    return instant // 1_000_000_000 - 946_684_800


def usage(octet: int) -> str:
    """Return a BIT STRING of one octet: how many trailing bits do not count, and the octet."""
    return f"{next(bit for bit in range(8) if octet >> bit & 1):02X}{octet:02X}"


# --- parts ----------------------------------------------------------------------------------------------------------


def cell(value: CellIdentifier) -> Leaves:
    return [value.role, usage(value.key_usage), *([value.cell_usage] if value.cell_usage else [])]


def specialists(values: Iterable[uc.cs02b.SpecialistCounter] | None) -> Leaves:
    return [leaf for value in values or () for leaf in (value.usage, value.floor)]


def changes(values: Iterable[uc.cs02b.CounterChange] | None) -> Leaves:
    listed = Leaves()
    for value in values or ():
        listed += [value.role, value.floor, *specialists(value.specialist_floors)]
    return listed


def signed(number: int) -> str:
    """Return an INTEGER's content, which stays hexadecimal under an implicit tag."""
    return f"{number:0{2 * (number.bit_length() // 8 + 1)}X}"


def control(value: uc.cs02b.Control) -> Leaves:
    return [
        value.mode,
        *([] if value.symmetric_key is None else [hexadecimal(value.symmetric_key)]),
        *(["01"] if value.time_checks else []),
        *([] if value.authorising_cell is None else cell(value.authorising_cell)),
        signed(value.counter),
        *([] if value.floor is None else [signed(value.floor)]),
        *specialists(value.specialist_floors),
        *changes(value.other_changes),
    ]


def certificate(octets: bytes) -> Leaves:
    return list(leaves(tree_der.decode(octets, 0)))


def credential_outcome(value: uc.cs02b.Outcome) -> Leaves:
    listed: Leaves = [value.counter, value.mode, *changes(value.changes)]
    for item in value.cells:
        listed += [*cell(item.cell), item.status, hexadecimal(item.old_entity), hexadecimal(item.old_key_id)]
        listed += [hexadecimal(item.new_entity), hexadecimal(item.new_key_id)]
    return listed


def outcome(value: uc.cs06.Outcome) -> Leaves:
    return [value.code, version(value.firmware_version)]


def party(value: uc.cs02a.RemoteParty) -> Leaves:
    listed: Leaves = [value.role, value.status]
    if value.counter is not None:
        listed.append(value.counter)
        for held in value.cells:
            listed += [usage(held.key_usage), *([held.cell_usage] if held.cell_usage else [])]
            listed += [hexadecimal(held.entity), hexadecimal(held.key_id)]
    return listed


def entries(values: Iterable[LogEntry]) -> Leaves:
    return [leaf for value in values for leaf in (hexadecimal(value.device), value.device_type)]


def keys(values: Iterable[HashedKey]) -> Leaves:
    return [hexadecimal(octets) for value in values for octets in (value.device, value.key_hash)]


def backup(value: LogBackup | None) -> Leaves:
    if value is None:
        return []
    return [dlms_time(value.time), hexadecimal(value.extended_pan_id), *keys(value.keys)]


def state(value: DeviceState) -> Leaves:
    return [
        hexadecimal(value.device), 8, f"{value.status:02X}",
        value.max_rssi, value.average_rssi, value.min_rssi, value.max_lqi, value.average_lqi, value.min_lqi,
        hexadecimal(value.last_communication),
        value.hops, value.failures, value.successes, value.application_version, value.stack_version,
    ]  # fmt: skip


LOG, HISTORIC, CLOCK = "00001E0300FF", "00001E0301FF", "0000010000FF"
COSEM = {LOG: 0x0068, HISTORIC: 0x0068, CLOCK: 0x0008}  # classes: ZigBee network control, clock


def request(counter: int, *members: tuple[str, int, str]) -> Leaves:
    """Return the head of an access request: choice, member and instance each."""
    listed: Leaves = [f"20{counter:06X}", ""]
    for choice, member, instance in members:
        listed += [choice, COSEM[instance], instance, member]
    return listed


def response(counter: int, data: Leaves, *results: tuple[str, int]) -> Leaves:
    return [f"20{counter:06X}", "", *data, *(leaf for result in results for leaf in result)]


def selected(instance: str, begin: int, end: int) -> Leaves:
    """Return a request for the rows of a log from begin to end."""
    return ["get-with-selection", 7, instance, 2, 1, 1, "00005E2C64FF", 2, 0, zigbee_time(begin), zigbee_time(end)]


def voltage_requests(begin: int, end: int, phases: int) -> Leaves:
    asked = Leaves()
    for phase in range(phases):
        quantity = f"0100{32 + 20 * phase:02X}"
        counters = (f"{quantity}200004", f"{quantity}240004")
        asked += [leaf for each in counters for member in (2, 3) for leaf in ("get", 3, each, member)]
        asked += [*selected(f"{quantity}1800FF", begin, end), "get", 7, f"{quantity}1800FF", 4]
    return asked


def voltages(phase: uc.ecs23.Phase) -> Leaves:
    found: Leaves = [phase.under, 0, 255, phase.over, 0, 255]
    if phase.averages is not None:
        found += ["02020606", "".join(f"{zigbee_time(each.end):08X}{each.volts:08X}" for each in phase.averages)]
    return found if phase.period is None else [*found, phase.period]


def log_rows(response: uc.ecs35.Response) -> Leaves:
    if response.log is None:
        return []
    event = response.log is uc.ecs35.Log.EVENT
    rows = ""
    for each in response.entries:
        rows += f"{zigbee_time(each.time):08X}{each.code:04X}"
        rows += "" if not event else f"{len(each.other):02X}" if len(each.other) < 128 else f"81{len(each.other):02X}"
        rows += hexadecimal(each.other)
    return [{0: "0203061209", 1: "02020612", 4: "0203061206"}[response.log], rows]


def switches(response: uc.ecs61a.Response) -> Leaves:
    found: Leaves = [*map(hexadecimal, response.descriptions), *map(hexadecimal, response.hcalcs)]
    found += [leaf for day in response.special_days for leaf in (day.index, hexadecimal(day.date), day.schedule)]
    for each in response.entries:
        found += [each.index, 0xFF if each.enabled else 0, "00000A0067FF", each.switch << 8 | (1 if each.closes else 2)]
        found += [hexadecimal(each.time), 0xFFFF, 7, f"{each.weekdays << 1:02X}", 4, f"{each.special_days << 4:02X}"]
        found += [hexadecimal(each.begin), hexadecimal(each.end)]
    return found + [0xFF if state else 0 for state in response.states if state is not None]


def protection(counter: int, originator: Eui64, recipient: Eui64) -> Leaves:
    """Return the options of a protected value: transaction, parties, nothing more, key agreed by their two keys."""
    return [f"04{counter:016X}", hexadecimal(originator), hexadecimal(recipient), "", 2, "02", ""]


def notification(alert: Any, *more: Leaf) -> Leaves:  # noqa: ANN401 - any DLMS alert
    return [f"20{alert.counter:06X}", "", alert.alert_code, dlms_time(alert.time), *more]


def gbz_alert(alert: Any, content: str) -> Leaves:  # noqa: ANN401 - any ZigBee alert
    return [1 if content else 0, f"{alert.alert_code:04X}", zigbee_time(alert.time), content]


# --- payloads -------------------------------------------------------------------------------------------------------

EXPECTED: dict[type, Callable[[Any], Leaves]] = {
    uc.ccs01.Command: lambda p: [
        *request(p.counter, ("action", 1, LOG), ("set", 3, LOG), ("set", 2, LOG)),
        hexadecimal(p.device), 1, hexadecimal(p.install_code), p.device_type, p.join_timeout,
        0xFF if p.open_joining else 0,
    ],
    uc.ccs01.Response: lambda p: response(
        p.counter, [], ("action", p.register), ("set", p.join_timeout), ("set", p.open_joining)
    ),
    uc.ccs02.Command: lambda p: [*request(p.counter, ("action", 2, LOG)), hexadecimal(p.device)],
    uc.ccs02.Response: lambda p: response(p.counter, [], ("action", p.result)),
    uc.ccs03.Command: lambda p: [
        *request(p.counter, ("action", 5, LOG)), hexadecimal(p.extended_pan_id), *keys(p.keys)
    ],
    uc.ccs03.Response: lambda p: response(p.counter, [], ("action", p.result)),
    uc.ccs04.Command: lambda p: request(p.counter, ("get", 4, LOG)),
    uc.ccs04.Response: lambda p: response(
        p.counter, [leaf for device in p.devices or () for leaf in state(device)], ("get", p.result)
    ),
    uc.ccs07.Command: lambda p: request(p.counter, ("action", 4, LOG), ("action", 4, HISTORIC)),
    uc.ccs07.Response: lambda p: response(
        p.counter, backup(p.log) + backup(p.historic_log), ("action", p.log_result), ("action", p.historic_log_result)
    ),
    uc.ccs08.Alert: lambda p: [
        p.alert_code, generalized(p.time), hexadecimal(p.device), version(p.firmware_version), p.code
    ],
    uc.cs02a.Command: lambda p: [*cell(p.authorising_cell), *p.roles],
    uc.cs02a.Response: lambda p: [leaf for item in p.parties for leaf in party(item)],
    uc.cs02b.Command: lambda p: [
        *control(p.control),
        *(leaf for item in p.replacements for leaf in certificate(item.certificate) + cell(item.cell)),
        *(leaf for octets in p.path for leaf in certificate(octets)),
        *([] if p.execution_time is None else [generalized(p.execution_time)]),
    ],
    uc.cs02b.Response: lambda p: ["", *([] if p.outcome is None else credential_outcome(p.outcome))],
    uc.cs02b.Alert: lambda p: [p.alert_code, generalized(p.execution_time), *credential_outcome(p.outcome)],
    uc.cs03.Command: lambda p: [
        p.method_and_role, hexadecimal(p.device), p.device_type, *(certificate(p.certificate) if p.certificate else [])
    ],
    uc.cs03.Response: lambda p: [p.code],
    uc.cs04.Command: lambda p: [hexadecimal(p.device)],
    uc.cs04.Response: lambda p: [p.code],
    uc.cs06.Command: lambda p: [
        hexadecimal(p.image_hash), p.originator_counter,
        *([] if p.execution_time is None else [generalized(p.execution_time)]),
    ],
    uc.cs06.Response: lambda p: [""] if p.outcome is None else outcome(p.outcome),
    uc.cs06.Alert: lambda p: [
        p.alert_code, generalized(p.execution_time), p.originator_counter, *outcome(p.outcome)
    ],
    uc.cs07.Command: lambda p: [""],
    uc.cs07.Response: lambda p: [p.code, *entries(p.entries or ())],
    uc.cs08.Command: lambda p: [""],
    uc.cs08.Response: lambda p: [version(p.firmware_version), p.code],
    uc.cs09.Alert: lambda p: [p.alert_code, generalized(p.time), version(p.firmware_version), p.code],
    uc.cs14.Alert: lambda p: notification(p, *backup(p.log)),
    uc.ecs100.Alert: lambda p: notification(p, f"{p.command_message_code:04X}{p.command_counter:016X}"),
    uc.ecs17b.Command: lambda p: [
        f"20{p.counter & 0xFFFFFF:06X}", "", "action", 0x1E, "00002B0208FF", 1,
        1, "00005E2C220A", 2, 0, 0, 2, *protection(p.counter, p.originator, p.target),
    ],
    uc.ecs17b.Response: lambda p: response(
        p.counter,
        [] if p.protected is None
        else [
            2, *protection(p.protected.counter, p.protected.originator, p.protected.recipient),
            hexadecimal(p.protected.sealed),
        ],
        ("action", p.result),
    ),
    uc.ecs23.Command: lambda p: [f"20{p.counter:06X}", "", *voltage_requests(p.begin, p.end, p.phases)],
    uc.ecs23.Response: lambda p: response(
        p.counter, [leaf for phase in p.phases for leaf in voltages(phase)],
        *(("get", result) for phase in p.phases for result in (0, 0, 0, 0, phase.averages_result, phase.period_result)),
    ),
    uc.ecs35.Command: lambda p: [
        f"20{p.counter:06X}", "", *selected(f"00006362{p.log:02X}FF", p.begin, p.end)
    ],
    uc.ecs35.Response: lambda p: response(p.counter, log_rows(p), ("get", p.result)),
    uc.ecs61a.Command: lambda p: [
        f"20{p.counter:06X}", "",
        *(leaf for n in (*range(11, 16), *range(21, 26)) for leaf in ("get", 1, f"00005E2C00{n:02X}", 2)),
        "get", 11, "00000B0003FF", 2, "get", 10, "00000C0002FF", 2,
        *(leaf for n in range(1, 6) for leaf in ("get", 70, f"00{n:02X}60030AFF", 2)),
    ],
    uc.ecs61a.Response: lambda p: response(
        p.counter, switches(p), *(("get", 0),) * 12, *(("get", result) for result in p.results)
    ),
    uc.ecs52.Command: lambda p: [f"20{p.counter:06X}", "", "get", 1, "0000000201FF", 2],
    uc.ecs52.Response: lambda p: response(
        p.counter, [] if p.firmware_version is None else [version(p.firmware_version)], ("get", p.result)
    ),
    uc.ecs70.Command: lambda p: [
        *request(
            p.counter, ("set", 9, CLOCK), ("action", 5, CLOCK), ("action", 4, CLOCK), ("get", 2, CLOCK),
            ("get", 4, CLOCK),
        ),
        5, "FFFFFFFFFFFFFFFFFF8000FF", dlms_time(p.start), dlms_time(p.end), 0,
    ],
    uc.ecs70.Response: lambda p: response(
        p.counter, [] if p.time is None else [dlms_time(p.time), p.status], ("set", 0), ("action", 0), ("action", 0),
        ("get", 0 if p.time is not None else 1), ("get", 0 if p.time is not None else 250),
    ),
    uc.ecs80.Alert: lambda p: notification(p, dlms_time(p.interruption), dlms_time(p.restoration)),
    uc.fdra.Alert: lambda p: notification(p, hexadecimal(p.image_hash)),
    uc.fdra.GsmeAlert: lambda p: gbz_alert(p, "0920" + hexadecimal(p.image_hash)),
    uc.gcs13a.Command: lambda p: [1, "0702", 0, 0, 0, "0203010300030000"],
    uc.gcs13a.Response: lambda p: [3, "0702", "0000", 8, 0, 1, hexadecimal(p.sealed)],
    uc.gcs28.Command: lambda p: [generalized(p.start), generalized(p.end)],
    uc.gcs28.Response: lambda p: [generalized(p.time), p.status],
    uc.gcs38.Command: lambda p: [1, "0702", 0, 0, 0, "0602"],
    uc.gcs38.Response: lambda p: [
        1, "0702", 8, 0, 1,
        f"0602{p.status:02X}" + ("" if p.firmware_version is None else f"4104{p.firmware_version:08X}"),
    ],
    uc.gcs59.Command: lambda p: entries(p.entries),
    uc.gcs59.Response: lambda p: [leaf for item in p.outcomes for leaf in [*entries([item.entry]), item.code]],
    uc.gcs62.Alert: lambda p: [p.alert_code, generalized(p.time), *entries(p.entries)],
    uc.generic_alert.Alert: lambda p: notification(p),
    uc.generic_alert.GsmeAlert: lambda p: gbz_alert(p, ""),
    uc.miiwa.Alert: lambda p: notification(p, f"{p.cause:04X}"),
    uc.undelivered.Alert: lambda p: notification(
        p, f"{p.originator:016X}{p.target:016X}{p.cra:02X}{p.message_counter:016X}"
    ),
    uc.miiwa.GsmeAlert: lambda p: gbz_alert(p, f"{p.cause:04X}"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CLASSES, ids=[f"{k.__module__.rpartition('.')[2]}.{k.__name__}" for k in CLASSES])
def test_the_tree_reads_the_values_that_were_built(kind: type[Payload]) -> None:
    @settings(max_examples=60, deadline=None, database=None)
    @given(STRATEGIES[kind])
    def reads(payload: Payload) -> None:
        tree = to_tree(payload.encode(), alert=kind.__name__.endswith("Alert"))
        assert list(leaves({name: value for name, value in tree.items() if name != "form"})) == EXPECTED[kind](payload)

    reads()


def imports_of(module: str) -> set[str]:
    """Return the modules of protocols.gbcs that a module imports, and those they import."""
    path = ROOT / Path(*module.split(".")).with_suffix(".py")
    found, waiting = set[str](), [path]
    while waiting:
        for node in ast.walk(ast.parse(waiting.pop().read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("protocols.gbcs"):
                for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                    file = ROOT / Path(*name.split(".")).with_suffix(".py")
                    if file.is_file() and name not in found:
                        found.add(name)
                        waiting.append(file)
    return {name.removeprefix("protocols.gbcs.") for name in found}


def test_the_tree_shares_no_code_with_the_builders() -> None:
    shared = imports_of("protocols.gbcs.tree") & imports_of("protocols.gbcs.payloads")
    assert imports_of("protocols.gbcs.tree") >= {"tree_der", "tree_dlms", "tree_gbz", "tree_octets"}
    assert shared == set()
