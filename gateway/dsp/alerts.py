"""Alerts of devices whose signature was verified: what they change, and to whom they go."""

from collections.abc import Callable

from gateway.dsp.activation import Activations
from gateway.dsp.answers import Answers
from gateway.dsp.device_logs import DeviceLogs
from gateway.dsp.effects import Turn
from gateway.dsp.inventory import Inventory
from gateway.dsp.records import Alert, Decision, Device, Signature, Update
from gateway.dsp.rows import Unsigned, append, version_text
from gateway.dsp.tracking import Tracking
from protocols.addresses import Eui64
from protocols.duis.alerts import (
    ActivateImageResultCode,
    CommsHubAlert,
    CommsHubTransferStatus,
    CspFirmwareDeliveryStatus,
    DccAlert,
    FirmwareDistributionFailure,
    FirmwareTransferAlert,
    PpmidAlert,
    PpmidFirmwareUpgradeAlert,
    TransferResponseCode,
)
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceType
from protocols.errors import DecodeError
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import ccs08, cs06, cs09, cs14, fdra
from protocols.wan.smwan import FirmwareDeliveryStatus, GbcsFromHub

_TRANSFER_CODES = tuple(TransferResponseCode)  # in the order of CCS08's numbers


class DeviceAlerts:
    def __init__(
        self,
        broker: Eui64,
        inventory: Inventory,
        tracking: Tracking,
        activations: Activations,
        device_logs: DeviceLogs,
        answers: Answers,
        image_transferred: Callable[[Turn, Update], None],
    ) -> None:
        """image_transferred: what to do once a hub told that it passed an image on."""
        self._image_transferred = image_transferred
        self._broker, self._inventory, self._tracking = broker, inventory, tracking
        self._activations, self._device_logs, self._answers = activations, device_logs, answers
        self._effects_of: dict[int, Callable[[Turn, Message, bytes], None]] = {
            fdra.MESSAGE_CODE: self._image_verified,
            fdra.GSME_MESSAGE_CODE: self._image_verified,
            cs06.ALERT_MESSAGE_CODE: self._dated_activation,
            cs14.MESSAGE_CODE: self._device_log,
        }

    def believed(self, turn: Turn, message: Message, carried: GbcsFromHub, code: int, signature: Signature) -> None:
        """Take an alert. Raises DecodeError, with nothing done, for a payload that does not fit its message code."""
        if self._inventory.device(message.originator) is None:
            raise DecodeError(f"alert of {message.originator}, which is not in the inventory")
        if message.message_code == cs09.MESSAGE_CODE:
            self._ppmid_activation(turn, message, code, signature)
        elif message.message_code == ccs08.MESSAGE_CODE:
            self._firmware_transfer(turn, message, code, signature)
        else:
            self._pass_on(turn, message, carried, code, signature)

    def record(
        self,
        turn: Turn,
        message: Message,
        code: int,
        decision: Decision,
        recipient: Eui64 | None,
        signature: Signature,
    ) -> None:
        """Write the decision on one alert."""
        text = f"{code:04X}"
        append(
            turn,
            Alert(turn.now, text, message.originator, decision, recipient, signature, Unsigned(message.counter)),
        )
        turn.note(
            "alert", code=text, origin=str(message.originator), decision=str(decision), signature=str(signature),
            recipient=None if recipient is None else str(recipient),
        )  # fmt: skip

    # --- to the user the device addressed ---

    def _pass_on(self, turn: Turn, message: Message, carried: GbcsFromHub, code: int, signature: Signature) -> None:
        effect = self._effects_of.get(message.message_code)
        if effect is not None:
            effect(turn, message, message.payload)
        if message.target == self._broker:
            self.record(turn, message, code, Decision.DELIVERED, self._broker, signature)
        elif self._inventory.users.get(message.target) is None:
            self.record(turn, message, code, Decision.UNMAPPED, None, signature)
        else:
            self.record(turn, message, code, Decision.DELIVERED, message.target, signature)
            self._answers.device_alert(turn, message.target, message, carried.message, code)

    def _image_verified(self, turn: Turn, message: Message, payload: bytes) -> None:
        kind = fdra.GsmeAlert if message.message_code == fdra.GSME_MESSAGE_CODE else fdra.Alert
        alert = kind.decode(payload)
        if alert.alert_code == AlertCode.FIRMWARE_VERIFIED:
            self._tracking.verified(turn, message.originator, alert.image_hash)
        elif alert.alert_code == AlertCode.FIRMWARE_VERIFICATION_FAILED:
            self._tracking.verification_failed(turn, message.originator)

    def _dated_activation(self, turn: Turn, message: Message, payload: bytes) -> None:
        self._activations.reported(turn, message, cs06.Alert.decode(payload))

    def _device_log(self, turn: Turn, message: Message, payload: bytes) -> None:
        """CS14, the whole device log of a hub: who has a link key has joined, who is missing was removed."""
        log = cs14.Alert.decode(payload).log
        hub = self._addressed(message, DeviceType.CHF)
        self._device_logs.told(turn, hub, log, message.counter)

    # --- to the broker, which tells users in alerts of the DCC ---

    def _ppmid_activation(self, turn: Turn, message: Message, code: int, signature: Signature) -> None:
        """8F8B: N39 to the responsible suppliers; on success the inventory follows, and only then."""
        alert = cs09.Alert.decode(message.payload)
        if code != cs09.ALERT_CODE:
            raise DecodeError(f"CS09 with alert code {code:04X}", data=message.payload)
        device = self._addressed(message, DeviceType.PPMID)
        success = alert.code == cs09.ActivationCode.ACTIVATED
        payload = PpmidAlert(
            device_id=device.device,
            device_alert_code=code,
            timestamp=alert.time,
            firmware_upgrade=PpmidFirmwareUpgradeAlert(
                firmware_version=version_text(alert.firmware_version) or "",
                result=_RESULTS[success],
            ),
        )
        suppliers = self._inventory.responsible_suppliers(device)
        for supplier in suppliers:
            self.record(turn, message, code, Decision.DELIVERED, supplier, signature)
            self._answers.dcc_alert(turn, supplier, "N39", payload)
        if not suppliers:
            self.record(turn, message, code, Decision.UNMAPPED, None, signature)
        if success:
            cause = f"N39 8F8B counter {message.counter}"
            self._inventory.version_reported(turn, device, alert.firmware_version, cause)
            self._tracking.activated(turn, device.device, alert.firmware_version)
        else:
            update = self._tracking.of_version(device.device, alert.firmware_version)
            self._tracking.activation_failed(turn, update, "8F8B: activation failed")

    def _firmware_transfer(self, turn: Turn, message: Message, code: int, signature: Signature) -> None:
        """8F8A, 8F89 of the hub: N62 to whoever requested the update, else to the responsible suppliers."""
        alert = ccs08.Alert.decode(message.payload)
        if not 0 <= alert.code < len(_TRANSFER_CODES):
            raise DecodeError(f"transfer code {alert.code}", data=message.payload)
        hub = self._addressed(message, DeviceType.CHF)
        update = self._tracking.of_version(alert.device, alert.firmware_version)
        if update is not None and update.hub != hub.device:
            update = None
        response_code = _TRANSFER_CODES[alert.code]
        payload = CommsHubAlert(
            comms_hub_device_id=hub.device,
            alert_code=code,
            time_stamp=alert.time,
            firmware_transfer=FirmwareTransferAlert(
                update_firmware_request_id=None if update is None else RequestId.parse(update.request_id),
                other_device_id=alert.device,
                firmware_version=version_text(alert.firmware_version) or "",
                transfer_response_code=response_code,
            ),
        )
        recipients = self._inventory.responsible_suppliers(hub) if update is None else [update.user]
        for recipient in recipients:
            self.record(turn, message, code, Decision.DELIVERED, recipient, signature)
            self._answers.dcc_alert(turn, recipient, "N62", payload)
        if not recipients:
            self.record(turn, message, code, Decision.UNMAPPED, None, signature)
        self._update_transferred(turn, update, response_code)

    def _update_transferred(self, turn: Turn, update: Update | None, code: TransferResponseCode) -> None:
        if update is None:
            return
        if code is TransferResponseCode.FILE_TRANSFER_SUCCESS:
            self._image_transferred(turn, update)
        else:
            self._tracking.transfer_failed(turn, update, f"8F89: {code}")

    def _addressed(self, message: Message, kind: DeviceType) -> Device:
        """Return the originator, which must be of the type that sends this alert to the broker."""
        device = self._inventory.device(message.originator)
        if device is None or device.type is not kind or message.target != self._broker:
            raise DecodeError(f"alert of {message.originator} to {message.target}, not of a {kind} to the broker")
        return device

    # --- of the CSP ---

    def delivery_status(self, turn: Turn, status: FirmwareDeliveryStatus) -> bool:
        """The CSP told whether a hub took an image: N60 or N61 to the requester. False if nobody asked for it.

        What the CSP could not even send, for it does not know hub or device type, is N22.
        """
        update = self._tracking.updates.get(status.request_id, status.device)
        if update is None or update.hub != status.hub:
            return False
        payload: DccAlert
        if status.identified:
            code, payload = "N60" if status.success else "N61", self._delivery(update, status)
        else:
            request_id = RequestId.parse(update.request_id)
            payload = FirmwareDistributionFailure(update_firmware_request_id=request_id, meter_ids=(status.device,))
            code = "N22"
        self._answers.dcc_alert(turn, update.user, code, payload)
        append(turn, Alert(turn.now, code, status.hub, Decision.DELIVERED, update.user, Signature.NONE, None))
        turn.note(
            "alert", code=code, origin=str(status.hub), decision=str(Decision.DELIVERED),
            signature=str(Signature.NONE), recipient=str(update.user),
        )  # fmt: skip
        self._tracking.delivered(turn, update, success=status.success)
        return True

    @staticmethod
    def _delivery(update: Update, status: FirmwareDeliveryStatus) -> CspFirmwareDeliveryStatus:
        return CspFirmwareDeliveryStatus(
            update_firmware_request_id=RequestId.parse(update.request_id),
            comms_hub_device_id=status.hub,
            target_device_id=status.device,
            firmware_version=version_text(status.version) or "",
            time_stamp=status.time,
            status=CommsHubTransferStatus.SUCCESS if status.success else CommsHubTransferStatus.FAILURE,
        )


_RESULTS = {True: ActivateImageResultCode.ACTIVATION_SUCCESS, False: ActivateImageResultCode.ACTIVATION_FAILURE}
