"""Whatever users ask, devices answer and the CSP loses, in any order: what must hold of the DSP holds after each step.

One update open a device; the history of a status leads to the status that stands, by changes of the table alone; every
request has one answer; a restart changes nothing that counts.
"""

from collections import Counter
from dataclasses import replace

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.dsp.settings import DspSettings, Threshold
from gateway.dsp.statuses import TRANSITIONS
from gateway.store import Rows
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.codes import RESPONSE_CODES
from protocols.duis.inventory import DeviceStatus, DeviceType, PpmidVariant
from protocols.duis.requests import CommandVariant
from protocols.gbcs import der
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.device_log import HashedKey, LogBackup
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import ccs01, ccs02, ccs08, cs06, cs08, cs14, ecs52, ecs70, gcs28, gcs38
from protocols.interfaces import DAY, HOUR, MINUTE
from protocols.ota.image import Kind
from protocols.wan import smwan
from tests.support.dsp_bench import (
    BRIDGE,
    ESME,
    GPF,
    GSME,
    HCALCS,
    HUB,
    OTHER_HUB,
    PPMID,
    Bench,
    Outcome,
    entry,
    estate,
    image,
)
from tests.support.parties import BROKER, OTHER_SUPPLIER, SUPPLIER

DEVICES = (HUB, GPF, ESME, GSME, HCALCS, PPMID, BRIDGE)
KINDS = {ESME: Kind.ESME, GSME: Kind.GSME, HCALCS: Kind.HCALCS, PPMID: Kind.PPMID, BRIDGE: Kind.BRIDGE1}
OPEN = ("Requested", "Delivered", "Transferred")
ALLOWED = {(str(source), str(row.target)) for row in TRANSITIONS for source in row.sources if source is not None}
devices, users = st.sampled_from(DEVICES), st.sampled_from((SUPPLIER, SUPPLIER, SUPPLIER, OTHER_SUPPLIER))
updatable = st.sampled_from(tuple(KINDS))


class AnySequence(RuleBasedStateMachine):
    """Users, devices and the CSP around one DSP."""

    def __init__(self) -> None:
        super().__init__()
        self.bench: Bench
        self.waiting: list[Message] = []  # commands that reached their devices
        self.shared: list[smwan.GbcsToHub] = []
        self.started: dict[str, str | None] = {}
        self.rows: Rows = {}

    @initialize(pending=st.sets(st.sampled_from((PPMID, BRIDGE, HCALCS, ESME, GSME))))
    def begin(self, pending: set[Eui64]) -> None:
        laid = [
            replace(d, status=DeviceStatus.PENDING, hub=None, commissioned=None) if d.device in pending else d
            for d in estate()
        ]
        limits = {"11.4": Threshold(3, DAY), "8.4": Threshold(12, DAY)}
        self.bench = Bench(devices=laid, settings=DspSettings(thresholds=limits, update_timeout=2 * DAY))
        self.started = {str(d.device): None if d.status is None else str(d.status) for d in laid}

    # --- users -----------------------------------------------------------------------------------------------------

    def took(self, outcome: Outcome, *, request: bool = True) -> Outcome:
        if request:
            assert outcome.reply is not None
            assert sum(type(effect).__name__ == "Reply" for effect in outcome.turn.effects) == 1
            assert outcome.code in RESPONSE_CODES
            if outcome.code[0] == "E" and outcome.code != "E100":
                assert outcome.turn.rows == []
        for message in outcome.to_csp:
            if isinstance(message, smwan.GbcsToHub):
                self.waiting.append(Message.decode(message.message))
                self.shared.append(message)
        return outcome

    @rule(eui=devices, user=users, later=st.booleans(), local=st.booleans())
    def read_version(self, eui: Eui64, user: Eui64, *, later: bool, local: bool) -> None:
        body = bodies.ReadFirmwareVersion(execution_date_time=self.bench.now + HOUR if later else None)
        variant = CommandVariant.LOCAL if local else CommandVariant.TO_DEVICE
        self.took(self.bench.request(body, eui, variant, user=user))

    @rule(eui=devices, user=users, choice=st.integers(0, 6))
    def update_inventory(self, eui: Eui64, user: Eui64, choice: int) -> None:
        changes: list[bodies.InventoryChange] = [
            bodies.UpdateDeviceStatusExceptCh(DeviceStatus.PENDING),
            bodies.UpdateDeviceStatusExceptCh(DeviceStatus.INSTALLED_NOT_COMMISSIONED),
            bodies.UpdateDeviceStatusCh(DeviceStatus.COMMISSIONED),
            bodies.UpdateDeviceStatusCh(DeviceStatus.WITHDRAWN),
            bodies.UpdateDeviceDetails(ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_2),
            bodies.DeleteDevice(),
            bodies.UpdateMpxn(import_mpxn="1012345678901"),
        ]
        self.took(self.bench.request(bodies.UpdateInventory(device_id=eui, change=changes[choice]), user=user))

    @rule(eui=devices, user=users)
    def decommission(self, eui: Eui64, user: Eui64) -> None:
        self.took(self.bench.request(bodies.DecommissionDevice(device_id=eui), user=user))

    @rule(eui=updatable)
    def pre_notify(self, eui: Eui64) -> None:
        made = entry(KINDS[eui], 0, self.bench.parties)
        body = bodies.DevicePrenotification(
            device_id=eui, device_manufacturer=made.manufacturer, device_model=made.model, device_type=made.type,
            smets_chts_version="5.0", firmware_version=f"{made.firmware_version:08X}",
            esme_variant="A" if made.type is DeviceType.ESME else None,
            ppmid_variant=PpmidVariant.PPMID if made.type is DeviceType.PPMID else None,
        )  # fmt: skip
        self.took(self.bench.request(body))

    @rule(eui=updatable, adding=st.booleans())
    def update_log(self, eui: Eui64, *, adding: bool) -> None:
        block = bodies.AddDeviceToChfWhitelist(join_time_period=60, install_code=bytes(16)) if adding else None
        kind = bodies.RequestType.ADD if adding else bodies.RequestType.REMOVE
        body = bodies.UpdateHanDeviceLog(device_id=eui, request_type=kind, add=block)
        self.took(self.bench.request(body, HUB, CommandVariant.TO_DEVICE))

    @rule(eui=updatable, number=st.integers(0, 1))
    def update_firmware(self, eui: Eui64, number: int) -> None:
        kind = KINDS[eui]
        made = image(kind, 0 if kind is Kind.GSME else number, self.bench.parties)
        service = bodies.UpdatePpmidFirmware if eui in (PPMID, BRIDGE) else bodies.UpdateFirmware
        version = f"{made.header.file_version:08X}"
        self.took(
            self.bench.request(service(firmware_image=made.encode(), firmware_version=version, device_ids=(eui,)))
        )

    @rule(
        service=st.sampled_from(("11.3", "8.7.1", "8.1.1")), eui=st.sampled_from((ESME, GSME, HCALCS)),
        other=st.sampled_from((HCALCS, PPMID, BRIDGE, ESME)), dated=st.booleans(), signed=st.booleans(),
    )  # fmt: skip
    def critical(self, service: str, eui: Eui64, other: Eui64, *, dated: bool, signed: bool) -> None:
        bench = self.bench
        if service == "11.3":
            transformed = self.took(bench.transform(eui, execution=bench.now + DAY if dated else None))
        else:
            clock = bodies.CommissionDevice(current_date_time=bench.now, tolerance_period=60)
            join = bodies.JoinServiceCritical(other_device_id=other)
            transformed = self.took(bench.request(join if service == "8.7.1" else clock, eui, CommandVariant.TRANSFORM))
        if transformed.code == "I0" and signed:
            self.took(bench.send_signed(transformed))

    @rule()
    def release(self) -> None:
        for held in self.bench.dsp.quarantine[:1]:
            outcome = self.took(self.bench.run(self.bench.dsp.release(held.reference, self.bench.now)), request=False)
            assert len([user for user, r in outcome.to_users if str(r.request_id) == held.request_id]) == 1

    # --- devices and the CSP ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), good=st.booleans(), lost=st.booleans(), twice=st.booleans())
    def answer(self, data: st.DataObject, *, good: bool, lost: bool, twice: bool) -> None:
        command = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        if lost:
            return
        made = self.payload(command, good=good)
        if made is not None:
            for _ in range(1 + twice):
                self.bench.respond(command, made[0], mac=made[1])

    def payload(self, command: Message, *, good: bool) -> tuple[bytes, bool] | None:
        """Return what a device answers, and whether under a MAC; None where it keeps silent."""
        counter, code = command.counter, command.message_code
        version = 0x01000001 if good else None
        result = AccessResult.SUCCESS if good else AccessResult.OTHER_REASON
        status = gcs28.ClockStatus.RELIABLE if good else gcs28.ClockStatus.INVALID
        outcome = cs06.Outcome(cs06.OutcomeCode.SUCCESS if good else cs06.OutcomeCode.NO_IMAGE, 0x01000001)
        failed = AccessResult.SUCCESS if good else AccessResult.HARDWARE_FAULT
        answers: dict[int, tuple[bytes, bool]] = {
            0x0001: (ccs01.Response(register=result, counter=counter).encode(), True),
            0x0002: (ccs02.Response(result, counter).encode(), True),
            0x0059: (ecs52.Response(version, failed, counter).encode(), True),
            0x0084: (gcs38.Response(version, 0 if good else 0x86).encode(), True),
            0x0129: (cs08.Response(version or 0, cs08.ReadCode.READ if good else cs08.ReadCode.FAILED).encode(), True),
            0x0012: (cs06.Response(outcome if good else None).encode(), False),
            0x0062: (ecs70.Response(self.bench.now if good else None, counter=counter).encode(), False),
            0x007F: (gcs28.Response(self.bench.now, status).encode(), False),
        }
        if code in (0x000D, 0x00AB, 0x00AF):
            return der.integer(0 if good else 3), False
        return answers.get(code)

    @rule(listed=st.dictionaries(updatable, st.booleans(), max_size=5), hub=st.sampled_from((HUB, HUB, OTHER_HUB)))
    def tell_log(self, listed: dict[Eui64, bool], hub: Eui64) -> None:
        keys = tuple(HashedKey(eui, bytes(16) if joined else b"") for eui, joined in listed.items())
        message = self.bench.alert_message(hub, cs14.MESSAGE_CODE, BROKER, b"")
        log = LogBackup(self.bench.now, Eui64(5), keys)
        payload = cs14.Alert(self.bench.now, log, counter=message.counter).encode()
        self.bench.device_message(replace(message, payload=payload), hub, mac=True)

    @precondition(lambda self: self.bench.rows("firmware_updates"))
    @rule(data=st.data(), news=st.integers(0, 5))
    def progress(self, data: st.DataObject, news: int) -> None:
        row = data.draw(st.sampled_from(self.bench.rows("firmware_updates")))
        eui, version = Eui64.parse(str(row["device"])), int(str(row["version"]), 16)
        if news < 3:
            status = smwan.FirmwareDeliveryStatus(
                str(row["request_id"]), HUB, eui, version, self.bench.now, news == 0, identified=news != 2
            )
            self.bench.from_csp(status)
        elif news == 3:
            self.bench.transfer_report(eui, version, ccs08.TransferCode.TRANSFERRED)
        elif news == 4:
            self.bench.transfer_report(eui, version, ccs08.TransferCode.TRANSFER_FAILED)
        elif eui in (PPMID, BRIDGE):
            self.bench.activation_report(eui, version, success=bool(version & 1))

    @precondition(lambda self: self.shared)
    @rule()
    def undeliverable(self) -> None:
        sent = self.shared.pop()
        self.bench.from_csp(smwan.GbcsUndeliverable(sent.hub, sent.device, sent.message))

    @rule(status=st.sampled_from(("Removed", "Current")), eui=updatable)
    def change_products(self, status: str, eui: Eui64) -> None:
        made = replace(entry(KINDS[eui], 0, self.bench.parties), status=status)
        self.bench.run(self.bench.dsp.update_products([made], self.bench.now))

    @rule()
    def outage(self) -> None:
        self.bench.outage()

    @rule(duration=st.sampled_from((MINUTE, HOUR, DAY, 3 * DAY)))
    def pass_time(self, duration: int) -> None:
        self.bench.later(duration)

    @rule()
    def restart(self) -> None:
        self.bench.restart()

    # --- what holds ------------------------------------------------------------------------------------------------

    @invariant()
    def everything_holds(self) -> None:
        self.rows = self.bench.store.load()
        self.one_open_update_a_device()
        self.history_leads_to_what_stands()
        self.suspended_devices_know_their_way_back()
        self.every_update_tells_its_whole_way()
        self.nothing_waits_beyond_its_time()

    def one_open_update_a_device(self) -> None:
        opened = Counter(row["device"] for row in self.rows["firmware_updates"] if row["state"] in OPEN)
        assert set(opened.values()) <= {1}

    def history_leads_to_what_stands(self) -> None:
        status = dict(self.started)
        for row in self.rows["inventory_history"]:
            device = str(row["device"])
            if row["field"] != "status":
                continue
            old, new = row["old"], row["new"]
            if row["cause"] == "installed":
                continue
            if old is not None:
                assert status.get(device) == old
                assert new is None or (str(old), str(new)) in ALLOWED, (old, new, row["cause"])
            else:
                assert new == "Pending"
            status[device] = None if new is None else str(new)
        stands = {str(row["device"]): row["status"] for row in self.rows["inventory"]}
        assert {device: value for device, value in status.items() if value is not None} == {
            device: value for device, value in stands.items() if value is not None
        }

    def suspended_devices_know_their_way_back(self) -> None:
        for row in self.rows["inventory"]:
            assert (row["status"] == "Suspended") is (row["suspended_from"] is not None)

    def every_update_tells_its_whole_way(self) -> None:
        last = {(row["request_id"], row["device"]): row["state"] for row in self.rows["firmware_update_history"]}
        for row in self.rows["firmware_updates"]:
            assert last[row["request_id"], row["device"]] == row["state"]

    def nothing_waits_beyond_its_time(self) -> None:
        for row in self.rows["commands"]:
            assert row["due"] is not None
            assert int(str(row["due"])) > self.bench.now


# A failing sequence is told as it was found: shrinking one takes minutes.
AnySequence.TestCase.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, database=None, phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)  # fmt: skip
TestAnySequence = AnySequence.TestCase
