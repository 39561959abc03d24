"""What the public documents leave open, each point one named value.

Source of the defaults: legal text and impact assessments of MP102B, MP105, SECMP0007 and MP170; where those say
nothing, the value is this project's choice and a comment says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.interfaces import DAY, HOUR, MINUTE


class OutageTime(StrEnum):
    """Which time of a power outage is held against the windows."""

    RECEIPT = "receipt"
    EVENT_START = "event_start"
    EITHER = "either"


class OutageScope(StrEnum):
    """Whose AD1 an open window suppresses."""

    WHOLE_HUB = "whole_hub"  # one supply feeds the hub: all of it
    PER_MPXN = "per_mpxn"


_IN_USE = frozenset({DeviceStatus.COMMISSIONED, DeviceStatus.SUSPENDED})
# Joins commission PPMIDs and HCALCS, and bridges are barred from them: until joins exist these count too.
_BEFORE_JOIN = frozenset({DeviceStatus.WHITELISTED, DeviceStatus.INSTALLED_NOT_COMMISSIONED})
_HUB = frozenset({DeviceStatus.INSTALLED_NOT_COMMISSIONED, DeviceStatus.COMMISSIONED})


def _eligible() -> Mapping[str, Mapping[DeviceType, frozenset[DeviceStatus]]]:
    """Return by service and device type the statuses that pass E5 (device lists: NotCommissioned)."""
    meters = {DeviceType.ESME: _IN_USE, DeviceType.GSME: _IN_USE}
    hcalcs = {DeviceType.HCALCS: _IN_USE | _BEFORE_JOIN}
    ppmid = {DeviceType.PPMID: _IN_USE | _BEFORE_JOIN}
    table: dict[str, Mapping[DeviceType, frozenset[DeviceStatus]]] = {
        "8.11": {DeviceType.CHF: _HUB},
        "11.1": meters | hcalcs,
        "11.2": {DeviceType.ESME: _IN_USE, DeviceType.CHF: _HUB} | hcalcs | ppmid,
        "11.3": meters | hcalcs,
        "11.4": ppmid,
    }
    return MappingProxyType(table)


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
    use_activation_retry: bool = True  # MP105: the response to any 11.3 corrects the version
    # The answer of an ESME to its supplier's own read bears a MAC between the two, which the DSP cannot check. It is
    # believed only for a command that is awaited, over the hub of that device; the path is the DCC's own.
    believe_relayed_reads: bool = True
    blocked_update_warns: bool = True  # all devices refused, one for an open update: the lists, not an error; ours
    accept_unsigned: bool = False  # for labs: requests without signature or with a template's placeholder; ours
    hub_must_be_commissioned: bool = True  # for 11.2 and 11.4 to a device behind it
    eligible: Mapping[str, Mapping[DeviceType, frozenset[DeviceStatus]]] = field(default_factory=_eligible)
