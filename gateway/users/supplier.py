"""A supplier: prepares devices, sends firmware, activates it with its own signature."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from gateway.users.errors import PreCommandError
from gateway.users.user import Exchange, ServiceUser
from protocols.addresses import Eui64
from protocols.duis.bodies import (
    ActivateFirmware,
    AddDeviceToChfWhitelist,
    CommissionDevice,
    DevicePrenotification,
    JoinServiceCritical,
    JoinServiceNonCritical,
    RequestType,
    RestoreHanDeviceLog,
    SignedPreCommand,
    UnjoinServiceCritical,
    UnjoinServiceNonCritical,
    UpdateDeviceStatusCh,
    UpdateFirmware,
    UpdateHanDeviceLog,
    UpdateInventory,
    UpdatePpmidFirmware,
)
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceStatus
from protocols.duis.requests import CommandVariant
from protocols.duis.responses import PreCommand
from protocols.duis.times import CANCELLATION_DATE_TIME
from protocols.errors import DecodeError
from protocols.gbcs import security
from protocols.gbcs.envelope import Category, Message
from protocols.gbcs.smki import KEY_AGREEMENT, Certificate
from protocols.gbcs.use_cases import cs03, cs04, cs06, gcs28
from protocols.interfaces import SECOND

Details: TypeAlias = tuple[tuple[str, object, object], ...]
"""Name, what was found and what was wanted."""
_JOIN_METHODS = {
    cs03.MESSAGE_CODE_A1: cs03.MethodAndRole.A_INITIATOR,
    cs03.MESSAGE_CODE_A2: cs03.MethodAndRole.A_RESPONDER,
    cs03.MESSAGE_CODE_C: cs03.MethodAndRole.C,
}


@dataclass(frozen=True, slots=True)
class Activation:
    """A critical request up to acceptance. `command` is None if the Transform was refused, and nothing was signed."""

    transform: Exchange
    command: Exchange | None

    @property
    def request_id(self) -> RequestId:
        return self.transform.request_id

    @property
    def code(self) -> str:
        """The response code that ended it."""
        return (self.command or self.transform).code

    @property
    def accepted(self) -> bool:
        return self.command is not None and self.command.accepted


class Supplier(ServiceUser):
    """An import or gas supplier."""

    def pre_notify(self, notification: DevicePrenotification) -> Exchange:
        """SR 12.2."""
        return self.request(self.dsp, CommandVariant.DCC_ONLY, notification)

    def add_to_log(self, chf: Eui64, device: Eui64, install_code: bytes, join_seconds: int = 3600) -> Exchange:
        """SR 8.11: add a device to the hub's log. install_code: 6 to 16 octets without CRC."""
        add = AddDeviceToChfWhitelist(join_time_period=join_seconds, install_code=install_code)
        body = UpdateHanDeviceLog(device_id=device, request_type=RequestType.ADD, add=add)
        return self.request(chf, CommandVariant.TO_DEVICE, body)

    def remove_from_log(self, chf: Eui64, device: Eui64) -> Exchange:
        """SR 8.11: remove a device from the hub's log."""
        body = UpdateHanDeviceLog(device_id=device, request_type=RequestType.REMOVE)
        return self.request(chf, CommandVariant.TO_DEVICE, body)

    def join(self, device: Eui64, other: Eui64) -> Exchange:
        """SR 8.7.2: have a device join another, where that is no critical command."""
        return self.request(device, CommandVariant.TO_DEVICE, JoinServiceNonCritical(other_device_id=other))

    def join_critical(self, device: Eui64, other: Eui64) -> Activation:
        """SR 8.7.1: have an ESME, GSME or HCALCS join another device; which use case that takes is the DSP's to know.

        Raises PreCommandError as `activate` does. The type of the other device is not checked: the inventory has it.
        """

        def details(message: Message, counter: int) -> Details:
            found = cs03.Command.decode(message.payload)
            wanted = self._certificates.certificate(other, KEY_AGREEMENT)
            told = Certificate(found.certificate) if found.certificate is not None else None
            return (
                ("other device", found.device, other),
                ("method", found.method_and_role, _JOIN_METHODS.get(message.message_code)),
                ("certificate", told, wanted if found.method_and_role == cs03.MethodAndRole.C else None),
            )

        return self._signed(device, JoinServiceCritical(other_device_id=other), tuple(_JOIN_METHODS), details)

    def unjoin(self, device: Eui64, other: Eui64) -> Exchange:
        """SR 8.8.2: have a device leave another, where that is no critical command."""
        return self.request(device, CommandVariant.TO_DEVICE, UnjoinServiceNonCritical(other_device_id=other))

    def unjoin_critical(self, device: Eui64, other: Eui64) -> Activation:
        """SR 8.8.1: have an ESME, GSME or HCALCS leave another device.

        Raises PreCommandError as `activate` does.
        """

        def details(message: Message, counter: int) -> Details:
            return (("other device", cs04.Command.decode(message.payload).device, other),)

        return self._signed(device, UnjoinServiceCritical(other_device_id=other), (cs04.MESSAGE_CODE_AC,), details)

    def set_hub_status(self, chf: Eui64, status: DeviceStatus) -> Exchange:
        """SR 8.4: say what has become of a hub."""
        body = UpdateInventory(device_id=chf, change=UpdateDeviceStatusCh(status))
        return self.request(self.dsp, CommandVariant.DCC_ONLY, body)

    def restore_log(self, chf: Eui64, former: Eui64) -> Exchange:
        """SR 8.12.1: have a hub take over the device log of the one it replaces."""
        return self.request(chf, CommandVariant.TO_DEVICE, RestoreHanDeviceLog(old_chf_id=former))

    def update_firmware(self, devices: Iterable[Eui64], image: bytes, version: int) -> Exchange:
        """SR 11.1 for ESME, GSME and HCALCS. image: the OTA file. version: 32 bits."""
        body = UpdateFirmware(firmware_image=image, firmware_version=f"{version:08X}", device_ids=tuple(devices))
        return self.request(self.dsp, CommandVariant.DCC_ONLY, body)

    def update_ppmid_firmware(self, devices: Iterable[Eui64], image: bytes, version: int) -> Exchange:
        """SR 11.4 for PPMID and bridges: distribution and activation in one."""
        body = UpdatePpmidFirmware(firmware_image=image, firmware_version=f"{version:08X}", device_ids=tuple(devices))
        return self.request(self.dsp, CommandVariant.DCC_ONLY, body)

    def activate(self, device: Eui64, firmware_hash: bytes, at: int | None = None) -> Activation:
        """SR 11.3: ask for the pre-command, check it, sign it with our own key, send it.

        firmware_hash: 32 octets, of the manufacturer image. at: ns UTC, None for at once.
        Raises PreCommandError, and sends nothing more, if the pre-command says anything else than was asked for.
        """
        body = ActivateFirmware(execution_date_time=at, firmware_hash=firmware_hash)

        def details(message: Message, counter: int) -> Details:
            found, wanted = cs06.Command.decode(message.payload), cs06.Command(firmware_hash, counter, _gbcs_time(at))
            return (
                ("hash", found.image_hash.hex(), wanted.image_hash.hex()),
                ("originator counter", found.originator_counter, wanted.originator_counter),
                ("execution time", found.execution_time, wanted.execution_time),
            )

        return self._signed(device, body, (cs06.MESSAGE_CODE,), details)

    def commission_gas(self, device: Eui64, tolerance: int) -> Activation:
        """SR 8.1.1 to a GSME: let it confirm its clock, which commissions it. tolerance: s, of its clock and its sleep.

        Raises PreCommandError as `activate` does.
        """
        start = self._clock.now() - self._clock.now() % SECOND
        body = CommissionDevice(current_date_time=start, tolerance_period=tolerance)

        def details(message: Message, counter: int) -> Details:
            return (
                ("period", gcs28.Command.decode(message.payload), gcs28.Command(start, start + tolerance * SECOND)),
            )

        return self._signed(device, body, (gcs28.MESSAGE_CODE,), details)

    def _signed(
        self,
        device: Eui64,
        body: ActivateFirmware | CommissionDevice | JoinServiceCritical | UnjoinServiceCritical,
        codes: tuple[int, ...],
        details: Callable[[Message, int], Details],
    ) -> Activation:
        """Send the Transform, sign the pre-command that answers it if it is what was asked for, and send that."""
        transform = self.request(device, CommandVariant.TRANSFORM, body)
        if transform.code != "I0":
            return Activation(transform, None)
        message = self._checked_pre_command(transform, codes, details)
        signed = security.sign(message, self._credentials.ds_key, self._entropy)
        command = self.request(
            device,
            CommandVariant.SIGNED_TO_DEVICE,
            SignedPreCommand(gbcs_payload=signed.encode()),
            service=transform.request.service,
            request_id=transform.request_id,
        )
        return Activation(transform, command)

    def cancel(self, device: Eui64, firmware_hash: bytes) -> Activation:
        """SR 11.3 with the date that cancels what the device holds for later."""
        return self.activate(device, firmware_hash, CANCELLATION_DATE_TIME)

    def _checked_pre_command(
        self, transform: Exchange, codes: tuple[int, ...], details: Callable[[Message, int], Details]
    ) -> Message:
        content = transform.delivery.content
        if not isinstance(content, PreCommand):
            raise PreCommandError(f"{transform.request_id}: I0 without a pre-command")
        try:
            message = Message.decode(content.gbcs_payload)
            compared = details(message, transform.request_id.counter)
        except DecodeError as error:
            raise PreCommandError(f"{transform.request_id}: not the pre-command asked for: {error}") from error
        for what, found, wanted in (*_compared(message, codes, transform.request_id), *compared):
            if found != wanted:
                raise PreCommandError(f"{transform.request_id}: pre-command has {what} {found}, asked for {wanted}")
        return message


def _compared(message: Message, codes: tuple[int, ...], asked: RequestId) -> Details:
    """Return (name, found, wanted) of everything a pre-command says beside its payload."""
    return (
        ("category", message.category.value, Category.PRE_COMMAND.value),
        ("message code", message.message_code, message.message_code if message.message_code in codes else codes[0]),
        ("originator", message.originator, asked.originator),
        ("target", message.target, asked.target),
        ("counter", message.counter, asked.counter),
        ("date-time", message.date_time, b""),
        ("supplementary party", message.supplementary_party, None),
    )


def _gbcs_time(at: int | None) -> int | None:
    """Return the execution time a command carries for an ExecutionDateTime: whole seconds, its own date to cancel."""
    if at is None:
        return None
    return cs06.CANCEL if at == CANCELLATION_DATE_TIME else at - at % SECOND
