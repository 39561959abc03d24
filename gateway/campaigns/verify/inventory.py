"""The inventory against what devices and users said: versions, variants, records of every attempt."""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.gbcs_view import Verdict, payload_of, version_read
from gateway.campaigns.verify.updates import notices, upgrade_alerts
from protocols.addresses import Eui64
from protocols.duis.alerts import ActivateImageResultCode
from protocols.duis.identifiers import RequestId
from protocols.errors import DecodeError
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs06
from protocols.interfaces import SECOND

DELIVERY = 1 * SECOND  # a user may read a message up to this long before or after the DSP's turn


class Change(NamedTuple):
    """The inventory took a new firmware version for a device."""

    time: int
    device: Eui64
    old: str
    new: str
    cause: str


class Told(NamedTuple):
    """A version some message gave for a device."""

    time: int
    device: Eui64
    version: str  # eight upper-case hexadecimal digits
    source: str


def version_changes(evidence: Evidence) -> list[Change]:
    """Return the changes of firmware versions, without the first one of a new device."""
    return [
        Change(row["time"], Eui64.parse(row["device"]), row["old"], row["new"] or "", row["cause"])
        for row in evidence.files.store.get("inventory_history", ())
        if row["field"] == "firmware_version" and row["old"]
    ]


def current_version(evidence: Evidence, device: Eui64) -> str | None:
    """Return the version the inventory ended with."""
    for row in evidence.files.store.get("inventory", ()):
        if row["device"] == str(device):
            return str(row["firmware_version"])
    return None


def version_at(evidence: Evidence, device: Eui64, time: int) -> str | None:
    """Return the version the inventory held at `time`, changes of that instant included."""
    changes = [change for change in version_changes(evidence) if change.device == device]
    if not changes:
        return current_version(evidence, device)
    held = changes[0].old
    for change in changes:
        if change.time <= time:
            held = change.new
    return held


def read_answers(evidence: Evidence) -> list[Told]:
    """Return the versions users read by 11.2."""
    found = []
    for mail, octets in evidence.users.device_answers():
        message = _decoded(octets)
        version = None if message is None else version_read(message)
        if message is not None and version is not None:
            found.append(Told(mail.time, message.originator, f"{version:08X}", f"answer to 11.2 {mail.place}"))
    return found


def _decoded(octets: bytes) -> Message | None:
    try:
        return Message.decode(octets)
    except DecodeError:
        return None


def success_alerts(evidence: Evidence) -> list[Told]:
    """Return the versions of the N39 that tell a successful activation."""
    found = []
    for mail, alert in upgrade_alerts(evidence):
        upgrade = alert.firmware_upgrade
        if upgrade is not None and upgrade.result is ActivateImageResultCode.ACTIVATION_SUCCESS:
            found.append(Told(mail.time, alert.device_id, upgrade.firmware_version.upper(), f"N39 {mail.place}"))
    return found


# --- what the inventory may take up --------------------------------------------------------------------------------


def check_changes_confirmed(evidence: Evidence) -> Iterator[Check]:
    """MP170-R6: the version of a PPMID or bridge changes upon its N39 or an 11.2 answer, and each N39 changes it."""
    class_ = (*evidence.ppmids, *evidence.bridges)
    alerts = success_alerts(evidence)
    sources = alerts + read_answers(evidence)
    facts, faults = list[str](), list[str]()
    for change in version_changes(evidence):
        if change.device not in class_:
            continue
        label = f"{evidence.name(change.device)} {change.old} to {change.new} at {utc(change.time)}"
        fitting = [t for t in sources if (t.device, t.version) == (change.device, change.new)]
        before = [told for told in fitting if told.time - DELIVERY <= change.time]
        if before:
            facts.append(f"{label}, confirmed by {before[-1].source}")
        else:
            cause = f"; the store says {change.cause}"
            first = f", the first confirmation is of {utc(fitting[0].time)}" if fitting else ", never confirmed"
            faults.append(label + first + cause)
    for alert in alerts:
        held = version_at(evidence, alert.device, alert.time + DELIVERY)
        if held != alert.version:
            faults.append(f"{evidence.name(alert.device)}: {alert.source} says {alert.version}, inventory has {held}")
    missing = "the inventory took no version of a PPMID or bridge"
    yield conclude("MP170-R6", "inventory follows confirmations", facts=facts, faults=faults, missing=missing)


def check_reads_followed(evidence: Evidence) -> Iterator[Check]:
    """MP170-R7 and C15: a version read by 11.2 stands in the inventory after the answer."""
    facts, faults, of_bridges = list[str](), list[str](), list[str]()
    for told in read_answers(evidence):
        held = version_at(evidence, told.device, told.time + DELIVERY)
        label = f"{evidence.name(told.device)}: {told.source} says {told.version} at {utc(told.time)}"
        if held != told.version:
            faults.append(f"{label}, inventory has {held}")
        else:
            facts.append(f"{label}, inventory the same")
            of_bridges += [label] if told.device in evidence.bridges else []
    name = "inventory equals what 11.2 read"
    yield conclude("MP170-C15", name, facts=facts, faults=faults, missing="no answer to an 11.2")
    unread = [] if of_bridges or faults else ["no bridge's version was read by 11.2"]
    unread += [
        f"{exchange.place} was accepted and never answered by {evidence.name(exchange.target)}"
        for exchange in evidence.users.of_service("11.2")
        if exchange.accepted
        and not evidence.stranded(exchange.target, exchange.time)
        and evidence.users.answer_of_device(exchange) is None
    ]
    name = "suppliers read the version of a bridge"
    yield conclude("MP170-R7", name, facts=of_bridges, faults=faults + unread, missing="no answer to an 11.2")


def check_variants(evidence: Evidence) -> Iterator[Check]:
    """MP170-R11: the last 8.2 tells each bridge from a PPMID, as the 12.2 did."""
    inventory = evidence.users.last_inventory()
    facts, faults = list[str](), list[str]()
    for device in (*evidence.ppmids, *evidence.bridges):
        given, entry = evidence.prenotified[device].ppmid_variant, inventory.get(device)
        if entry is None:
            faults.append(f"{device} is in no answer to 8.2")
        elif entry.ppmid_variant is not given:
            faults.append(f"{device}: 12.2 gave {given}, 8.2 tells {entry.ppmid_variant}")
        else:
            facts.append(f"{device} is {given}")
    for device, entry in inventory.items():
        if entry.ppmid_variant is not None and device not in (*evidence.ppmids, *evidence.bridges):
            faults.append(f"{device}, {entry.device_type}, has the variant {entry.ppmid_variant}")
    if not evidence.bridges:
        faults.append("no bridge was pre-notified")
    yield conclude("MP170-R11", "8.2 tells bridges from PPMIDs", facts=facts, faults=faults, missing="no PPMID")


# --- records of every attempt --------------------------------------------------------------------------------------


def check_records(evidence: Evidence) -> Iterator[Check]:
    """MP170-R5: every attempt has its record, and all views name the same current version."""
    facts, faults = list[str](), list[str]()
    attempts = 0
    for exchange in evidence.users.of_service("11.1", "11.4"):
        blocked = () if exchange.warning is None else exchange.warning.other_request_in_progress
        for device in (*exchange.taken, *blocked):
            attempts += 1
            wrong = _record_fault(evidence, exchange.request.request_id, device, blocked=device in blocked)
            faults += [f"{exchange.place} for {evidence.name(device)}: {wrong}"] if wrong else []
    if attempts:
        facts.append(f"{count(attempts, 'attempt')} recorded with their outcome")
    agreed = 0
    for device, versions in _views(evidence).items():
        if len(set(versions.values())) > 1:
            told = ", ".join(f"{view} {version}" for view, version in versions.items())
            faults.append(f"{evidence.name(device)}: {told}")
        agreed += 1
    facts += [f"versions of {count(agreed, 'device')} agree in all views"] if agreed else []
    yield conclude("MP170-R5", "records of attempts and versions", facts=facts, faults=faults, missing="no attempt")


def _record_fault(evidence: Evidence, request_id: RequestId, device: Eui64, *, blocked: bool) -> str:
    history = evidence.rows_of("firmware_update_history", request_id, device)
    states = [str(row["state"]) for row in history]
    if blocked:
        return "" if states == ["Blocked"] else f"history {states or 'empty'}, not Blocked"
    rows = evidence.rows_of("firmware_updates", request_id, device)
    if not rows or not states:
        return "no record"
    if rows[0]["state"] != states[-1]:
        return f"state {rows[0]['state']}, history ends with {states[-1]}"
    if rows[0]["state"] in OPEN_STATES:
        return f"state {rows[0]['state']} at the end of the run"
    return ""


OPEN_STATES = ("Requested", "Delivered", "Transferred")


def _views(evidence: Evidence) -> dict[Eui64, dict[str, str]]:
    """Return by updated device what each view says of its version: store, 8.2, summary, the device on the air."""
    inventory = evidence.users.last_inventory()
    ordered = dict.fromkeys(d for e in evidence.users.of_service("11.1", "11.4") for d in e.taken)
    views: dict[Eui64, dict[str, str]] = {}
    for device in ordered:
        views[device] = view = {"store": current_version(evidence, device) or "none"}
        if device in inventory:
            view["8.2"] = inventory[device].device_firmware_version or "none"
        told = last_told(evidence, device)
        if told is not None:
            view[told.source] = told.version
    for entry in evidence.files.summary.get("devices", []):
        eui = Eui64.parse(entry["eui"])
        if eui in views and entry.get("to_version"):
            views[eui]["summary"] = str(entry["to_version"]).upper()
    return views


def last_told(evidence: Evidence, device: Eui64) -> Told | None:
    """Return what the device itself said last of its version, over the air."""
    told = [Told(r.time, r.device, f"{r.version:08X}", "Query Next Image") for r in evidence.air.running]
    told = [t for t in told if t.device == device]
    told += [
        Told(notice.carried.time, device, f"{notice.alert.firmware_version:08X}", "8F8B")
        for notice in notices(evidence, device)
        if notice.activated and notice.carried.valid
    ]
    for carried in evidence.air.carried:
        if carried.upward and carried.device == device and carried.judged is not None:
            version = outcome_version(carried.judged.message) or version_read(carried.judged.message)
            if version is not None and carried.judged.signature is not Verdict.INVALID:
                told.append(Told(carried.time, device, f"{version:08X}", f"message {carried.code:04X}"))
    return max(told, key=lambda t: t.time, default=None)


def outcome_version(message: Message) -> int | None:
    """Return the version running according to an answer to CS06 or the alert of a dated one."""
    outcome = None
    if message.cra is Cra.RESPONSE and message.message_code == cs06.MESSAGE_CODE:
        answer = payload_of(cs06.Response.decode, message)
        outcome = None if answer is None else answer.outcome
    elif message.cra is Cra.ALERT and message.message_code == cs06.ALERT_MESSAGE_CODE:
        alert = payload_of(cs06.Alert.decode, message)
        outcome = None if alert is None else alert.outcome
    return None if outcome is None else outcome.firmware_version
