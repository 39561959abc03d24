"""The order of checks, and the services of the inventory: 12.2, 8.2, 8.4, 8.11."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from firmware_images import product
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.alerts import DeviceStatusChangeEvent, MeterIdentity, UpdateHanDeviceLogResult
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceStatus, DeviceType, DspInventory, PpmidVariant, PropertyFilter
from protocols.duis.requests import CommandVariant, Request
from protocols.duis.responses import DccAlertMessage, GbcsPayload, Response, ResponseMessage
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.use_cases import ccs01, cs08
from protocols.interfaces import HOUR, SECOND
from protocols.ota.image import Kind
from tests.support.dsp_bench import (
    BRIDGE,
    ESME,
    ESME_2,
    GPF,
    GSME,
    HCALCS,
    HUB,
    IHD,
    MPAN,
    OTHER_ESME,
    OTHER_HUB,
    OTHER_MPAN,
    PPMID,
    STRANGER,
    Bench,
    Outcome,
    estate,
)
from tests.support.duis_documents import REQUEST_DOCUMENTS
from tests.support.parties import BROKER, NETWORK_OPERATOR, OTHER_SUPPLIER, START, SUPPLIER

NEW = Eui64(0x00DB1234567890D1)
B1 = product(Kind.BRIDGE1)
READ = bodies.ReadFirmwareVersion()
TO_DEVICE = CommandVariant.TO_DEVICE


PRENOTIFICATION = bodies.DevicePrenotification(
    device_id=NEW,
    device_manufacturer="1A0B",
    device_model="B1010100",
    device_type=DeviceType.PPMID,
    smets_chts_version="5.0",
    firmware_version="0B100000",
    ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_1,
)
ADD_BLOCK = bodies.AddDeviceToChfWhitelist(join_time_period=600, install_code=bytes(range(16)))


def update(change: bodies.InventoryChange, target: Eui64) -> bodies.UpdateInventory:
    return bodies.UpdateInventory(device_id=target, change=change)


def add(target: Eui64, block: bodies.AddDeviceToChfWhitelist = ADD_BLOCK) -> bodies.UpdateHanDeviceLog:
    return bodies.UpdateHanDeviceLog(device_id=target, request_type=bodies.RequestType.ADD, add=block)


def refused(bench: Bench, send: Callable[[], Outcome], code: str) -> None:
    """Assert that a request is refused with `code`, that nothing was written and nothing goes anywhere."""
    before = bench.store.dump()
    outcome = send()
    assert outcome.code == code
    assert outcome.to_csp == []
    assert outcome.to_users == []
    assert bench.store.dump() == before


# --- the order of checks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", [b"", b"<no xml", b"<?xml version='1.0'?><a/>", b"\xff\xfe"])
def test_what_is_no_request_is_refused(octets: bytes) -> None:
    bench = Bench()
    before = bench.store.dump()
    outcome = bench.submit(octets)
    assert outcome.code == "E40"
    assert outcome.reply is not None
    assert outcome.reply.body is None
    assert bench.store.dump() == before


def test_the_answer_to_an_invalid_request_names_its_service() -> None:
    for name, service, code in (("8.4 delete", "8.4", "E40"), ("8.7.1", "8.7.1", "E40")):
        octets = REQUEST_DOCUMENTS[name].replace(b"DeviceID>00", b"DeviceID>XX")
        outcome = Bench().submit(octets)
        assert outcome.code == code
        assert outcome.reply is not None
        assert outcome.reply.body == ResponseMessage(service)
        assert outcome.reply.schema_version == "5.4"


def test_what_nobody_asked_for_is_written_in_the_published_version() -> None:
    bench = Bench()
    answered = bench.respond(
        bench.command_of(bench.request(READ, BRIDGE, TO_DEVICE)), cs08.Response(0x0B100000).encode(), mac=True
    )
    told = [*answered.to_users, *bench.outage().to_users]
    assert {response.schema_version for _, response in told} == {"5.4"}
    assert len(told) == 3


def test_a_request_without_body_is_refused_under_its_own_identifier() -> None:
    bench = Bench()
    outcome = bench.submit(
        b'<sr:Request xmlns:sr="http://www.dccinterface.co.uk/ServiceUserGateway" schemaVersion="5.5"><sr:Header>'
        b"<sr:RequestID>90-B3-D5-1F-30-01-00-00:90-B3-D5-1F-30-00-00-02:9</sr:RequestID></sr:Header></sr:Request>"
    )
    assert outcome.code == "E40"
    assert outcome.reply is not None
    assert str(outcome.reply.request_id) == "90-B3-D5-1F-30-01-00-00:90-B3-D5-1F-30-00-00-02:9"


def test_each_check_comes_in_its_documented_order() -> None:
    """A request with every fault at once gets, as faults are mended, the codes in order."""
    bench = Bench(devices=[replace(d, status=DeviceStatus.PENDING) if d.device == OTHER_HUB else d for d in estate()])
    signed = CommandVariant.TRANSFORM
    local = CommandVariant.LOCAL
    bench.request(bodies.ReadInventory(device_id=ESME), counter=50)
    refused(bench, lambda: bench.request(READ, NEW, signed, user=STRANGER), "E1")
    hash_only = bodies.ActivateFirmware(firmware_hash=bytes(32))
    refused(bench, lambda: bench.request(hash_only, NEW, TO_DEVICE, user=NETWORK_OPERATOR), "E2")
    refused(bench, lambda: bench.request(READ, NEW, signed), "E12")
    refused(bench, lambda: bench.request(READ, NEW, local, user=NETWORK_OPERATOR), "E17")
    refused(bench, lambda: bench.request(bodies.ReadInventory(device_id=ESME), counter=50), "E42")
    refused(bench, lambda: bench.request(READ, NEW, TO_DEVICE), "E19")
    refused(bench, lambda: bench.request(READ, IHD, TO_DEVICE), "E11")
    refused(bench, lambda: bench.request(READ, OTHER_HUB, TO_DEVICE, user=OTHER_SUPPLIER), "E4")
    refused(bench, lambda: bench.request(READ, OTHER_HUB, TO_DEVICE), "E5")
    assert bench.request(READ, ESME, TO_DEVICE).code == "I99"


def test_a_request_in_the_name_of_another_user_is_refused() -> None:
    bench = Bench()
    own = bodies.ReadInventory(device_id=ESME)
    request = Request(
        request_id=RequestId(SUPPLIER, BROKER, 5), command_variant=CommandVariant.DCC_ONLY, body=own
    ).encode()
    refused(bench, lambda: bench.submit(bench.signed(request, OTHER_SUPPLIER), OTHER_SUPPLIER), "E1")


def test_a_dcc_only_request_is_addressed_to_the_dsp() -> None:
    bench = Bench()
    refused(bench, lambda: bench.request(bodies.ReadInventory(device_id=ESME), ESME), "E19")


def test_counters_rise_for_each_target_on_its_own() -> None:
    bench = Bench()
    assert bench.request(READ, ESME, TO_DEVICE, counter=7).code == "I99"
    assert bench.request(READ, ESME_2, TO_DEVICE, counter=7).code == "I99"
    refused(bench, lambda: bench.request(READ, ESME, TO_DEVICE, counter=7), "E42")
    bench.restart()
    refused(bench, lambda: bench.request(READ, ESME, TO_DEVICE, counter=6), "E42")
    assert bench.request(READ, ESME, TO_DEVICE, counter=2**64 - 1).code == "I99"


def test_every_accepted_request_is_recorded() -> None:
    bench = Bench()
    bench.request(READ, ESME, TO_DEVICE, counter=7)
    (row,) = bench.rows("requests")
    assert row["request_id"] == f"{SUPPLIER.hyphenated}:{ESME.hyphenated}:7"
    assert (row["service"], row["variant"], row["code"], row["time"]) == ("11.2", 1, "I99", START)


# --- 12.2 ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("MP170-L30", "MP170-L33", "MP170-C4")
def test_a_bridge_is_pre_notified_as_pending_ppmid_with_its_variant() -> None:
    bench = Bench()
    assert bench.request(PRENOTIFICATION).code == "I99"
    row = bench.inventory_row(NEW)
    assert (row["type"], row["status"], row["variant"]) == ("PPMID", "Pending", "AltHAN Bridge 1")
    assert (row["owner"], row["hub"], row["firmware_version"]) == (str(SUPPLIER), None, "0B100000")


@pytest.mark.requirement("MP170-L31")
def test_colons_and_case_of_the_products_list_do_not_matter() -> None:
    bench = Bench()
    assert (
        bench.request(replace(PRENOTIFICATION, device_manufacturer="1a:0b", device_model="b1:01:01:00")).code == "I99"
    )
    assert bench.inventory_row(NEW)["model"] == "B1010100"


@pytest.mark.requirement("MP170-L6", "MP170-L30", "MP170-L31", "MP170-L32")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ppmid_variant": None}, "E120204"),
        ({"smets_chts_version": None}, "E120204"),
        ({"firmware_version": None}, "E120204"),
        ({"esme_variant": "A"}, "E120204"),
        ({"associated_gpf_device_id": GPF}, "E120204"),
        ({"device_type": DeviceType.HCALCS}, "E120204"),
        ({"firmware_version": "0B100009"}, "E120203"),
        ({"firmware_version": "0B10"}, "E120203"),
        ({"device_model": "B2010100"}, "E120203"),
        ({"device_id": BRIDGE}, "E120201"),
        ({"device_type": DeviceType.GPF}, "E120207"),
    ],
)
def test_a_wrong_pre_notification_is_refused(changes: dict[str, Any], code: str) -> None:
    bench = Bench()
    refused(bench, lambda: bench.request(replace(PRENOTIFICATION, **changes)), code)


def test_an_older_schema_without_the_variant_means_a_plain_ppmid() -> None:
    bench = Bench()
    assert bench.request(replace(PRENOTIFICATION, ppmid_variant=None), schema_version="5.4").code == "I99"
    assert bench.inventory_row(NEW)["variant"] == "PPMID"


def test_an_ihd_has_neither_status_nor_entry_on_the_products_list() -> None:
    bench = Bench()
    body = replace(
        PRENOTIFICATION,
        device_type=DeviceType.IHD,
        firmware_version=None,
        ppmid_variant=None,
        device_manufacturer="Displays Ltd",
    )
    assert bench.request(body).code == "I99"
    assert bench.inventory_row(NEW)["status"] is None


def test_a_decommissioned_device_may_be_notified_again() -> None:
    gone = DeviceStatus.DECOMMISSIONED
    bench = Bench(devices=[replace(d, status=gone) if d.device == BRIDGE else d for d in estate()])
    assert bench.request(replace(PRENOTIFICATION, device_id=BRIDGE)).code == "I99"
    assert bench.inventory_row(BRIDGE)["status"] == "Pending"
    assert bench.inventory_row(BRIDGE)["hub"] is None


# --- 8.2 -----------------------------------------------------------------------------------------------------------

HOUSEHOLD = sorted([HUB, GPF, ESME, ESME_2, GSME, HCALCS, PPMID, BRIDGE, IHD])


@pytest.mark.requirement("MP170-L1", "MP170-L4", "MP170-L6")
@pytest.mark.parametrize(
    "search",
    [
        bodies.ReadInventory(device_id=BRIDGE),
        bodies.ReadInventory(device_id=HUB),
        bodies.ReadInventory(uprn=100023336956),
        bodies.ReadInventory(mpxn=MPAN),
        bodies.ReadInventory(
            property_filter=PropertyFilter(post_code="sw1a 2AA", address_identifier="10 DOWNING street")
        ),
    ],
    ids=["bridge", "hub", "uprn", "mpxn", "address"],
)
def test_all_searches_find_the_household(search: bodies.ReadInventory) -> None:
    found = Bench().request(search).content(DspInventory).devices
    assert [device.device_id for device in found] == HOUSEHOLD
    by_id = {device.device_id: device for device in found}
    assert by_id[BRIDGE].ppmid_variant is PpmidVariant.ALT_HAN_BRIDGE_1
    assert by_id[PPMID].ppmid_variant is PpmidVariant.PPMID
    assert by_id[ESME].ppmid_variant is None
    assert (by_id[ESME].esme_variant, by_id[ESME].import_mpxn) == ("A", MPAN)
    assert by_id[ESME].device_firmware_version_status == "Active"
    assert (by_id[IHD].device_status, by_id[IHD].device_firmware_version) == (None, None)
    assert by_id[HUB].han_variant == "Single Band"


def test_an_older_schema_shows_no_variant() -> None:
    found = Bench().request(bodies.ReadInventory(device_id=BRIDGE), schema_version="5.4").content(DspInventory)
    assert {device.ppmid_variant for device in found.devices} == {None}


@pytest.mark.requirement("MP170-L2")
def test_anybody_with_a_role_reads_the_inventory() -> None:
    assert Bench().request(bodies.ReadInventory(device_id=ESME), user=OTHER_SUPPLIER).code == "I0"


@pytest.mark.requirement("MP170-L3")
@pytest.mark.parametrize(
    ("search", "code"),
    [
        (bodies.ReadInventory(uprn=1), "E080201"),
        (bodies.ReadInventory(mpxn="9"), "E080201"),
        (bodies.ReadInventory(device_id=NEW), "E19"),
    ],
)
def test_a_search_that_finds_nothing_is_refused(search: bodies.ReadInventory, code: str) -> None:
    bench = Bench()
    refused(bench, lambda: bench.request(search), code)


def test_premises_without_devices() -> None:
    bench = Bench(devices=[])
    refused(bench, lambda: bench.request(bodies.ReadInventory(mpxn=MPAN)), "E080202")


# --- 8.4 -----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("MP170-L11")
def test_details_of_a_pending_device_may_be_corrected_by_its_owner() -> None:
    bench = Bench()
    bench.request(PRENOTIFICATION)
    change = bodies.UpdateDeviceDetails(firmware_version="0B100100", ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_4)
    assert bench.request(update(change, NEW)).code == "I99"
    row = bench.inventory_row(NEW)
    assert (row["firmware_version"], row["variant"]) == ("0B100100", "AltHAN Bridge 4")


@pytest.mark.requirement("MP170-L14")
def test_a_pending_device_may_be_deleted_by_its_owner() -> None:
    bench = Bench()
    bench.request(PRENOTIFICATION)
    refused(bench, lambda: bench.request(update(bodies.DeleteDevice(), NEW), user=OTHER_SUPPLIER), "E080410")
    assert bench.request(update(bodies.DeleteDevice(), NEW)).code == "I99"
    assert str(NEW) not in [row["device"] for row in bench.rows("inventory")]


@pytest.mark.requirement("MP170-L15", "MP170-L16", "MP170-L17", "MP170-L18", "MP170-L19")
@pytest.mark.parametrize(
    ("change", "target", "code"),
    [
        (bodies.UpdateDeviceDetails(firmware_version="0B100100"), NEW, "E080407"),
        (bodies.UpdateDeviceDetails(firmware_version="0B100100"), BRIDGE, "E080407"),
        (bodies.DeleteDevice(), BRIDGE, "E080407"),
        (bodies.UpdateDeviceStatusExceptCh(DeviceStatus.PENDING), HUB, "E080405"),
        (bodies.UpdateDeviceStatusExceptCh(DeviceStatus.INSTALLED_NOT_COMMISSIONED), BRIDGE, "E080406"),
        (bodies.UpdateDeviceStatusCh(DeviceStatus.COMMISSIONED), ESME, "E080411"),
        (bodies.UpdateDeviceStatusCh(DeviceStatus.INSTALLED_NOT_COMMISSIONED), HUB, "E080412"),
        (bodies.UpdateMpxn(import_mpxn=MPAN), BRIDGE, "E080413"),
        (bodies.UpdateMpxn(export_mpan=MPAN), GSME, "E080413"),
        (bodies.UpdateMpxn(import_mpxn="9"), ESME, "E080415"),
    ],
)
def test_a_wrong_update_is_refused(change: bodies.InventoryChange, target: Eui64, code: str) -> None:
    bench = Bench()
    refused(bench, lambda: bench.request(update(change, target)), code)


def test_an_update_of_nothing_is_refused() -> None:
    bench = Bench()
    bench.request(PRENOTIFICATION)
    refused(bench, lambda: bench.request(update(bodies.UpdateDeviceDetails(), NEW)), "E080408")
    variant = bodies.UpdateDeviceDetails(firmware_version="0B100009")
    refused(bench, lambda: bench.request(update(variant, NEW)), "E080409")


@pytest.mark.requirement("MP170-L16")
def test_a_hub_is_installed_and_commissioned_with_its_gpf() -> None:
    devices = [replace(d, status=DeviceStatus.PENDING) if d.device in (HUB, GPF) else d for d in estate()]
    bench = Bench(devices=devices)
    assert bench.request(update(bodies.UpdateDeviceStatusCh(DeviceStatus.COMMISSIONED), HUB)).code == "I99"
    assert bench.inventory_row(HUB)["status"] == "Commissioned"
    assert bench.inventory_row(HUB)["commissioned"] == START
    assert bench.inventory_row(GPF)["status"] == "InstalledNotCommissioned"


@pytest.mark.requirement("MP170-L17")
def test_withdrawing_a_hub_cancels_what_is_held_for_it() -> None:
    """MP170-L17: N36 to the sender of each dated request not sent yet."""
    bench = Bench()
    held = bench.request(bodies.ReadFirmwareVersion(execution_date_time=START + HOUR), BRIDGE, TO_DEVICE)
    assert (held.code, held.to_csp) == ("I99", [])
    outcome = bench.request(update(bodies.UpdateDeviceStatusCh(DeviceStatus.WITHDRAWN), HUB))
    assert outcome.dcc_alerts() == [(SUPPLIER, "N36")]
    assert bench.inventory_row(GPF)["status"] == "Withdrawn"
    bench.later(2 * HOUR)
    assert bench.rows("commands") == []


@pytest.mark.requirement("MP170-L18")
def test_a_new_mpxn_is_told_to_the_network_operator() -> None:
    bench = Bench()
    outcome = bench.request(update(bodies.UpdateMpxn(import_mpxn=OTHER_MPAN), ESME))
    ((user, response),) = outcome.to_users
    assert user == NETWORK_OPERATOR
    assert isinstance(response.body, DccAlertMessage)
    assert isinstance(response.body.alert, DeviceStatusChangeEvent)
    assert isinstance(response.body.alert.change, MeterIdentity)
    assert response.body.alert.change.mpxns.import_mpxn == OTHER_MPAN
    assert bench.inventory_row(ESME)["mpxn"] == OTHER_MPAN


# --- 8.11 ----------------------------------------------------------------------------------------------------------


def whitelisting(bench: Bench) -> Outcome:
    bench.request(PRENOTIFICATION)
    return bench.request(add(NEW), HUB, TO_DEVICE, counter=4711)


@pytest.mark.requirement("MP170-A9")
def test_a_bridge_goes_to_the_hub_as_a_ppmid_on_behalf_of_its_supplier() -> None:
    outcome = whitelisting(Bench())
    assert outcome.code == "I99"
    command = Bench().command_of(outcome)
    assert (command.originator, command.target, command.message_code) == (BROKER, HUB, 0x0001)
    assert (command.supplementary_party, command.supplementary_counter) == (SUPPLIER, 4711)
    payload = ccs01.Command.decode(command.payload)
    assert (payload.device, payload.device_type, payload.join_timeout) == (NEW, ccs01.LogDeviceType.PPMID, 600)
    assert payload.install_code == bytes(range(16))


def test_the_answer_of_the_hub_whitelists_the_device_and_raises_n24() -> None:
    bench = Bench()
    command = bench.command_of(whitelisting(bench))
    assert bench.inventory_row(NEW)["status"] == "Pending"
    answered = bench.respond(command, ccs01.Response(counter=command.counter).encode(), mac=True)
    (_, relayed), (user, alert) = answered.to_users
    assert isinstance(relayed.body, ResponseMessage)
    assert isinstance(relayed.body.content, GbcsPayload)
    assert relayed.request_id is not None
    assert relayed.request_id.counter == 4711
    assert user == SUPPLIER
    assert isinstance(alert.body, DccAlertMessage)
    assert alert.body.dcc_alert_code == "N24"
    assert isinstance(alert.body.alert, UpdateHanDeviceLogResult)
    assert alert.body.alert.request_id == relayed.request_id
    row = bench.inventory_row(NEW)
    assert (row["status"], row["hub"]) == ("Whitelisted", str(HUB))


def test_a_hub_that_refuses_leads_to_n25_and_no_change() -> None:
    bench = Bench()
    command = bench.command_of(whitelisting(bench))
    response = ccs01.Response(register=AccessResult.OTHER_REASON, counter=command.counter)
    assert bench.respond(command, response.encode(), mac=True).dcc_alerts() == [(SUPPLIER, "N25")]
    assert bench.inventory_row(NEW)["status"] == "Pending"


def test_a_hub_that_does_not_answer_leads_to_e21_and_n25() -> None:
    bench = Bench()
    whitelisting(bench)
    bench.now += 25 * HOUR
    outcome = bench.run(bench.dsp.wake(bench.now))
    assert [response.response_code for _, response in outcome.to_users] == ["E21", "I0"]
    assert outcome.dcc_alerts() == [(SUPPLIER, "N25")]
    assert bench.inventory_row(NEW)["status"] == "Pending"


def test_a_dated_addition_is_held_and_sent_at_its_date() -> None:
    bench = Bench()
    bench.request(PRENOTIFICATION)
    body = replace(add(NEW), execution_date_time=START + HOUR)
    assert bench.request(body, HUB, TO_DEVICE).to_csp == []
    bench.restart()
    bench.now = START + HOUR - SECOND
    assert bench.run(bench.dsp.wake(bench.now)).to_csp == []
    bench.now = START + HOUR
    assert bench.command_of(bench.run(bench.dsp.wake(bench.now))).message_code == 0x0001


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (add(NEW), "E081101"),
        (add(BRIDGE), "E081102"),
        (add(GPF), "E081104"),
        (bodies.UpdateHanDeviceLog(device_id=IHD, request_type=bodies.RequestType.ADD), "E081105"),
        (bodies.UpdateHanDeviceLog(device_id=OTHER_ESME, request_type=bodies.RequestType.REMOVE), "E081106"),
        (replace(add(BRIDGE), request_type=bodies.RequestType.REMOVE), "E081105"),
        (add(IHD, replace(ADD_BLOCK, import_mpxn=MPAN)), "E081108"),
    ],
)
def test_a_wrong_addition_is_refused(body: bodies.UpdateHanDeviceLog, code: str) -> None:
    bench = Bench()
    refused(bench, lambda: bench.request(body, HUB, TO_DEVICE), code)


@pytest.mark.requirement("X-5")
def test_answers_are_encoded_as_the_schema_wants_them() -> None:
    """X-5: what the bench parses was checked against the schema; the sync answer names the request only."""
    outcome = Bench().request(bodies.ReadInventory(device_id=ESME))
    assert isinstance(outcome.reply, Response)
    assert outcome.reply.request_id is not None
    assert outcome.reply.response_id is None
