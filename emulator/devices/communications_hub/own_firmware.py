"""The hub's own firmware: an image of the CSP is checked, kept, started with a restart, and the CSP is told.

No GBCS message tells of it: hubs are the CSP's, and report over the SM WAN in words of its own.
"""

from collections.abc import Callable

from emulator.devices.communications_hub.alarms import Alarms
from emulator.devices.communications_hub.settings import HubSettings
from emulator.parts.gbcs_application import Note
from emulator.parts.gbcs_entity import GbcsEntity
from emulator.parts.image_checks import image_fault, signature_good
from emulator.parts.journal import Journal
from firmware_images import Product
from protocols.errors import DecodeError
from protocols.gbcs.smki import DIGITAL_SIGNING, RemotePartyRole
from protocols.interfaces import Storage
from protocols.ota.image import FirmwareImage, OtaHeader
from protocols.wan.envelope import THE_HUB, FirmwareImageDelivery, HubFirmwareOutcome, HubFirmwareReport

_RUNNING, _PENDING, _BEGUN = "own/running", "own/pending", "own/begun"

Report = Callable[[HubFirmwareReport], None]


class OwnVersion:
    """Which firmware the hub runs, and what that can do. Reads see the storage as it is, also after a power cut."""

    def __init__(self, storage: Storage, settings: HubSettings, product: Product | None) -> None:
        """product: of the hub, None for one that takes no image of its own."""
        self._storage, self._settings, self.product = storage, settings, product

    @property
    def running(self) -> int:
        """32 bits."""
        held = self._storage.get(_RUNNING)
        return self._settings.firmware_version if held is None else int.from_bytes(held, "big")

    @property
    def secmp0007(self) -> bool:
        """Whether images for PPMID and HCALCS are of use: the factory's firmware is described, later ones listed."""
        since = None if self.product is None else self.product.secmp0007_since
        if self._storage.get(_RUNNING) is None or since is None:
            return self._settings.secmp0007
        return self.running >= since


class OwnFirmware:
    """At most one image waits. restart(): be off and boot, when what is under way is stored."""

    def __init__(
        self,
        entity: GbcsEntity,
        version: OwnVersion,
        alarms: Alarms,
        storage: Journal,
        settings: HubSettings,
        *,
        report: Report,
        restart: Callable[[], None],
        note: Note,
    ) -> None:
        self._entity, self.version, self._alarms = entity, version, alarms
        self._storage, self._settings = storage, settings
        self._report, self._restart, self._note = report, restart, note

    def start(self) -> None:
        """Go on after a boot: an activation that had begun is complete or has failed; an image that waits is due."""
        if self._storage.get(_BEGUN) is not None:
            self._finish()
        elif self._storage.get(_PENDING) is not None:
            self._activate_later()

    def concerns(self, delivery: FirmwareImageDelivery) -> bool:
        """Whether an image is for the hub itself."""
        return any(type_code == THE_HUB for _, type_code in delivery.targets)

    def take(self, delivery: FirmwareImageDelivery) -> None:
        """Keep a good image in place of the one that waited, and start it soon; report a bad one."""
        version = _version_of(delivery.image)
        reason = self.fault(version, delivery.image)
        if reason is not None:
            self._note("own-image-refused", request=delivery.request_id, version=f"{version:08X}", reason=reason)
            self._tell(version, HubFirmwareOutcome.REFUSED)
            return
        self._storage.put(_PENDING, delivery.image)
        self._note("own-image-stored", request=delivery.request_id, version=f"{version:08X}")
        self._storage.afterwards(self._activate_later)

    def fault(self, version: int, file: bytes) -> str | None:
        """Return what is wrong with an image, None if it may run here and the WAN provider signed it."""
        product = self.version.product
        if product is None:
            return "this hub takes none"
        reason = image_fault(file, product, version)
        if reason is None and not self.signature_good(FirmwareImage.decode(file, signed=True)):
            return "signature invalid"
        return reason

    def signature_good(self, image: FirmwareImage) -> bool:
        """Return whether the WAN provider signed the manufacturer image."""
        return signature_good(image, self._entity.anchors.public_key(RemotePartyRole.WAN_PROVIDER, DIGITAL_SIGNING))

    # --- activation --------------------------------------------------------------------------------------------

    def _activate_later(self) -> None:
        self._alarms.after(self._settings.own_activation_after, self._activate)

    def _activate(self) -> None:
        self._storage.put(_BEGUN, self.version.running.to_bytes(4, "big"))
        self._note("own-activation", restart=self._settings.boot_time)
        self._restart()

    def _finish(self) -> None:
        """Run the image that waited if it is as good as it was, else go on with the one before."""
        file, before = self._storage.get(_PENDING) or b"", self.version.running
        version = _version_of(file)
        reason = self.fault(version, file)
        with self._storage.transaction():
            if reason is None:
                self._storage.put(_RUNNING, version.to_bytes(4, "big"))
            self._storage.delete(_PENDING)
            self._storage.delete(_BEGUN)
            self._tell(version, HubFirmwareOutcome.ACTIVATED if reason is None else HubFirmwareOutcome.FAILED)
        if reason is None:
            self._note("activated", from_version=f"{before:08X}", to_version=f"{version:08X}")
        else:
            self._note("activation-failed", version=f"{version:08X}", reason=reason)

    def _tell(self, version: int, outcome: HubFirmwareOutcome) -> None:
        self._report(HubFirmwareReport(self._entity.eui, version, self.version.running, outcome))


def _version_of(file: bytes) -> int:
    """Return the version a file says it holds, 0 for one without a header."""
    try:
        return OtaHeader.decode(file).file_version
    except DecodeError:
        return 0
