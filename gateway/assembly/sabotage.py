"""Defects planted on purpose, each of which `hanlab verify` must find and name."""

from collections.abc import Callable
from dataclasses import replace

from emulator.devices.alt_han_bridge import AltHanBridge
from emulator.devices.communications_hub.own_firmware import OwnFirmware, OwnVersion
from emulator.devices.esme import Esme
from emulator.devices.ihd import Ihd
from emulator.entropy import SeededEntropy
from emulator.home.builder import Defects
from emulator.parts.partner_keys import Done, PartnerKeys
from emulator.parts.supply_record import Interruption
from gateway.assembly.stories import FIRST
from gateway.assembly.world import PlantedFaults
from gateway.campaigns.verify.registry import OLD_HUB
from gateway.dsp.effects import Turn
from gateway.dsp.machine import Dsp
from gateway.dsp.records import Update
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.errors import InputError
from protocols.gbcs.smki import Credentials
from protocols.gbcs.use_cases.ecs80 import WHOLE
from protocols.interfaces import SECOND
from protocols.ota.image import FirmwareImage
from protocols.ota.server import OtaServer
from protocols.wan.smwan import HubFirmwareActivated

_BRIDGES = ("bridge1", "bridge2", "bridge3", "bridge4")
_SKIPPED_FROM = 960  # octet offset of the block the hub leaves out
_TO_METER = 3  # from the identifier of a hub to that of the meter that feeds it, in the shipped homes
_SIGNATURE_FIELD = 1 + 64  # octets at the end of a signed alert


class _SkippingServer(OtaServer):
    """Leaves one block of each image out: from there on it serves what follows."""

    def block(self, image: bytes, offset: int, size: int) -> bytes:
        return super().block(image, offset + size if offset == _SKIPPED_FROM else offset, size)


class _UncheckingBridge(AltHanBridge):
    """Takes any image for good."""

    def check_image(self, version: int, file: bytes) -> str | None:
        return None


class _UnsigningBridge(AltHanBridge):
    """Sends its alerts without a signature."""

    def sign_alert(self, message_code: int, target: Eui64, payload: bytes, counter: int) -> bytes:
        signed = super().sign_alert(message_code, target, payload, counter)
        return signed[:-_SIGNATURE_FIELD] + b"\x00"


class _CarelessEsme(Esme):
    """Takes an image whoever signed it."""

    def signature_good(self, image: FirmwareImage) -> bool:
        return True


class _ConfusedEsme(Esme):
    """Takes its own activation for a loss of the mains."""

    def activated(self) -> None:
        now = self.wall.utc()
        self.restore_alert(Interruption(WHOLE, now - self.esme_settings.dc_outage, now))


class _StubbornEsme(Esme):
    """Confirms a cancellation and forgets it."""

    def cancel_activation(self) -> None:
        return


class _HastyKeys(PartnerKeys):
    """Takes the hub's key for the one that two devices agree on."""

    def establish(self, partner: Eui64, done: Done, *, certificates: bool) -> None:
        super().establish(partner, done, certificates=False)


class _HastyEsme(Esme):
    """Answers a join of method A before there was key establishment."""

    partner_keys = _HastyKeys


class _TrustingKeys(PartnerKeys):
    """Takes keys with everybody, and keeps them."""

    def admits(self, partner: Eui64) -> bool:
        return True

    def drop(self, partner: Eui64) -> None:
        return


class _TrustingEsme(Esme):
    """Talks to whoever asks the hub for a key with it."""

    partner_keys = _TrustingKeys


class _PushyIhd(Ihd):
    """Asks the hub for a key with the meter instead of waiting until it is joined."""

    def _joined(self, hub: Eui64) -> None:
        super()._joined(hub)
        self.partners.establish(Eui64(hub - _TO_METER), lambda _: None, certificates=False)


class _HastyDsp(Dsp):
    """Takes an image passed on for an image that runs."""

    def image_transferred(self, turn: Turn, update: Update) -> None:
        super().image_transferred(turn, update)
        device = self.inventory.device(update.device)
        if device is not None and update.service == "11.4":
            self.inventory.version_reported(turn, device, update.version, "8F8A")


class _BoastfulVersion(OwnVersion):
    """Serves images for PPMID and HCALCS that the firmware knows nothing of."""

    @property
    def secmp0007(self) -> bool:
        return True


class _CarelessHub(OwnFirmware):
    """Takes firmware for itself whoever signed it."""

    def signature_good(self, image: FirmwareImage) -> bool:
        return True


class _DeafDsp(Dsp):
    """Tells its users of a hub's new firmware and forgets to write it down."""

    def hub_activated(self, turn: Turn, told: HubFirmwareActivated) -> bool:
        kept = {device.device: device for device in self.inventory.on_hub(told.hub)}
        done = super().hub_activated(turn, told)
        for device in self.inventory.on_hub(told.hub):
            before = kept[device.device]
            self.inventory.change(turn, device, "forgotten", firmware_version=before.firmware_version)
        return done


def _bridges(kind: type[AltHanBridge]) -> PlantedFaults:
    return PlantedFaults(homes=Defects(classes=dict.fromkeys(_BRIDGES, kind)))


def _esme(kind: type[Esme]) -> PlantedFaults:
    return PlantedFaults(homes=Defects(classes={"esme": kind}))


def _window(change: int) -> PlantedFaults:
    return PlantedFaults(dsp_settings=DspSettings(window=DspSettings().window + change))


def _wrong_key(eui: Eui64, own: Credentials) -> Credentials:
    """Give bridges (identifiers that end in b1 to b4) a signing key that no certificate names."""
    if eui & 0xF0 != 0xB0:
        return own
    return replace(own, ds_key=SeededEntropy(0).private_key(f"stray key of {eui}"))


SABOTAGES: dict[str, Callable[[], PlantedFaults]] = {
    "hub-skips-block": lambda: PlantedFaults(homes=Defects(ota_server=_SkippingServer)),
    "bridge-skips-image-check": lambda: _bridges(_UncheckingBridge),
    "bridge-skips-signature": lambda: _bridges(_UnsigningBridge),
    "alert-signed-by-wrong-key": lambda: PlantedFaults(homes=Defects(signing=_wrong_key)),
    "window-one-second-short": lambda: _window(-SECOND),
    "window-one-second-long": lambda: _window(SECOND),
    "inventory-updated-without-n39": lambda: PlantedFaults(dsp=_HastyDsp),
    "esme-ignores-image-signature": lambda: _esme(_CarelessEsme),
    "restore-alert-on-activation": lambda: _esme(_ConfusedEsme),
    "cancelled-activation-runs": lambda: _esme(_StubbornEsme),
    "old-hub-serves-small-devices": lambda: PlantedFaults(homes=Defects(own_version=_BoastfulVersion)),
    "hub-ignores-image-signature": lambda: PlantedFaults(homes=Defects(own_firmware=_CarelessHub)),
    "hub-version-not-followed": lambda: PlantedFaults(dsp=_DeafDsp),
    "join-without-key-establishment": lambda: _esme(_HastyEsme),
    "display-talks-unjoined": lambda: PlantedFaults(homes=Defects(classes={"esme": _TrustingEsme, "ihd": _PushyIhd})),
    "install-code-keys-kept": lambda: PlantedFaults(homes=Defects(key_establishment=lambda eui, own: None)),
}


_OF_OLD_HUB = ("old-hub-serves-small-devices", "hub-ignores-image-signature", "hub-version-not-followed")


def story_of(name: str | None) -> str:
    """Return the story that shows what is planted, by default the first."""
    return OLD_HUB if name in _OF_OLD_HUB else FIRST


def planted(name: str) -> PlantedFaults:
    """Return the defect of this name; InputError lists the names there are."""
    try:
        return SABOTAGES[name]()
    except KeyError:
        raise InputError(f"no sabotage {name!r}; there are: {', '.join(SABOTAGES)}") from None
