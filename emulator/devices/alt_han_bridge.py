"""Alt HAN bridges 1 to 4: routers that carry the HAN over a backhaul, joined and updated as PPMIDs are."""

from emulator.parts.self_activating import SelfActivatingDevice
from protocols.ota.image import Kind


class AltHanBridge(SelfActivatingDevice):
    """One bridge. Its node has two radios, the HAN's and the backhaul's, and relays between them by itself."""

    @property
    def battery(self) -> bool:
        """Whether the product runs on a battery."""
        return self.product.kind is Kind.BRIDGE4
