"""A hub without radio: it carries GBCS both ways, passes images on whole, and tells of losses of its supply."""

from collections.abc import Callable, Iterable

from emulator.fleet.device import Around, LeanDevice
from emulator.parts.gbcs_entity import GbcsEntity
from emulator.power import HoldUp, Supply
from emulator.wan import WanEnd
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import ccs08
from protocols.interfaces import SECOND, Timer
from protocols.ota.image import OtaHeader
from protocols.wan.envelope import FirmwareImageDelivery, GbcsCarried, PowerLoss
from protocols.wan.session import WanSession

BOOT = 60 * SECOND
BLOCK_RATE = 4464  # octets a second over one hop with blocks of 50, as the air of the radio emulation takes

Carried = Callable[[Eui64, bytes, bool], None]
"""Hears of each GBCS message at the hub: device, octets, whether upwards."""


class LeanHub:
    """carried: evidence of what went through. chf: the hub's own entity, for alerts to the access control broker."""

    def __init__(
        self, name: str, chf: GbcsEntity, wan: WanEnd, supply: Supply, around: Around, carried: Carried
    ) -> None:
        self.name, self.chf, self._wan, self._clock = name, chf, wan, around.clock
        self._recorder, self._carried = around.recorder, carried
        self._session = WanSession()
        self._devices: dict[Eui64, LeanDevice] = {}
        self._resend: Timer | None = None
        self.on = True
        wan.attach(self._received)
        HoldUp(around.clock, supply, lost=self._lost, empty=self._off, back=self._back)

    def attach(self, devices: Iterable[LeanDevice]) -> None:
        """Take devices into the home."""
        for device in devices:
            self._devices[device.eui] = device
            device.send = self._sender(device.eui)

    # --- up ----------------------------------------------------------------------------------------------------

    def _sender(self, eui: Eui64) -> Callable[[bytes], None]:
        return lambda octets: self._up(eui, octets)

    def _up(self, device: Eui64, octets: bytes) -> None:
        self._carried(device, octets, True)
        self._send(GbcsCarried(device, octets))

    def _send(self, message: GbcsCarried | PowerLoss) -> None:
        """Hold a message until the CSP has it; a hub without supply sends it when it is back."""
        _, octets = self._session.send(message, self._clock.now())
        if self.on:
            self._wan.send(octets)
            self._arm()

    def _arm(self) -> None:
        if self._resend is not None:
            self._resend.cancel()
        due = self._session.deadline
        self._resend = None if due is None or not self.on else self._clock.call_at(due, self._again)

    def _again(self) -> None:
        for octets in self._session.wake(self._clock.now()):
            self._wan.send(octets)
        self._arm()

    # --- down --------------------------------------------------------------------------------------------------

    def _received(self, octets: bytes) -> None:
        try:
            arrival = self._session.received(octets)
        except DecodeError:
            return
        if isinstance(arrival.message, GbcsCarried):
            self._down(arrival.message)
        elif isinstance(arrival.message, FirmwareImageDelivery):
            self._pass_on(arrival.message)
        reply = self._session.accept(arrival)
        if reply is not None:
            self._wan.send(reply)
        self._arm()

    def _down(self, message: GbcsCarried) -> None:
        device = self._devices.get(message.device)
        if device is not None:
            self._carried(message.device, message.message, False)
            device.obey(message.message)

    def _pass_on(self, delivery: FirmwareImageDelivery) -> None:
        took = len(delivery.image) * SECOND // BLOCK_RATE
        for target, _ in delivery.targets:
            device = self._devices.get(target)
            if device is not None:
                self._clock.call_at(self._clock.now() + took, self._passed, device, delivery.image)

    def _passed(self, device: LeanDevice, image: bytes) -> None:
        broker, now = self.chf.anchors.eui(RemotePartyRole.ACCESS_CONTROL_BROKER), self._clock.now()
        version = OtaHeader.decode(image).file_version
        alert = ccs08.Alert(AlertCode.FIRMWARE_TRANSFERRED, now, device.eui, version, ccs08.TransferCode.TRANSFERRED)
        self._up(self.chf.eui, self.chf.alert(ccs08.MESSAGE_CODE, broker, alert.encode()))
        device.take_image(image)

    # --- supply ------------------------------------------------------------------------------------------------

    def _lost(self, started: int) -> None:
        self._recorder.note(self.name, "power-loss-reported", started=started)
        self._send(PowerLoss(self.chf.eui, started))

    def _off(self) -> None:
        self.on = self._wan.listening = False
        self._arm()
        self._recorder.note(self.name, "power-off")

    def _back(self) -> None:
        self._clock.call_at(self._clock.now() + BOOT, self._boot)

    def _boot(self) -> None:
        self.on = self._wan.listening = True
        self._recorder.note(self.name, "power-on")
        for octets in self._session.resume(self._clock.now()):
            self._wan.send(octets)
        self._arm()
