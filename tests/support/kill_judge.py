"""What became of messages that a killed DSP was sent, counted from what was sent and received, and by SQL.

Nothing of the DSP or its store is used here.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import create_engine, text

from protocols.duis.alerts import CspFirmwareDeliveryStatus, PowerOutageEvent
from protocols.duis.requests import parse_request
from protocols.duis.responses import DccAlertMessage, GbcsPayload, ResponseMessage, parse_response
from protocols.gbcs.envelope import Message as GbcsMessage
from protocols.wan import smwan
from protocols.wan.line import CSP
from tests.support.killing import ALERT, KINDS, OUTAGE, REQUEST, RESPONSE, SIGNED, STATUS, Ledger, Sent
from tests.support.parties import NETWORK_OPERATOR, SUPPLIER

_TO_DEVICES = ("11.2", "11.3", "11.4")
_TABLES = ("journal", "requests", "firmware_update_history", "alerts", "power_outage_audit")
_Row = dict[str, Any]


@dataclass
class Verdict:
    """By kind of message: how many were acknowledged, lost and done twice. Each fault in words."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    duplicated: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def count(self, kind: str, what: str, found: int, wanted: int = 1) -> None:
        """Hold the number of traces of one message against what it should be."""
        if found == wanted:
            return
        self.faults.append(f"{what}: {found}, not {wanted}")
        (self.lost if found < wanted else self.duplicated)[kind] += 1

    def table(self, ledger: Ledger) -> str:
        """Return the outcome, a line a kind of message."""
        phases = sorted({phase for _, phase in ledger.kills}, key=str)
        heads = "".join(f"{phase:>12}" for phase in phases)
        lines = [f"{'killed when it was':24}{heads}  acknowledged  lost  duplicated"]
        for kind in KINDS:
            kills = "".join(f"{ledger.kills[kind, phase]:12}" for phase in phases)
            lines.append(f"{kind:24}{kills}{self.acknowledged[kind]:14}{self.lost[kind]:6}{self.duplicated[kind]:12}")
        return "\n".join(lines)


def judge(url: str, ledger: Ledger) -> Verdict:
    """Return what became of everything that was acknowledged."""
    rows = _rows(url)
    verdict = Verdict()
    inboxes = {line: Counter(octets) for line, octets in ledger.inboxes.items()}
    for message in ledger.sent:
        answer = ledger.answers.get((message.line, message.number))
        if answer is None:
            continue
        verdict.acknowledged[message.kind] += 1
        kept = [row for row in rows["journal"] if (row["line"], row["message_id"]) == (message.line, message.number)]
        name = f"{message.kind} {message.line} {message.number}"
        verdict.count(message.kind, f"{name} in the journal", len(kept))
        if any(bytes(row["octets"]) != message.octets or bytes(row["reply"] or b"") != answer for row in kept):
            verdict.faults.append(f"{name}: journal and answer differ")
        _TRACES[message.kind](message, rows, ledger, verdict)
    for line, octets in inboxes.items():
        for content, times in octets.items():
            verdict.count("message to " + line, f"{content[:60]!r} to {line}", times)
    return verdict


def _rows(url: str) -> dict[str, list[_Row]]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        found = {
            table: [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]
            for table in _TABLES
        }
    engine.dispose()
    return found


def _request(message: Sent, rows: dict[str, list[_Row]], ledger: Ledger, verdict: Verdict) -> None:
    request = parse_request(message.octets)
    wanted = (str(request.request_id), int(request.command_variant))
    found = [row for row in rows["requests"] if (row["request_id"], row["variant"]) == wanted]
    verdict.count(message.kind, f"request {wanted}", len(found))
    if request.service in _TO_DEVICES and int(request.command_variant) != 4:
        sent = [smwan.decode(octets) for octets in ledger.inboxes[CSP]]
        if request.service == "11.4":
            out = [m for m in sent if isinstance(m, smwan.FirmwareToHubs) and m.request_id == str(request.request_id)]
            verdict.count(message.kind, f"image of {wanted} at the CSP", len(out))
        else:
            device = request.request_id.target
            commands = [GbcsMessage.decode(m.message) for m in sent if isinstance(m, smwan.GbcsToHub)]
            counter = request.request_id.counter
            mine = [c for c in commands if c.target == device and counter in (c.counter, c.supplementary_counter)]
            verdict.count(message.kind, f"command of {wanted} at the CSP", len(mine))


def _status(message: Sent, rows: dict[str, list[_Row]], ledger: Ledger, verdict: Verdict) -> None:
    status = smwan.decode(message.octets)
    assert isinstance(status, smwan.FirmwareDeliveryStatus)
    history = [
        row for row in rows["firmware_update_history"]
        if (row["request_id"], row["state"]) == (status.request_id, "Delivered")
    ]  # fmt: skip
    verdict.count(message.kind, f"delivery of {status.request_id}", len(history))
    alerts = [alert for alert in _alerts(ledger, str(SUPPLIER)) if isinstance(alert, CspFirmwareDeliveryStatus)]
    mine = [alert for alert in alerts if str(alert.update_firmware_request_id) == status.request_id]
    verdict.count(message.kind, f"N60 of {status.request_id}", len(mine))


def _response(message: Sent, rows: dict[str, list[_Row]], ledger: Ledger, verdict: Verdict) -> None:
    carried = smwan.decode(message.octets)
    assert isinstance(carried, smwan.GbcsFromHub)
    told = [parse_response(octets).body for octets in ledger.inboxes[str(SUPPLIER)]]
    mine = [
        body for body in told
        if isinstance(body, ResponseMessage)
        and isinstance(body.content, GbcsPayload)
        and body.content.octets == carried.message
    ]  # fmt: skip
    verdict.count(message.kind, "answer of a device at the supplier", len(mine))


def _alert(message: Sent, rows: dict[str, list[_Row]], ledger: Ledger, verdict: Verdict) -> None:
    carried = smwan.decode(message.octets)
    assert isinstance(carried, smwan.GbcsFromHub)
    alert = GbcsMessage.decode(carried.message)
    wanted = (str(alert.originator), alert.counter)
    mine = [row for row in rows["alerts"] if (row["originator"], row["counter"]) == wanted]
    verdict.count(message.kind, f"alert {wanted}", len(mine))


def _outage(message: Sent, rows: dict[str, list[_Row]], ledger: Ledger, verdict: Verdict) -> None:
    outage = smwan.decode(message.octets)
    assert isinstance(outage, smwan.PowerOutage)
    mine = [
        row for row in rows["power_outage_audit"] if (row["hub"], row["started"]) == (str(outage.hub), outage.started)
    ]
    wanted = len({row["mpxn"] for row in mine}) or 1
    verdict.count(message.kind, f"audit of {outage}", len(mine), wanted)
    if any(row["duplicate"] for row in mine):
        verdict.count(message.kind, f"audit of {outage}", 2)
    delivered = [row for row in mine if row["decision"] == "delivered" and row["recipient"] == str(NETWORK_OPERATOR)]
    told = [
        alert for alert in _alerts(ledger, str(NETWORK_OPERATOR))
        if isinstance(alert, PowerOutageEvent)
        and (alert.comms_hub_device_id, alert.start_date_time) == (outage.hub, outage.started)
    ]  # fmt: skip
    verdict.count(message.kind, f"AD1 of {outage} at the operator", len(told), len(delivered))


def _alerts(ledger: Ledger, line: str) -> list[object]:
    bodies = [parse_response(octets).body for octets in ledger.inboxes[line]]
    return [body.alert for body in bodies if isinstance(body, DccAlertMessage)]


_TRACES: dict[str, Callable[[Sent, dict[str, list[_Row]], Ledger, Verdict], None]] = {
    REQUEST: _request,
    SIGNED: _request,
    STATUS: _status,
    RESPONSE: _response,
    ALERT: _alert,
    OUTAGE: _outage,
}
