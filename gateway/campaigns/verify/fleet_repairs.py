"""MP105 in a fleet: what lost responses of 11.3 did to the inventory, and what repaired it."""

from collections import Counter
from collections.abc import Iterator

from gateway.campaigns.verify.check import Check, conclude, count
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.fleet_view import (
    AFTER,
    BEFORE,
    History,
    lost_outcomes,
    step,
    told_versions,
    wrong_records,
)
from gateway.campaigns.verify.messages import SUPPLIER, Exchange
from gateway.campaigns.verify.windows import activations
from protocols.addresses import Eui64
from protocols.duis.alerts import DeviceRestored, DeviceStatusChangeEvent

_SUSPENDED = "Suspended"


def check_loss(evidence: Evidence) -> Iterator[Check]:
    """MP105-R7: where the response was lost the device runs the new version; the inventory has the old, Suspended."""
    facts, faults = list[str](), list[str]()
    before, history = step(evidence, BEFORE) or 0, History(evidence)
    lost = [one for one in lost_outcomes(evidence) if one.time < before]
    for one in lost:
        version = history.at(one.device, "firmware_version", before)
        status = history.at(one.device, "status", before)
        if version == one.version:
            faults.append(f"{evidence.name(one.device)}: the inventory has {version}, though nothing reached the DSP")
        elif evidence.files.summary["plan"]["removed"] and status != _SUSPENDED:
            faults.append(f"{evidence.name(one.device)}: {version} is off the products list, the status is {status}")
    if lost:
        facts.append(f"{count(len(lost), 'response')} of 11.3 lost, as many records with the old version, Suspended")
    yield conclude("MP105-R7", "lost responses leave records wrong", facts=facts, faults=faults, missing="none lost")


def check_repair(evidence: Evidence) -> Iterator[Check]:
    """MP105-R10: how many records are wrong before and after the repair; none is after it."""
    facts, faults = list[str](), list[str]()
    before, after = step(evidence, BEFORE), step(evidence, AFTER)
    meters = len(told_versions(evidence))
    if before is not None and after is not None:
        wrong, left = wrong_records(evidence, before), wrong_records(evidence, after)
        figures = f"{count(meters, 'device')}: {len(wrong)} records wrong before the repair, {len(left)} after"
        (faults if left or not wrong else facts).append(figures)
    yield conclude("MP105-R10", "records right after the repair", facts=facts, faults=faults, missing="no repair")


def _reads_while_suspended(evidence: Evidence) -> list[Exchange]:
    history = History(evidence)
    reads = evidence.users.of_service("11.2")
    return [read for read in reads if history.at(read.target, "status", read.time - 1) == _SUSPENDED]


def check_reads(evidence: Evidence) -> Iterator[Check]:
    """MP105-R1, R2: 11.2 of a Suspended device is taken and answered, and its answer corrects version and status."""
    facts, faults = list[str](), list[str]()
    history = History(evidence)
    reads = _reads_while_suspended(evidence)
    corrected = 0
    for read in reads:
        label = f"{read.place} to {evidence.name(read.target)}"
        answered = evidence.users.answer_of_device(read)
        if read.code != "I99" or answered is None:
            faults.append(
                f"{label}: {read.code or 'no answer'}, {'no ' if answered is None else ''}answer of the device"
            )
            continue
        version = history.changed(read.target, "firmware_version", read.time)
        status = history.changed(read.target, "status", read.time)
        if version is None or status is None or not str(version["cause"]).startswith("11.2"):
            faults.append(f"{label}: answered, and the record stays as it was")
        else:
            corrected += 1
    if reads:
        facts.append(
            f"{count(len(reads), 'Suspended device')} read by 11.2, {corrected} records corrected by the answer"
        )
    yield conclude("MP105-R1", "11.2 while Suspended", facts=facts, faults=faults, missing="no 11.2 while Suspended")
    yield conclude(
        "MP105-R2", "11.2 corrects the record", facts=facts, faults=faults, missing="no 11.2 while Suspended"
    )


def check_restored(evidence: Evidence) -> Iterator[Check]:
    """MP105-R3: the status comes back without a further request, and N29 tells the supplier."""
    facts, faults = list[str](), list[str]()
    told = Counter(
        alert.device_id
        for mail, code, alert in evidence.users.dcc_alerts(DeviceStatusChangeEvent)
        if code == "N29" and isinstance(alert.change, DeviceRestored) and mail.user == SUPPLIER
    )
    before = step(evidence, BEFORE) or 0
    restored = [
        row for row in evidence.files.store.get("inventory_history", ())
        if row["field"] == "status" and row["old"] == _SUSPENDED and row["time"] >= before
    ]  # fmt: skip
    for row in restored:
        device = Eui64.parse(row["device"])
        if told[device] != 1:
            faults.append(f"{evidence.name(device)} is {row['new']} again, told by {told[device]} N29")
    facts += [f"{count(len(restored), 'device')} restored, an N29 each"] if restored else []
    yield conclude("MP105-R3", "restored without a further step", facts=facts, faults=faults, missing="none restored")


def check_retries(evidence: Evidence) -> Iterator[Check]:
    """MP105-R8, R9: the response to a repeated 11.3 corrects the version, and the status of a Suspended device."""
    facts, faults = list[str](), list[str]()
    before, history = step(evidence, BEFORE), History(evidence)
    retried = [one for one in activations(evidence) if before is not None and one.accepted >= before]
    statuses: Counter[str] = Counter()
    for one in retried:
        status = history.at(one.device, "status", one.accepted)
        change = history.changed(one.device, "firmware_version", one.accepted)
        statuses[str(status)] += 1
        if change is None or not str(change["cause"]).startswith("11.3"):
            faults.append(f"{evidence.name(one.device)}, {status}: 11.3 repeated, and the version stays as it was")
    facts += [
        f"{count(number, f'{status} device')} corrected by a repeated 11.3" for status, number in statuses.items()
    ]
    missing = "no 11.3 repeated"
    if _SUSPENDED in statuses or not retried:
        yield conclude("MP105-R8", "repeated 11.3 restores", facts=facts, faults=faults, missing=missing)
    if set(statuses) - {_SUSPENDED} or not retried:
        yield conclude("MP105-R9", "repeated 11.3 corrects any device", facts=facts, faults=faults, missing=missing)
