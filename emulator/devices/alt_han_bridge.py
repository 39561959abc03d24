"""Alt HAN bridges 1 to 4: routers that carry the HAN over a backhaul, joined and updated as PPMIDs are."""

from collections.abc import Sequence
from typing import Literal, Unpack

from emulator.parts.self_activating import SelfActivatingDevice
from emulator.parts.updatable import DeviceParts
from protocols.addresses import Eui64
from protocols.interfaces import LinkKey
from protocols.ota.image import Kind

Tunnelling = Literal["until_swap", "always", "never"]

_ADMITTED_BY = "bridge/admitted-by"


class AltHanBridge(SelfActivatingDevice):
    """One bridge. Its node has two radios, the HAN's and the backhaul's, and relays between them by itself.

    It serves tunnels as its `tunnelling` says: to the hub that admitted it by install code and to no other, which a hub
    that replaced that one finds out, and takes it for an IHD (MP170-A10); always, as a repaired product; or never.
    """

    def __init__(self, *, tunnelling: Tunnelling = "until_swap", **parts: Unpack[DeviceParts]) -> None:
        self.tunnelling, self._hub = tunnelling, Eui64(0)
        if tunnelling == "never":
            self.servers = ()
        super().__init__(**parts)
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
