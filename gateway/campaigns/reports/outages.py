"""Power outages: what was delivered and suppressed by day and operator, and false AD1 with and without the feature."""

from collections import Counter, defaultdict

from gateway.campaigns.replay.comparison import compare
from gateway.campaigns.replay.recorded import recorded_events
from gateway.campaigns.replay.replay import replay
from gateway.campaigns.replay.rules import Rules
from gateway.campaigns.replay.stream import OutageReceived
from gateway.campaigns.reports.report import Cell, Period, Report, counted, day
from gateway.campaigns.sources import Source
from gateway.dsp.records import Decision
from gateway.dsp.tracked import TrackedList

_DECISIONS = (str(Decision.DELIVERED), str(Decision.SUPPRESSED), str(Decision.UNMAPPED))


def suppression(source: Source, period: Period) -> Report:
    """AD1 by day of receipt and intended operator; repeated: messages that came again, which count nowhere else."""
    groups: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for audit in source.rows("power_outage_audit"):
        if audit["received"] in period:
            what = "repeated" if audit["duplicate"] else audit["decision"]
            groups[day(audit["received"]), audit["recipient"] or ""][what] += 1
    rows: list[tuple[Cell, ...]] = [(*key, *counted(groups[key], (*_DECISIONS, "repeated"))) for key in sorted(groups)]
    return Report("suppression", period.name, ("day", "network_operator", *_DECISIONS, "repeated"), rows)


def false_ad1(source: Source, period: Period) -> Report:
    """False AD1, those an activation caused, that reach network operators with the rules last in force and without any.

    In a run's folder the timeline tells the cause of each; elsewhere what the rules suppress counts as false.
    """
    in_force = _rules(source)
    recorded = recorded_events(source)
    events = [event for event in recorded.events if not isinstance(event, OutageReceived) or event.time in period]
    tracked = TrackedList(recorded.tracked)
    rules = (in_force, Rules(name="without", suppression=False))
    verdicts = compare([replay(events, one, tracked) for one in rules])
    rows: list[tuple[Cell, ...]] = [
        (v.rules, v.alerts, v.delivered, v.suppressed, v.leaked, v.lost, v.judged_by) for v in verdicts
    ]
    columns = ("rules", "alerts", "delivered", "suppressed", "false_delivered", "real_lost", "judged_by")
    return Report("false-ad1", period.name, columns, rows)


def _rules(source: Source) -> Rules:
    """Return the rules that the last decision of the audit names; those of the DSP's defaults without any."""
    audits = source.rows("power_outage_audit")
    if not audits:
        return Rules(name="with suppression")
    last = audits[-1]
    if last["policy"] == "off":
        return Rules(name="with suppression", suppression=False)
    time, scope = str(last["policy"]).split(" ")[:2]
    window = f"{last['window_seconds']}s"
    return Rules.model_validate({"name": "with suppression", "window": window, "time": time, "scope": scope})
