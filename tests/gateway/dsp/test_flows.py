"""Flows 5.1 to 5.7 with their failure branches: DSP and CSP between users and what hubs and devices say."""

from dataclasses import dataclass, field, replace

import pytest

from emulator.entropy import SeededEntropy
from gateway.csp import Csp, CspSettings, Effect, ToDsp, ToHub, WakeAt
from gateway.dsp.alerts import DeviceAlerts
from gateway.dsp.settings import DspSettings
from gateway.dsp.tracking import Tracking
from protocols.addresses import Eui64
from protocols.duis import alerts, bodies
from protocols.duis.requests import CommandVariant
from protocols.duis.responses import DccAlertMessage, Response
from protocols.gbcs.envelope import Cra
from protocols.gbcs.use_cases import undelivered
from protocols.gbcs.use_cases.ccs08 import TransferCode
from protocols.interfaces import DAY, HOUR, MINUTE
from protocols.ota.image import Kind
from protocols.wan import smwan
from protocols.wan.envelope import FirmwareImageDelivery, GbcsCarried, WanMessage
from protocols.wan.session import WanSession
from tests.support.dsp_bench import BRIDGE, ESME, HUB, OTHER_ESME, OTHER_HUB, PPMID, Bench, Outcome, image
from tests.support.parties import BROKER, OTHER_SUPPLIER
from tests.support.requirements import patched


@dataclass
class Line:
    """The CSP under a bench, and the hubs' side of it, which acknowledges what it hears."""

    bench: Bench
    settings: CspSettings = field(default_factory=CspSettings)
    deaf: tuple[Eui64, ...] = ()

    def __post_init__(self) -> None:
        self.csp = Csp(self.settings, SeededEntropy(1))
        self.hubs: dict[Eui64, WanSession] = {}
        self.at_hubs: list[tuple[Eui64, WanMessage]] = []
        self.codes: list[str] = []  # of DCC alerts and device responses users got
        self.told: list[Response] = []
        self._due: list[tuple[int, bytes]] = []
        self._wake: int | None = None

    def send(self, outcome: Outcome) -> Outcome:
        """Hand what a turn of the DSP sends to the CSP."""
        self.heard(outcome)
        for message in outcome.to_csp:
            self._carry(self.csp.from_dsp(message.encode(), self.bench.now))
        return outcome

    def heard(self, outcome: Outcome) -> None:
        for _, response in outcome.to_users:
            self.told.append(response)
            body = response.body
            self.codes.append(body.dcc_alert_code if isinstance(body, DccAlertMessage) else response.response_code)

    def pass_time(self, duration: int) -> None:
        """Let the CSP work until then."""
        until = self.bench.now + duration
        while True:
            moments = [at for at, _ in self._due] + ([self._wake] if self._wake is not None else [])
            moment = min(moments, default=until + 1)
            if moment > until:
                break
            self.bench.at(max(self.bench.now, moment))
            if self._wake is not None and self._wake <= moment:
                self._wake = None
                self._carry(self.csp.wake(self.bench.now))
            ready = [entry for entry in self._due if entry[0] <= moment]
            self._due = [entry for entry in self._due if entry[0] > moment]
            for _, octets in ready:
                self.send(self.bench.run(self.bench.dsp.from_csp(octets, self.bench.now)))
        self.bench.at(until)

    def _carry(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case WakeAt(when):
                    self._wake = when
                case ToDsp(octets, at):
                    self._due.append((at, octets))
                case ToHub(hub, octets, at) if hub not in self.deaf:
                    session = self.hubs.setdefault(hub, WanSession())
                    arrival = session.received(octets)
                    if arrival.message is not None:
                        self.at_hubs.append((hub, arrival.message))
                    reply = session.accept(arrival)
                    if reply is not None:
                        self._carry(self.csp.from_hub(hub, reply, at))
                case _:
                    pass


def update(bench: Bench, kind: Kind, *euis: Eui64) -> Outcome:
    made = image(kind, 1, bench.parties)
    service = bodies.UpdateFirmware if kind.signed else bodies.UpdatePpmidFirmware
    version = f"{made.header.file_version:08X}"
    return bench.request(service(firmware_image=made.encode(), firmware_version=version, device_ids=euis))


def states(bench: Bench, eui: Eui64) -> list[object]:
    rows = [row for row in bench.rows("firmware_update_history") if row["device"] == str(eui)]
    return [row["state"] for row in rows]


def version_of(kind: Kind, bench: Bench) -> int:
    return image(kind, 1, bench.parties).header.file_version


# --- 5.6, and 5.1: every stage -------------------------------------------------------------------------------------


def silent(self: DeviceAlerts, turn: object, status: object) -> bool:
    """Keep what the CSP tells to oneself."""
    return True


@pytest.mark.requirement("SM7-R11", "MP170-C17", planted=patched(DeviceAlerts, "delivery_status", silent))
@pytest.mark.parametrize(("kind", "eui"), [(Kind.BRIDGE1, BRIDGE), (Kind.PPMID, PPMID)])
def test_each_stage_of_a_download_is_told_and_tracked(kind: Kind, eui: Eui64) -> None:
    bench = Bench()
    line = Line(bench)
    line.send(update(bench, kind, eui))
    line.pass_time(HOUR)
    ((hub, delivered),) = line.at_hubs
    assert (hub, type(delivered)) == (HUB, FirmwareImageDelivery)
    line.heard(bench.transfer_report(eui, version_of(kind, bench), TransferCode.TRANSFERRED))
    line.heard(bench.activation_report(eui, version_of(kind, bench)))
    assert line.codes == ["N60", "N62", "N39"]
    assert states(bench, eui) == ["Requested", "Delivered", "Transferred", "Activated"]


PUT = Tracking._put


def one_row(self: Tracking, turn: object, each: object) -> None:
    """Track the first device of a request alone."""
    rows = [row for row in self.updates if row.request_id == each.request_id and row.device != each.device]  # type: ignore[attr-defined]
    if not rows:
        PUT(self, turn, each)  # type: ignore[arg-type]


@pytest.mark.requirement("MP170-C11", planted=patched(Tracking, "_put", one_row))
def test_devices_of_one_request_go_their_own_ways() -> None:
    bench = Bench()
    line = Line(bench, CspSettings(image_timeout=DAY), deaf=(OTHER_HUB,))
    line.send(update(bench, Kind.ESME, ESME, OTHER_ESME))
    line.pass_time(2 * DAY)
    line.heard(bench.receipt(ESME, image(Kind.ESME, 1, bench.parties).hash))
    assert states(bench, ESME) == ["Requested", "Delivered", "Distributed"]
    assert states(bench, OTHER_ESME) == ["Requested", "Failed"]
    assert line.codes.count("N60") == line.codes.count("N61") == 1


def test_what_the_csp_cannot_identify_is_n22_and_fails() -> None:
    bench = Bench()
    line = Line(bench, CspSettings(hubs=(OTHER_HUB,)))
    line.send(update(bench, Kind.BRIDGE1, BRIDGE))
    line.pass_time(HOUR)
    assert line.codes == ["N22"]
    body = line.told[0].body
    assert isinstance(body, DccAlertMessage)
    assert isinstance(body.alert, alerts.FirmwareDistributionFailure)
    assert body.alert.meter_ids == (BRIDGE,)
    assert states(bench, BRIDGE) == ["Requested", "Failed"]
    assert update(bench, Kind.BRIDGE1, BRIDGE).code == "I99", "the block is lifted"


def test_an_update_nobody_hears_of_blocks_until_it_expires() -> None:
    bench = Bench(settings=DspSettings(update_timeout=2 * DAY))
    line = Line(bench)
    line.send(update(bench, Kind.BRIDGE1, BRIDGE))
    line.pass_time(HOUR)
    assert update(bench, Kind.BRIDGE1, BRIDGE).code == "W110401"
    line.pass_time(2 * DAY)
    assert states(bench, BRIDGE)[-1] == "Expired"
    assert update(bench, Kind.BRIDGE1, BRIDGE).code == "I99"


@pytest.mark.requirement("MP170-P6")
def test_a_bridge_and_a_ppmid_wait_alike() -> None:
    arrivals = {}
    for kind, eui in ((Kind.BRIDGE1, BRIDGE), (Kind.PPMID, PPMID)):
        bench = Bench()
        line = Line(bench)
        line.send(update(bench, kind, eui))
        while not line.at_hubs:
            line.pass_time(MINUTE)
        arrivals[eui] = bench.now
    assert arrivals[BRIDGE] == arrivals[PPMID]


def test_the_other_supplier_of_a_home_hears_what_is_on_its_way() -> None:
    bench = Bench()
    gas = bench.dsp.inventory.premises.get("7012345601")
    assert gas is not None
    bench.run(bench.dsp.provision(bench.now, premises=[type(gas)(gas.mpxn, OTHER_SUPPLIER, None)]))
    outcome = update(bench, Kind.BRIDGE1, BRIDGE)
    assert outcome.dcc_alerts() == [(OTHER_SUPPLIER, "N58")]


# --- 5.2, 5.3, 5.7: commands ---------------------------------------------------------------------------------------


def test_a_command_the_csp_cannot_deliver_is_e20() -> None:
    bench = Bench()
    line = Line(bench, CspSettings(hubs=(OTHER_HUB,)))
    line.send(bench.request(bodies.ReadFirmwareVersion(), BRIDGE, CommandVariant.TO_DEVICE))
    line.pass_time(HOUR)
    assert line.codes == ["E20"]
    assert bench.rows("commands") == []
    line.pass_time(2 * DAY)
    assert line.codes == ["E20"], "one answer"


@pytest.mark.parametrize("restart", [False, True])
def test_a_command_its_hub_could_not_hand_over_is_e20_by_the_hubs_word(*, restart: bool) -> None:
    bench = Bench()
    line = Line(bench)
    command = bench.command_of(line.send(bench.request(bodies.ReadFirmwareVersion(), ESME, CommandVariant.TO_DEVICE)))
    bench.later(DAY)
    if restart:
        bench.restart()
    for originator, told in ((OTHER_HUB, []), (HUB, ["E20"]), (HUB, ["E20"])):
        lost = undelivered.Alert(bench.now, command.originator, command.target, Cra.COMMAND, command.counter).encode()
        line.heard(bench.alert(originator, undelivered.MESSAGE_CODE, BROKER, lost))
        assert line.codes == told
    line.pass_time(2 * DAY)
    assert line.codes == ["E20"]


def test_an_addition_the_csp_cannot_deliver_is_e20_and_n25() -> None:
    bench = Bench()
    line = Line(bench, CspSettings(hubs=(OTHER_HUB,)))
    remove = bodies.UpdateHanDeviceLog(device_id=PPMID, request_type=bodies.RequestType.REMOVE)
    line.send(bench.request(remove, HUB, CommandVariant.TO_DEVICE))
    line.pass_time(HOUR)
    assert line.codes == ["E20", "N25"]


def test_a_command_that_vanishes_is_e21_in_time() -> None:
    bench = Bench()
    line = Line(bench, CspSettings(loss_down=1.0))
    line.send(bench.activate())
    line.pass_time(bench.settings.response_timeout - 1)
    assert line.codes == []
    line.bench.now += 1
    line.heard(bench.run(bench.dsp.wake(bench.now)))
    assert line.codes == ["E21"]
    assert [row["state"] for row in bench.rows("activations")] == ["sent"]


def test_a_dated_command_that_is_not_answered_is_e30() -> None:
    bench = Bench()
    line = Line(bench)
    dated = bodies.ReadFirmwareVersion(execution_date_time=bench.now + DAY)
    line.send(bench.request(dated, BRIDGE, CommandVariant.TO_DEVICE))
    bench.restart()
    bench.at(bench.now + DAY)
    assert [row["dated"] for row in bench.rows("commands")] == [1]
    bench.now += bench.settings.response_timeout
    line.heard(bench.run(bench.dsp.wake(bench.now)))
    assert line.codes == ["E30"]


def test_a_command_comes_to_its_hub_and_the_answer_back_once_though_repeated() -> None:
    bench = Bench()
    line = Line(bench, CspSettings(duplicates=1.0))
    sent = line.send(bench.request(bodies.ReadFirmwareVersion(), BRIDGE, CommandVariant.TO_DEVICE))
    line.pass_time(MINUTE)
    ((hub, carried),) = line.at_hubs
    (message,) = sent.to_csp
    assert isinstance(carried, GbcsCarried)
    assert isinstance(message, smwan.GbcsToHub)
    assert (hub, carried.message) == (HUB, message.message)


def test_what_is_undeliverable_and_was_never_sent_is_recorded() -> None:
    bench = Bench()
    asked = bench.request(bodies.ReadFirmwareVersion(), PPMID, CommandVariant.TO_DEVICE)
    never = replace(bench.command_of(asked), counter=1).encode()
    for octets in (b"noise", never):
        outcome = bench.from_csp(smwan.GbcsUndeliverable(HUB, BRIDGE, octets))
        assert outcome.to_users == []
    assert len(bench.rows("refused_messages")) == 2
