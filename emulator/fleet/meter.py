"""ESME and GSME of a fleet: images by 11.1, activation by CS06, version read by ECS52 or GCS38."""

from emulator.fleet.device import Around, LeanDevice
from emulator.parts.gbcs_application import Answer
from emulator.parts.gbcs_entity import DeviceKind, GbcsRefused
from emulator.parts.image_checks import signature_good
from emulator.parts.trust_anchors import TrustAnchors
from emulator.power import Supply
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import DIGITAL_SIGNING, Credentials, RemotePartyRole
from protocols.gbcs.use_cases import cs06, ecs52, ecs80, fdra, gcs38
from protocols.gbcs.use_cases.cs06 import Outcome, OutcomeCode
from protocols.interfaces import MINUTE, SECOND, Timer
from protocols.ota.image import FirmwareImage

FAREWELL = 2 * SECOND  # the acknowledgement of a command leaves before an activation begins
GSME_REBOOT = 60 * SECOND
LONG_OUTAGE = 3 * MINUTE


class LeanMeter(LeanDevice):
    """A meter. An ESME cuts the supply of its hub while it activates; `dc_out` is None for a GSME."""

    signed_images = True

    def __init__(
        self, name: str, credentials: Credentials, anchors: TrustAnchors, version: int, around: Around,
        *, dc_out: Supply | None, clock_offset: int = 0, dc_outage: int = 13 * MINUTE,
    ) -> None:  # fmt: skip
        """dc_outage: ns without supply for the hub, 12 to 15 minutes (MP102B)."""
        self.kind = DeviceKind.GSME if dc_out is None else DeviceKind.ESME
        super().__init__(name, credentials, anchors, version, around, clock_offset=clock_offset)
        self.dc_out, self.dc_outage = dc_out, dc_outage
        self.pending: FirmwareImage | None = None
        self._dated: Timer | None = None
        self.gbcs.on(cs06.MESSAGE_CODE, self._cs06)
        if dc_out is None:
            self.gbcs.on(gcs38.MESSAGE_CODE, self._gcs38)
        else:
            self.gbcs.on(ecs52.MESSAGE_CODE, self._ecs52)

    # --- image -------------------------------------------------------------------------------------------------

    def image_arrived(self, image: FirmwareImage) -> None:
        good = self.signature_good(image)
        if good:
            self.pending = image
        code = AlertCode.FIRMWARE_VERIFIED if good else AlertCode.FIRMWARE_VERIFICATION_FAILED
        supplier, now = self.entity.anchors.eui(RemotePartyRole.SUPPLIER), self.wall.utc()
        if self.dc_out is None:
            payload = fdra.GsmeAlert(code, now, image.hash).encode()
            self.gbcs.alert(fdra.GSME_MESSAGE_CODE, supplier, lambda _: payload)
        else:
            self.gbcs.alert(fdra.MESSAGE_CODE, supplier, lambda own: fdra.Alert(code, now, image.hash, own).encode())

    def signature_good(self, image: FirmwareImage) -> bool:
        """Return whether the supplier signed the manufacturer image."""
        return signature_good(image, self.entity.anchors.public_key(RemotePartyRole.SUPPLIER, DIGITAL_SIGNING))

    # --- activation --------------------------------------------------------------------------------------------

    def _cs06(self, message: Message) -> Answer | None:
        command = cs06.Command.decode(message.payload)
        if command.originator_counter != message.counter:
            raise GbcsRefused("counters of payload and header differ")
        if self._dated is not None:
            self._dated.cancel()
            self._dated = None
        when = command.execution_time
        if when == cs06.CANCEL:
            return Answer(cs06.Response(None).encode(), dated=True)
        if when is not None and when > self.wall.utc():
            wait = when - self.wall.utc()
            self._dated = self.clock.call_at(self.clock.now() + wait, self._execute, message, command, True)
            return Answer(cs06.Response(None).encode(), dated=True)
        self._execute(message, command, False)
        return None

    def _execute(self, message: Message, command: cs06.Command, dated: bool) -> None:
        if self.pending is None:
            self._report(message, command, OutcomeCode.NO_IMAGE, dated)
        elif self.pending.hash != command.image_hash:
            self._report(message, command, OutcomeCode.HASH_MISMATCH, dated)
        else:
            self.clock.call_at(self.clock.now() + FAREWELL, self._activate, message, command, dated)

    def _activate(self, message: Message, command: cs06.Command, dated: bool) -> None:
        if self.dc_out is not None:
            self.note("dc-supply-cut")
            self.dc_out.switch(False)
        away = GSME_REBOOT if self.dc_out is None else self.dc_outage
        self.clock.call_at(self.clock.now() + away, self._activated, message, command, dated)

    def _activated(self, message: Message, command: cs06.Command, dated: bool) -> None:
        if self.pending is not None:
            before, self.firmware_version = self.firmware_version, self.pending.header.file_version
            self.pending = None
            self.note("activated", from_version=f"{before:08X}", to_version=f"{self.firmware_version:08X}")
        if self.dc_out is not None:
            self.note("dc-supply-back")
            self.dc_out.switch(True)
        self._report(message, command, OutcomeCode.SUCCESS, dated)

    def _report(self, message: Message, command: cs06.Command, code: OutcomeCode, dated: bool) -> None:
        outcome = Outcome(code, self.firmware_version)
        if not dated:
            self.gbcs.respond(message, Answer(cs06.Response(outcome).encode(), dated=True), signed=True)
            return
        done = code is OutcomeCode.SUCCESS
        alert_code = AlertCode.FUTURE_DATED_COMMAND_DONE if done else AlertCode.FUTURE_DATED_COMMAND_FAILED
        alert = cs06.Alert(alert_code, command.execution_time or 0, message.counter, outcome)
        self.gbcs.alert(cs06.ALERT_MESSAGE_CODE, message.originator, lambda _: alert.encode())

    # --- mains -------------------------------------------------------------------------------------------------

    def mains_restored(self, lost: int, restored: int) -> None:
        """Tell the network operator of an interruption from `lost` to `restored` (ns UTC): 8F35, or 8F36 if long."""
        long = restored - lost >= LONG_OUTAGE
        code = AlertCode.SUPPLY_RESTORED_AFTER_OUTAGE if long else AlertCode.SUPPLY_RESTORED
        operator, now = self.entity.anchors.eui(RemotePartyRole.NETWORK_OPERATOR), self.wall.utc()
        self.gbcs.alert(ecs80.MESSAGE_CODE, operator, lambda own: ecs80.Alert(code, now, lost, restored, own).encode())

    # --- version -----------------------------------------------------------------------------------------------

    def _ecs52(self, message: Message) -> Answer:
        ecs52.Command.decode(message.payload)
        return Answer(ecs52.Response(self.firmware_version, counter=message.counter).encode())

    def _gcs38(self, message: Message) -> Answer:
        gcs38.Command.decode(message.payload)
        return Answer(gcs38.Response(self.firmware_version).encode())
