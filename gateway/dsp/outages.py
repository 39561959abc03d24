"""AD1: a hub has been without supply for three minutes or more. Told to the network operator, or suppressed.

An alert names the hub and one MPxN, never the ESME; the association in the inventory when the alert arrives maps the
one to the other.
"""

from collections.abc import Iterable, Mapping

from gateway.dsp.answers import Answers
from gateway.dsp.effects import Turn, Value
from gateway.dsp.inventory import Inventory
from gateway.dsp.records import Alert, Decision, Device, OutageAudit, Signature, Window
from gateway.dsp.rows import Unsigned, append, from_values
from gateway.dsp.settings import DspSettings
from gateway.dsp.suppression import Outage, Suppression
from protocols.addresses import Eui64
from protocols.duis.alerts import PowerOutageEvent
from protocols.duis.inventory import DeviceType
from protocols.interfaces import SECOND
from protocols.wan.smwan import PowerOutage

CODE = "AD1"


class Outages:
    def __init__(self, settings: DspSettings, inventory: Inventory, suppression: Suppression, answers: Answers) -> None:
        self._settings, self._inventory = settings, inventory
        self._suppression, self._answers = suppression, answers
        self._decided: dict[tuple[Eui64, str | None, int], Decision] = {}

    def load(self, rows: Iterable[Mapping[str, Value]]) -> None:
        """Take the audit of earlier decisions, to know a repeated message."""
        for values in rows:
            audit = from_values(OutageAudit, values)
            self._decided[audit.hub, audit.mpxn, audit.started] = audit.decision

    def received(self, turn: Turn, event: PowerOutage) -> None:
        """Decide on the AD1 of each import meter of the hub; every decision is audited."""
        on_hub = self._inventory.on_hub(event.hub)
        mpxns = sorted({d.mpxn for d in on_hub if d.type is DeviceType.ESME and d.mpxn is not None})
        if not mpxns:
            hub = self._inventory.device(event.hub)
            self._decide(turn, event, None if hub is None else hub.mpxn, on_hub, mapped=False)
        for mpxn in mpxns:
            self._decide(turn, event, mpxn, on_hub, mapped=True)

    def _decide(self, turn: Turn, event: PowerOutage, mpxn: str | None, on_hub: list[Device], *, mapped: bool) -> None:
        recipient = None if mpxn is None else self._inventory.operator_of(mpxn)
        window = self._suppression.window_for(Outage(mpxn, event.started, turn.now, event.taken or turn.now), on_hub)
        if window is not None:
            decision = Decision.SUPPRESSED
        else:
            decision = Decision.DELIVERED if mapped and recipient is not None else Decision.UNMAPPED
        earlier = self._decided.get((event.hub, mpxn, event.started))
        self._audit(turn, event, mpxn, window, earlier or decision, recipient, duplicate=earlier is not None)
        if earlier is None:
            self._decided[event.hub, mpxn, event.started] = decision
            self._carry_out(turn, event, mpxn, decision, recipient)

    def _carry_out(
        self, turn: Turn, event: PowerOutage, mpxn: str | None, decision: Decision, recipient: Eui64 | None
    ) -> None:
        append(turn, Alert(turn.now, CODE, event.hub, decision, recipient, Signature.NONE, None))
        turn.note("outage", hub=str(event.hub), mpxn=mpxn, started=event.started, decision=str(decision))
        turn.note(
            "alert", code=CODE, origin=str(event.hub), decision=str(decision), signature=str(Signature.NONE),
            recipient=None if recipient is None else str(recipient),
        )  # fmt: skip
        if decision is not Decision.SUPPRESSED and recipient is not None and mpxn is not None:
            payload = PowerOutageEvent(comms_hub_device_id=event.hub, start_date_time=event.started, mpxn=mpxn)
            throttled = (event.throttled_sequence, event.throttled_count) if event.throttled_count else None
            self._answers.dcc_alert(turn, recipient, CODE, payload, throttled)

    def _audit(
        self,
        turn: Turn,
        event: PowerOutage,
        mpxn: str | None,
        window: Window | None,
        decision: Decision,
        recipient: Eui64 | None,
        *,
        duplicate: bool,
    ) -> None:
        audit = OutageAudit(
            received=turn.now, hub=event.hub, mpxn=mpxn, started=Unsigned(event.started), decision=decision,
            esme=window.esme if window else None, window_start=window.start if window else None,
            window_end=window.end if window else None, recipient=recipient,
            request_id=window.request_id if window else None, kind=window.kind if window else None,
            window_seconds=self._settings.window // SECOND, list_version=self._suppression.tracked.summary.version,
            policy=self._suppression.policy, duplicate=duplicate,
        )  # fmt: skip
        append(turn, audit)
