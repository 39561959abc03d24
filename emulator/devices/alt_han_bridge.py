"""Alt HAN bridges 1 to 4: routers that carry the HAN over a backhaul, joined and updated as PPMIDs are."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Unpack

from emulator.parts.battery import Battery, BatterySettings
from emulator.parts.self_activating import SelfActivatingDevice
from emulator.parts.updatable import DeviceParts
from protocols.addresses import Eui64
from protocols.interfaces import MINUTE, SECOND, LinkKey
from protocols.ota.client import OtaClientSettings, ZclStatus
from protocols.ota.image import Kind

Tunnelling = Literal["until_swap", "always", "never"]

_ADMITTED_BY = "bridge/admitted-by"


_QUIET = "quiet moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeSettings:
    """Times in ns. battery: of bridge 4. charge: what is in it at the beginning, uAh; None: it is full."""

    quiet: int = 5 * SECOND  # nothing relayed for so long is a quiet moment [I]
    longest_wait: int = 5 * MINUTE  # for a quiet moment; then it activates all the same [I]
    battery: BatterySettings = field(default_factory=BatterySettings)
    charge: int | None = None
    put_off_status: ZclStatus | None = ZclStatus.INSUFFICIENT_SPACE
    """How it answers the offer of an image that would strand it; the hub then tells 8F89. None: it is silent. [I]"""


class AltHanBridge(SelfActivatingDevice):
    """One bridge. Its node has two radios, the HAN's and the backhaul's, and relays between them by itself.

    It serves tunnels as its `tunnelling` says: to the hub that admitted it by install code and to no other, which a hub
    that replaced that one finds out, and takes it for an IHD (MP170-A10); always, as a repaired product; or never.
    It activates an image in a quiet moment. Bridge 4 lives on a battery, and refuses an update that would strand it.
    """

    def __init__(
        self,
        *,
        tunnelling: Tunnelling = "until_swap",
        bridge_settings: BridgeSettings | None = None,
        **parts: Unpack[DeviceParts],
    ) -> None:
        self.tunnelling, self._hub = tunnelling, Eui64(0)
        self.bridge_settings = bridge_settings if bridge_settings is not None else BridgeSettings()
        self._relayed = -1  # by the node, when last looked at
        self._put_off: int | None = None  # the version last told of
        if tunnelling == "never":
            self.servers = ()
        super().__init__(**parts)
        self.cell: Battery | None = None
        if self.battery:
            own = self.bridge_settings
            self.cell = Battery(self.storage, self.wall, own.battery, own.charge)
        self.application.on_network(self._networked)

    def start(self, key: LinkKey | None = None, channels: Sequence[int] = (11,)) -> None:
        """With `key` it begins as from the factory: whoever admits it by install code gets its tunnels."""
        if key is not None:
            self.storage.delete(_ADMITTED_BY)
        super().start(key, channels)

    def _networked(self, hub: Eui64) -> None:
        self._hub = hub
        if self.storage.get(_ADMITTED_BY) is None:
            self.storage.put(_ADMITTED_BY, hub.big)
        self.application.show(self.endpoint(self.servers if self.serves_tunnels else ()))

    @property
    def battery(self) -> bool:
        """Whether the product runs on a battery."""
        return self.product.kind is Kind.BRIDGE4

    @property
    def serves_tunnels(self) -> bool:
        """Whether it shows the Tunneling server to the hub it has now."""
        if self.tunnelling == "until_swap":
            return self.storage.get(_ADMITTED_BY) == self._hub.big
        return self.tunnelling == "always"

    # --- update ------------------------------------------------------------------------------------------------

    def ota_settings(self) -> OtaClientSettings:
        return replace(self.settings.ota, unaffordable=self.bridge_settings.put_off_status)

    def affords_update(self, version: int, size: int) -> bool:
        """Put off what would leave the battery too low to last until somebody comes; tell of it once."""
        if self.cell is None or self.cell.affords(size):
            return True
        if self._put_off != version:
            self._put_off = version
            charge, cost, kept_back = self.cell.charge, self.cell.cost(size), self.cell.kept_back
            self.note("update-put-off", version=f"{version:08X}", charge=charge, cost=cost, kept_back=kept_back)
        return False

    def image_verified(self, version: int, file: bytes) -> None:
        super().image_verified(version, file)
        self._relayed = self.node.statistics.relayed
        if self.cell is not None:
            self.cell.spend(self.cell.cost(len(file)))

    def activate(self) -> None:
        """Restart in a quiet moment, so that little of what others send is lost; not later than the longest wait.

        What hangs behind the bridge is cut off for `DeviceSettings.reboot` and the time to find a parent.
        """
        self._when_quiet(self.clock.now() + self.bridge_settings.longest_wait)

    def _when_quiet(self, deadline: int) -> None:
        before, self._relayed = self._relayed, self.node.statistics.relayed
        if self._relayed == before or self.clock.now() >= deadline:
            super().activate()
        else:
            self.note("activation-waits")
            self.timers.after(_QUIET, self.bridge_settings.quiet, self._when_quiet, deadline)
