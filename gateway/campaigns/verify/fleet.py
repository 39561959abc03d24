"""A fleet: false outages, windows after lost responses, bridges, and all of it in one run."""

from collections import Counter
from collections.abc import Iterator

from gateway.campaigns.verify.check import Check, conclude, count
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.fleet_view import BEFORE, History, downloads, lost_outcomes, outages, step, wrong_records
from gateway.campaigns.verify.folder import Row
from gateway.campaigns.verify.windows import windows
from protocols.addresses import Eui64
from protocols.duis.alerts import CommsHubAlert, CspFirmwareDeliveryStatus, PpmidAlert
from protocols.interfaces import HOUR

DOWNLOADS_A_YEAR = 2  # MP170


def check_false_outages(evidence: Evidence) -> Iterator[Check]:
    """MP102B-R1, G13: no AD1 that an activation of a tracked ESME caused reaches the operator; how many would have."""
    facts, faults = list[str](), list[str]()
    false = [one for one in outages(evidence) if one.cause == "activation"]
    reached = [one for one in false if one.mailed]
    wanted = [one for one in false if one.tracked]
    faults += [f"AD1 of hub ..{str(one.hub)[-4:]} by an activation was delivered" for one in reached if one.tracked]
    figures = f"false AD1 delivered: {len(reached)}, without the feature {len(false)}"
    facts += [f"{figures}; {count(len(wanted), 'activation')} of tracked ESME reported"] if wanted else []
    missing = "no activation of a tracked ESME was reported as an outage"
    yield conclude("MP102B-R1", "updates look like no power cut", facts=facts, faults=faults, missing=missing)
    yield conclude("MP102B-G13", "false AD1 with and without", facts=facts, faults=faults, missing=missing)


def check_windows_after_loss(evidence: Evidence) -> Iterator[Check]:
    """X-3: a lost response leaves the window of its activation as it is, and the record is repaired later."""
    facts, faults = list[str](), list[str]()
    history, rows = History(evidence), evidence.files.store.get("suppression_windows", ())
    kept = {Eui64.parse(row["esme"]): (row["start"], row["end"]) for row in rows}
    expected = {window.esme: window for window in windows(evidence) if window.taken_back is None}
    before, seen = step(evidence, BEFORE), 0
    for one in lost_outcomes(evidence):
        window = expected.get(one.device)
        if window is None or (before is not None and one.time > before):
            continue
        seen += 1
        if kept.get(one.device) != (window.start, window.end):
            faults.append(f"{evidence.name(one.device)}: window {kept.get(one.device)}, not 30 minutes from its 11.3")
        repaired = history.changed(one.device, "firmware_version", one.time)
        if repaired is None:
            faults.append(f"{evidence.name(one.device)}: its record was never repaired")
    facts += (
        [f"{count(seen, 'window')} whole though the response was lost, every record repaired later"] if seen else []
    )
    yield conclude("X-3", "windows after lost responses", facts=facts, faults=faults, missing="no response lost")


def check_downloads(evidence: Evidence) -> Iterator[Check]:
    """MP170-NF1: no bridge downloads more than two images a year."""
    counts = downloads(evidence)
    faults = [f"{evidence.name(d)}: {n} images in {year}" for (d, year), n in counts.items() if n > DOWNLOADS_A_YEAR]
    facts = [f"{count(len(counts), 'bridge')} and years, at most {max(counts.values())} images each"] if counts else []
    yield conclude("MP170-NF1", "downloads a year", facts=facts, faults=faults, missing="no bridge in the fleet")


_STAGES = ("Requested", "Delivered", "Transferred", "Activated")


def check_stages(evidence: Evidence) -> Iterator[Check]:
    """SM7-R11, MP170-C11, C17: each stage of a bridge's update is recorded, and told: N60, N62 and N39."""
    facts, faults = list[str](), list[str]()
    n60 = Counter(
        (str(alert.update_firmware_request_id), alert.target_device_id)
        for _, code, alert in evidence.users.dcc_alerts(CspFirmwareDeliveryStatus)
        if code == "N60"
    )
    n62 = Counter(
        (str(alert.firmware_transfer.update_firmware_request_id), alert.firmware_transfer.other_device_id)
        for _, code, alert in evidence.users.dcc_alerts(CommsHubAlert)
        if code == "N62" and alert.firmware_transfer is not None
    )
    n39 = Counter(alert.device_id for _, code, alert in evidence.users.dcc_alerts(PpmidAlert) if code == "N39")
    asked: Counter[Eui64] = Counter()
    for exchange in evidence.users.of_service("11.4"):
        for device in exchange.taken:
            asked[device] += 1
            request = exchange.request.request_id
            rows = evidence.rows_of("firmware_update_history", request, device)
            states = tuple(row["state"] for row in rows)
            told = (n60[str(request), device], n62[str(request), device])
            if states != _STAGES or told != (1, 1):
                faults.append(f"{exchange.place} to {evidence.name(device)}: {', '.join(states)}; N60, N62: {told}")
    faults += [f"{evidence.name(d)}: {n39[d]} N39 for {n} updates" for d, n in asked.items() if n39[d] != n]
    facts += [f"{count(sum(asked.values()), 'update')} of bridges told at each of four stages"] if asked else []
    for requirement, name in (("SM7-R11", "stages told"), ("MP170-C11", "stages tracked"), ("MP170-C17", "notices")):
        yield conclude(requirement, name, facts=facts, faults=faults, missing="no update of a bridge")


def check_together(evidence: Evidence) -> Iterator[Check]:
    """X-1: in one run outages are suppressed and delivered rightly, records repaired, bridges updated."""
    audits = [row for row in evidence.files.store.get("power_outage_audit", ()) if not row["duplicate"]]
    decided = Counter(row["decision"] for row in audits)
    wrong = wrong_records(evidence, step(evidence, BEFORE) or 0)
    updates = evidence.files.store.get("firmware_updates", ())
    states = Counter(row["state"] for row in updates if row["service"] == "11.4")
    faults = [*_misjudged(evidence, audits)]
    faults += [f"{evidence.name(one)}: wrong at the end" for one in wrong_records(evidence, evidence.air.last + HOUR)]
    faults += [f"{number} updates of bridges ended {state}" for state, number in states.items() if state != "Activated"]
    figures = {
        "AD1 suppressed": decided["suppressed"], "AD1 delivered": decided["delivered"],
        "records wrong, then right": len(wrong), "updates of bridges activated": states["Activated"],
    }  # fmt: skip
    lacking = [what for what, number in figures.items() if not number]
    facts = [] if lacking else ["; ".join(f"{what}: {number}" for what, number in figures.items())]
    yield conclude("X-1", "all in one run", facts=facts, faults=faults, missing=f"none of {', '.join(lacking)}")


def _misjudged(evidence: Evidence, audits: list[Row]) -> Iterator[str]:
    """Yield the outages that were not told though no window was open, or told though one was."""
    opened = [window for window in windows(evidence) if window.taken_back is None]
    covered = {
        (row["hub"], row["started"])
        for row in audits
        if any(str(window.hub) == row["hub"] and window.covers(row["received"]) for window in opened)
    }
    for one in outages(evidence):
        inside = (str(one.hub), one.started) in covered
        if inside == bool(one.mailed):
            place = "inside a window, delivered" if inside else "outside every window, lost"
            yield f"AD1 of hub ..{str(one.hub)[-4:]} by {one.cause} {place}"
