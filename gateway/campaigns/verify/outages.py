"""Power outages: what reached the network operator, against the windows recomputed from the supplier's requests."""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.messages import NETWORK_OPERATOR, Mail
from gateway.campaigns.verify.windows import (
    DATED,
    IMMEDIATE,
    Window,
    last_before,
    margin,
    open_at,
    windows,
)
from protocols.addresses import Eui64
from protocols.duis.alerts import PowerOutageEvent
from protocols.interfaces import MINUTE, SECOND

NEAR = 1 * SECOND  # a receipt this close to the end of a window must show each rule
LOSS = 3 * MINUTE  # shortest outage that AD1 tells


class Receipt(NamedTuple):
    """An AD1 as it entered the DSP, and where it went."""

    time: int
    hub: Eui64
    started: int
    mpxn: str | None
    decision: str  # as the audit has it
    mail: Mail | None  # of the network operator
    window: Window | None  # open at that time

    @property
    def label(self) -> str:
        return f"AD1 of hub ..{str(self.hub)[-4:]} received {utc(self.time)}"


def receipts(evidence: Evidence) -> list[Receipt]:
    """Return the AD1 of the audit, each with its message in the network operator's mailbox.

    An AD1 that came twice, told by hub, meter and start, counts once: its first receipt was decided.
    """
    found, open_windows = list[Receipt](), windows(evidence)
    mailed, seen = _outage_mail(evidence), dict[tuple[Eui64, str | None, int], None]()
    for row in evidence.files.store.get("power_outage_audit", ()):
        hub, time, started, mpxn = Eui64.parse(row["hub"]), row["received"], row["started"], row["mpxn"]
        if (hub, mpxn, started) in seen:
            continue
        seen[hub, mpxn, started] = None
        mail = next((m for m, alert in mailed if _tells(alert, hub, started, mpxn) and m.time >= time), None)
        window = open_at(open_windows, hub, time)
        found.append(Receipt(time, hub, started, mpxn, row["decision"], mail, window))
    return found


def _outage_mail(evidence: Evidence) -> list[tuple[Mail, PowerOutageEvent]]:
    alerts = evidence.users.dcc_alerts(PowerOutageEvent)
    return [(mail, alert) for mail, code, alert in alerts if code == "AD1"]


def _tells(alert: PowerOutageEvent, hub: Eui64, started: int, mpxn: str | None) -> bool:
    return (alert.comms_hub_device_id, alert.start_date_time, alert.mpxn) == (hub, started, mpxn)


def fault(receipt: Receipt) -> str:
    """Say what is wrong with the way an AD1 took, empty if nothing."""
    suppress = receipt.window is not None
    where = "inside" if suppress else "outside"
    if suppress and receipt.mail is not None:
        return f"{receipt.label}, {where} a window, was delivered ({receipt.mail.place})"
    if not suppress and receipt.mail is None:
        return f"{receipt.label}, {where} every window, never reached the network operator"
    expected = "suppressed" if suppress else "delivered"
    if receipt.decision != expected:
        return f"{receipt.label}: {expected}, but the audit says {receipt.decision}"
    return ""


# --- silence -------------------------------------------------------------------------------------------------------


def check_silence(evidence: Evidence) -> Iterator[Check]:
    """MP102B-R1: while an activation of a tracked ESME may cut its hub's supply, the network operator hears nothing."""
    facts, faults = list[str](), list[str]()
    all_receipts = receipts(evidence)
    for window in windows(evidence):
        if window.taken_back is not None:
            continue
        heard = [m for m in evidence.users.mail if m.user == NETWORK_OPERATOR and window.start <= m.time < window.end]
        span = f"from {utc(window.start)} to {margin(window.end - window.start)} later"
        label = f"{window.kind} 11.3 {window.activation.exchange.place}: {span}"
        inside = [r for r in all_receipts if r.hub == window.hub and window.start <= r.time < window.end]
        if heard:
            faults += [f"{label}: {m.place} at +{margin(m.time - window.start)}, {_kind(m)}" for m in heard]
        elif not inside:
            faults.append(f"{label}: no AD1 entered the DSP, so nothing was suppressed")
        else:
            facts.append(f"{label}: mailbox empty, {count(len(inside), 'AD1')} suppressed")
    missing = "no 11.3 of a tracked ESME was accepted"
    yield conclude("MP102B-R1", "network operator hears nothing", facts=facts, faults=faults, missing=missing)


def _kind(mail: Mail) -> str:
    body = mail.response.body
    code = getattr(body, "dcc_alert_code", None) or getattr(body, "alert_code", None)
    return f"{code:04X}" if isinstance(code, int) else str(code or type(body).__name__)


# --- windows -------------------------------------------------------------------------------------------------------


def check_windows(evidence: Evidence) -> Iterator[Check]:
    """MP102B-R2 and R3: each AD1 in or after a window is suppressed or delivered as the window's times say."""
    found = windows(evidence)
    for requirement, kind, name in (
        ("MP102B-R2", IMMEDIATE, "immediate activation: 30 minutes suppressed"),
        ("MP102B-R3", DATED, "dated activation: 30 minutes from its date suppressed"),
    ):
        facts, faults, near = list[str](), list[str](), 0
        for receipt in receipts(evidence):
            window = receipt.window or last_before(found, receipt.hub, receipt.time)
            if window is None or window.kind != kind:
                continue
            offset = receipt.time - window.start
            wrong = fault(receipt)
            if wrong:
                faults.append(f"{wrong}, {margin(offset)} after the start of its {kind} window")
            else:
                facts.append(f"AD1 at +{margin(offset)} {receipt.decision}")
            near += _at_the_edge(receipt, window)
        if not near and not faults:
            edge = (
                "the last second of an immediate window" if kind == IMMEDIATE else "the first second after a dated one"
            )
            faults.append(f"no AD1 was received in {edge}, so its end is not shown")
        missing = f"no AD1 in or after a window of {kind} activations"
        yield conclude(requirement, name, facts=facts, faults=faults, missing=missing)


def _at_the_edge(receipt: Receipt, window: Window) -> bool:
    if window.kind == IMMEDIATE:
        return window.end - NEAR <= receipt.time < window.end
    return window.end <= receipt.time < window.end + NEAR


def check_delivery(evidence: Evidence) -> Iterator[Check]:
    """MP102B-G9: every outage outside the windows reached the network operator, and every one entered the audit."""
    facts, faults = list[str](), list[str]()
    found = receipts(evidence)
    for receipt in found:
        if receipt.window is None:
            wrong = fault(receipt)
            (faults if wrong else facts).append(wrong or f"{receipt.label} is {receipt.mail and receipt.mail.place}")
    for mail, alert in _outage_mail(evidence):
        if mail.user != NETWORK_OPERATOR:
            faults.append(f"{mail.place} is an AD1 for somebody else")
        if not any(_tells(alert, receipt.hub, receipt.started, receipt.mpxn) for receipt in found):
            faults.append(f"{mail.place} is an AD1 the audit does not know")
    faults += _lost_reports(evidence, found)
    missing = "no outage outside a window"
    yield conclude("MP102B-G9", "real outages delivered", facts=facts, faults=faults, missing=missing)


def _lost_reports(evidence: Evidence, found: list[Receipt]) -> list[str]:
    """Tell hubs' reports of a power loss that never entered the DSP."""
    reported = len(evidence.events("power-loss-reported"))
    entered = len({(receipt.hub, receipt.started) for receipt in found})
    return [f"hubs reported {reported} power losses, {entered} entered the DSP"] if reported > entered else []
