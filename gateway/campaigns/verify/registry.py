"""All checks, in the order they are told."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.campaigns.verify import (
    alerts,
    device_messages,
    fleet,
    fleet_repairs,
    frames,
    hub_firmware,
    inventory,
    joins,
    life_accounts,
    life_events,
    life_logs,
    life_meters,
    life_phases,
    life_services,
    life_switches,
    link_keys,
    living,
    meters,
    outages,
    reads,
    services,
    signatures,
    tracking,
    transfers,
    updates,
)
from gateway.campaigns.verify.check import Check
from gateway.campaigns.verify.evidence import Evidence
from protocols.errors import InputError

LIFE, FLEET, SERVICES, OLD_HUB = "life", "fleet", "services", "old-hub"  # kinds of a run, in summary.json

CHECKS: tuple[Callable[[Evidence], Iterator[Check]], ...] = (
    frames.check_frames,
    link_keys.check_exchanges,
    link_keys.check_uses,
    joins.check_keys,
    joins.check_nobody_else,
    joins.check_mirror_readers,
    device_messages.check_certificates,
    frames.check_documents,
    signatures.check_xml_signatures,
    transfers.check_rebuilt_images,
    updates.check_updates,
    updates.check_signatures,
    meters.check_receipts,
    meters.check_separation,
    reads.check_answers_relayed,
    updates.check_one_request_each,
    inventory.check_records,
    inventory.check_changes_confirmed,
    inventory.check_reads_followed,
    inventory.check_variants,
    transfers.check_bad_images_refused,
    transfers.check_unknown_images_refused,
    updates.check_served_alike,
    updates.check_service_types,
    updates.check_second_request_blocked,
    updates.check_alerts_delivered,
    reads.check_unknown_remote_party,
    updates.check_bridge_messages,
    outages.check_silence,
    outages.check_windows,
    tracking.check_what_arms,
    tracking.check_order_of_tests,
    tracking.check_horizon,
    tracking.check_before_date,
    tracking.check_cancellation,
    outages.check_delivery,
    tracking.check_three_minutes,
    alerts.check_all_delivered,
    alerts.check_inside_windows,
    living.check_displays,
    living.check_mirror,
)


_STAGED: tuple[Callable[[Evidence], Iterator[Check]], ...] = (
    transfers.check_bad_images_refused,
    transfers.check_unknown_images_refused,
    updates.check_second_request_blocked,
    outages.check_windows,
    tracking.check_horizon,
    tracking.check_before_date,
    tracking.check_cancellation,
    alerts.check_inside_windows,
)
"""What only the demo puts on the stage: a life without it is none the worse."""

_UNTOLD_OF_OLD_HUB = (
    *_STAGED,
    updates.check_updates,
    outages.check_silence,
    outages.check_delivery,
    tracking.check_what_arms,
    tracking.check_three_minutes,
    alerts.check_all_delivered,
)
"""What the story of an old hub does not tell either: of bridges it updates one, and it has no power cuts."""

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "SM7-R2": ("ppmid",), "SM7-R3": ("ppmid",), "SM7-R4": ("hcalcs",), "SM7-R5": ("hcalcs",),
    "MP170-A4": ("ppmid", "bridge"), "MP102B-R1": ("tracked",), "MP102B-G5": ("tracked",),
    "MP102B-G6": ("tracked", "untracked"),
    "MP170-R2": ("bridge",), "MP170-R2a": ("bridge",), "MP170-R7": ("bridge",), "MP170-R11": ("bridge",),
    "JOIN-5": ("gsme", "ihd"), "JOIN-6": ("gsme", "ppmid"),
    "LIFE-2": ("gsme", "ihd"), "LIFE-8": ("ppmid",), "LIFE-9": ("ihd",), "MP170-P14": ("gsme", "ihd"),
    "MP170-C8": ("bridge",), "MP170-C9": ("bridge",), "MP170-C16": ("bridge",),
    "SM7-R8": ("read by CS08",), "MP170-C14": ("read by CS08",),
    "MP170-R6": ("confirming",), "MP170-C13": ("confirming",),
    "JOIN-1": ("partner",), "JOIN-2": ("partner",),
}  # fmt: skip
"""What a home must have for a requirement to be shown in its life: kinds, a tracked ESME, or one of `_GROUPS`."""

_GROUPS: Mapping[str, frozenset[str]] = {
    "read by CS08": frozenset({"ppmid", "bridge", "hcalcs"}),
    "confirming": frozenset({"ppmid", "bridge"}),  # by 8F8B
    "partner": frozenset({"ppmid", "ihd", "cad", "hcalcs", "gsme"}),  # of an ESME or the GPF
    "untracked": frozenset({"gsme", "hcalcs"}),  # and activated by 11.3
}
"""What a home has if it has any of these kinds."""

LIFE_CHECKS = (
    *(checks for checks in CHECKS if checks not in _STAGED),
    life_meters.check_registers,
    life_meters.check_gas_age,
    life_events.check_outages,
    life_events.check_inventory,
    life_events.check_alerts,
    life_events.check_swap,
    life_phases.check_phases,
    life_logs.check_logs,
    life_accounts.check_costs,
    life_accounts.check_balance,
    life_services.check_prices,
    life_services.check_texts,
    life_services.check_loads,
    life_switches.check_switches,
)

OLD_HUB_CHECKS = (
    *(checks for checks in CHECKS if checks not in _UNTOLD_OF_OLD_HUB),
    hub_firmware.check_what_a_hub_serves,
    hub_firmware.check_images_for_hubs,
    hub_firmware.check_hub_inventory,
)


FLEET_CHECKS: tuple[Callable[[Evidence], Iterator[Check]], ...] = (
    frames.check_documents,
    signatures.check_xml_signatures,
    inventory.check_records,
    tracking.check_what_arms,
    fleet.check_false_outages,
    fleet_repairs.check_loss,
    fleet.check_windows_after_loss,
    fleet_repairs.check_repair,
)
"""What every fleet without radio shows."""

_BY_REPAIR = {
    "read": (fleet_repairs.check_reads, fleet_repairs.check_restored),
    "retry": (fleet_repairs.check_retries,),
    "none": (),
}
_OF_MIXED = (
    outages.check_delivery,
    updates.check_alerts_delivered,
    fleet.check_downloads,
    fleet.check_stages,
    alerts.check_all_delivered,
    fleet.check_together,
)
"""What a mixed fleet shows beside that."""


SERVICE_CHECKS: tuple[Callable[[Evidence], Iterator[Check]], ...] = (
    frames.check_documents,
    signatures.check_xml_signatures,
    services.check_inventory_answers,
    services.check_rules,
    services.check_operators,
    services.check_codes_of_updates,
    services.check_new_devices,
    services.check_variants_told,
)
"""What a recording of service requests shows, without devices."""


def _fleet_checks(summary: Mapping[str, Any]) -> tuple[Callable[[Evidence], Iterator[Check]], ...]:
    """Return the checks of what the plan of a fleet has."""
    plan = summary["plan"]
    repairs = _BY_REPAIR[plan["repair"]] if plan["removed"] or plan["repair"] == "retry" else ()
    return (*FLEET_CHECKS, *repairs, *(_OF_MIXED if plan["bridges"] and plan["mains_cuts"] else ()))


_CHECKS_OF = {SERVICES: SERVICE_CHECKS, OLD_HUB: OLD_HUB_CHECKS}


def run_checks(evidence: Evidence) -> list[Check]:
    """Put the checks of its kind of run to the evidence: a life's, a fleet's, a recording's, or else the demo's."""
    summary = evidence.files.summary
    if summary.get("kind") == LIFE:
        there = _there(evidence)
        found = [check for checks in LIFE_CHECKS for check in _put(checks, evidence)]
        return [check for check in found if there.issuperset(_NEEDS.get(check.requirement, ()))]
    wanted = CHECKS
    if summary.get("kind") == FLEET:
        try:
            wanted = _fleet_checks(summary)
        except (KeyError, TypeError) as error:
            raise InputError(f"{evidence.files.path / 'summary.json'}: no plan of a fleet: {error}") from error
    wanted = _CHECKS_OF.get(summary.get("kind", ""), wanted)
    return [check for checks in wanted for check in _put(checks, evidence)]


def _put(checks: Callable[[Evidence], Iterator[Check]], evidence: Evidence) -> Iterator[Check]:
    """Put one function to the evidence: what it cannot make sense of, as after tampering, is a failed check."""
    try:
        yield from checks(evidence)
    except InputError as error:
        yield Check(_requirement(checks), "evidence can be read", False, str(error))
    except Exception as error:  # noqa: BLE001 - whatever evidence may hold, the verdict on the rest is told
        what = f"{checks.__name__}: {type(error).__name__}: {error}"
        yield Check(_requirement(checks), "evidence can be read", False, what)


def _requirement(checks: Callable[[Evidence], Iterator[Check]]) -> str:
    """Return the first requirement that a function says it checks."""
    found = re.match(r"[A-Z0-9]+-[A-Za-z0-9]+", checks.__doc__ or "")
    return found[0] if found else "X-5"


def _there(evidence: Evidence) -> frozenset[str]:
    """Return what the home of a life has, in the words of `_NEEDS`."""
    devices = evidence.files.summary.get("devices", [])
    kinds = {"bridge" if device["kind"].startswith("bridge") else device["kind"] for device in devices}
    groups = {name for name, members in _GROUPS.items() if members & kinds}
    return frozenset(kinds | groups | {"tracked" for device in devices if device["tracked"]})
