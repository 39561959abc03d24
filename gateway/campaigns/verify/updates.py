"""Updates by 11.4: from the request over the image on the air to the signed 8F8B and the supplier's N39."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gateway.campaigns.verify.air import Carried, Transfer
from gateway.campaigns.verify.check import Check, conclude, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.gbcs_view import Verdict, payload_of
from gateway.campaigns.verify.messages import SUPPLIER, Exchange, Mail
from protocols.addresses import Eui64
from protocols.duis.alerts import ActivateImageResultCode, CommsHubAlert, PpmidAlert, TransferResponseCode
from protocols.gbcs.envelope import SIGNATURE_OCTETS
from protocols.gbcs.use_cases import cs08, cs09
from protocols.interfaces import SECOND
from protocols.zcl.frame import ZclStatus


class Notice(NamedTuple):
    """An 8F8B on the air."""

    carried: Carried
    alert: cs09.Alert

    @property
    def activated(self) -> bool:
        return self.alert.code == cs09.ActivationCode.ACTIVATED


def notices(evidence: Evidence, device: Eui64 | None = None) -> list[Notice]:
    """Return each 8F8B that a device sent, once."""
    found = []
    for carried in evidence.air.sent_up(cs09.MESSAGE_CODE, device=device):
        alert = None if carried.judged is None else payload_of(cs09.Alert.decode, carried.judged.message)
        if alert is not None and alert.alert_code == cs09.ALERT_CODE:
            found.append(Notice(carried, alert))
    return found


def upgrade_alerts(evidence: Evidence) -> list[tuple[Mail, PpmidAlert]]:
    """Return the N39 of firmware activations in the supplier's mailbox."""
    return [
        (mail, alert)
        for mail, code, alert in evidence.users.dcc_alerts(PpmidAlert)
        if code == "N39" and mail.user == SUPPLIER and alert.firmware_upgrade is not None
    ]


def tells(alert: PpmidAlert, notice: Notice) -> bool:
    """Return whether an N39 reports what this 8F8B says: device, version, result and time."""
    upgrade = alert.firmware_upgrade
    return (
        upgrade is not None
        and alert.device_id == notice.carried.device
        and alert.device_alert_code == notice.alert.alert_code
        and upgrade.firmware_version.upper() == f"{notice.alert.firmware_version:08X}"
        and (upgrade.result is ActivateImageResultCode.ACTIVATION_SUCCESS) is notice.activated
        and (alert.timestamp is None or alert.timestamp == notice.alert.time)
    )


# --- the alert itself ----------------------------------------------------------------------------------------------


def check_signatures(evidence: Evidence) -> Iterator[Check]:
    """SM7-R3: every signed 8F8B on the air verifies with the certificate of the device that sent it."""
    facts, faults = list[str](), list[str]()
    for carried, alert in notices(evidence):
        judged = carried.judged
        if judged is None or judged.signature is Verdict.ABSENT:
            continue  # MP170-C16 tells
        label = f"{evidence.name(carried.device)} 8F8B {alert.firmware_version:08X} at {utc(carried.time)}"
        if judged.message.originator != carried.device:
            faults.append(f"{label} names {judged.message.originator} as its originator")
        elif judged.signature is Verdict.VALID:
            facts.append(f"{label} signature valid (frame {carried.frame})")
        else:
            faults.append(f"{label} signature {judged.signature} (frame {carried.frame})")
    if facts and not any(notices(evidence, device) for device in evidence.ppmids):
        faults.append("no PPMID sent an 8F8B")
    missing = "no signed 8F8B on the air"
    yield conclude("SM7-R3", "8F8B signed by its device", facts=facts, faults=faults, missing=missing)


def check_bridge_messages(evidence: Evidence) -> Iterator[Check]:
    """MP170-C16: each updated bridge sends 8F8B with a signature of 64 octets; each one asked answers CS08."""
    facts, faults = list[str](), list[str]()
    for bridge in evidence.bridges:
        name, sent = evidence.name(bridge), notices(evidence, bridge)
        bare = [notice for notice in sent if not _signed(notice.carried)]
        faults += [f"{name}: 8F8B without a signature at {utc(n.carried.time)} (frame {n.carried.frame})" for n in bare]
        if not sent and any(t.status == ZclStatus.SUCCESS for t in _transfers(evidence, bridge)):
            faults.append(f"{name} took an image and sent no 8F8B")
        elif sent and not bare:
            facts.append(f"{name}: {len(sent)} 8F8B, each with a signature field of {SIGNATURE_OCTETS} octets")
    asked = 0
    for command in evidence.air.sent_down(cs08.MESSAGE_CODE):
        if command.device in evidence.bridges:
            asked += 1
            wrong = _unanswered(evidence, command)
            (faults if wrong else facts).append(wrong or f"{evidence.name(command.device)} answered CS08")
    if not asked:
        faults.append("no bridge was asked by CS08")
    missing = "no bridge sent an 8F8B"
    yield conclude("MP170-C16", "bridges send 8F8B and answer CS08", facts=facts, faults=faults, missing=missing)


def _signed(carried: Carried) -> bool:
    return (
        carried.judged is not None
        and len(carried.judged.message.signature or b"") == SIGNATURE_OCTETS
        and (carried.judged.signature is not Verdict.ABSENT)
    )


def _unanswered(evidence: Evidence, command: Carried) -> str:
    counter = None if command.judged is None else command.judged.message.counter
    for answer in evidence.air.sent_up(cs08.MESSAGE_CODE, device=command.device):
        if answer.judged is not None and answer.judged.message.counter == counter:
            return ""
    return f"{evidence.name(command.device)} did not answer CS08 of {utc(command.time)} (frame {command.frame})"


def check_alerts_delivered(evidence: Evidence) -> Iterator[Check]:
    """MP170-C13: each valid 8F8B reached the supplier as an N39, and no N39 came from anything else."""
    facts, faults = list[str](), list[str]()
    waiting = upgrade_alerts(evidence)
    for notice in notices(evidence):
        label = f"{evidence.name(notice.carried.device)} 8F8B {notice.alert.firmware_version:08X}"
        match = next((pair for pair in waiting if tells(pair[1], notice)), None)
        if match is not None:
            waiting.remove(match)
        record = _record_fault(evidence, notice)
        if record:
            faults.append(f"{label} of {utc(notice.carried.time)}: {record}")
        if match is None and notice.carried.valid:
            faults.append(f"{label} of {utc(notice.carried.time)} is no N39 in the supplier's mailbox")
        elif match is not None and not notice.carried.valid:
            faults.append(f"{label} is not validly signed, yet {match[0].place} is its N39")
        elif match is not None:
            facts.append(f"{label} is N39 {match[0].place}")
    faults += [
        f"N39 {mail.place} has no 8F8B of {evidence.name(alert.device_id)} on the air" for mail, alert in waiting
    ]
    missing = "no 8F8B on the air"
    yield conclude("MP170-C13", "8F8B delivered as N39", facts=facts, faults=faults, missing=missing)


def _record_fault(evidence: Evidence, notice: Notice) -> str:
    """Say where the store's record of an 8F8B contradicts what its signature is worth, empty if nowhere."""
    judged = notice.carried.judged
    counter = None if judged is None else judged.message.counter
    kept = [
        (row["decision"], row["signature"])
        for row in evidence.files.store.get("alerts", ())
        if (row["code"], row["originator"], row["counter"]) == ("8F8B", str(notice.carried.device), counter)
    ]
    if notice.carried.valid and ("delivered", "valid") not in kept:
        return f"the store has {kept or 'no record'}, its signature is valid"
    if not notice.carried.valid and any("delivered" in row or "valid" in row for row in kept):
        return f"the store has {kept}, its signature is not valid"
    return ""


# --- the whole way -------------------------------------------------------------------------------------------------


def check_updates(evidence: Evidence) -> Iterator[Check]:
    """SM7-R2 for PPMIDs, MP170-R2 for bridges: one 11.4 and nothing else makes the device run the new version."""
    for requirement, name, devices in (
        ("SM7-R2", "one 11.4 updates a PPMID", evidence.ppmids),
        ("MP170-R2", "11.4 updates the bridges", evidence.bridges),
    ):
        facts, faults = list[str](), list[str]()
        for device in devices:
            fact, wrong = _followed(evidence, device)
            facts += fact
            faults += [f"{evidence.name(device)}: {fault}" for fault in wrong]
        missing = "no such device was pre-notified"
        yield conclude(requirement, name, facts=facts, faults=faults, missing=missing)


def _followed(evidence: Evidence, device: Eui64) -> tuple[list[str], list[str]]:
    """Follow the versions ordered for a device; return facts and faults."""
    orders = [exchange for exchange in evidence.users.of_service("11.4") if device in exchange.taken]
    if not orders:
        return [], ["no 11.4 was accepted for it"]
    faults = [f"{e.place} is an 11.3 for it" for e in evidence.users.of_service("11.3") if e.target == device]
    facts = []
    for version in dict.fromkeys(_version(order) for order in orders):
        first = next(order for order in orders if _version(order) == version)
        done = [n for n in notices(evidence, device) if n.alert.firmware_version == version and n.activated]
        pulled = [t for t in _transfers(evidence, device) if t.version == version and t.status == ZclStatus.SUCCESS]
        good = [notice for notice in done if notice.carried.valid]
        if not pulled:
            faults.append(f"version {version:08X} of {first.place} never came over the air with success")
        elif not good:
            faults.append(f"version {version:08X} of {first.place}: no valid 8F8B tells its activation")
        elif good[0].carried.time < pulled[0].ended:
            faults.append(f"version {version:08X}: 8F8B before the transfer ended")
        else:
            times = f"ordered {utc(first.time)}, transferred {utc(pulled[0].ended)}, 8F8B {utc(good[0].carried.time)}"
            facts.append(f"{evidence.name(device)} version {version:08X}: {times}")
    return facts, faults


def _version(exchange: Exchange) -> int:
    """Return the version an 11.1 or 11.4 orders, -1 for a text that is none."""
    body = exchange.updates
    try:
        return -1 if body is None else int(body.firmware_version, 16)
    except ValueError:
        return -1


def _transfers(evidence: Evidence, device: Eui64) -> list[Transfer]:
    return [transfer for transfer in evidence.air.transfers if transfer.device == device]


def check_one_request_each(evidence: Evidence) -> Iterator[Check]:
    """MP170-R2a: each bridge of a home has its own request and its own outcome."""
    facts, faults = list[str](), list[str]()
    homes: dict[Eui64 | None, list[str]] = {}
    for exchange in evidence.users.of_service("11.4"):
        taken = [device for device in exchange.taken if device in evidence.bridges]
        if len(taken) > 1:
            faults.append(f"{exchange.place} names {len(taken)} bridges")
        for device in taken[:1]:
            homes.setdefault(evidence.hubs.get(device), []).append(_outcome(evidence, device, exchange))
    for hub, outcomes in homes.items():
        facts += [f"hub ..{str(hub)[-4:]}: {outcome}" for outcome in outcomes]
    if homes and max(len(outcomes) for outcomes in homes.values()) < 2:
        faults.append("no home has requests for two bridges")
    missing = "no 11.4 for a bridge was accepted"
    yield conclude("MP170-R2a", "one request a bridge", facts=facts, faults=faults, missing=missing)


def _outcome(evidence: Evidence, device: Eui64, exchange: Exchange) -> str:
    """Say what came of a request: the status of the first transfer after it."""
    for transfer in _transfers(evidence, device):
        if transfer.version == _version(exchange) and transfer.started >= exchange.time:
            told = "nothing" if transfer.status is None else ZclStatus.named(transfer.status)
            shown = told.name if isinstance(told, ZclStatus) else str(told)
            return f"{evidence.name(device)} {exchange.place} {shown}"
    return f"{evidence.name(device)} {exchange.place} not transferred"


def check_second_request_blocked(evidence: Evidence) -> Iterator[Check]:
    """MP170-C12: while an update of a device is open, a further one is told as in progress and goes nowhere."""
    facts, faults = list[str](), list[str]()
    for exchange in evidence.users.of_service("11.4"):
        blocked: Sequence[Eui64] = () if exchange.warning is None else exchange.warning.other_request_in_progress
        for device in blocked:
            label = f"{exchange.place}: {exchange.code} lists {evidence.name(device)} as in progress"
            opened = _open_update(evidence, device, exchange.time)
            carried = [
                event
                for name in ("firmware-service", "image-stored")
                for event in evidence.events(name)
                if event.text("request") == str(exchange.request.request_id) and event.text("device") == str(device)
            ]
            if opened is None:
                faults.append(f"{label}, but no earlier 11.4 for it was open")
            elif carried:
                faults.append(f"{label}, yet {carried[0].actor} got it ({carried[0].name})")
            else:
                facts.append(f"{label}; {opened.place} was open, nothing of the second went on")
    missing = "no 11.4 came while another was open"
    yield conclude("MP170-C12", "a second update is blocked", facts=facts, faults=faults, missing=missing)


def _open_update(evidence: Evidence, device: Eui64, time: int) -> Exchange | None:
    """Return the 11.4 accepted for a device before `time` that no N39 or failed transfer had ended yet."""
    opened = None
    for exchange in evidence.users.of_service("11.4"):
        if device in exchange.taken and exchange.time < time:
            opened = exchange
    if opened is None:
        return None
    ends = [mail.time for mail, alert in upgrade_alerts(evidence) if alert.device_id == device]
    ends += [t.ended for t in _transfers(evidence, device) if t.status not in (None, ZclStatus.SUCCESS)]
    closed = any(opened.time <= end < time - SECOND for end in ends)
    return None if closed else opened


# --- bridges as PPMIDs ---------------------------------------------------------------------------------------------


def check_service_types(evidence: Evidence) -> Iterator[Check]:
    """MP170-C8: 11.4 names no variant. MP170-C9: the CSP is told a bridge is a PPMID, with its hub."""
    facts, faults = list[str](), list[str]()
    for exchange in evidence.users.of_service("11.4"):
        if b"Variant>" in exchange.octets.replace(b"ServiceReferenceVariant>", b"").replace(b"CommandVariant>", b""):
            faults.append(f"{exchange.place} names a variant")
        elif any(device in evidence.bridges for device in exchange.taken):
            facts.append(f"{exchange.place} accepted without a variant")
    missing = "no 11.4 for a bridge was accepted"
    yield conclude("MP170-C8", "11.4 unchanged for bridges", facts=facts, faults=faults, missing=missing)
    yield _service(evidence)


def _service(evidence: Evidence) -> Check:
    facts, faults = list[str](), list[str]()
    told = {}
    for event in evidence.events("firmware-service"):
        device = Eui64.parse(event.text("device"))
        if device not in evidence.bridges:
            continue
        told[device] = event
        if event.text("type") != "PPMID":
            faults.append(f"{evidence.name(device)} is {event.text('type')} to the CSP")
        elif event.text("hub") != str(evidence.hub_at(device, event.time)):
            faults.append(f"{evidence.name(device)}: hub {event.text('hub')}, the inventory has another")
        else:
            facts.append(f"{evidence.name(device)} is PPMID behind hub ..{event.text('hub')[-4:]}")
    ordered = dict.fromkeys(d for e in evidence.users.of_service("11.4") for d in e.taken if d in evidence.bridges)
    faults += [f"{evidence.name(device)} never reached the CSP" for device in ordered if device not in told]
    missing = "the CSP got no image for a bridge"
    return conclude("MP170-C9", "a bridge is a PPMID to the CSP", facts=facts, faults=faults, missing=missing)


def check_served_alike(evidence: Evidence) -> Iterator[Check]:
    """MP170-A4: hubs store and serve the images of bridges as those of PPMIDs: shared store, activation at once."""
    facts, faults = list[str](), list[str]()
    kinds = dict.fromkeys(evidence.ppmids, "PPMID") | dict.fromkeys(evidence.bridges, "bridge")
    ways: dict[str, dict[int, int]] = {}
    for transfer in evidence.air.transfers:
        kind = kinds.get(transfer.device)
        if kind is None or transfer.status != ZclStatus.SUCCESS:
            continue
        if transfer.upgrade_wait is None:
            faults.append(f"{evidence.name(transfer.device)}: no answer to Upgrade End (frame {transfer.frame})")
        else:
            seen = ways.setdefault(kind, {})
            seen[transfer.upgrade_wait] = seen.get(transfer.upgrade_wait, 0) + 1
    for kind in ("PPMID", "bridge"):
        if kind not in ways:
            faults.append(f"no {kind} finished a transfer")
        else:
            facts += [f"{kind}: {n} Upgrade End answered with upgrade in {wait} s" for wait, n in ways[kind].items()]
    if not faults and set(ways["PPMID"]) != set(ways["bridge"]):
        faults.append(f"upgrade times differ: PPMID {sorted(ways['PPMID'])} s, bridge {sorted(ways['bridge'])} s")
    for event in evidence.events("image-discarded"):
        device = Eui64.parse(event.text("device"))
        if device in kinds and not _discard_told(evidence, device, event.text("version")):
            faults.append(f"{event.actor} discarded the image of {evidence.name(device)}, no N62 tells")
        elif device in kinds:
            facts.append(f"{event.actor} discarded the displaced image of {evidence.name(device)}, told by N62")
    yield conclude("MP170-A4", "bridges served as PPMIDs", facts=facts, faults=faults, missing="no transfer")


def _discard_told(evidence: Evidence, device: Eui64, version: str) -> bool:
    for mail, _, alert in evidence.users.dcc_alerts(CommsHubAlert):
        told = alert.firmware_transfer
        if told is None or mail.user != SUPPLIER:
            continue
        said = (told.other_device_id, told.firmware_version, told.transfer_response_code)
        if said == (device, version, TransferResponseCode.FIRMWARE_IMAGE_DISCARDED):
            return True
    return False
