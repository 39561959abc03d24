"""Anomaly detection: what goes beyond a threshold is quarantined until somebody releases or rejects it.

Thresholds count accepted requests of a service in a period, for each user and for all together. One counter serves
11.4, whether for PPMIDs or bridges (MP170).
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.dsp.answers import Answers, Counters
from gateway.dsp.effects import Turn, Value
from gateway.dsp.records import Quarantined
from gateway.dsp.records import Request as RequestRow
from gateway.dsp.rows import Table, from_values
from gateway.dsp.services import QUARANTINED
from gateway.dsp.settings import DspSettings, Threshold
from protocols.addresses import Eui64
from protocols.duis.alerts import DccThresholdBreach, QuarantinedRequest, UserThresholdBreach
from protocols.duis.requests import CommandVariant, Request
from protocols.errors import InputError

HELD, RELEASED, REJECTED = "held", "released", "rejected"

Breach = type[UserThresholdBreach] | type[DccThresholdBreach]
_CODES: dict[Breach, str] = {UserThresholdBreach: "N46", DccThresholdBreach: "N47"}


class QuarantinedError(Exception):
    """A request would go beyond a threshold."""

    def __init__(self, breach: Breach) -> None:
        super().__init__(breach.ELEMENT)
        self.breach = breach


class Anomalies:
    def __init__(self, settings: DspSettings, answers: Answers, counters: Counters) -> None:
        self._settings, self._answers, self._counters = settings, answers, counters
        self._accepted: dict[tuple[str, Eui64 | None], deque[int]] = {}  # times by service and user; None: all users
        self.table = Table(Quarantined)

    def load(self, rows: Iterable[Mapping[str, Value]]) -> None:
        """Take the accepted requests of earlier runs."""
        for values in rows:
            row = from_values(RequestRow, values)
            self.count(row.user, row.service, row.variant, row.time)

    def count(self, user: Eui64, service: str, variant: int, now: int) -> None:
        """An accepted request; a Transform counts when it comes back signed."""
        if variant == CommandVariant.TRANSFORM:
            return
        for thresholds, counted in self._scopes(user):
            if service in thresholds:
                self._accepted.setdefault((service, counted), deque()).append(now)

    def check(self, user: Eui64, request: Request, now: int) -> None:
        """Raise QuarantinedError if the request is one too many."""
        if request.command_variant is CommandVariant.TRANSFORM:
            return
        for thresholds, counted in self._scopes(user):
            threshold = thresholds.get(request.service)
            if threshold is not None and self._recent(request.service, counted, threshold, now) >= threshold.requests:
                raise QuarantinedError(UserThresholdBreach if counted is not None else DccThresholdBreach)

    def _scopes(self, user: Eui64) -> tuple[tuple[Mapping[str, Threshold], Eui64 | None], ...]:
        return (self._settings.thresholds, user), (self._settings.dcc_thresholds, None)

    def _recent(self, service: str, user: Eui64 | None, threshold: Threshold, now: int) -> int:
        times = self._accepted.get((service, user), deque())
        while times and times[0] <= now - threshold.period:
            times.popleft()
        return len(times)

    def quarantine(self, turn: Turn, user: Eui64, request: Request, octets: bytes, breach: Breach) -> int:
        """Hold a request: E100 at once, N46 or N47 with the reference under which it can be released."""
        reference = self._counters.next(turn, "quarantine")
        request_id = request.request_id
        row = Quarantined(reference, str(request_id), user, request.service, octets, turn.now, HELD)
        self.table.put(turn, row)
        self._answers.reply(turn, request, QUARANTINED)
        payload = QuarantinedRequest(breach=breach(request_id=request_id, quarantine_event_ref=str(reference)))
        self._answers.dcc_alert(turn, user, _CODES[breach], payload)
        return reference

    def decide(self, turn: Turn, reference: int, state: str) -> Quarantined:
        """Release or reject what is held under a reference. Raises InputError if nothing is."""
        row = self.table.get(reference)
        if row is None or row.state != HELD:
            raise InputError(f"quarantine: nothing is held under reference {reference}")
        self.table.put(turn, replace(row, state=state))
        return row
