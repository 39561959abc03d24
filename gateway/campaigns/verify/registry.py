"""All checks, in the order they are told."""

from collections.abc import Callable, Iterator

from gateway.campaigns.verify import (
    alerts,
    frames,
    inventory,
    link_keys,
    meters,
    outages,
    reads,
    signatures,
    tracking,
    transfers,
    updates,
)
from gateway.campaigns.verify.check import Check
from gateway.campaigns.verify.evidence import Evidence

LIFE = "life"  # kind of a run, in summary.json

CHECKS: tuple[Callable[[Evidence], Iterator[Check]], ...] = (
    frames.check_frames,
    link_keys.check_exchanges,
    link_keys.check_uses,
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

LIFE_CHECKS = tuple(checks for checks in CHECKS if checks not in _STAGED)


def run_checks(evidence: Evidence) -> list[Check]:
    """Put the checks of its kind of run to the evidence: a life's, or else the demo's."""
    wanted = LIFE_CHECKS if evidence.files.summary.get("kind") == LIFE else CHECKS
    return [check for checks in wanted for check in checks(evidence)]
