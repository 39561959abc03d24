"""8.2, 8.4 and 12.2 rule by rule (MP170, legal text): each on octets, each seen to fail under its defect."""

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from firmware_images import product
from gateway.dsp import inventory_reading, inventory_services, machine, statuses, variants
from gateway.dsp.effects import Turn
from gateway.dsp.images import ImageChecks
from gateway.dsp.inventory import Inventory
from gateway.dsp.inventory_reading import InventoryReading
from gateway.dsp.inventory_services import InventoryServices
from gateway.dsp.products import ProductsList
from gateway.dsp.records import Device, Premises, Product, User
from gateway.dsp.rows import Version
from gateway.dsp.services import RefusedError
from gateway.dsp.validation import Validation
from protocols.addresses import Eui64
from protocols.duis import bodies, document, schema
from protocols.duis.errors import DuisError
from protocols.duis.inventory import (
    ESME_VARIANTS,
    POLYPHASE,
    SINGLE_ELEMENT,
    TWIN_ELEMENT,
    DeviceStatus,
    DeviceType,
    DspInventory,
    InventoryDevice,
    PpmidVariant,
    ProductStatus,
    PropertyFilter,
)
from protocols.duis.requests import CommandVariant, Request, parse_request
from protocols.ota.image import Kind, OtaHeader
from protocols.wan import smwan
from tests.support.dsp_bench import (
    BRIDGE,
    CAD,
    ESME,
    ESME_2,
    GPF,
    GSME,
    HUB,
    IHD,
    MPAN,
    MPAN_2,
    OTHER_HUB,
    OTHER_MPAN,
    OTHER_USER,
    PPMID,
    STRANGER,
    Bench,
    Outcome,
    device,
    entry,
    estate,
    image,
)
from tests.support.duis_documents import REQUEST_DOCUMENTS
from tests.support.parties import NETWORK_OPERATOR, OTHER_SUPPLIER, SUPPLIER
from tests.support.requirements import patched

NEW = Eui64(0x00DB1234567890D1)
B1 = product(Kind.BRIDGE1)
BRIDGE_NOTE = bodies.DevicePrenotification(
    device_id=NEW, device_manufacturer="1A0B", device_model="B1010100", device_type=DeviceType.PPMID,
    smets_chts_version="5.0", firmware_version="0B100000", ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_1,
)  # fmt: skip


def refused_at(octets: bytes) -> str | None:
    """Return the element a document is refused at, None for one that is read."""
    try:
        parse_request(octets)
    except DuisError as error:
        return error.element
    return None


def note_of(kind: Kind, device_type: DeviceType, **changes: object) -> bodies.DevicePrenotification:
    made = product(kind)
    body = replace(
        BRIDGE_NOTE, device_manufacturer=f"{made.manufacturer:04X}", device_model=made.model_text,
        device_type=device_type, firmware_version=f"{made.versions[0]:08X}", ppmid_variant=None,
    )  # fmt: skip
    return replace(body, **changes)  # type: ignore[arg-type]


def read(bench: Bench, *, user: Eui64 = SUPPLIER, version: str = "5.5", **search: Any) -> Outcome:  # noqa: ANN401
    """Send an 8.2; search: the one item of it."""
    body = bodies.ReadInventory(**search)
    return bench.request(body, user=user, schema_version=version)


def shown(bench: Bench, eui: Eui64) -> InventoryDevice:
    found = {each.device_id: each for each in read(bench, device_id=eui).content(DspInventory).devices}
    return found[eui]


def update(bench: Bench, eui: Eui64, change: bodies.InventoryChange, *, user: Eui64 = SUPPLIER) -> str:
    return bench.request(bodies.UpdateInventory(device_id=eui, change=change), user=user).code


def with_changes(eui: Eui64, **changes: object) -> list[Device]:
    return [replace(d, **changes) if d.device == eui else d for d in estate()]  # type: ignore[arg-type]


# --- 8.2 -----------------------------------------------------------------------------------------------------------


def by_case(text: str | None) -> str | None:
    """Heed the case of a text."""
    return text


SEARCHES: list[dict[str, Any]] = [
    {"uprn": 100023336956},
    {"device_id": GSME},
    {"mpxn": MPAN},
    {"property_filter": PropertyFilter(post_code="sW1a 2aA", address_identifier="10 dOWNING sTREET")},
]


@pytest.mark.requirement("MP170-L1", planted=patched(inventory_reading, "_folded", by_case))
@pytest.mark.parametrize("search", SEARCHES[::-1], ids=lambda search: next(iter(search)))
def test_four_searches_find_one_household_in_any_case(search: dict[str, Any]) -> None:
    found = [each.device_id for each in read(Bench(), **search).content(DspInventory).devices]
    assert found == sorted([HUB, GPF, ESME, ESME_2, GSME, PPMID, BRIDGE, IHD, Eui64(0x00DB1234567890A5)])


def suppliers_alone(self: Validation, user: Eui64, request: object, service: object) -> None:
    if not {"IS", "GS"} & set(self._inventory.roles(user)):
        raise RefusedError("E2", "suppliers alone")


CLOSED = patched(Validation, "_check_user", suppliers_alone)
ROLES = ("IS", "ES", "GS", "RSA", "ED", "GT", "OU")


@pytest.mark.requirement("MP170-L2", planted=CLOSED)
@pytest.mark.parametrize("role", ROLES[::-1])
def test_every_role_reads_devices_of_others_and_suspended_ones(role: str) -> None:
    suspended = with_changes(ESME, status=DeviceStatus.SUSPENDED, suspended_from=DeviceStatus.COMMISSIONED)
    bench = Bench(devices=suspended, users=[User(OTHER_USER, role)])
    assert read(bench, user=OTHER_USER, device_id=ESME).code == "I0"
    dated = bench.request(bodies.ReadInventory(device_id=ESME), variant=CommandVariant.TO_DEVICE, user=OTHER_USER)
    assert dated.code == "E12"


def any_premises(self: InventoryReading, body: object) -> list[str]:
    """Take whatever a search fits."""
    return [row.mpxn for row in self._inventory.premises]


@pytest.mark.requirement("MP170-L3", planted=patched(InventoryReading, "_pinned_down", any_premises))
def test_a_search_pins_down_one_premises_with_devices() -> None:
    bench = Bench()
    twin = Premises("1099999999999", SUPPLIER, None, "100023336956", "SW1A 2AA", "10A Downing Street")
    empty = Premises("1088888888888", SUPPLIER, None, "99", "SW1A 9AA", "1 Empty Street")
    bench.run(bench.dsp.provision(bench.now, premises=[twin, empty]))
    assert read(bench, uprn=100023336956).code == "E080201"
    assert read(bench, uprn=99).code == "E080202"
    assert read(bench, mpxn="1088888888888").code == "E080202"


METER_FIELDS = {"import_mpxn", "device_firmware_version", "cpl_status", "uprn", "property_filter"}
FIELDS = {
    DeviceType.ESME: {
        "esme_variant",
        "import_mpxn",
        "device_firmware_version",
        "cpl_status",
        "uprn",
        "property_filter",
    },
    DeviceType.GSME: {"import_mpxn", "device_firmware_version", "cpl_status", "uprn", "property_filter"},
    DeviceType.CHF: {"han_variant", "device_firmware_version", "cpl_status"},
    DeviceType.GPF: {"cpl_status"},
    DeviceType.PPMID: {"ppmid_variant", "device_firmware_version", "cpl_status"},
    DeviceType.HCALCS: {"device_firmware_version", "cpl_status"},
    DeviceType.IHD: set(),
    DeviceType.CAD: set(),
}
ONLY_SOME = (
    "device_status", "smets_chts_version", "date_commissioned", "esme_variant", "ppmid_variant", "import_mpxn",
    "device_firmware_version", "cpl_status", "han_variant", "uprn", "property_filter",
)  # fmt: skip
SHOW = InventoryReading._shown


def everything_shown(self: InventoryReading, each: Device, version: str) -> InventoryDevice:
    """Show a HAN variant and a date of any device."""
    return replace(SHOW(self, each, version), han_variant="Single Band", date_commissioned=0)


@pytest.mark.requirement("MP170-L4", planted=patched(InventoryReading, "_shown", everything_shown))
def test_each_type_has_its_fields_and_no_others() -> None:
    cad = replace(device(CAD, None, DeviceType.CAD, None), hub=HUB, smets_version=None)
    devices = [replace(d, commissioned=1) if d.device == ESME else d for d in estate()]
    for each in read(Bench(devices=[*devices, cad]), device_id=HUB).content(DspInventory).devices:
        kind = each.device_type
        expected = set(FIELDS[kind])
        if kind is DeviceType.GPF:
            expected -= {"cpl_status"}  # its firmware is its hub's, not recorded here
        expected |= {"device_status"} if kind not in (DeviceType.IHD, DeviceType.CAD) else set()
        expected |= {"smets_chts_version"} if kind is not DeviceType.CAD else set()
        expected |= {"date_commissioned"} if each.device_id == ESME else set()
        assert {name for name in ONLY_SOME if getattr(each, name) is not None} == expected, kind


@pytest.mark.requirement("MP170-L4")
@pytest.mark.parametrize(("devices", "code"), [(17, "I0"), (18, "E080201")])
def test_an_answer_has_17_devices_at_most(devices: int, code: str) -> None:
    more = [replace(device(Eui64(0x100 + n), None, DeviceType.IHD, None), hub=OTHER_HUB) for n in range(devices - 2)]
    assert read(Bench(devices=[*estate(), *more]), device_id=OTHER_HUB).code == code


def no_variant(each: Device, version: str) -> PpmidVariant | None:
    return PpmidVariant.PPMID


@pytest.mark.requirement("MP170-L6", "MP170-C5", "MP170-P1", planted=patched(variants, "shown", no_variant))
@pytest.mark.requirement("MP170-P3", "MP170-C2", planted=patched(variants, "shown", no_variant))
@pytest.mark.parametrize("variant", list(PpmidVariant)[::-1])
def test_a_ppmid_is_shown_with_its_variant_in_plain_words(variant: PpmidVariant) -> None:
    bench = Bench(devices=with_changes(BRIDGE, variant=variant))
    assert shown(bench, BRIDGE).ppmid_variant is variant
    assert bench.inventory_row(BRIDGE)["variant"] == str(variant), "the column an ESME has its own in"
    assert f"<sr:PPMIDVariant>{variant}</sr:PPMIDVariant>".encode() in _octets(read(bench, device_id=BRIDGE))
    others = [each for each in read(bench, device_id=HUB).content(DspInventory).devices if each.device_type != "PPMID"]
    assert {each.ppmid_variant for each in others} == {None}


def _octets(outcome: Outcome) -> bytes:
    (reply,) = [effect.octets for effect in outcome.turn.effects if type(effect).__name__ == "Reply"]  # type: ignore[union-attr]
    return reply


def active(entry: Product | None) -> ProductStatus:
    return ProductStatus.ACTIVE


@pytest.mark.requirement("MP170-L7", planted=patched(ProductsList, "status", staticmethod(active)))
def test_an_entry_removed_is_told_as_cancelled() -> None:
    bench = Bench()
    assert (shown(bench, PPMID).cpl_status, shown(bench, PPMID).device_firmware_version_status) == ("Active", "Active")
    removed = replace(entry(Kind.PPMID, 0, bench.parties), status="Removed")
    bench.run(bench.dsp.update_products([removed], bench.now))
    seen = shown(bench, PPMID)
    assert (seen.cpl_status, seen.device_firmware_version_status) == ("Cancelled", "Cancelled")


# --- 12.2 ----------------------------------------------------------------------------------------------------------


def nothing_wrong(root: object, version: object) -> None:
    """Find every document valid."""


KINDS = {
    SINGLE_ELEMENT: [v for v in ESME_VARIANTS if v[0] == "A"],
    TWIN_ELEMENT: [v for v in ESME_VARIANTS if v[0] == "B"],
    POLYPHASE: [v for v in ESME_VARIANTS if v[0] == "C"],
}


def any_esme(self: InventoryServices, *_: object) -> None:
    """Take any ESMEVariant."""


@pytest.mark.requirement("MP170-L8", planted=patched(InventoryServices, "_check_esme_variant", any_esme))
@pytest.mark.parametrize("equipment", KINDS)
@pytest.mark.parametrize("gbcs", ["3.2", "4.0"])
def test_an_esme_has_a_variant_of_its_kind_and_of_its_gbcs_version(equipment: str, gbcs: str) -> None:
    bench = Bench()
    listed = replace(entry(Kind.ESME, 0, bench.parties), equipment=equipment, gbcs_version=gbcs)
    bench.run(bench.dsp.update_products([listed], bench.now))
    for number, variant in enumerate(ESME_VARIANTS):
        passes = variant in KINDS[equipment] and (gbcs == "4.0" or not {"F", "G"} & set(variant))
        body = note_of(Kind.ESME, DeviceType.ESME, device_id=Eui64(0x900 + number), esme_variant=variant)
        assert bench.request(body).code == ("I99" if passes else "E120204"), variant


@pytest.mark.requirement("MP170-L8")
def test_an_esme_is_corrected_to_variants_of_its_kind_alone() -> None:
    bench = Bench(devices=with_changes(ESME, status=DeviceStatus.PENDING))
    listed = replace(entry(Kind.ESME, 0, bench.parties), equipment=TWIN_ELEMENT)
    bench.run(bench.dsp.update_products([listed], bench.now))
    assert update(bench, ESME, bodies.UpdateDeviceDetails(esme_variant="C")) == "E080409"
    assert update(bench, ESME, bodies.UpdateDeviceDetails(esme_variant="BD")) == "I99"
    assert update(bench, ESME, bodies.UpdateDeviceDetails(ppmid_variant=PpmidVariant.PPMID)) == "E080409"


def any_text(octets: bytes) -> Request:
    """Take any text for a variant."""
    return parse_request(re.sub(rb"<sr:PPMIDVariant>[^<]*<", b"<sr:PPMIDVariant>PPMID<", octets))


@pytest.mark.requirement("MP170-L9", planted=patched(machine, "parse_request", any_text))
@pytest.mark.parametrize("text", ["AltHAN Bridge 5", "AltHAN Bridge", "althan bridge 1", "Bridge 1", ""])
def test_a_variant_is_one_of_five_texts(text: str) -> None:
    bench = Bench()
    octets = REQUEST_DOCUMENTS["12.2 bridge"].replace(b"AltHAN Bridge 1", text.encode())
    assert (bench.submit(bench.signed(octets)).code, refused_at(octets)) == ("E40", "PPMIDVariant")


def any_items(body: bodies.DevicePrenotification, version: str) -> str | None:
    """Take any items of any type."""
    return body.ppmid_variant or body.esme_variant


@pytest.mark.requirement("MP170-L30", planted=patched(InventoryServices, "_variant", staticmethod(any_items)))
def test_items_are_there_exactly_where_they_apply() -> None:
    bench = Bench()
    bench.list_hub_products()
    good = {
        DeviceType.ESME: note_of(Kind.ESME, DeviceType.ESME, esme_variant="A"),
        DeviceType.GSME: note_of(Kind.GSME, DeviceType.GSME),
        DeviceType.HCALCS: note_of(Kind.HCALCS, DeviceType.HCALCS),
        DeviceType.PPMID: BRIDGE_NOTE,
        DeviceType.IHD: replace(BRIDGE_NOTE, device_type=DeviceType.IHD, firmware_version=None, ppmid_variant=None),
        DeviceType.CAD: replace(
            BRIDGE_NOTE, device_type=DeviceType.CAD, firmware_version=None, ppmid_variant=None, smets_chts_version=None
        ),
        DeviceType.CHF: replace(
            BRIDGE_NOTE, device_type=DeviceType.CHF, device_manufacturer="1A00", device_model="C0010101",
            firmware_version="0C000000", ppmid_variant=None, associated_gpf_device_id=Eui64(0x800),
        ),
    }  # fmt: skip
    items: dict[str, object] = {
        "smets_chts_version": "5.0", "firmware_version": "0B100000", "esme_variant": "A",
        "associated_gpf_device_id": Eui64(0x801), "ppmid_variant": PpmidVariant.PPMID,
    }  # fmt: skip
    for number, (kind, body) in enumerate(good.items()):
        for name, value in items.items():
            changed = replace(body, **{name: value if getattr(body, name) is None else None})  # type: ignore[arg-type]
            assert bench.request(changed).code == "E120204", (kind, name)
        assert bench.request(replace(body, device_id=Eui64(0xA00 + number))).code == "I99", kind


def as_written(
    self: InventoryServices, kind: DeviceType, manufacturer: str, model: str, firmware: str | None
) -> object:
    """Compare texts as they are written."""
    return (manufacturer, model, Version(0)) if ":" not in manufacturer else None


@pytest.mark.requirement("MP170-L31", planted=patched(InventoryServices, "_listed", as_written))
def test_a_pre_notification_is_what_the_products_list_has() -> None:
    bench = Bench()
    for wrong in ({"firmware_version": "0B100009"}, {"device_model": "B2010100"}, {"device_manufacturer": "1A0C"}):
        assert bench.request(replace(BRIDGE_NOTE, **wrong)).code == "E120203"  # type: ignore[arg-type]
    colons = replace(BRIDGE_NOTE, device_manufacturer="1a:0b", device_model="B1:01:01:00", firmware_version="0b100000")
    assert bench.request(colons).code == "I99"
    row = bench.inventory_row(NEW)
    assert (row["manufacturer"], row["model"], row["firmware_version"]) == ("1A0B", "B1010100", "0B100000")
    removed = replace(entry(Kind.BRIDGE1, 0, bench.parties), status="Removed")
    bench.run(bench.dsp.update_products([removed], bench.now))
    assert bench.request(replace(BRIDGE_NOTE, device_id=Eui64(0xA01))).code == "E120203"
    free = replace(
        BRIDGE_NOTE, device_id=Eui64(0xA02), device_type=DeviceType.IHD, device_manufacturer="Displays & Co.",
        device_model="the large one", firmware_version=None, ppmid_variant=None,
    )  # fmt: skip
    assert bench.request(free).code == "I99"


ALLOWED = statuses.allowed


def notify_any(trigger: object, kind: DeviceType, source: object, target: DeviceStatus) -> bool:
    return trigger == "12.2" or ALLOWED(trigger, kind, source, target)  # type: ignore[arg-type]


@pytest.mark.requirement("MP170-L32", planted=patched(inventory_services, "allowed", notify_any))
@pytest.mark.parametrize("status", [status for status in DeviceStatus if status is not DeviceStatus.RECOVERED])
def test_an_identifier_in_use_is_not_notified_again(status: DeviceStatus) -> None:
    bench = Bench(devices=with_changes(BRIDGE, status=status))
    gone = status in (DeviceStatus.DECOMMISSIONED, DeviceStatus.WITHDRAWN)
    assert bench.request(replace(BRIDGE_NOTE, device_id=BRIDGE)).code == ("I99" if gone else "E120201")
    assert bench.request(replace(BRIDGE_NOTE, device_type=DeviceType.GPF)).code == "E120207"
    ihd = replace(BRIDGE_NOTE, device_id=IHD, device_type=DeviceType.IHD, firmware_version=None, ppmid_variant=None)
    assert bench.request(ihd).code == "E120201"


ADD = Inventory.add


def installed(self: Inventory, turn: Turn, each: Device, cause: str) -> None:
    """Take a device for installed from the first."""
    ADD(self, turn, replace(each, status=each.status and DeviceStatus.INSTALLED_NOT_COMMISSIONED), cause)


@pytest.mark.requirement("MP170-L33", planted=patched(Inventory, "add", installed))
def test_anybody_notifies_and_the_device_is_pending_and_its_own() -> None:
    bench = Bench(users=[User(OTHER_USER, "RSA")])
    assert bench.request(BRIDGE_NOTE, user=OTHER_USER).code == "I99"
    row = bench.inventory_row(NEW)
    assert (row["status"], row["owner"], row["added"]) == ("Pending", str(OTHER_USER), bench.now)


def without_gpf(self: Inventory, turn: Turn, each: Device, cause: str) -> None:
    """Forget GPFs."""
    if each.type is not DeviceType.GPF:
        ADD(self, turn, each, cause)


@pytest.mark.requirement("MP170-L34", planted=patched(Inventory, "add", without_gpf))
def test_a_hub_in_stock_stands_with_its_gpf_before_anybody_asks() -> None:
    stock = Eui64(0xB00)
    hub = replace(device(stock, None, DeviceType.CHF, DeviceStatus.PENDING), associated_gpf=Eui64(0xB01), owner=None)
    gpf = replace(device(Eui64(0xB01), None, DeviceType.GPF, DeviceStatus.PENDING), hub=stock, owner=None)
    bench = Bench(devices=[*estate(), hub, gpf])
    found = {each.device_id: each.device_status for each in read(bench, device_id=stock).content(DspInventory).devices}
    assert found == {stock: DeviceStatus.PENDING, Eui64(0xB01): DeviceStatus.PENDING}


@pytest.mark.requirement("MP170-L35")
def test_what_was_not_notified_does_not_exist() -> None:
    bench = Bench()
    assert bench.request(bodies.ReadFirmwareVersion(), NEW, CommandVariant.TO_DEVICE).code == "E19"
    assert read(bench, device_id=NEW).code == "E19"
    log = bodies.UpdateHanDeviceLog(device_id=NEW, request_type=bodies.RequestType.REMOVE)
    assert bench.request(log, HUB, CommandVariant.TO_DEVICE).code == "E081101"


def from_the_list(kind: DeviceType, variant: PpmidVariant | None, version: str) -> PpmidVariant:
    return PpmidVariant.PPMID


@pytest.mark.requirement("MP170-C4", planted=patched(variants, "prenotified", from_the_list))
def test_the_variant_is_what_the_notification_says_whatever_the_product() -> None:
    """The product of Bridge 1, notified as Bridge 3 and as a plain PPMID."""
    bench = Bench()
    for number, variant in enumerate((PpmidVariant.ALT_HAN_BRIDGE_3, PpmidVariant.PPMID)):
        eui = Eui64(0xC00 + number)
        assert bench.request(replace(BRIDGE_NOTE, device_id=eui, ppmid_variant=variant)).code == "I99"
        assert bench.inventory_row(eui)["variant"] == str(variant)
    assert "variant" not in bench.rows("products")[0]


# --- 8.4 -----------------------------------------------------------------------------------------------------------


CHANGE = b"<sr:DeleteDevice></sr:DeleteDevice>"


@pytest.mark.requirement("MP170-L10", planted=patched(document, "check", nothing_wrong))
@pytest.mark.parametrize("number", [2, 0])
def test_an_update_is_exactly_one_change(number: int) -> None:
    octets = REQUEST_DOCUMENTS["8.4 delete"].replace(CHANGE, CHANGE * number)
    bench = Bench()
    assert (bench.submit(bench.signed(octets)).code, refused_at(octets) is not None) == ("E40", True)


@pytest.mark.requirement("MP170-L12", planted=patched(document, "check", nothing_wrong))
@pytest.mark.parametrize("element", ["DeviceType", "DeviceID"])
def test_neither_type_nor_identifier_has_an_element(element: str) -> None:
    value = {"DeviceType": "ESME", "DeviceID": "00-DB-12-34-56-78-90-A0"}[element].encode()
    name = element.encode()
    octets = REQUEST_DOCUMENTS["8.4 details"].replace(
        b"<sr:DeviceManufacturer>", b"<sr:%b>%b</sr:%b>\n<sr:DeviceManufacturer>" % (name, value, name)
    )
    bench = Bench()
    assert (bench.submit(bench.signed(octets)).code, refused_at(octets)) == ("E40", element)


def not_owner(user: Eui64, each: Device) -> None:
    """Let anybody, at any time."""


ANYBODY = patched(InventoryServices, "_check_owner", staticmethod(not_owner))
DETAILS = bodies.UpdateDeviceDetails(firmware_version="0B100100")


@pytest.mark.requirement("MP170-L11", "MP170-L14", planted=ANYBODY)
@pytest.mark.parametrize("change", [DETAILS, bodies.DeleteDevice()], ids=["details", "delete"])
def test_details_and_deletion_are_for_the_owner_while_pending(change: bodies.InventoryChange) -> None:
    bench = Bench()
    bench.request(BRIDGE_NOTE)
    assert update(bench, NEW, change, user=OTHER_SUPPLIER) == "E080410"
    for status in (DeviceStatus.WHITELISTED, DeviceStatus.COMMISSIONED, DeviceStatus.SUSPENDED):
        assert update(Bench(devices=with_changes(BRIDGE, status=status)), BRIDGE, change) == "E080407"
    assert update(bench, Eui64(1), change) == "E080407"
    assert update(bench, NEW, change) == "I99"


@pytest.mark.requirement("MP170-L11", "MP170-L14")
def test_a_type_2_device_is_corrected_and_deleted_at_any_time() -> None:
    bench = Bench()
    assert update(bench, IHD, bodies.UpdateDeviceDetails(device_manufacturer="Other & Co.")) == "I99"
    assert bench.inventory_row(IHD)["manufacturer"] == "Other & Co."
    assert update(bench, IHD, bodies.DeleteDevice()) == "I99"


def kept(each: Device, variant: PpmidVariant | None) -> str | None:
    return each.variant


@pytest.mark.requirement("MP170-L11", "MP170-C5", "MP170-D7", planted=patched(variants, "amended", kept))
def test_the_variant_is_updated_and_read() -> None:
    bench = Bench()
    bench.request(BRIDGE_NOTE)
    assert update(bench, NEW, bodies.UpdateDeviceDetails()) == "E080408"
    assert update(bench, NEW, bodies.UpdateDeviceDetails(ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_2)) == "I99"
    assert shown(bench, NEW).ppmid_variant is PpmidVariant.ALT_HAN_BRIDGE_2
    assert update(bench, NEW, bodies.UpdateDeviceDetails(firmware_version="0B100009")) == "E080409"


def as_recorded(each: Device, version: str) -> PpmidVariant | None:
    return PpmidVariant(each.variant) if each.variant and each.type is DeviceType.PPMID else None


@pytest.mark.requirement("MP170-D5", planted=patched(variants, "shown", as_recorded))
def test_a_record_without_variant_is_a_plain_ppmid_until_it_is_corrected() -> None:
    for status in (DeviceStatus.PENDING, DeviceStatus.COMMISSIONED):
        bench = Bench(devices=with_changes(BRIDGE, variant=None, status=status))
        assert shown(bench, BRIDGE).ppmid_variant is PpmidVariant.PPMID
        change = bodies.UpdateDeviceDetails(ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_1)
        owner = update(bench, BRIDGE, change)
        assert owner == ("I99" if status is DeviceStatus.PENDING else "E080407")
        if owner != "I99":
            bench.run(bench.dsp.correct_variant(BRIDGE, "AltHAN Bridge 1", bench.now))
        assert shown(bench, BRIDGE).ppmid_variant is PpmidVariant.ALT_HAN_BRIDGE_1


def any_supplier(self: InventoryServices, turn: object, user: object, each: Device, mpxns: object, cause: str) -> None:
    """Take any MPxN, and tell nobody."""


@pytest.mark.requirement("MP170-L18", planted=patched(InventoryServices, "_mpxn", any_supplier))
def test_an_mpxn_is_for_its_supplier_of_a_kind_that_fits_in_three_statuses() -> None:
    fits = {DeviceStatus.WHITELISTED, DeviceStatus.INSTALLED_NOT_COMMISSIONED, DeviceStatus.COMMISSIONED}
    change = bodies.UpdateMpxn(import_mpxn=OTHER_MPAN)
    for status in DeviceStatus:
        if status is not DeviceStatus.RECOVERED:
            code = update(Bench(devices=with_changes(ESME, status=status)), ESME, change)
            assert code == ("I99" if status in fits else "E080414"), status
    bench = Bench()
    bench.run(bench.dsp.provision(bench.now, premises=[Premises("1077777777777", None, NETWORK_OPERATOR)]))
    assert update(bench, ESME, change, user=OTHER_SUPPLIER) == "E080415"
    assert update(bench, ESME, bodies.UpdateMpxn(import_mpxn="1066666666666")) == "E080415"
    assert update(bench, ESME, bodies.UpdateMpxn(import_mpxn="1077777777777"), user=OTHER_SUPPLIER) == "I99"
    for eui, wrong in ((PPMID, change), (GSME, bodies.UpdateMpxn(export_mpan=MPAN_2)), (HUB, change)):
        assert update(bench, eui, wrong) == "E080413"
    told = bench.request(bodies.UpdateInventory(device_id=ESME, change=bodies.UpdateMpxn(export_mpan=MPAN_2)))
    assert told.dcc_alerts() == [(NETWORK_OPERATOR, "N16")]
    assert bench.inventory_row(ESME)["export_mpan"] == MPAN_2


# --- bridges in other services -------------------------------------------------------------------------------------


def firmware(bench: Bench, kind: Kind, eui: Eui64, version: int | None = None) -> Outcome:
    made = image(kind, 1, bench.parties)
    told = made.header.file_version if version is None else version
    body = bodies.UpdatePpmidFirmware(firmware_image=made.encode(), firmware_version=f"{told:08X}", device_ids=(eui,))
    return bench.request(body)


STRUCTURE = ImageChecks._structure


def header_unread(self: ImageChecks, service: str, body: bodies.UpdatePpmidFirmware) -> object:
    """Take the version of the request for that of the header."""
    version = OtaHeader.decode(body.firmware_image).file_version
    return STRUCTURE(self, service, replace(body, firmware_version=f"{version:08X}"))


@pytest.mark.requirement("MP170-L5", planted=patched(ImageChecks, "_structure", header_unread))
def test_a_version_is_that_of_the_header_of_the_image() -> None:
    bench = Bench()
    assert firmware(bench, Kind.BRIDGE1, BRIDGE, 0x0B100101).code == "E110401"
    assert firmware(bench, Kind.BRIDGE1, BRIDGE).code == "I99"


def as_bridge(each: Device) -> str:
    return f"{each.variant}"


@pytest.mark.requirement("MP170-C8", "MP170-P2", planted=patched(variants, "type_for_csp", as_bridge))
def test_a_bridge_is_updated_as_a_ppmid_by_the_same_request() -> None:
    bench = Bench()
    told = {}
    for kind, eui in ((Kind.BRIDGE1, BRIDGE), (Kind.PPMID, PPMID)):
        outcome = firmware(bench, kind, eui)
        (message,) = outcome.to_csp
        assert isinstance(message, smwan.FirmwareToHubs)
        told[eui] = (outcome.code, [(target[0], target[2]) for target in message.targets])
    assert told[BRIDGE] == told[PPMID] == ("I99", [(HUB, "PPMID")])


def _elements(version: str) -> list[etree._Element]:
    root = etree.fromstring(schema.source(schema.SCHEMA_VERSIONS[version].switches))
    return list(root.iter("{http://www.w3.org/2001/XMLSchema}element"))


def grown_twice(switches: tuple[str, ...]) -> bytes:
    """Return a schema in which a request of firmware has grown too."""
    octets = SOURCE(switches)
    return octets.replace(b'name="FirmwareImage"', b'name="Firmware"') if switches else octets


SOURCE = schema.source


@pytest.mark.requirement("MP170-C18", "MP105-R11", planted=patched(schema, "source", grown_twice))
def test_the_schema_grows_by_one_element_in_three_places() -> None:
    def declared(version: str) -> Counter[tuple[str, str]]:
        counted: Counter[tuple[str, str]] = Counter()
        for each in _elements(version):
            parent = each.getparent()
            while parent is not None and parent.get("name") is None:
                parent = parent.getparent()
            counted["" if parent is None else parent.get("name", ""), each.get("name", "")] += 1
        return counted

    new, old = declared("5.5"), declared("5.4")
    assert new - old == Counter(
        {(where, "PPMIDVariant"): 1 for where in ("DevicePrenotification", "UpdateDeviceDetails", "InventoryDevice")}
    )
    assert old - new == Counter()


@pytest.mark.requirement("MP170-P12", "MP170-D8")
def test_the_variant_belongs_to_a_version_each_user_chooses() -> None:
    bench = Bench()
    assert bench.request(replace(BRIDGE_NOTE, ppmid_variant=None), schema_version="5.4").code == "I99"
    assert bench.inventory_row(NEW)["variant"] == "PPMID"
    found = read(bench, version="5.4", device_id=BRIDGE).content(DspInventory).devices
    assert {each.ppmid_variant for each in found} == {None}
    assert b"PPMIDVariant" not in _octets(read(bench, version="5.4", device_id=BRIDGE))
    assert shown(bench, BRIDGE).ppmid_variant is PpmidVariant.ALT_HAN_BRIDGE_1
    octets = REQUEST_DOCUMENTS["12.2 bridge"].replace(b'"5.5"', b'"5.4"')
    assert bench.submit(octets).code == "E40"


@pytest.mark.requirement("MP170-P5")
def test_a_bridge_recorded_as_a_cad_gets_no_image() -> None:
    cad = replace(device(CAD, None, DeviceType.CAD, None), hub=HUB)
    bench = Bench(devices=[*estate(), cad])
    assert firmware(bench, Kind.BRIDGE1, CAD).code == "E110403"
    assert bench.request(bodies.ReadFirmwareVersion(), CAD, CommandVariant.TO_DEVICE).code == "E11"


@pytest.mark.requirement("MP170-P9")
def test_alt_han_co_is_no_user() -> None:
    bench = Bench()
    assert read(bench, user=STRANGER, device_id=BRIDGE).code == "E1"
    assert firmware_of_stranger(bench) == "E1"


def firmware_of_stranger(bench: Bench) -> str:
    made = image(Kind.BRIDGE1, 1, bench.parties)
    version = f"{made.header.file_version:08X}"
    body = bodies.UpdatePpmidFirmware(firmware_image=made.encode(), firmware_version=version, device_ids=(BRIDGE,))
    return bench.request(body, user=STRANGER).code
