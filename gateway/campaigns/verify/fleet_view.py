"""What a fleet without radio shows: versions told, responses lost, the inventory at any time, outages, downloads.

What a meter runs is what it last said of itself at its hub, in a validly signed answer or alert, lost above it or not.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.folder import Row
from gateway.campaigns.verify.gbcs_view import Verdict, payload_of, version_read
from gateway.campaigns.verify.inventory import outcome_version
from gateway.campaigns.verify.messages import NETWORK_OPERATOR
from protocols.addresses import Eui64
from protocols.duis.alerts import PowerOutageEvent
from protocols.gbcs.envelope import Cra
from protocols.gbcs.use_cases import ccs08, cs06
from protocols.interfaces import SECOND

BEFORE, AFTER = "before the repair", "after the repair"  # steps of the story


class Lost(NamedTuple):
    """An answer of a meter with the outcome of an 11.3 that never reached the supplier."""

    device: Eui64
    time: int  # ns UTC, at the hub
    version: str  # that the meter ran then


def step(evidence: Evidence, what: str) -> int | None:
    """Return when the story came to a step."""
    return next((event.time for event in evidence.events("step") if event.text("what") == what), None)


def told_versions(evidence: Evidence) -> dict[Eui64, list[tuple[int, str]]]:
    """Return (time, version) of what each device said that it runs, in order of time."""
    told: dict[Eui64, list[tuple[int, str]]] = {}
    for carried in evidence.air.carried:
        if carried.upward and carried.judged is not None and carried.judged.signature is not Verdict.INVALID:
            message = carried.judged.message
            version = outcome_version(message) or version_read(message)
            if version is not None:
                told.setdefault(carried.device, []).append((carried.time, f"{version:08X}"))
    return told


def lost_outcomes(evidence: Evidence) -> list[Lost]:
    """Return the outcomes of 11.3 that a hub carried up and no mailbox has."""
    arrived = {octets for _, octets in evidence.users.device_answers()}
    arrived |= {octets for _, _, octets in evidence.users.device_alerts()}
    found = []
    for carried in evidence.air.sent_up(cs06.MESSAGE_CODE):
        if carried.judged is None or carried.octets in arrived or carried.judged.message.cra is not Cra.RESPONSE:
            continue
        answer = payload_of(cs06.Response.decode, carried.judged.message)
        if answer is not None and answer.outcome is not None:
            found.append(Lost(carried.device, carried.time, f"{answer.outcome.firmware_version:08X}"))
    return found


class History:
    """The inventory at any time: the rows of the end, taken back by their history."""

    def __init__(self, evidence: Evidence) -> None:
        self._rows = {row["device"]: row for row in evidence.files.store.get("inventory", ())}
        self._changes: dict[tuple[str, str], list[Row]] = {}
        for change in evidence.files.store.get("inventory_history", ()):
            self._changes.setdefault((change["device"], change["field"]), []).append(change)

    def at(self, device: Eui64, field: str, time: int) -> str | None:
        """Return a field as it was after all that happened until `time`."""
        changes = self._changes.get((str(device), field), [])
        place = bisect_right(changes, time, key=lambda change: change["time"])
        now = self._rows.get(str(device), {}).get(field)
        value = changes[place]["old"] if place < len(changes) else now
        return None if value is None else str(value)

    def changed(self, device: Eui64, field: str, after: int) -> Row | None:
        """Return the first change of a field after a time."""
        return next((c for c in self._changes.get((str(device), field), ()) if c["time"] > after), None)


def wrong_records(evidence: Evidence, time: int) -> list[Eui64]:
    """Return the devices whose version in the inventory, at a time, is not what they last said until then."""
    history, wrong = History(evidence), []
    for device, told in told_versions(evidence).items():
        place = bisect_right(told, time, key=lambda one: one[0])
        if place and history.at(device, "firmware_version", time) != told[place - 1][1]:
            wrong.append(device)
    return wrong


class Outage(NamedTuple):
    """A power loss a hub reported, and what was behind it."""

    hub: Eui64
    started: int  # ns UTC
    cause: str  # activation or mains
    tracked: bool  # the ESME that feeds the hub is on the list
    mailed: int  # AD1 in the network operator's mailbox


_CUTS = {"dc-supply-cut": "activation", "supply-interrupted": "mains"}


def outages(evidence: Evidence) -> list[Outage]:
    """Return the power losses that hubs reported, each with what its ESME said happened then."""
    feeds = {evidence.actors[esme].partition("/")[0]: esme for esme in evidence.hubs if esme in evidence.actors}
    chfs = {name: evidence.hubs[esme] for name, esme in feeds.items()}
    tracked = {evidence.hubs[esme] for esme in evidence.tracked if esme in evidence.hubs}
    cuts: dict[str, list[tuple[int, str]]] = {}
    for event in evidence.files.timeline:
        if event.name in _CUTS:
            cuts.setdefault(event.actor.partition("/")[0], []).append((event.time, _CUTS[event.name]))
    mailed = Counter(
        (alert.comms_hub_device_id, alert.start_date_time // SECOND)
        for mail, code, alert in evidence.users.dcc_alerts(PowerOutageEvent)
        if code == "AD1" and mail.user == NETWORK_OPERATOR
    )
    found = []
    for event in evidence.events("power-loss-reported"):
        name, started = event.actor.partition("/")[0], int(event.fields["started"] or 0)
        place = bisect_right(cuts.get(name, []), (started, "~"))
        cause = cuts[name][place - 1][1] if place else "nothing"
        hub = chfs[name]
        found.append(Outage(hub, started, cause, hub in tracked, mailed[hub, started // SECOND]))
    return found


def downloads(evidence: Evidence) -> Mapping[tuple[Eui64, int], int]:
    """Return how many images hubs say they passed on (8F8A), by device and year."""
    counts: Counter[tuple[Eui64, int]] = Counter()
    kinds = {Eui64.parse(device["eui"]): device["kind"] for device in evidence.files.summary["devices"]}
    for carried in evidence.air.sent_up(ccs08.MESSAGE_CODE):
        alert = None if carried.judged is None else payload_of(ccs08.Alert.decode, carried.judged.message)
        if alert is None or not carried.valid or alert.code != ccs08.TransferCode.TRANSFERRED:
            continue
        if kinds.get(alert.device, "").startswith("bridge"):
            counts[alert.device, datetime.fromtimestamp(carried.time // SECOND, UTC).year] += 1
    return counts
