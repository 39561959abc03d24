"""11.1 and 11.4: image checks, device lists, tracking from request to activation (SM7, MP170)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from firmware_images import product
from gateway.dsp.rows import Version
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.alerts import CommsHubAlert, CspFirmwareDeliveryStatus, PpmidAlert, TransferResponseCode
from protocols.duis.inventory import DeviceStatus
from protocols.duis.responses import (
    DccAlertMessage,
    DeviceAlertMessage,
    DspUpdateFirmwareWarning,
    DspUpdatePpmidFirmwareWarning,
)
from protocols.gbcs.use_cases import cs06
from protocols.gbcs.use_cases.ccs08 import TransferCode
from protocols.interfaces import DAY, SECOND
from protocols.ota.image import FirmwareImage, Kind
from protocols.wan import smwan
from tests.support.dsp_bench import (
    BRIDGE,
    ESME,
    ESME_2,
    GSME,
    HCALCS,
    HUB,
    IHD,
    OTHER_ESME,
    OTHER_HUB,
    PPMID,
    Bench,
    Outcome,
    device,
    entry,
    estate,
    image,
)
from tests.support.parties import NETWORK_OPERATOR, OTHER_SUPPLIER, SUPPLIER

UNKNOWN = Eui64(0x00DB1234567890EE)
V1 = product(Kind.BRIDGE1).versions[1]
ESME_V1 = product(Kind.ESME).versions[1]


def body_11_4(octets: bytes, version: int = V1, devices: tuple[Eui64, ...] = (BRIDGE,)) -> bodies.UpdatePpmidFirmware:
    return bodies.UpdatePpmidFirmware(firmware_image=octets, firmware_version=f"{version:08X}", device_ids=devices)


def body_11_1(octets: bytes, version: int = ESME_V1, devices: tuple[Eui64, ...] = (ESME,)) -> bodies.UpdateFirmware:
    return bodies.UpdateFirmware(firmware_image=octets, firmware_version=f"{version:08X}", device_ids=devices)


def bridge_update(bench: Bench, number: int = 1, devices: tuple[Eui64, ...] = (BRIDGE,)) -> Outcome:
    octets = image(Kind.BRIDGE1, number, bench.parties).encode()
    return bench.request(body_11_4(octets, product(Kind.BRIDGE1).versions[number], devices))


def esme_update(bench: Bench, number: int = 1, devices: tuple[Eui64, ...] = (ESME,), user: Eui64 = SUPPLIER) -> Outcome:
    octets = image(Kind.ESME, number, bench.parties).encode()
    return bench.request(body_11_1(octets, product(Kind.ESME).versions[number], devices), user=user)


def delivered(bench: Bench, update: Outcome, target: Eui64 = BRIDGE, *, success: bool = True) -> Outcome:
    """Let the CSP report on the delivery to the hub."""
    (message,) = update.to_csp
    assert isinstance(message, smwan.FirmwareToHubs)
    version = next(row["version"] for row in bench.rows("firmware_updates") if row["request_id"] == message.request_id)
    status = smwan.FirmwareDeliveryStatus(message.request_id, HUB, target, int(str(version), 16), bench.now, success)
    return bench.from_csp(status)


def state(bench: Bench, target: Eui64 = BRIDGE) -> str:
    """Return the state of the latest update of a device."""
    return [str(row["state"]) for row in bench.rows("firmware_updates") if row["device"] == str(target)][-1]


def dcc_alert(outcome: Outcome, code: str) -> DccAlertMessage:
    """Return the one DCC alert of this code, which went to the supplier."""
    ((user, response),) = [
        (user, response)
        for user, response in outcome.to_users
        if isinstance(response.body, DccAlertMessage) and response.body.dcc_alert_code == code
    ]
    assert user == SUPPLIER
    assert isinstance(response.body, DccAlertMessage)
    return response.body


# --- the way of an update ------------------------------------------------------------------------------------------


@pytest.mark.requirement("SM7-R2", "SM7-R3", "SM7-R11", "MP170-R2", "MP170-C9", "MP170-C11", "MP170-C13", "MP170-C17")
def test_a_bridge_goes_from_request_to_activation() -> None:
    bench = Bench()
    update = bridge_update(bench)
    assert update.code == "I99"
    (message,) = update.to_csp
    assert isinstance(message, smwan.FirmwareToHubs)
    assert message.targets == ((HUB, BRIDGE, "PPMID"),)
    assert message.image == image(Kind.BRIDGE1, 1, bench.parties).encode()
    assert state(bench) == "Requested"

    n60 = dcc_alert(delivered(bench, update), "N60")
    assert isinstance(n60.alert, CspFirmwareDeliveryStatus)
    assert (str(n60.alert.update_firmware_request_id), n60.alert.status) == (message.request_id, "Success")
    assert state(bench) == "Delivered"

    n62 = dcc_alert(bench.transfer_report(BRIDGE, V1, TransferCode.TRANSFERRED), "N62")
    assert isinstance(n62.alert, CommsHubAlert)
    assert n62.alert.alert_code == 0x8F8A
    assert n62.alert.firmware_transfer is not None
    assert str(n62.alert.firmware_transfer.update_firmware_request_id) == message.request_id
    assert state(bench) == "Transferred"
    assert bench.inventory_row(BRIDGE)["firmware_version"] == f"{product(Kind.BRIDGE1).versions[0]:08X}"

    n39 = dcc_alert(bench.activation_report(BRIDGE, V1), "N39")
    assert isinstance(n39.alert, PpmidAlert)
    assert n39.alert.firmware_upgrade is not None
    assert (n39.alert.device_alert_code, n39.alert.firmware_upgrade.result) == (0x8F8B, "ActivationSuccess")
    assert n39.alert.firmware_upgrade.firmware_version == f"{V1:08X}"
    assert state(bench) == "Activated"
    assert bench.inventory_row(BRIDGE)["firmware_version"] == f"{V1:08X}"
    change = bench.rows("inventory_history")[-1]
    assert (change["field"], change["new"]) == ("firmware_version", f"{V1:08X}")
    assert str(change["cause"]).startswith("N39 8F8B")
    states = [row["state"] for row in bench.rows("firmware_update_history")]
    assert states == ["Requested", "Delivered", "Transferred", "Activated"]


@pytest.mark.requirement("MP170-C12", "MP170-R5")
def test_a_second_update_of_the_same_device_is_blocked_until_the_first_is_over() -> None:
    bench = Bench()
    bridge_update(bench)
    second = bridge_update(bench, 2)
    assert second.code == "W110401"
    assert second.to_csp == []
    lists = second.content(DspUpdatePpmidFirmwareWarning)
    assert lists == DspUpdatePpmidFirmwareWarning(other_request_in_progress=(BRIDGE,))
    assert bench.rows("firmware_update_history")[-1]["state"] == "Blocked"
    bench.activation_report(BRIDGE, V1)
    assert bridge_update(bench, 2).code == "I99"


def test_a_blocked_device_alone_is_an_error_where_so_set() -> None:
    bench = Bench(settings=DspSettings(blocked_update_warns=False))
    bridge_update(bench)
    before = bench.store.dump()
    assert bridge_update(bench, 2).code == "E110403"
    assert bench.store.dump() == before


def test_an_update_without_outcome_expires_and_blocks_no_more() -> None:
    bench = Bench()
    bridge_update(bench)
    bench.later(7 * DAY - SECOND)
    assert state(bench) == "Requested"
    bench.later(SECOND)
    assert state(bench) == "Expired"
    assert bridge_update(bench).code == "I99"


def test_a_delivery_that_failed_ends_the_update() -> None:
    bench = Bench()
    failed = delivered(bench, bridge_update(bench), success=False)
    assert failed.dcc_alerts() == [(SUPPLIER, "N61")]
    assert state(bench) == "Failed"
    assert bridge_update(bench).code == "I99"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (TransferCode.IMAGE_DISCARDED, TransferResponseCode.FIRMWARE_IMAGE_DISCARDED),
        (TransferCode.HARDWARE_VERSION_MISMATCH, TransferResponseCode.HARDWARE_VERSION_MISMATCH),
        (TransferCode.TRANSFER_FAILED, TransferResponseCode.FILE_TRANSFER_FAILURE),
    ],
)
def test_a_failed_transfer_is_told_with_its_reason(code: TransferCode, told: TransferResponseCode) -> None:
    bench = Bench()
    delivered(bench, bridge_update(bench))
    n62 = dcc_alert(bench.transfer_report(BRIDGE, V1, code), "N62")
    assert isinstance(n62.alert, CommsHubAlert)
    assert n62.alert.firmware_transfer is not None
    assert n62.alert.firmware_transfer.transfer_response_code is told
    assert state(bench) == "Failed"
    assert bench.inventory_row(BRIDGE)["firmware_version"] == f"{product(Kind.BRIDGE1).versions[0]:08X}"


def test_a_failed_activation_is_told_and_the_inventory_stays() -> None:
    bench = Bench()
    bridge_update(bench)
    n39 = dcc_alert(bench.activation_report(BRIDGE, V1, success=False), "N39")
    assert isinstance(n39.alert, PpmidAlert)
    assert n39.alert.firmware_upgrade is not None
    assert n39.alert.firmware_upgrade.result == "ActivationFailure"
    assert state(bench) == "ActivationFailed"
    assert bench.inventory_row(BRIDGE)["firmware_version"] == f"{product(Kind.BRIDGE1).versions[0]:08X}"


def test_news_in_another_order_do_not_move_an_update_back() -> None:
    bench = Bench()
    update = bridge_update(bench)
    bench.activation_report(BRIDGE, V1)
    bench.transfer_report(BRIDGE, V1, TransferCode.TRANSFERRED)
    delivered(bench, update)
    assert state(bench) == "Activated"


@pytest.mark.requirement("SM7-R7", "MP102B-G5")
def test_an_esme_verifies_its_image_and_the_supplier_hears_of_it() -> None:
    """SM7-R7; an 11.1 opens no suppression window (MP102B-G5, row 25)."""
    bench = Bench()
    update = esme_update(bench)
    assert update.code == "I99"
    delivered(bench, update, ESME)
    image_hash = image(Kind.ESME, 1, bench.parties).hash
    ((user, response),) = bench.receipt(ESME, image_hash).to_users
    assert user == SUPPLIER
    assert isinstance(response.body, DeviceAlertMessage)
    assert response.body.alert_code == 0x8F72
    assert state(bench, ESME) == "Distributed"
    assert bench.rows("suppression_windows") == []
    assert bench.inventory_row(ESME)["firmware_version"] == f"{product(Kind.ESME).versions[0]:08X}"
    assert esme_update(bench, 2).code == "I99", "a distribution that is over does not block"


def test_an_image_the_esme_refuses_ends_the_update() -> None:
    bench = Bench()
    delivered(bench, esme_update(bench), ESME)
    ((_, response),) = bench.receipt(ESME, bytes(32), good=False).to_users
    assert isinstance(response.body, DeviceAlertMessage)
    assert response.body.alert_code == 0x8F1C
    assert state(bench, ESME) == "Failed"


@pytest.mark.requirement("SM7-R4", "SM7-R5")
def test_hcalcs_is_distributed_by_11_1_and_activated_by_11_3() -> None:
    bench = Bench()
    version = product(Kind.HCALCS).versions[1]
    made = image(Kind.HCALCS, 1, bench.parties)
    update = bench.request(body_11_1(made.encode(), version, (HCALCS,)))
    assert update.code == "I99"
    bench.receipt(HCALCS, made.hash)
    assert bench.inventory_row(HCALCS)["firmware_version"] == f"{product(Kind.HCALCS).versions[0]:08X}"
    command = bench.command_of(bench.activate(HCALCS))
    outcome = cs06.Outcome(cs06.OutcomeCode.SUCCESS, version)
    bench.respond(command, cs06.Response(outcome).encode())
    assert bench.inventory_row(HCALCS)["firmware_version"] == f"{version:08X}"
    assert state(bench, HCALCS) == "Activated"


# --- images that are refused whole ---------------------------------------------------------------------------------


def _changed(change: Callable[[FirmwareImage], FirmwareImage]) -> Callable[[Bench], bytes]:
    return lambda bench: change(image(Kind.BRIDGE1, 1, bench.parties)).encode()


def _other_last_octet(made: FirmwareImage) -> FirmwareImage:
    return made._replace(manufacturer_image=made.manufacturer_image[:-1] + bytes([made.manufacturer_image[-1] ^ 1]))


REFUSED_11_4: dict[str, tuple[str, Callable[[Bench], bytes]]] = {
    "truncated": ("E110401", lambda bench: image(Kind.BRIDGE1, 1, bench.parties).encode()[:-1]),
    "trailing": ("E110401", lambda bench: image(Kind.BRIDGE1, 1, bench.parties).encode() + b"\0"),
    "no header": ("E110401", lambda _: b"no image at all"),
    "another version": ("E110401", lambda bench: image(Kind.BRIDGE1, 2, bench.parties).encode()),
    "one octet too large": ("E110401", lambda bench: _of_size(bench, 768_001)),
    "wrong hash": ("E110402", _changed(_other_last_octet)),
}


def _of_size(bench: Bench, size: int) -> bytes:
    made = image(Kind.BRIDGE1, 1, bench.parties)
    grown = made.manufacturer_image + bytes(size - len(made.encode()))
    return made._replace(header=made.header._replace(total_size=size), manufacturer_image=grown).encode()


@pytest.mark.requirement("MP170-R12", "MP170-L5", "SM7-R10")
@pytest.mark.parametrize("name", REFUSED_11_4)
def test_a_bad_image_is_refused_before_the_csp_sees_it_and_nothing_is_written(name: str) -> None:
    code, octets = REFUSED_11_4[name]
    bench = Bench()
    before = bench.store.dump()
    refused = bench.request(body_11_4(octets(bench)))
    assert refused.code == code
    assert refused.to_csp == []
    assert bench.store.dump() == before


def test_the_size_limit_itself_is_accepted() -> None:
    bench = Bench()
    octets = _of_size(bench, 768_000)
    assert bench.request(body_11_4(octets)).code == "E110402", "large enough to pass on to the products list"


def test_the_size_of_an_hcalcs_image_is_limited_that_of_an_esme_image_is_not() -> None:
    bench = Bench(settings=DspSettings(small_image_limit=2000))
    hcalcs = image(Kind.HCALCS, 1, bench.parties).encode()
    version = product(Kind.HCALCS).versions[1]
    assert bench.request(body_11_1(hcalcs, version, (HCALCS,))).code == "E110101"
    assert esme_update(bench).code == "I99"


@pytest.mark.parametrize("version", ["0B10", "0B1001ZZ"])
def test_a_version_that_is_not_eight_digits_is_refused(version: str) -> None:
    bench = Bench()
    octets = image(Kind.BRIDGE1, 1, bench.parties).encode()
    body = bodies.UpdatePpmidFirmware(firmware_image=octets, firmware_version=version, device_ids=(BRIDGE,))
    assert bench.request(body).code == "E110401"


def test_an_image_another_party_signed_is_refused() -> None:
    bench = Bench()
    made = image(Kind.ESME, 1, bench.parties)
    forged = bench.parties.entropy.sign(bench.parties.other_supplier.ds_key, made.manufacturer_image)
    before = bench.store.dump()
    assert bench.request(body_11_1(made._replace(signature=forged).encode())).code == "E110106"
    assert bench.store.dump() == before


def test_an_image_without_the_block_of_the_signature_is_refused() -> None:
    bench = Bench()
    made = image(Kind.ESME, 1, bench.parties)
    bare = made._replace(signature=None, header=made.header._replace(total_size=len(made.encode()) - 66))
    assert bench.request(body_11_1(bare.encode())).code == "E110101"


# --- device lists --------------------------------------------------------------------------------------------------


@pytest.mark.requirement("SM7-R6")
def test_devices_are_listed_each_by_its_reason_and_the_rest_proceeds() -> None:
    devices = [replace(d, status=DeviceStatus.PENDING) if d.device == ESME_2 else d for d in estate()]
    other = replace(
        device(UNKNOWN, Kind.GSME, devices[2].type, DeviceStatus.COMMISSIONED), hub=HUB, mpxn="1012345678901"
    )
    bench = Bench(devices=[*devices, other])
    esme_update(bench, devices=(OTHER_ESME,))
    foreign = Eui64(0x00DB1234567890EF)
    update = esme_update(bench, devices=(foreign, PPMID, IHD, ESME_2, UNKNOWN, OTHER_ESME, ESME, ESME))
    assert update.code == "W110101"
    assert update.content(DspUpdateFirmwareWarning) == DspUpdateFirmwareWarning(
        invalid_device_ids=(foreign, PPMID, IHD),
        not_commissioned_device_ids=(ESME_2,),
        not_applicable_firmware_device_ids=(UNKNOWN,),
        other_request_in_progress=(OTHER_ESME,),
    )
    (message,) = update.to_csp
    assert isinstance(message, smwan.FirmwareToHubs)
    assert [target[1] for target in message.targets] == [ESME]


def test_one_image_for_many_homes_is_grouped_by_hub() -> None:
    bench = Bench()
    (message,) = esme_update(bench, devices=(OTHER_ESME, ESME_2, ESME)).to_csp
    assert isinstance(message, smwan.FirmwareToHubs)
    assert message.targets == ((HUB, ESME, "ESME"), (HUB, ESME_2, "ESME"), (OTHER_HUB, OTHER_ESME, "ESME"))


@pytest.mark.parametrize("listed", [(UNKNOWN,), (PPMID,), (IHD,)])
def test_a_list_without_any_acceptable_device_is_refused(listed: tuple[Eui64, ...]) -> None:
    bench = Bench()
    before = bench.store.dump()
    assert esme_update(bench, devices=listed).code == "E110103"
    assert bench.store.dump() == before


def test_another_supplier_may_not_update_devices_it_is_not_responsible_for() -> None:
    bench = Bench()
    made = image(Kind.ESME, 1, bench.parties)
    own = bench.parties.entropy.sign(bench.parties.other_supplier.ds_key, made.manufacturer_image)
    refused = bench.request(body_11_1(made._replace(signature=own).encode()), user=OTHER_SUPPLIER)
    assert refused.code == "E110103"


@pytest.mark.requirement("MP170-A1")
def test_an_image_of_another_bridge_product_does_not_apply() -> None:
    bench = Bench()
    assert bridge_update(bench, devices=(PPMID,)).code == "E110403"
    update = bridge_update(bench, devices=(PPMID, BRIDGE))
    lists = update.content(DspUpdatePpmidFirmwareWarning)
    assert lists.not_applicable_firmware_device_ids == (PPMID,)


@pytest.mark.requirement("X-6")
def test_a_bridge_counts_only_while_its_hub_is_commissioned() -> None:
    devices = [replace(d, status=DeviceStatus.INSTALLED_NOT_COMMISSIONED) if d.device == HUB else d for d in estate()]
    assert bridge_update(Bench(devices=devices)).code == "E110403"
    assert bridge_update(Bench(devices=devices, settings=DspSettings(hub_must_be_commissioned=False))).code == "I99"


def test_only_suppliers_update_firmware() -> None:
    bench = Bench()
    assert esme_update(bench, user=NETWORK_OPERATOR).code == "E2"


def test_a_product_taken_off_the_list_is_refused() -> None:
    bench = Bench()
    turn = bench.dsp.provision(bench.now)
    for listed in list(bench.dsp.products.entries):
        if listed.firmware_version == V1:
            bench.dsp.products.remove(turn, listed)
    bench.run(turn)
    assert bridge_update(bench).code == "E110402"


def test_a_delivery_status_nobody_asked_for_is_recorded_and_not_passed_on() -> None:
    bench = Bench()
    status = smwan.FirmwareDeliveryStatus("nobody's", HUB, GSME, 1, bench.now, True)
    assert bench.from_csp(status).to_users == []
    assert len(bench.rows("refused_messages")) == 1


@pytest.mark.parametrize(
    ("running", "allowed", "left_out"), [("4.1", False, ()), ("5.0", False, (BRIDGE,)), ("5.0", True, ())]
)
def test_a_device_does_not_go_back_to_an_earlier_gbcs_version(
    running: str, *, allowed: bool, left_out: tuple[Eui64, ...]
) -> None:
    """Of two bridges of one product one runs firmware of another GBCS version."""
    other = Eui64(0x00DB1234567890B9)
    made = product(Kind.BRIDGE1)
    bridge = next(each for each in estate() if each.device == BRIDGE)
    newer = replace(bridge, device=other, firmware_version=Version(made.versions[1]))
    bench = Bench(settings=DspSettings(gbcs_may_go_back=allowed), devices=[*estate(), newer])
    listed = replace(entry(Kind.BRIDGE1, 0, bench.parties), gbcs_version=running)
    bench.run(bench.dsp.update_products([listed], bench.now))
    outcome = bridge_update(bench, 1, (BRIDGE, other))
    assert outcome.code == ("W110401" if left_out else "I99")
    if left_out:
        assert outcome.content(DspUpdatePpmidFirmwareWarning).invalid_gbcs_version == left_out
    assert {row["device"] for row in bench.rows("firmware_updates")} == {str(e) for e in (BRIDGE, other)} - {
        str(e) for e in left_out
    }
