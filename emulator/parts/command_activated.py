"""Devices whose images wait for a CS06 command: the meters' way, also that of the HCALCS."""

from dataclasses import replace
from typing import NamedTuple, Unpack

from emulator.parts.gbcs_application import Answer
from emulator.parts.gbcs_entity import GbcsRefused
from emulator.parts.image_checks import signature_good
from emulator.parts.updatable import DeviceParts, UpdatableDevice
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import DIGITAL_SIGNING, RemotePartyRole
from protocols.gbcs.use_cases import cs06, fdra
from protocols.gbcs.use_cases.cs06 import Outcome, OutcomeCode
from protocols.ota.client import ActivationPolicy, OtaClientSettings, TimeoutPolicy
from protocols.ota.image import FirmwareImage

_DATED, _BEGUN = "activation/dated", "activation/begun"
_TIMER = "dated activation"
_FAREWELL = "activation"


class Begun(NamedTuple):
    """An activation under way, as it is kept over the restart: version (4), dated (1), the command."""

    from_version: int  # 32 bits
    dated: bool
    octets: bytes  # the CS06 command

    @classmethod
    def decode(cls, octets: bytes) -> "Begun":
        return cls(int.from_bytes(octets[:4], "big"), bool(octets[4]), octets[5:])

    def encode(self) -> bytes:
        return self.from_version.to_bytes(4, "big") + bytes([self.dated]) + self.octets


class CommandActivatedDevice(UpdatableDevice):
    """Checks the supplier's signature on an image, tells of it (FDRA), and activates on CS06.

    One dated activation is stored; any later CS06 replaces it, one dated `cs06.CANCEL` only removes it.
    """

    def __init__(self, **parts: Unpack[DeviceParts]) -> None:
        super().__init__(**parts)
        self.gbcs.on(cs06.MESSAGE_CODE, self._cs06)

    def ota_settings(self) -> OtaClientSettings:
        never = TimeoutPolicy.NEVER
        return replace(self.settings.ota, activation_policy=ActivationPolicy.OUT_OF_BAND, timeout_policy=never)

    # --- image -------------------------------------------------------------------------------------------------

    def check_image(self, version: int, file: bytes) -> str | None:
        reason = super().check_image(version, file)
        if reason is None and not self.signature_good(FirmwareImage.decode(file, signed=True)):
            return "signature invalid"
        return reason

    def signature_good(self, image: FirmwareImage) -> bool:
        """Return whether the supplier signed the manufacturer image."""
        return signature_good(image, self.entity.anchors.public_key(RemotePartyRole.SUPPLIER, DIGITAL_SIGNING))

    def image_verified(self, version: int, file: bytes) -> None:
        self._send_receipt(AlertCode.FIRMWARE_VERIFIED, self.image_hash(file))

    def image_refused(self, version: int, file: bytes) -> None:
        self._send_receipt(AlertCode.FIRMWARE_VERIFICATION_FAILED, self.image_hash(file))

    def _send_receipt(self, code: AlertCode, image_hash: bytes) -> None:
        supplier = self.entity.anchors.eui(RemotePartyRole.SUPPLIER)

        self.send_alert(
            self.receipt_code, supplier, lambda counter: self.receipt(code, self.wall.utc(), image_hash, counter)
        )

    receipt_code = fdra.MESSAGE_CODE

    def receipt(self, code: AlertCode, now: int, image_hash: bytes, counter: int) -> bytes:
        """Return the payload of FDRA, 8F72 or 8F1C."""
        return fdra.Alert(code, now, image_hash, counter).encode()

    # --- CS06 --------------------------------------------------------------------------------------------------

    def _cs06(self, message: Message) -> Answer | None:
        command = cs06.Command.decode(message.payload)
        if command.originator_counter != message.counter:
            raise GbcsRefused("counters of payload and header differ")
        when = command.execution_time
        if when is not None and when != cs06.CANCEL and when > self.wall.utc():
            self._schedule(when, message.encode())
            return _answer(None)
        if when == cs06.CANCEL:
            self.cancel_activation()
            return _answer(None)
        self._drop_dated()
        return self._execute(message, dated=False)

    def _schedule(self, when: int, octets: bytes) -> None:
        self.storage.put(_DATED, octets)
        version = self.store.pending_version
        self.note("activation-scheduled", version="none" if version is None else f"{version:08X}", at=when)
        self._arm(when)

    def cancel_activation(self) -> None:
        """Forget the dated activation, if there is one."""
        held = self.storage.get(_DATED) is not None
        self._drop_dated()
        if held:
            self.note("activation-cancelled")

    def _drop_dated(self) -> None:
        self.storage.delete(_DATED)
        self.timers.cancel(_TIMER)

    def _arm(self, when: int) -> None:
        """Wait until the device's own clock says `when` (ns UTC)."""
        self.timers.after(_TIMER, max(when - self.wall.utc(), 0), self._dated_due)

    def _dated_due(self) -> None:
        octets = self.storage.get(_DATED)
        if octets is None:
            return
        message = Message.decode(octets)
        when = cs06.Command.decode(message.payload).execution_time
        if when is not None and when > self.wall.utc():
            self._arm(when)
            return
        with self.storage.transaction():
            self._drop_dated()
            self._execute(message, dated=True)

    def _execute(self, message: Message, *, dated: bool) -> Answer | None:
        """Begin to activate, or tell why not; return the answer of a command that is not dated."""
        file = self.store.pending
        if file is None:
            return self._report(message, OutcomeCode.NO_IMAGE, dated=dated)
        if self.image_hash(file) != cs06.Command.decode(message.payload).image_hash:
            return self._report(message, OutcomeCode.HASH_MISMATCH, dated=dated)
        self.storage.put(_BEGUN, Begun(self.firmware_version, dated, message.encode()).encode())
        self.storage.afterwards(self.activate if dated else self._activate_soon)
        return None

    def _activate_soon(self) -> None:
        """Activate when the acknowledgement of the command is out."""
        self.timers.after(_FAREWELL, self.settings.farewell, self.activate)

    def activate(self) -> None:
        """Restart into the waiting image; the end is told after the restart."""
        self.restart_after(self.settings.reboot)

    def _run(self) -> None:
        super()._run()
        held = self.storage.get(_BEGUN)
        if held is not None:
            self._finish(Begun.decode(held))
        if self.storage.get(_DATED) is not None:
            self._dated_due()

    def _finish(self, begun: Begun) -> None:
        message = Message.decode(begun.octets)
        with self.storage.transaction():
            good = self.boot_pending()
            code = OutcomeCode.SUCCESS if good else OutcomeCode.ACTIVATION_FAILURE
            answer = self._report(message, code, dated=begun.dated)
            if answer is not None:
                self.gbcs.respond(message, answer, signed=True)
            self.storage.delete(_BEGUN)
        if good:
            versions = (begun.from_version, self.firmware_version)
            self.note("activated", from_version=f"{versions[0]:08X}", to_version=f"{versions[1]:08X}")
            self.activated()

    def activated(self) -> None:
        """Hear that an activation is complete and reported."""

    def _report(self, message: Message, code: OutcomeCode, *, dated: bool) -> Answer | None:
        """Return the answer that tells the outcome; of a dated command send the alert instead."""
        outcome = Outcome(code, self.firmware_version)
        if not dated:
            return _answer(outcome)
        command = cs06.Command.decode(message.payload)
        done = code is OutcomeCode.SUCCESS
        alert_code = AlertCode.FUTURE_DATED_COMMAND_DONE if done else AlertCode.FUTURE_DATED_COMMAND_FAILED
        alert = cs06.Alert(alert_code, command.execution_time or 0, message.counter, outcome)
        self.send_alert(cs06.ALERT_MESSAGE_CODE, message.originator, lambda _: alert.encode())
        return None


def _answer(outcome: Outcome | None) -> Answer:
    return Answer(cs06.Response(outcome).encode(), dated=True)
