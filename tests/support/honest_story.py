"""A short honest run of one home, told into a `ToldRun`: every check of `hanlab verify` finds its evidence and passes.

Home: hub, tracked ESME, HCALCS, PPMID, two bridges. Images are small; times are as the rules of the checks need them.
"""

from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.duis.alerts import (
    ActivateImageResultCode,
    CommsHubAlert,
    DccAlert,
    FirmwareTransferAlert,
    PowerOutageEvent,
    PpmidAlert,
    PpmidFirmwareUpgradeAlert,
    TransferResponseCode,
)
from protocols.duis.bodies import (
    ActivateFirmware,
    DevicePrenotification,
    JoinServiceNonCritical,
    ReadFirmwareVersion,
    ReadInventory,
    RequestBody,
    SignedPreCommand,
    UpdateFirmware,
    UpdatePpmidFirmware,
)
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceStatus, DeviceType, DspInventory, InventoryDevice, PpmidVariant
from protocols.duis.requests import SERVICE_OF, CommandVariant, Request
from protocols.duis.responses import (
    Content,
    DccAlertMessage,
    DeviceAlertMessage,
    DspUpdatePpmidFirmwareWarning,
    FutureDatedDeviceAlertMessage,
    GbcsPayload,
    PreCommand,
    Response,
    ResponseMessage,
)
from protocols.duis.times import CANCELLATION_DATE_TIME
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.times import dlms_date_time
from protocols.gbcs.use_cases import cs06, cs08, cs09, ecs52, ecs80, fdra
from protocols.interfaces import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from protocols.ota.image import FirmwareImage, Kind, build_image, manufacturer_image_hash
from protocols.zcl import data_types, foundation
from protocols.zcl.clusters import metering, ota
from protocols.zcl.clusters import time as zcl_time
from protocols.zcl.foundation import (
    AttributeRead,
    AttributeReport,
    ReadAttributesResponse,
    ReportAttributes,
)
from protocols.zcl.frame import ZclStatus
from tests.support.told_join import answer_of_gpf, tell_certified_join, tell_join
from tests.support.told_run import ACB, CHF, HUB_NODE, OPERATOR, START, SUPPLIER, Cell, OnAir, ToldRun

ESME = Eui64(0x00DB1234567811A0)
PPMID = Eui64(0x00DB1234567811A4)
GSME = Eui64(0x00DB1234567811A1)
HCALCS = Eui64(0x00DB1234567811A5)
BRIDGE_1 = Eui64(0x00DB1234567811B1)
BRIDGE_3 = Eui64(0x00DB1234567811B3)
MPXN = "1200010000011"
OLD = 0x01000000
MANUFACTURER = 0x121D
WINDOW = 30 * MINUTE
BLOCK = 48


class Known(NamedTuple):
    kind: Kind
    type: DeviceType
    name: str
    variant: PpmidVariant | None = None

    @property
    def model(self) -> int:
        return 0x0A000101 + (list(Kind).index(self.kind) << 16)


HOME = {
    ESME: Known(Kind.ESME, DeviceType.ESME, "esme"),
    HCALCS: Known(Kind.HCALCS, DeviceType.HCALCS, "hcalcs"),
    PPMID: Known(Kind.PPMID, DeviceType.PPMID, "ppmid", PpmidVariant.PPMID),
    BRIDGE_1: Known(Kind.BRIDGE1, DeviceType.PPMID, "bridge-1", PpmidVariant.ALT_HAN_BRIDGE_1),
    BRIDGE_3: Known(Kind.BRIDGE3, DeviceType.PPMID, "bridge-3", PpmidVariant.ALT_HAN_BRIDGE_3),
}


class Story:
    """Tells the honest run; `.run` holds it. Times stand in the attributes that tests want."""

    def __init__(self) -> None:
        self.run = ToldRun()
        self.now = START
        self._counter = 1000
        self._alerts = dict.fromkeys(HOME, 0)
        self._versions = dict.fromkeys(HOME, OLD)
        self.hub = "home-1/hub"
        for eui, known in HOME.items():
            self.run.add_device(eui, kind=known.kind.value, tracked=eui == ESME)
            self.run.note(START, f"home-1/{known.name}", "joined", device=str(eui), parent=str(CHF), short="1001")
        self.run.add_device(GSME, kind="gsme")
        self.run.note(START, "home-1/gsme", "joined", device=str(GSME), parent=str(CHF), short="1002")
        for table in ("suppression_windows", "power_outage_audit", "firmware_updates", "firmware_update_history"):
            self.run.rows[table] = []

    def tell(self) -> ToldRun:
        self.arrive()
        self.join()
        self.update_bridges()
        self.update_hcalcs()
        self.esme_at_once()
        self.esme_dated()
        self.esme_cancelled()
        self.read()
        self.live()
        return self.run

    # --- pieces ------------------------------------------------------------------------------------------------

    def later(self, span: int) -> int:
        self.now += span
        return self.now

    def image(self, device: Eui64, version: int, *, size: int = 300) -> FirmwareImage:
        known = HOME[device]
        key = self.run.parties[SUPPLIER].ds_key
        sign = (lambda octets: self.run.entropy.sign(key, octets)) if known.kind.signed else None
        image = build_image(
            known.kind, version=version, size=size, manufacturer=MANUFACTURER, model=known.model, sign=sign
        )
        if not any(row["hash"] == image.hash.hex() for row in self.run.rows.get("products", ())):
            self.run.row("products", type=known.type.value, firmware_version=f"{version:08X}", hash=image.hash.hex())
        return image

    def ask(
        self,
        label: str,
        target: Eui64,
        variant: CommandVariant,
        body: RequestBody,
        code: str,
        content: Content | None = None,
        *,
        request_id: RequestId | None = None,
        service: str = "",
    ) -> RequestId:
        """Send a request and get its synchronous answer at once."""
        if request_id is None:
            self._counter += 1
            request_id = RequestId(SUPPLIER, target, self._counter)
        request = Request(request_id=request_id, command_variant=variant, body=body, service=service)
        self.run.request(label, "supplier", self.now, request)
        service = service or SERVICE_OF[type(body)]
        answer = Response(
            request_id=request_id,
            response_code=code,
            response_date_time=self.now,
            body=ResponseMessage(service, content),
        )
        self.run.receive(f"{label} answer", "supplier", self.now, answer)
        if not code.startswith("E"):
            values: dict[str, Cell] = {"time": self.now, "user": str(SUPPLIER), "request_id": str(request_id)}
            self.run.row("requests", **values, service=service, variant=int(variant), code=code)
        return request_id

    def ask_id(self) -> RequestId:
        """Return the RequestID of a request that nobody sent."""
        self._counter += 1
        return RequestId(SUPPLIER, ACB, self._counter)

    def answered(self, label: str, time: int, request_id: RequestId, service: str, octets: bytes) -> None:
        answer = Response(
            request_id=request_id,
            response_id=request_id.answered,
            response_code="I0",
            response_date_time=time,
            body=ResponseMessage(service, GbcsPayload(octets)),
        )
        self.run.receive(label, "supplier", time, answer)

    def dcc_alert(self, label: str, user: str, time: int, code: str, alert: DccAlert) -> None:
        target = {"supplier": SUPPLIER, "network-operator": OPERATOR}[user]
        body = DccAlertMessage(dcc_alert_code=code, alert=alert)
        self._counter += 1
        response_id = RequestId(ACB, target, self._counter)
        told = Response(response_id=response_id, response_code="I0", response_date_time=time, body=body)
        self.run.receive(label, user, time, told)

    def device_alert(
        self, label: str, device: Eui64, time: int, target: Eui64, message_code: int, payload: bytes, code: int
    ) -> Message:
        """Send a signed alert in the tunnel; it reaches its user 2 s later unless it is for the ACB."""
        self._alerts[device] += 1
        message = self.run.signed(
            Message(Cra.ALERT, self._alerts[device], device, target, message_code=message_code, payload=payload)
        )
        self.run.carry(label, time, device, message.encode(), upward=True)
        self.run.row(
            "alerts", time=time, code=f"{code:04X}", originator=str(device), decision="delivered", signature="valid",
            counter=message.counter,
        )  # fmt: skip
        user = {SUPPLIER: "supplier", OPERATOR: "network-operator"}.get(target)
        if user is not None:
            body: ResponseMessage | DeviceAlertMessage
            if message_code == cs06.ALERT_MESSAGE_CODE:
                dated = FutureDatedDeviceAlertMessage(alert_code=code, gbcs_payload=message.encode())
                body = ResponseMessage("11.3", dated)
            else:
                body = DeviceAlertMessage(alert_code=code, gbcs_payload=message.encode())
            response_id = RequestId(device, target, message.counter)
            told = Response(response_id=response_id, response_code="I0", response_date_time=time, body=body)
            self.run.receive(f"{label} mail", user, time + 2 * SECOND, told)
        return message

    def take_version(self, time: int, device: Eui64, version: int, cause: str) -> dict[str, Cell]:
        """Let the inventory take a version."""
        old, self._versions[device] = self._versions[device], version
        return self.run.row(
            "inventory_history", time=time, device=str(device), field="firmware_version", old=f"{old:08X}",
            new=f"{version:08X}", cause=cause,
        )  # fmt: skip

    def track(self, request_id: RequestId, device: Eui64, version: int, *states: str) -> None:
        values: dict[str, Cell] = {"request_id": str(request_id), "device": str(device), "version": f"{version:08X}"}
        if states != ("Blocked",):
            self.run.row("firmware_updates", **values, service="11", state=states[-1])
        for state in states:
            self.run.row("firmware_update_history", time=self.now, **values, state=state)

    def query(self, label: str, time: int, device: Eui64, version: int) -> None:
        """Let the device say which version it runs."""
        image_type = 0x0084
        self.run.carry_ota(
            label, time, device, ota.QueryNextImageRequest(MANUFACTURER, image_type, version, 0x0101), upward=True
        )

    def transfer(self, label: str, device: Eui64, octets: bytes, request_id: RequestId, status: int) -> int:
        """Store an image at the hub and let the device pull it; return when it ended."""
        header = FirmwareImage.decode(octets, signed=False).header
        identity = (MANUFACTURER, header.image_type, header.file_version)
        self.run.note(
            self.later(10 * SECOND), self.hub, "image-stored", request=str(request_id), device=str(device),
            version=f"{header.file_version:08X}", size=len(octets), sha256=_sha256(octets),
        )  # fmt: skip
        command: ota.OtaCommand = ota.QueryNextImageRequest(*identity[:2], self._versions[device], 0x0101)
        self.run.carry_ota(f"{label} query", self.later(SECOND), device, command, upward=True)
        command = ota.QueryNextImageResponse(0, *identity, len(octets))
        self.run.carry_ota(f"{label} offer", self.later(SECOND), device, command, upward=False)
        for offset in range(0, len(octets), BLOCK):
            at = f"{label} block {offset}"
            command = ota.ImageBlockRequest(*identity, offset, BLOCK)
            self.run.carry_ota(f"{at} request", self.later(100 * MILLISECOND), device, command, upward=True)
            command = ota.ImageBlockResponse(*identity, offset, octets[offset : offset + BLOCK])
            self.run.carry_ota(at, self.later(100 * MILLISECOND), device, command, upward=False)
        command = ota.UpgradeEndRequest(status, *identity)
        self.run.carry_ota(f"{label} end", self.later(SECOND), device, command, upward=True)
        if status == ZclStatus.SUCCESS:
            wait = HOME[device].kind.signed
            times = (ota.UPGRADE_WAIT, ota.UPGRADE_WAIT) if wait else (1000, 1000)
            command = ota.UpgradeEndResponse(*identity, *times)
            self.run.carry_ota(f"{label} end response", self.later(SECOND), device, command, upward=False)
        return self.now

    # --- chapters ----------------------------------------------------------------------------------------------

    def arrive(self) -> None:
        for eui, known in HOME.items():
            self.run.row("inventory", device=str(eui), hub=str(CHF), firmware_version=f"{OLD:08X}")
            if eui != ESME:
                body = DevicePrenotification(
                    device_id=eui,
                    device_manufacturer=f"{MANUFACTURER:04X}",
                    device_model=f"{known.model:08X}",
                    device_type=known.type,
                    smets_chts_version="5.0",
                    firmware_version=f"{OLD:08X}",
                    ppmid_variant=known.variant,
                )
                self.later(SECOND)
                self.ask(f"12.2 {known.name}", ACB, CommandVariant.DCC_ONLY, body, "I99")

    def join(self) -> None:
        """CS03A1: ESME and PPMID have a key from here on."""
        self._counter += 1
        tell_join(self.run, ESME, PPMID, self._counter, self.later(SECOND))
        tell_certified_join(self.run, GSME, PPMID, self._counter, self.later(MINUTE))
        self.later(MINUTE)
        body = JoinServiceNonCritical(other_device_id=PPMID)
        asked = self.ask("8.7.2", HUB_NODE, CommandVariant.TO_DEVICE, body, "I99")
        octets = answer_of_gpf(self.run, HUB_NODE, 5_000 + asked.counter, asked.counter)
        self.answered("8.7.2 CS03", self.later(2 * SECOND), asked, "8.7.2", octets)

    def update_bridges(self) -> None:
        request_id, _ = self._order(BRIDGE_1, 0x02000000)
        self.later(5 * SECOND)
        body = self._body(BRIDGE_1, self.image(BRIDGE_1, 0x02000000).encode(), 0x02000000)
        warning = DspUpdatePpmidFirmwareWarning(other_request_in_progress=(BRIDGE_1,))
        blocked = self.ask("11.4 again", ACB, CommandVariant.DCC_ONLY, body, "W110401", warning)
        self.track(blocked, BRIDGE_1, 0x02000000, "Blocked")
        self._pulled_and_activated("bridge-1", BRIDGE_1, 0x02000000, request_id)
        self._altered_on_the_way()
        request_id, _ = self._order(BRIDGE_3, 0x02000000, label="11.4 bridge-3 again")
        self._pulled_and_activated("bridge-3", BRIDGE_3, 0x02000000, request_id)
        bad = bytearray(self.image(PPMID, 0x02000000).encode())
        bad[-1] ^= 1
        refused = self._body(PPMID, bytes(bad), 0x02000000)
        self.ask("11.4 unknown", ACB, CommandVariant.DCC_ONLY, refused, "E110402")
        self.later(MINUTE)
        request_id, _ = self._order(PPMID, 0x02000000)
        self._pulled_and_activated("ppmid", PPMID, 0x02000000, request_id)

    def _body(self, device: Eui64, octets: bytes, version: int) -> UpdatePpmidFirmware:
        return UpdatePpmidFirmware(firmware_image=octets, firmware_version=f"{version:08X}", device_ids=(device,))

    def _order(self, device: Eui64, version: int, *, label: str = "") -> tuple[RequestId, bytes]:
        """Send an 11.4 that is accepted and handed to the CSP."""
        octets = self.image(device, version).encode()
        label = label or f"11.4 {HOME[device].name}"
        request_id = self.ask(label, ACB, CommandVariant.DCC_ONLY, self._body(device, octets, version), "I99")
        self.run.note(
            self.now, "csp", "firmware-service", request=str(request_id), hub=str(CHF), device=str(device),
            type=HOME[device].type.value,
        )  # fmt: skip
        return request_id, octets

    def _altered_on_the_way(self) -> None:
        request_id, octets = self._order(BRIDGE_3, 0x02000000)
        altered = octets[:200] + bytes([octets[200] ^ 1]) + octets[201:]
        self.run.note(self.now, "csp", "image-altered", request=str(request_id), offset=200)
        self.transfer("altered", BRIDGE_3, altered, request_id, ZclStatus.INVALID_IMAGE)
        self.track(request_id, BRIDGE_3, 0x02000000, "Requested", "Delivered", "Failed")
        transfer = FirmwareTransferAlert(
            other_device_id=BRIDGE_3,
            firmware_version="02000000",
            transfer_response_code=TransferResponseCode.FILE_TRANSFER_FAILURE,
        )
        alert = CommsHubAlert(comms_hub_device_id=CHF, alert_code=0x8F89, firmware_transfer=transfer)
        self.dcc_alert("N62 altered", "supplier", self.later(2 * SECOND), "N62", alert)

    def _pulled_and_activated(self, name: str, device: Eui64, version: int, request_id: RequestId) -> None:
        octets = self.image(device, version).encode()
        self.transfer(name, device, octets, request_id, ZclStatus.SUCCESS)
        self.later(30 * SECOND)
        self.query(f"{name} runs", self.now, device, version)
        alert_time = self.now - self.now % SECOND
        payload = cs09.Alert(alert_time, version).encode()
        self.device_alert(f"{name} 8F8B", device, self.later(SECOND), ACB, cs09.MESSAGE_CODE, payload, 0x8F8B)
        told = self.later(2 * SECOND)
        upgrade = PpmidFirmwareUpgradeAlert(
            firmware_version=f"{version:08X}", result=ActivateImageResultCode.ACTIVATION_SUCCESS
        )
        n39 = PpmidAlert(device_id=device, device_alert_code=0x8F8B, timestamp=alert_time, firmware_upgrade=upgrade)
        self.dcc_alert(f"{name} N39", "supplier", told + 100 * MILLISECOND, "N39", n39)
        self.take_version(told, device, version, "8F8B")
        self.track(request_id, device, version, "Requested", "Delivered", "Transferred", "Activated")

    def distribute(self, name: str, device: Eui64, version: int, *, altered: bool = False) -> bytes:
        """11.1 and its receipt alert; return the hash of the image sent."""
        image = self.image(device, version, size=400)
        octets = image.encode()
        body = UpdateFirmware(firmware_image=octets, firmware_version=f"{version:08X}", device_ids=(device,))
        request_id = self.ask(f"11.1 {name}", ACB, CommandVariant.DCC_ONLY, body, "I99")
        if altered:
            self.run.note(self.now, "csp", "image-altered", request=str(request_id), offset=len(octets) - 1)
            octets = octets[:-1] + bytes([octets[-1] ^ 1])
        self.transfer(name, device, octets, request_id, ZclStatus.INVALID_IMAGE if altered else ZclStatus.SUCCESS)
        code = AlertCode.FIRMWARE_VERIFICATION_FAILED if altered else AlertCode.FIRMWARE_VERIFIED
        payload = fdra.Alert(code, self.now, manufacturer_image_hash(image.manufacturer_image)).encode()
        alert = (fdra.MESSAGE_CODE, payload, code)
        self.device_alert(f"{name} receipt", device, self.later(SECOND), SUPPLIER, *alert)
        self.track(request_id, device, version, "Requested", "Failed" if altered else "Activated")
        self.later(MINUTE)
        return image.hash

    def command(
        self, name: str, device: Eui64, image_hash: bytes, date: int | None = None
    ) -> tuple[RequestId, Message]:
        """11.3: Transform, signed command, CS06 in the tunnel 2 s later."""
        xml_date = CANCELLATION_DATE_TIME if date == cs06.CANCEL else date
        self._counter += 1
        request_id = RequestId(SUPPLIER, device, self._counter)
        bare = Message(
            Cra.COMMAND, request_id.counter, SUPPLIER, device, message_code=cs06.MESSAGE_CODE,
            payload=cs06.Command(image_hash, request_id.counter, date).encode(),
        )  # fmt: skip
        body = ActivateFirmware(execution_date_time=xml_date, firmware_hash=image_hash)
        pre = PreCommand(gbcs_version="4.1", gbcs_payload=bare.encode())
        self.ask(f"11.3 {name}", device, CommandVariant.TRANSFORM, body, "I0", pre, request_id=request_id)
        self.later(SECOND)
        signed = self.run.signed(bare)
        signed_body = SignedPreCommand(execution_date_time=xml_date, gbcs_payload=signed.encode())
        self.ask(
            f"11.3 {name} signed", device, CommandVariant.SIGNED_TO_DEVICE, signed_body, "I99",
            request_id=request_id, service="11.3",
        )  # fmt: skip
        octets = self.run.with_mac(signed).encode()
        self.run.carry(f"{name} CS06", self.now + 2 * SECOND, device, octets, upward=False)
        return request_id, signed

    def respond(
        self, name: str, request_id: RequestId, command: Message, time: int, outcome: cs06.Outcome | None
    ) -> None:
        message = self.run.signed(
            Message(
                Cra.RESPONSE, command.counter, command.target, SUPPLIER, dlms_date_time(time),
                message_code=cs06.MESSAGE_CODE, payload=cs06.Response(outcome).encode(),
            )
        )  # fmt: skip
        self.run.carry(f"{name} CS06 response", time, command.target, message.encode(), upward=True)
        self.answered(f"{name} CS06 answer", time + 2 * SECOND, request_id, "11.3", message.encode())

    def update_hcalcs(self) -> None:
        image_hash = self.distribute("hcalcs", HCALCS, 0x02000000)
        request_id, command = self.command("hcalcs", HCALCS, image_hash)
        done = self.later(MINUTE)
        self.query("hcalcs runs", done, HCALCS, 0x02000000)
        self.respond("hcalcs", request_id, command, done + SECOND, cs06.Outcome(0, 0x02000000))
        self.take_version(done + 2 * SECOND, HCALCS, 0x02000000, "11.3")
        self.later(MINUTE)

    # --- the ESME ----------------------------------------------------------------------------------------------

    def window(self, request_id: RequestId, start: int, kind: str, accepted: int, state: str = "expired") -> None:
        self.run.row(
            "suppression_windows", esme=str(ESME), hub=str(CHF), start=start, end=start + WINDOW, kind=kind,
            request_id=str(request_id), state=state, accepted=accepted,
        )  # fmt: skip

    def outage(self, label: str, received: int, *, suppressed: bool, latency: int = 3 * MINUTE + 2 * SECOND) -> int:
        """An AD1 enters the DSP at `received`; return when the supply was lost."""
        started = received - latency
        self.run.note(started + 3 * MINUTE, self.hub, "power-loss-reported", started=started)
        self.run.row(
            "power_outage_audit", received=received, hub=str(CHF), mpxn=MPXN, started=started,
            decision="suppressed" if suppressed else "delivered",
        )  # fmt: skip
        if not suppressed:
            alert = PowerOutageEvent(comms_hub_device_id=CHF, start_date_time=started, mpxn=MPXN)
            self.dcc_alert(f"{label} AD1", "network-operator", received + 100 * MILLISECOND, "AD1", alert)
        return started

    def restored(self, label: str, lost: int, length: int) -> None:
        """The mains are back after `length`; the ESME tells the network operator."""
        back = lost + length
        long = length >= 3 * MINUTE
        code = AlertCode.SUPPLY_RESTORED_AFTER_OUTAGE if long else AlertCode.SUPPLY_RESTORED
        payload = ecs80.Alert(code, back, lost, back).encode()
        self.device_alert(label, ESME, back + 90 * SECOND, OPERATOR, ecs80.MESSAGE_CODE, payload, code)

    def esme_at_once(self) -> None:
        image_hash = self.distribute("esme v2", ESME, 0x02000000)
        self.now -= self.now % SECOND
        request_id, command = self.command("at once", ESME, image_hash)
        self.immediate = self.now
        self.window(request_id, self.now, "immediate", self.now)
        self.run.note(self.now + 5 * SECOND, "home-1/esme", "dc-supply-cut")
        self.outage("activation", self.now + 4 * MINUTE, suppressed=True)
        back = self.now + 14 * MINUTE
        self.query("esme runs v2", back, ESME, 0x02000000)
        self.respond("at once", request_id, command, back + SECOND, cs06.Outcome(0, 0x02000000))
        self.take_version(back + 2 * SECOND, ESME, 0x02000000, "11.3")
        lost = self.outage("edge", self.now + WINDOW - SECOND, suppressed=True)
        self.restored("8F36 after the window", lost, 5 * MINUTE)
        self.later(HOUR)

    def esme_dated(self) -> None:
        image_hash = self.distribute("esme v3", ESME, 0x03000000)
        self.now -= self.now % SECOND
        far = ActivateFirmware(execution_date_time=self.now + 31 * DAY, firmware_hash=image_hash)
        self.ask("11.3 far", ESME, CommandVariant.TRANSFORM, far, "E61")
        date = self.now + 2 * DAY
        request_id, command = self.command("dated", ESME, image_hash, date)
        self.dated = date
        self.window(request_id, date, "dated", self.now)
        self.respond("dated", request_id, command, self.now + 10 * SECOND, None)
        self.restored("8F35", self.later(6 * HOUR), 2 * MINUTE + 59 * SECOND)
        lost = self.outage("before the date", self.later(6 * HOUR), suppressed=False)
        self.restored("8F36 before the date", lost, 5 * MINUTE)
        self.now = date
        self.run.note(date, "home-1/esme", "dc-supply-cut")
        self.outage("dated activation", date + 4 * MINUTE, suppressed=True)
        back = date + 14 * MINUTE
        self.query("esme runs v3", back, ESME, 0x03000000)
        payload = cs06.Alert(0x8F66, date, command.counter, cs06.Outcome(0, 0x03000000)).encode()
        alert = (cs06.ALERT_MESSAGE_CODE, payload, 0x8F66)
        self.device_alert("8F66", ESME, back + SECOND, SUPPLIER, *alert)
        self.take_version(back + 2 * SECOND, ESME, 0x03000000, "8F66")
        lost = self.outage("after the window", date + WINDOW, suppressed=False)
        self.restored("8F36 after the dated window", lost, 5 * MINUTE)
        self.later(2 * HOUR)

    def esme_cancelled(self) -> None:
        self.distribute("esme v4 altered", ESME, 0x04000000, altered=True)
        image_hash = self.distribute("esme v4", ESME, 0x04000000)
        self.now -= self.now % SECOND
        date = self.now + DAY
        request_id, command = self.command("to be cancelled", ESME, image_hash, date)
        self.cancelled, self.cancelled_command = date, command
        self.window(request_id, date, "dated", self.now, "cancelled")
        self.respond("to be cancelled", request_id, command, self.now + 10 * SECOND, None)
        self.later(HOUR)
        request_id, command = self.command("cancel", ESME, image_hash, cs06.CANCEL)
        self.respond("cancel", request_id, command, self.now + 10 * SECOND, None)
        self.now = date + 2 * HOUR

    def read(self) -> None:
        for device in (BRIDGE_1, BRIDGE_3, HCALCS):
            self._read_by_cs08(device)
        request_id = self.ask("11.2 esme", ESME, CommandVariant.TO_DEVICE, ReadFirmwareVersion(), "I99")
        message = self.run.with_mac(
            Message(
                Cra.RESPONSE, request_id.counter, ESME, SUPPLIER, message_code=ecs52.MESSAGE_CODE,
                payload=ecs52.Response(self._versions[ESME], counter=request_id.counter).encode(), signature=b"",
            )
        )  # fmt: skip
        self.run.carry("esme ECS52 response", self.later(2 * SECOND), ESME, message.encode(), upward=True)
        self.answered("esme ECS52 answer", self.later(2 * SECOND), request_id, "11.2", message.encode())
        for row in self.run.rows["inventory"]:
            row["firmware_version"] = f"{self._versions[Eui64.parse(str(row['device']))]:08X}"
        self.inventory = DspInventory(devices=tuple(self._entry(eui) for eui in HOME))
        body = ReadInventory(device_id=CHF)
        self.ask("8.2", ACB, CommandVariant.DCC_ONLY, body, "I0", self.inventory)

    def live(self) -> None:
        """The gas meter wakes twice and reports to its mirror; after each the PPMID reads that and shows it."""
        for number, litres in enumerate((4_000, 4_250)):
            at = self.later(30 * MINUTE)
            snapshot = zcl_time.from_nanoseconds(at)
            reports = (
                AttributeReport(0x0000, data_types.UINT48, litres),
                AttributeReport(0x0007, data_types.UTC_TIME, snapshot),
            )
            told = {"0000": litres, "0007": snapshot}
            self.run.note(at, "home-1/gsme", "mirror-pushed", **told)
            report = foundation.encode(ReportAttributes(reports), number, from_server=True)
            self.run.air[f"report {number}"] = OnAir(at + SECOND, GSME, True, metering.CLUSTER, report)
            self.run.note(at + 2 * SECOND, self.hub, "mirrored", **told)
            records = tuple(AttributeRead(each.attribute, 0, each.data_type, each.value) for each in reports)
            answer = foundation.encode(ReadAttributesResponse(records), number, from_server=True)
            self.run.air[f"gas read {number}"] = OnAir(at + MINUTE, PPMID, False, metering.CLUSTER, answer)
            shown = {"gas_l": litres, "gas_at": snapshot}
            self.run.note(at + MINUTE + SECOND, "home-1/ppmid", "shown", of="gas", **shown)

    def _read_by_cs08(self, device: Eui64) -> None:
        name = HOME[device].name
        request_id = self.ask(f"11.2 {name}", device, CommandVariant.TO_DEVICE, ReadFirmwareVersion(), "I99")
        counter = 5000 + request_id.counter
        command = Message(
            Cra.COMMAND, counter, ACB, device, message_code=cs08.MESSAGE_CODE, payload=cs08.Command().encode(),
            signature=b"", supplementary_party=SUPPLIER, supplementary_counter=request_id.counter,
        )  # fmt: skip
        octets = self.run.with_mac(command).encode()
        self.run.carry(f"{name} CS08", self.later(2 * SECOND), device, octets, upward=False)
        answer = Message(
            Cra.RESPONSE, counter, device, ACB, message_code=cs08.MESSAGE_CODE,
            payload=cs08.Response(self._versions[device]).encode(), signature=b"",
            supplementary_party=SUPPLIER, supplementary_counter=request_id.counter,
        )  # fmt: skip
        octets = self.run.with_mac(answer).encode()
        self.run.carry(f"{name} CS08 response", self.later(2 * SECOND), device, octets, upward=True)
        self.answered(f"{name} CS08 answer", self.later(2 * SECOND), request_id, "11.2", octets)

    def _entry(self, device: Eui64) -> InventoryDevice:
        known = HOME[device]
        return InventoryDevice(
            device_id=device,
            device_type=known.type,
            device_status=DeviceStatus.COMMISSIONED,
            device_manufacturer=f"{MANUFACTURER:04X}",
            device_model=f"{known.model:08X}",
            smets_chts_version="5.0",
            device_firmware_version=f"{self._versions[device]:08X}",
            esme_variant="A" if device == ESME else None,
            ppmid_variant=known.variant,
        )


def _sha256(octets: bytes) -> str:
    return manufacturer_image_hash(octets).hex()
