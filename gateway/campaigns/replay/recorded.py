"""The stream that a store holds; from a run's folder with the true cause of each outage.

A store keeps when the device confirmed a date or a cancellation only where that ended a window. Elsewhere a request
whose state says that it was confirmed counts as confirmed when it was accepted.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from gateway.campaigns.replay.stream import Activated, Confirmed, Event, Failed, OutageReceived, Placed, in_order
from gateway.campaigns.sources import Row, Source
from gateway.dsp.records import ActivationState, UpdateState
from protocols.addresses import Eui64
from protocols.interfaces import SECOND

Cause = Literal["activation", "mains"]

_CUTS: dict[str, Cause] = {"dc-supply-cut": "activation", "supply-interrupted": "mains"}  # events of an ESME
_NOT_CONFIRMED = (ActivationState.TRANSFORMED, ActivationState.SENT, ActivationState.FAILED)
_TOLERANCE = 1 * SECOND  # between the cut and what the hub takes for its start


class Recorded(NamedTuple):
    """tracked: ESME known to be on the list in force: of the homes of a run, else those that got windows."""

    events: list[Event]
    tracked: list[Eui64]


def recorded_events(source: Source) -> Recorded:
    """Return the stream of a source, in order of time."""
    causes = _Causes(source)
    told = (_placed(source), _activated(source), _confirmed(source), _failed(source), _outages(source, causes))
    events = [event for kind in told for event in kind]
    return Recorded(in_order(events), _tracked(source))


def _placed(source: Source) -> Iterator[Event]:
    moves: dict[str, list[Row]] = {}
    for change in source.rows("inventory_history"):
        if change["field"] == "hub":
            moves.setdefault(change["device"], []).append(change)
    for row in source.rows("inventory"):
        if row["type"] != "ESME":
            continue
        known = {
            "esme": row["device"], "mpxn": row["mpxn"],
            "smets1": (row["smets_version"] or "").startswith("1"),
        }  # fmt: skip
        moved = moves.get(row["device"], [])
        first = moved[0]["old"] if moved else row["hub"]
        for time, hub in [(0, first), *((move["time"], move["new"]) for move in moved)]:
            yield Placed.model_validate({"event": "device", "time": time, "hub": hub} | known)


def _esmes(source: Source) -> set[str]:
    return {row["device"] for row in source.rows("inventory") if row["type"] == "ESME"}


def _accepted(source: Source) -> list[Row]:
    rows = [row for row in source.rows("activations") if row["accepted"] is not None]
    return sorted(rows, key=lambda row: row["sequence"] or 0)


def _activated(source: Source) -> Iterator[Event]:
    esmes = _esmes(source)
    for row in _accepted(source):
        told: dict[str, Any] = {
            "event": "activation", "time": row["accepted"], "esme": row["device"], "request": row["request_id"],
            "date": row["execution"] if row["kind"] == "dated" else None, "cancel": row["kind"] == "cancel",
        }  # fmt: skip
        if row["device"] in esmes:
            yield Activated.model_validate(told)


def _confirmed(source: Source) -> Iterator[Event]:
    ended = [event for event in source.rows("suppression_events") if event["event"] in ("cancelled", "replaced")]
    esmes = _esmes(source)
    for row in _accepted(source):
        if row["kind"] == "immediate" or row["state"] in _NOT_CONFIRMED or row["device"] not in esmes:
            continue
        after = [one["time"] for one in ended if one["esme"] == row["device"] and one["time"] >= row["accepted"]]
        time = min(after, default=row["accepted"])
        yield Confirmed(event="confirmed", time=time, request=row["request_id"])


def _failed(source: Source) -> Iterator[Event]:
    accepted = _accepted(source)
    for change in source.rows("firmware_update_history"):
        if change["state"] == UpdateState.ACTIVATION_FAILED:
            before = [r for r in accepted if r["device"] == change["device"] and r["accepted"] <= change["time"]]
            if before and before[-1]["kind"] != "cancel":
                yield Failed(event="failed", time=change["time"], request=before[-1]["request_id"])


def _outages(source: Source, causes: "_Causes") -> Iterator[Event]:
    for row in source.rows("power_outage_audit"):
        if not row["duplicate"]:
            told = {"event": "outage", "time": row["received"], "hub": row["hub"], "started": row["started"]}
            yield OutageReceived.model_validate(told | {"cause": causes.of(row["hub"], row["started"])})


class _Causes:
    """What cut the supply of a hub, from the ESME that gives it supply, as the timeline of a run tells it."""

    def __init__(self, source: Source) -> None:
        devices = source.summary.get("devices", ())
        hubs = {device["name"].partition("/")[0]: device["hub"] for device in devices if device.get("hub")}
        cuts: dict[str, list[tuple[int, Cause]]] = {}
        for event in source.timeline:
            hub = hubs.get(event.actor.partition("/")[0])
            if event.name in _CUTS and hub is not None:
                cuts.setdefault(hub, []).append((event.time, _CUTS[event.name]))
        self._cuts = {hub: sorted(found) for hub, found in cuts.items()}

    def of(self, hub: str, started: int) -> Cause | None:
        cuts = self._cuts.get(hub, [])
        place = bisect_right(cuts, started + _TOLERANCE, key=lambda cut: cut[0])
        return cuts[place - 1][1] if place else None


def _tracked(source: Source) -> list[Eui64]:
    devices = [device["eui"] for device in source.summary.get("devices", ()) if device.get("tracked")]
    found = devices or [window["esme"] for window in source.rows("suppression_windows")]
    return [Eui64.parse(eui) for eui in dict.fromkeys(found)]
