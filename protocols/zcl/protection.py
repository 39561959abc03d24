"""Which clusters of Smart Energy need a link key. Source: ZSE 07-5356 5.4.6, table 5-12."""

from typing import Final

SMART_ENERGY: Final = 0x0109

_NETWORK_KEY: Final = frozenset(
    (
        0x0000,  # Basic
        0x0001,  # Power Configuration [I]
        0x0003,  # Identify
        0x0009,  # Alarms [I]
        0x000A,  # Time [I]
        0x0025,  # Keep-Alive [I]
        0x0800,  # Key Establishment
    )
)


def needs_link_key(profile: int, cluster: int) -> bool:
    """Tell whether frames of `cluster` go under APS security; any that the table does not name does."""
    return profile == SMART_ENERGY and cluster not in _NETWORK_KEY
