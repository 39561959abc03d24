"""One HAN node: a `HanPort` over one radio, or over two of a bridge."""

from collections.abc import Callable, Sequence

from protocols.addresses import Eui64, ShortAddress
from protocols.interfaces import (
    ApsData,
    Clock,
    Entropy,
    HanEvent,
    HanLimits,
    Handle,
    LinkKey,
    RadioLink,
    Recorder,
    SimpleDescriptor,
    Storage,
    TrustBackup,
    ZdpQuery,
)
from protocols.stack.settings import KeyLog, NodeRole, NodeStatistics, StackSettings


class Node:
    """`protocols.interfaces.HanPort`: coordinator, router, end device or sleepy end device.

    Events come from the clock's callbacks, never out of a call of the application.
    """

    limits: HanLimits

    def __init__(
        self,
        role: NodeRole,
        eui: Eui64,
        radios: Sequence[RadioLink],
        clock: Clock,
        storage: Storage,
        entropy: Entropy,
        settings: StackSettings = StackSettings(),
        key_log: KeyLog | None = None,
        recorder: Recorder | None = None,
        name: str = "",
    ) -> None:
        """`radios`: the HAN's first, those of the backhaul after. `key_log` gets every key as it comes into use."""
        self.role, self.eui, self.name = role, eui, name

    # --- HanPort -----------------------------------------------------------------------------------------------

    def attach(self, listener: Callable[[HanEvent], None]) -> None: ...
    def register(self, endpoints: Sequence[SimpleDescriptor]) -> None: ...
    def send(self, to: Eui64, aps: ApsData, *, secured: bool, acknowledged: bool) -> Handle: ...
    def allow_join(self, who: Eui64, key: LinkKey, seconds: int) -> None: ...
    def install_link_key(self, who: Eui64, key: LinkKey) -> None: ...
    def remove(self, who: Eui64) -> None: ...
    def discover(self, who: Eui64, query: ZdpQuery) -> Handle: ...
    def export_trust(self) -> TrustBackup: ...
    def restore_trust(self, backup: TrustBackup) -> None: ...

    # --- beyond the port ---------------------------------------------------------------------------------------

    def form(self, pan_id: int, channel: int) -> None:
        """Start the network as its coordinator; the network key comes from the entropy."""

    def join(self, key: LinkKey, channels: Sequence[int] = (11,)) -> None:
        """Look for a network and join it under the install-code link key `key`, again and again until joined.

        Afterwards `Joined(trust centre)`. Goes on after a power cut.
        """

    def power_off(self) -> None:
        """Radios off, timers dead; what is not in the storage is lost."""

    def power_on(self) -> None:
        """Start from the storage: a joined node announces itself (the hub sees `Rejoined`), another goes on joining."""

    @property
    def joined(self) -> bool: ...
    @property
    def powered(self) -> bool: ...
    @property
    def short(self) -> ShortAddress: ...
    @property
    def parent(self) -> Eui64 | None: ...
    @property
    def trust_centre(self) -> Eui64 | None: ...
    @property
    def statistics(self) -> NodeStatistics: ...
