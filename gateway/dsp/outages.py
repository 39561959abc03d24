"""AD1: a hub has been without supply for three minutes or more. Told to the network operator, or suppressed.

An alert names the hub and one MPxN, never the ESME; the association in the inventory when the alert arrives maps the
one to the other.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from gateway.dsp.answers import Answers
from gateway.dsp.effects import Turn, Value
from gateway.dsp.inventory import Inventory
from gateway.dsp.outage_routes import OutageRoutes, Point
from gateway.dsp.records import Alert, Decision, OutageAudit, Signature, Window
from gateway.dsp.rows import append, from_values, to_signed
from gateway.dsp.settings import DspSettings
from gateway.dsp.suppression import Outage, Suppression
from protocols.addresses import Eui64
from protocols.duis.alerts import PowerOutageEvent
from protocols.errors import DecodeError
from protocols.interfaces import SECOND
from protocols.wan.smwan import OUTAGE, OUTAGE_START, PowerOutage

CODE = "AD1"
_NO_WINDOW: tuple[Value, Value, Value, Value, Value] = (None,) * 5
_SIGNED = (1 << 63) - 1  # of the numbers of a store


Audit: TypeAlias = tuple[Value, ...]  # the columns of an `OutageAudit`
Decided: TypeAlias = tuple[Audit, Point, Decision, bool]  # the last: decided before, and told then


class Outages:
    def __init__(self, settings: DspSettings, inventory: Inventory, suppression: Suppression, answers: Answers) -> None:
        self._inventory, self._suppression, self._answers = inventory, suppression, answers
        self._routes = OutageRoutes(inventory, suppression)
        self._decided: dict[tuple[int, int], Point | dict[str | None, Decision]] = {}  # by hub and start, then MPxN
        self._window_seconds = settings.window // SECOND

    def load(self, rows: Iterable[Mapping[str, Value]]) -> None:
        """Take the audit of earlier decisions, to know a repeated message."""
        for values in rows:
            audit = from_values(OutageAudit, values)
            self._decided[audit.hub, audit.started] = self._earlier(audit.hub, audit.started) | {
                audit.mpxn: audit.decision
            }

    def received(self, turn: Turn, event: PowerOutage) -> None:
        """Decide on the AD1 of each import meter of the hub; every decision is audited."""
        for audit, point, decision, repeated in self.decide((event.encode(),), turn.now):
            turn.append(OutageAudit.TABLE, audit)
            if not repeated:
                self._carry_out(turn, event, point.mpxn, decision, point.recipient)

    def decide(self, messages: Iterable[bytes], now: int) -> list[Decided]:
        """Return what is decided on the messages of outages, one entry each import meter, with its audit.

        One that came before gets the decision it had. Raises DecodeError for octets that are no such message.
        """
        ordinary, known, found = self._routes.ordinary, self._decided, list[Decided]()
        rules = self._rules()
        unpack, append = OUTAGE.unpack, found.append  # here each look-up counts
        for octets in messages:
            try:
                start, hub, started, _, _, _ = unpack(octets)
            except struct.error:
                start = b""
            if start != OUTAGE_START:
                raise DecodeError("not the message of an outage", data=octets)
            point, key = ordinary.get(hub), (hub, started)
            if point is None or key in known or started > _SIGNED:
                event = PowerOutage.of(octets)
                found += [self._looked_at(each, event, now) for each in self._routes.points(event.hub)]
                continue
            known[key] = point
            mpxn, _, told, decision, outcome = point
            audit = (
                now, octets[6:14].hex(), mpxn, started, outcome, None, None, None, told, None, None, *rules, 0,
            )  # fmt: skip
            append((audit, point, decision, False))
        return found

    def _looked_at(self, point: Point, event: PowerOutage, now: int) -> Decided:
        """Decide where a window may be open, or the message came before."""
        outage = Outage(point.mpxn, event.started, now, event.taken or now)
        window = self._suppression.window_for(outage, self._inventory.on_hub(event.hub))
        known = self._earlier(event.hub, event.started)
        repeated = point.mpxn in known
        decision = known.get(point.mpxn, point.decision if window is None else Decision.SUPPRESSED)
        self._decided[event.hub, event.started] = known | {point.mpxn: decision}
        esme, start, end, request_id, kind = _NO_WINDOW if window is None else _columns(window)
        audit = (
            now, str(event.hub), point.mpxn, to_signed(event.started), decision.value, esme, start, end, point.told,
            request_id, kind, *self._rules(), int(repeated),
        )  # fmt: skip
        return audit, point, decision, repeated

    def _rules(self) -> tuple[Value, Value, Value]:
        """Return what is in force, for the audit: seconds of a window, version of the list, policy."""
        return self._window_seconds, self._suppression.tracked.summary.version, self._suppression.policy

    def _earlier(self, hub: Eui64, started: int) -> dict[str | None, Decision]:
        """Return what was decided on a message before, by MPxN."""
        known = self._decided.get((hub, started), {})
        return {known.mpxn: known.decision} if isinstance(known, Point) else known

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


def _columns(window: Window) -> tuple[Value, Value, Value, Value, Value]:
    return str(window.esme), window.start, window.end, window.request_id, window.kind
