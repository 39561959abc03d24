"""What arms a suppression window and what does not, and that a cancelled activation does not run."""

from collections.abc import Iterator

from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence, same_request
from gateway.campaigns.verify.folder import Row
from gateway.campaigns.verify.gbcs_view import payload_of
from gateway.campaigns.verify.inventory import version_changes
from gateway.campaigns.verify.meters import image_of, meter_transfers, sightings
from gateway.campaigns.verify.outages import LOSS, Receipt, receipts
from gateway.campaigns.verify.windows import (
    DATED,
    HORIZON,
    WINDOW,
    Activation,
    Window,
    activations,
    date_of,
    is_tracked,
    margin,
    windows,
)
from protocols.addresses import Eui64
from protocols.duis.bodies import SignedPreCommand
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.use_cases import cs06, ecs80
from protocols.interfaces import DAY, MINUTE, SECOND

CLOCK = 30 * SECOND  # how far a meter's clock and the hub's may lie apart here


def _recorded(evidence: Evidence) -> tuple[Row, ...]:
    return evidence.files.store.get("suppression_windows", ())


def check_what_arms(evidence: Evidence) -> Iterator[Check]:
    """MP102B-G5: each accepted 11.3 of a tracked ESME arms its window; 11.1, 11.4 and other 11.3 arm nothing."""
    facts, faults = list[str](), list[str]()
    recorded = list(_recorded(evidence))
    for window in windows(evidence):
        row = next((r for r in recorded if same_request(r["request_id"], window.activation.request_id)), None)
        label = f"{window.kind} 11.3 {window.activation.exchange.place}"
        if row is None:
            faults.append(f"{label} armed no window")
            continue
        recorded.remove(row)
        if (Eui64.parse(row["esme"]), row["start"], row["end"]) != (window.esme, window.start, window.end):
            faults.append(f"{label}: window {utc(row['start'])} to {utc(row['end'])} of {row['esme']}")
        else:
            facts.append(f"{label} armed {utc(window.start)} to {utc(window.end)}")
    faults += [f"a window was armed by {row['request_id']}, no accepted 11.3 of a tracked ESME" for row in recorded]
    others = sum(bool(exchange.taken) for exchange in evidence.users.of_service("11.1", "11.4"))
    if facts and not faults:
        facts.append(f"{count(others, 'distribution')} by 11.1 and 11.4 armed none")
    missing = "no 11.3 of a tracked ESME was accepted"
    yield conclude("MP102B-G5", "only activations arm windows", facts=facts, faults=faults, missing=missing)


def check_order_of_tests(evidence: Evidence) -> Iterator[Check]:
    """MP102B-G6: the list decides first, then the date: members are recorded by kind, others leave no record."""
    facts, faults, others = list[str](), list[str](), 0
    for activation in activations(evidence):
        rows = [r for r in _recorded(evidence) if same_request(r["request_id"], activation.request_id)]
        label = f"11.3 {activation.exchange.place}"
        if not is_tracked(evidence, activation.device):
            others += 1
            text = f"{label} for {evidence.name(activation.device)}, not on the list"
            (faults if rows else facts).append(f"{text}, {'recorded' if rows else 'left no record'}")
        elif not activation.cancels:
            kind = DATED if activation.date is not None and activation.date > activation.accepted else "immediate"
            kinds = [str(row["kind"]) for row in rows]
            agree = kinds == [kind]
            (facts if agree else faults).append(f"{label}: {kind}, recorded as {', '.join(kinds) or 'nothing'}")
    if not others:
        faults.append("no 11.3 for a device that is not on the list")
    yield conclude("MP102B-G6", "list first, then date", facts=facts, faults=faults, missing="no 11.3 was accepted")


def check_horizon(evidence: Evidence) -> Iterator[Check]:
    """MP102B-G7: dates up to 30 days ahead are taken, later ones refused, and those arm nothing."""
    facts, faults = list[str](), list[str]()
    taken = refused = False
    for exchange in evidence.users.of_service("11.3"):
        date = date_of(exchange)
        if date is None or date == cs06.CANCEL or exchange.answer is None:
            continue
        days = (date - exchange.answer.time) / DAY
        label = f"11.3 {exchange.place} dated {days:.2f} days ahead"
        if date - exchange.answer.time > HORIZON:
            refused = True
            armed = any(same_request(r["request_id"], exchange.request.request_id) for r in _recorded(evidence))
            wrong = "accepted" if exchange.accepted else "refused, yet it armed a window" if armed else ""
            (faults if wrong else facts).append(f"{label} {wrong or 'refused with ' + exchange.code}")
        elif isinstance(exchange.request.body, SignedPreCommand):
            taken = taken or exchange.accepted
            (facts if exchange.accepted else faults).append(f"{label} answered {exchange.code}")
    if not taken:
        faults.append("no date within 30 days was accepted")
    if not refused:
        faults.append("no date beyond 30 days was tried")
    yield conclude("MP102B-G7", "dates up to 30 days ahead", facts=facts, faults=faults, missing="no dated 11.3")


# --- before a date, and after a cancellation -----------------------------------------------------------------------


def check_before_date(evidence: Evidence) -> Iterator[Check]:
    """MP102B-G8: a dated 11.3 suppresses nothing before its date."""
    facts, faults = list[str](), list[str]()
    for window in windows(evidence):
        if window.kind != DATED:
            continue
        for receipt in receipts(evidence):
            early = receipt.hub == window.hub and window.activation.accepted <= receipt.time < window.start
            if not early or receipt.window is not None:
                continue
            ahead = margin(window.start - receipt.time)
            if receipt.mail is None or receipt.decision != "delivered":
                faults.append(f"{receipt.label}, {ahead} before the date of {_place(window)}, was {receipt.decision}")
            else:
                facts.append(f"{receipt.label}, {ahead} before the date of {_place(window)}, is {receipt.mail.place}")
    missing = "no AD1 between the acceptance of a dated 11.3 and its date"
    yield conclude("MP102B-G8", "nothing suppressed before a date", facts=facts, faults=faults, missing=missing)


def _place(window: Window) -> str:
    return f"11.3 {window.activation.exchange.place}"


def check_cancellation(evidence: Evidence) -> Iterator[Check]:
    """MP102B-G8: an activation whose cancellation the device confirmed in time does not run."""
    facts, faults = list[str](), list[str]()
    found = activations(evidence)
    for cancel in found:
        if not cancel.cancels or cancel.confirmed is None:
            continue
        for dated in _cancelled_by(found, cancel):
            date = dated.date or 0
            label = f"11.3 {dated.exchange.place} for {utc(date)}, cancelled {utc(cancel.confirmed)}"
            wrong = _ran(evidence, dated)
            if evidence.air.last < date + WINDOW and not wrong:
                wrong = [f"the capture ends {utc(evidence.air.last)}, before it could run"]
            faults += [f"{label}: {what}" for what in wrong]
            if not wrong:
                facts.append(f"{label}: no 8F66, no supply cut, version unchanged until {utc(evidence.air.last)}")
    missing = "no cancellation of a dated 11.3 was confirmed by its device"
    yield conclude("MP102B-G8", "a cancelled activation does not run", facts=facts, faults=faults, missing=missing)


def _cancelled_by(found: list[Activation], cancel: Activation) -> list[Activation]:
    """Return the dated activation that the device held when it confirmed the cancellation: the last one before."""
    earlier = [
        a
        for a in found
        if a.device == cancel.device and a.accepted < cancel.accepted and a.date is not None and not a.cancels
    ]
    held = earlier[-1:]
    return [a for a in held if cancel.confirmed is not None and a.date is not None and cancel.confirmed < a.date]


def _ran(evidence: Evidence, dated: Activation) -> list[str]:
    """Return what shows that a cancelled activation ran."""
    date = dated.date or 0
    begin, end = date - MINUTE, date + WINDOW  # not a range: asked for what is no number, it would count
    told = [
        f"{alert.alert_code:04X} at {utc(carried.time)} (frame {carried.frame})"
        for carried in evidence.air.sent_up(cs06.ALERT_MESSAGE_CODE, device=dated.device)
        if carried.judged is not None
        and (alert := payload_of(cs06.Alert.decode, carried.judged.message)) is not None
        and alert.originator_counter == dated.counter
    ]
    hub, actor = evidence.hub_at(dated.device, dated.accepted), evidence.actors.get(dated.device)
    found = receipts(evidence)
    told += [f"AD1 of an outage from {utc(r.started)}" for r in found if r.hub == hub and begin <= r.started < end]
    told += [
        f"{event.actor} {event.name} at {utc(event.time)}"
        for event in evidence.files.timeline
        if event.actor == actor and event.name in ("dc-supply-cut", "activated") and begin <= event.time < end
    ]
    for transfer in meter_transfers(evidence):
        image = image_of(transfer)
        if transfer.device == dated.device and image is not None and image.hash == dated.image_hash:
            ran = [s for s in sightings(evidence, transfer) if date - MINUTE <= s.time < date + DAY]
            told += [f"version {transfer.version:08X} seen at {utc(s.time)} ({s.source})" for s in ran[:1]]
    changes = [c for c in version_changes(evidence) if c.device == dated.device and begin <= c.time < end]
    told += [f"the inventory took version {change.new} at {utc(change.time)}" for change in changes]
    return told


# --- what an outage is ---------------------------------------------------------------------------------------------


def check_three_minutes(evidence: Evidence) -> Iterator[Check]:
    """MP102B-G10: an outage of less than 3 minutes raises no AD1, a longer one does; the ESME tells which it was."""
    facts, faults = list[str](), list[str]()
    found = receipts(evidence)
    codes = set()
    for carried in evidence.air.sent_up(ecs80.MESSAGE_CODE):
        alert = None if carried.judged is None else payload_of(ecs80.Alert.decode, carried.judged.message)
        hub = evidence.hub_at(carried.device, carried.time)
        if alert is None or hub is None or ecs80.phase_of(alert.alert_code) != ecs80.WHOLE:
            continue  # a phase is another matter: it need not be the hub's
        codes.add(alert.alert_code)
        length = alert.restoration - alert.interruption
        told = [r for r in found if r.hub == hub and abs(r.started - alert.interruption) <= CLOCK]
        span = f"off for {margin(length)} from {utc(alert.interruption)}"
        label = f"{evidence.name(carried.device)} {alert.alert_code:04X}: {span}"
        wrong = _outage_fault(alert, length, told)
        (faults if wrong else facts).append(f"{label}, {wrong or _shown(told)}")
    faults += [
        f"{r.label}: only {margin(r.time - r.started)} after the loss" for r in found if r.time - r.started < LOSS
    ]
    for code, text in ((AlertCode.SUPPLY_RESTORED, "under"), (AlertCode.SUPPLY_RESTORED_AFTER_OUTAGE, "over")):
        if code not in codes:
            faults.append(f"no {code:04X}: no outage of {text} 3 minutes was tried")
    missing = "no ESME told of an outage"
    yield conclude("MP102B-G10", "AD1 from 3 minutes on", facts=facts, faults=faults, missing=missing)


def _outage_fault(alert: ecs80.Alert, length: int, told: list[Receipt]) -> str:
    """Say what is wrong about an outage; lengths near 3 minutes are whole seconds of the meter's clock."""
    long = length >= LOSS
    if (alert.alert_code == AlertCode.SUPPLY_RESTORED_AFTER_OUTAGE) is not long:
        return "the wrong code for its length"
    if told and length < LOSS - SECOND:
        return f"yet an AD1 entered the DSP at {utc(told[0].time)}"
    if not told and length > LOSS + SECOND:
        return "no AD1 entered the DSP"
    return ""


def _shown(told: list[Receipt]) -> str:
    return f"AD1 at {utc(told[0].time)}, {told[0].decision}" if told else "no AD1"
