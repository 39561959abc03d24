"""Homes whose devices take an image one after another, each kind its own way, and the hub one of its own."""

from collections.abc import Iterator
from types import MappingProxyType

from emulator.home.builder import CCS01_TYPES, HomeDevice
from firmware_images import product
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import alert_code_of, cs06, cs09, fdra
from protocols.interfaces import HOUR, SECOND
from protocols.ota.image import Kind
from protocols.wan.envelope import THE_HUB, FirmwareImageDelivery, HubFirmwareOutcome, HubFirmwareReport
from tests.support.cut_home import CutHome
from tests.support.keyed_home import HOMES

_PATIENCE = 12 * 3600  # s, for one step
_AHEAD = HOUR  # a dated activation; a sleepy meter has it before
_PPMID = CCS01_TYPES["ppmid"]
_SIGNED = ("esme", "gsme", "hcalcs")  # distributed by 11.1, activated by 11.3


class UpdatedHome(CutHome):
    """GSME, HCALCS and both bridges of home 1; the HCALCS on a date."""

    names: tuple[str, ...] = ("gsme", "hcalcs", "bridge-1", "bridge-3")
    hub_version = f"{product(Kind.HUB).versions[0]:08X}"
    sizes = MappingProxyType(dict.fromkeys(Kind, 40_000))
    dated: tuple[str, ...] = ("hcalcs",)

    def busy(self) -> None:
        for name in self.names:
            if self.home.device(name).product is not None:
                self._update(self.home.device(name))
        self._update_hub()

    def _update(self, device: HomeDevice) -> None:
        kind, name = Kind(device.description.kind), device.name
        updatable, version = self.home.updatable(name), self.image(kind).header.file_version
        self.broker.deliver(self.image(kind).encode(), device.eui, CCS01_TYPES.get(kind.value, _PPMID))
        if kind.value in _SIGNED:
            self.home.run_till(lambda: updatable.store.pending is not None, within=_PATIENCE, step=30)
            now = self.home.clock.now()
            self.activate(name, kind, now - now % SECOND + _AHEAD if name in self.dated else None)
        self.home.run_till(lambda: updatable.firmware_version == version, within=_PATIENCE, step=30)

    def _update_hub(self) -> None:
        self.hub_image = self.images.release(Kind.HUB, 1)
        delivery = FirmwareImageDelivery("hub image", ((self.home.home.chf, THE_HUB),), self.hub_image.encode())
        self.broker.down(delivery)

    # --- what must hold ----------------------------------------------------------------------------------------

    def outcome(self) -> Iterator[str]:
        for name in self.names:
            device = self.home.device(name)
            if device.product is not None:
                yield from (f"{name}: {fault}" for fault in self._device(device))
        reports = [each for each in self.broker.up if isinstance(each, HubFirmwareReport)]
        version = self.hub_image.header.file_version
        wanted = HubFirmwareReport(self.home.home.chf, version, version, HubFirmwareOutcome.ACTIVATED)
        if reports != [wanted] or self.home.home.hub.firmware_version != version:
            yield f"the hub told {reports}"
        if left := [cell for cell in self.home.home.hub._storage.cells() if cell in ("own/pending", "own/begun")]:
            yield f"the hub keeps {left}"

    def _device(self, device: HomeDevice) -> Iterator[str]:
        kind, updatable = Kind(device.description.kind), self.home.updatable(device.name)
        if updatable.firmware_version != self.image(kind).header.file_version:
            yield f"runs {updatable.firmware_version:08X}"
        if updatable.store.pending is not None or updatable.store.partial is not None:
            yield "keeps an image that runs already"
        cells = [cell for cell in updatable.storage.cells() if cell.startswith(("activation/", "outbox/"))]
        if cells:
            yield f"keeps {cells}"
        codes = [alert.code for alert in self.broker.transfers() if alert.device == device.eui]
        if codes != [0]:
            yield f"the hub told {codes} of its image"
        yield from self._words(device.name, kind)

    def _words(self, name: str, kind: Kind) -> Iterator[str]:
        """Tell what was not said exactly once."""
        if kind.value not in _SIGNED:
            outcomes = [
                cs09.Alert.decode(Message.decode(each).payload).code for each in self.told(name, cs09.MESSAGE_CODE)
            ]
            if outcomes != [cs09.ActivationCode.ACTIVATED]:
                yield f"8F8B told {outcomes}"
            return
        receipt = fdra.GSME_MESSAGE_CODE if kind is Kind.GSME else fdra.MESSAGE_CODE
        codes = [alert_code_of(Message.decode(each)) for each in self.told(name, receipt)]
        if codes != [AlertCode.FIRMWARE_VERIFIED]:
            yield f"its receipts are {codes}"
        outcomes_told = [self._outcome(each) for each in self.told(name, cs06.MESSAGE_CODE)]
        dated = [cs06.Alert.decode(Message.decode(each).payload) for each in self.told(name, cs06.ALERT_MESSAGE_CODE)]
        done = cs06.OutcomeCode.SUCCESS
        if outcomes_told != [None if name in self.dated else done]:
            yield f"it answered CS06 with {outcomes_told}"
        if [alert.outcome.code for alert in dated] != [done] * (name in self.dated):
            yield f"its dated activation told {dated}"

    @staticmethod
    def _outcome(octets: bytes) -> int | None:
        outcome = cs06.Response.decode(Message.decode(octets).payload).outcome
        return None if outcome is None else outcome.code


class SecondUpdatedHome(UpdatedHome):
    """Bridges 2 and 4 of home 2, which has a battery, a CAD, and a GSME behind bridge 4."""

    described = HOMES / "home-2.yaml"
    names = ("gsme", "cad", "bridge-1", "bridge-2", "bridge-4")
    dated = ("gsme",)

    def outcome(self) -> Iterator[str]:
        yield from super().outcome()
        spent = [each for each in self.changes["bridge-4"] if each == "battery/charge"]
        if not spent:
            yield "bridge-4 took an image for nothing"
