"""How firmware was delivered to hubs (PM 2.2), and what became of each supplier's updates."""

from collections import defaultdict

from gateway.campaigns.reports.estate import estate, variant
from gateway.campaigns.reports.report import Period, Report, day, moment, share
from gateway.campaigns.sources import Row, Source
from gateway.dsp.records import UpdateState
from protocols.interfaces import MINUTE

_LOST = (UpdateState.FAILED, UpdateState.EXPIRED)
PM_2_2 = (
    "month", "region", "device_type", "requested", "delivered", "not_delivered", "open", "delivered_percent",
    "median_minutes", "percentile_95_minutes",
)  # fmt: skip


def pm_2_2(source: Source, period: Period) -> Report:
    """Monthly firmware download performance of the CSPs, by month of request, region of the hub and device type.

    delivered: the CSP told that the hub has the image (N60). not_delivered: failed or expired before that. Minutes run
    from the request to that word, of those delivered. The measure's own definition is not public: columns are ours.
    """
    entries = {entry["device"]: entry for entry in estate(source, period)}
    stories = _stories(source)
    groups: dict[tuple[str, str, str], list[dict[str, int]]] = defaultdict(list)
    for update in source.rows("firmware_updates"):
        if update["requested"] in period:
            hub, device = entries.get(update["hub"], {}), entries.get(update["device"], {})
            key = day(update["requested"])[:7], hub.get("csp_region") or "Unknown", device.get("type") or "Unknown"
            groups[key].append(stories.get((update["request_id"], update["device"]), {}))
    rows = [(*key, *_performance(groups[key])) for key in sorted(groups)]
    return Report("pm-2.2", period.name, PM_2_2, rows)


def _stories(source: Source) -> dict[tuple[str, str], dict[str, int]]:
    """Return when each update first had each state."""
    stories: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for change in source.rows("firmware_update_history"):
        stories[change["request_id"], change["device"]].setdefault(change["state"], change["time"])
    return stories


_REACHED = (UpdateState.DELIVERED, UpdateState.TRANSFERRED, UpdateState.DISTRIBUTED, UpdateState.ACTIVATED)


def _performance(stories: list[dict[str, int]]) -> tuple[int | float | None, ...]:
    reached = [min((story[state] for state in _REACHED if state in story), default=None) for story in stories]
    spans = sorted(
        at - story[UpdateState.REQUESTED]
        for story, at in zip(stories, reached, strict=True)
        if at is not None and UpdateState.REQUESTED in story
    )
    delivered = sum(1 for at in reached if at is not None)
    lost = sum(
        1 for story, at in zip(stories, reached, strict=True) if at is None and any(state in story for state in _LOST)
    )
    return (
        len(stories), delivered, lost, len(stories) - delivered - lost, share(delivered, len(stories)),
        _minutes(spans, 50), _minutes(spans, 95),
    )  # fmt: skip


def _minutes(spans: list[int], percentile: int) -> float | None:
    """Return the smallest span that `percentile` of all do not exceed."""
    if not spans:
        return None
    return round(spans[max(-(-len(spans) * percentile // 100) - 1, 0)] / MINUTE, 2)


OUTCOMES = (
    "supplier", "request_id", "service", "device_id", "device_type", "variant", "version", "outcome", "requested",
    "changed", "reason",
)  # fmt: skip


def outcomes(source: Source, period: Period) -> Report:
    """Each update a supplier asked for in the period and where it stands, for those who tell AltHANCo (MP170)."""
    entries = {entry["device"]: entry for entry in estate(source, period)}
    updates = [update for update in source.rows("firmware_updates") if update["requested"] in period]
    rows = []
    for update in sorted(updates, key=_order):
        entry = entries.get(update["device"])
        rows.append(
            (
                update["user"], update["request_id"], update["service"], update["device"],
                None if entry is None else entry["type"], None if entry is None else variant(entry),
                update["version"], update["state"], moment(update["requested"]), moment(update["changed"]),
                update["reason"],
            )
        )  # fmt: skip
    return Report("outcomes", period.name, OUTCOMES, rows)


def _order(update: Row) -> tuple[str, int, str]:
    return update["user"], update["requested"], update["device"]
