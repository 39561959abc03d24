"""A home at its busiest."""

from collections.abc import Iterator

from protocols.addresses import Eui64
from protocols.gbcs.use_cases import cs06, cs08, cs09, ecs52
from protocols.gbcs.use_cases.ccs01 import LogDeviceType
from protocols.ota.image import Kind
from tests.support.cut_home import CutHome


class BusyHome(CutHome):
    """While the ESME and the PPMID take images the log changes and versions are read."""

    def busy(self) -> None:
        self._updates()
        self.home.run(20)
        self._log_changes()
        self._reads()
        self.home.run_till(self._activatable, within=2 * 3600, step=5)
        self.activate("esme", Kind.ESME)

    def _updates(self) -> None:
        for name, kind, type_code in (("esme", Kind.ESME, 0), ("ppmid", Kind.PPMID, 132)):
            self.broker.deliver(self.image(kind).encode(), self.home.device(name).eui, type_code)

    def _log_changes(self) -> None:
        """A device is added that never comes, and removed again."""
        stranger = Eui64(0x00DB1234567811AA)
        self.broker.add(stranger, bytes(range(16)), LogDeviceType.CAD)
        self.broker.remove(stranger)

    def _reads(self) -> None:
        for name in ("bridge-1", "bridge-3", "hcalcs"):
            self.command(self.home.device(name).eui, cs08.MESSAGE_CODE, lambda counter: cs08.Command().encode())
        self.command(self.home.device("esme").eui, ecs52.MESSAGE_CODE, lambda counter: ecs52.Command(counter).encode())

    def _activatable(self) -> bool:
        return self.home.updatable("esme").store.pending is not None and self.home.node("esme").powered

    # --- what must hold ----------------------------------------------------------------------------------------

    def outcome(self) -> Iterator[str]:
        yield from self._firmware()
        yield from self._answers()

    def _firmware(self) -> Iterator[str]:
        for name, kind in (("esme", Kind.ESME), ("ppmid", Kind.PPMID)):
            device, version = self.home.updatable(name), self.image(kind).header.file_version
            if device.firmware_version != version:
                yield f"{name} runs {device.firmware_version:08X}"
            if device.store.pending is not None or device.store.partial is not None:
                yield f"{name} keeps an image that runs already"
            codes = [alert.code for alert in self.broker.transfers() if alert.device == device.node.eui]
            if 0 not in codes:
                yield f"the hub told {codes} of the image for {name}"

    def _answers(self) -> Iterator[str]:
        by_originator = {
            (message.originator, message.message_code)
            for code in (cs08.MESSAGE_CODE, ecs52.MESSAGE_CODE, cs06.MESSAGE_CODE, cs09.MESSAGE_CODE)
            for message in self.broker.messages(code)
        }
        wanted = [(name, cs08.MESSAGE_CODE) for name in ("bridge-1", "bridge-3", "hcalcs")]
        wanted += [("esme", ecs52.MESSAGE_CODE), ("esme", cs06.MESSAGE_CODE), ("ppmid", cs09.MESSAGE_CODE)]
        for name, code in wanted:
            if (self.home.device(name).eui, code) not in by_originator:
                yield f"no message {code:04X} of {name}"
