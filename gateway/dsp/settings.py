"""What the public documents leave open, each point one named value.

Source of the defaults: legal text and impact assessments of MP102B, MP105, SECMP0007 and MP170; where those say
nothing, the value is this project's choice and a comment says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.interfaces import DAY, HOUR, MINUTE


class OutageTime(StrEnum):
    """Which time of a power outage is held against the windows."""

    RECEIPT = "receipt"
    EVENT_START = "event_start"
    EITHER = "either"
    CSP_RECEIPT = "csp_receipt"  # when the CSP took it from the hub, where it says so


class OutageScope(StrEnum):
    """Whose AD1 an open window suppresses."""

    WHOLE_HUB = "whole_hub"  # one supply feeds the hub: all of it
    PER_MPXN = "per_mpxn"


class Threshold(NamedTuple):
    """At most so many requests in a period; the next one is quarantined."""

    requests: int
    period: int  # ns


_COMMISSIONED = frozenset({DeviceStatus.COMMISSIONED})
_IN_USE = _COMMISSIONED | {DeviceStatus.SUSPENDED}
_INSTALLED = _COMMISSIONED | {DeviceStatus.INSTALLED_NOT_COMMISSIONED}
_BEFORE_JOIN = frozenset({DeviceStatus.WHITELISTED, DeviceStatus.INSTALLED_NOT_COMMISSIONED})
_LISTED = _INSTALLED | {DeviceStatus.WHITELISTED}


def _eligible() -> Mapping[str, Mapping[DeviceType, frozenset[DeviceStatus]]]:
    """Return by service and device type the statuses that pass E5 (device lists: NotCommissioned).

    Only what stands here with Suspended passes for a Suspended device: 11.1 to 11.4 (11.2 by MP105), and 8.3.
    """
    meters = {DeviceType.ESME: _IN_USE, DeviceType.GSME: _IN_USE}
    hcalcs, ppmid = {DeviceType.HCALCS: _IN_USE}, {DeviceType.PPMID: _IN_USE}
    registers = {DeviceType.ESME: _COMMISSIONED, DeviceType.GSME: _COMMISSIONED}
    new_meters = {DeviceType.ESME: _BEFORE_JOIN, DeviceType.GSME: _BEFORE_JOIN}
    installed = {DeviceType.ESME: _INSTALLED, DeviceType.GSME: _INSTALLED}
    critical = installed | {DeviceType.HCALCS: _LISTED}
    non_critical = installed | {DeviceType.GPF: _INSTALLED, DeviceType.PPMID: _LISTED}
    hub = {DeviceType.CHF: _INSTALLED}
    table: dict[str, Mapping[DeviceType, frozenset[DeviceStatus]]] = {
        "4.1.1": registers | {DeviceType.GPF: _COMMISSIONED},
        "4.10": registers | {DeviceType.GPF: _COMMISSIONED},
        "6.13": registers | {DeviceType.GPF: _COMMISSIONED, DeviceType.CHF: _INSTALLED},
        "7.7": {DeviceType.ESME: registers[DeviceType.ESME]},
        "8.1.1": new_meters,
        "8.3": dict.fromkeys(
            DeviceType, frozenset(DeviceStatus) - {DeviceStatus.DECOMMISSIONED, DeviceStatus.WITHDRAWN}
        ),
        "8.5": registers,
        "8.7.1": critical,
        "8.7.2": non_critical,
        "8.8.1": critical,
        "8.8.2": non_critical,
        "8.11": hub,
        "8.12.1": hub,
        "11.1": meters | hcalcs,
        "11.2": meters | {DeviceType.GPF: _INSTALLED | _IN_USE, DeviceType.CHF: _INSTALLED | _IN_USE} | hcalcs | ppmid,
        "11.3": meters | hcalcs,
        "11.4": ppmid,
    }
    return MappingProxyType(table)


def _without_mp105() -> Mapping[str, Mapping[DeviceType, frozenset[DeviceStatus]]]:
    """Return the table before MP105: 11.2 of a Suspended device is refused."""
    table = dict(_eligible())
    table["11.2"] = {kind: statuses - {DeviceStatus.SUSPENDED} for kind, statuses in table["11.2"].items()}
    return MappingProxyType(table)


BEFORE_MP105 = _without_mp105()


@dataclass(frozen=True)
class DspSettings:
    """Times in ns, sizes in octets."""

    suppression: bool = True
    window: int = 30 * MINUTE  # MP102B; configurable there
    outage_time: OutageTime = OutageTime.RECEIPT  # ours
    outage_scope: OutageScope = OutageScope.WHOLE_HUB  # ours
    tracked_bad_share: float = 0.01  # a list with more bad lines is refused whole; ours
    activation_horizon: int = 30 * DAY  # MP102B
    overdue_after: int = DAY  # dated activation without alert; ours
    transform_lifetime: int = 7 * DAY  # a Signed Pre-Command must come within; ours
    small_image_limit: int = 768_000  # "750 KB" of SECMP0007, the decoded file: PPMID, bridges, HCALCS
    update_timeout: int = 7 * DAY  # an open update then expires and blocks no more; ours
    response_timeout: int = 25 * HOUR  # the hub keeps a command 24 h; then E21; ours
    gbcs_version: str = "4.1"  # told with a pre-command where the products list has no entry for the device
    local_timeout: int = 30 * DAY  # a command handed over for local delivery is then forgotten; ours
    close_window_on_failure: bool = False  # a reported failure ends an open window early; ours
    secmp0007: bool = True  # firmware of PPMID, bridges and HCALCS over the air
    # Joins commission PPMID and HCALCS. Until a home makes them, those statuses count for firmware too; without this
    # only bridges, which cannot be joined, keep that right.
    unjoined_count: bool = True
    before_join: frozenset[DeviceStatus] = _BEFORE_JOIN
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)  # by service, for each user; ours
    dcc_thresholds: Mapping[str, Threshold] = field(default_factory=dict)  # by service, for all users together; ours
    use_activation_retry: bool = True  # MP105: the response to any 11.3 corrects the version
    # The answer of an ESME to its supplier's own read bears a MAC between the two, which the DSP cannot check. It is
    # believed only for a command that is awaited, over the hub of that device; the path is the DCC's own.
    believe_relayed_reads: bool = True
    gbcs_may_go_back: bool = False  # whether an image of an earlier major GBCS version is taken; ours
    blocked_update_warns: bool = True  # all devices refused, one for an open update: the lists, not an error; ours
    check_answers: bool = False  # hold own answers against the schema too, as whoever gets them does; ours
    accept_unsigned: bool = False  # for labs: requests without signature or with a template's placeholder; ours
    hub_must_be_commissioned: bool = True  # for 11.2 and 11.4 to a device behind it
    eligible: Mapping[str, Mapping[DeviceType, frozenset[DeviceStatus]]] = field(default_factory=_eligible)
