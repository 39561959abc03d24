"""Products list and inventory as CSV, both ways, and errors that name line and column."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_images import product
from gateway.dsp.csv_files import PRODUCT_COLUMNS, read_devices, read_products, write_devices, write_products
from gateway.dsp.records import Product
from gateway.dsp.rows import Version
from protocols.duis.inventory import POLYPHASE, SINGLE_ELEMENT, TWIN_ELEMENT, DeviceStatus, DeviceType
from protocols.errors import InputError
from protocols.ota.image import Kind
from tests.support.dsp_bench import ESME, Bench, entry, estate
from tests.support.parties import Parties

BY_HAND = """device_type,manufacturer,model,hardware_version,firmware_version,smets_version,gbcs_version,status,hash
Single Element Electricity Metering Equipment,1A:0E,E0:01,01:00,01:00:00:01,SMETS V5.0,4.1,Current,{hash}

Prepayment Interface Device,1a0b,b101,01:00,0b100100,5.0,4.1,Removed,{hash}
""".format(hash=":".join(["AB"] * 32))


@pytest.mark.requirement("MP170-P10", "MP170-P11", "MP170-C20")
def test_a_list_written_by_hand_is_read() -> None:
    """A bridge is a prepayment interface device; there is no column for a variant, nor for a CPA certificate."""
    meter, bridge = read_products(BY_HAND)
    assert meter == Product(
        DeviceType.ESME, "1A0E", "E0010100", Version(0x01000001), "SMETS V5.0", "4.1", bytes([0xAB] * 32), "Current",
        SINGLE_ELEMENT,
    )  # fmt: skip
    assert (bridge.type, bridge.manufacturer, bridge.model, bridge.status) == (
        DeviceType.PPMID, "1A0B", "B1010100", "Removed",
    )  # fmt: skip


digits = st.text("0123456789ABCDEF", min_size=8, max_size=8)
texts = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
products = st.builds(
    Product, st.just(DeviceType.ESME), digits.map(lambda text: text[:4]), digits,
    st.integers(0, 2**32 - 1).map(Version), texts, texts, st.binary(min_size=32, max_size=32),
    st.sampled_from(["Current", "Removed"]), st.sampled_from([None, SINGLE_ELEMENT, TWIN_ELEMENT, POLYPHASE]),
)  # fmt: skip


@settings(max_examples=50, deadline=None, database=None)
@given(st.lists(products, unique_by=lambda each: (each.manufacturer, each.model, each.firmware_version), max_size=4))
def test_a_products_list_survives(listed: list[Product]) -> None:
    assert read_products(write_products(listed)) == listed


def test_the_shipped_products_survive() -> None:
    parties = Parties()
    kinds = (Kind.ESME, Kind.HCALCS, Kind.PPMID, Kind.BRIDGE1, Kind.GSME)
    listed = [entry(kind, n, parties) for kind in kinds for n in range(len(product(kind).versions))]
    assert read_products(write_products(listed)) == listed


@settings(max_examples=100, deadline=None, database=None)
@given(st.text(max_size=80) | st.text(max_size=60).map(lambda tail: BY_HAND + tail))
def test_noise_is_a_list_or_an_input_error(text: str) -> None:
    try:
        listed = read_products(text)
    except InputError:
        return
    assert read_products(write_products(listed)) == listed


def cell(column: str, text: str, line: int = 2) -> str:
    """Return the list written by hand with one cell otherwise."""
    lines = BY_HAND.splitlines()
    cells = lines[line - 1].split(",")
    cells[PRODUCT_COLUMNS.index(column)] = text
    lines[line - 1] = ",".join(cells)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (cell("device_type", "Toaster"), r"line 2, column device_type: 'Toaster' is none of Single Element"),
        (cell("manufacturer", "1A"), "line 2, column manufacturer: '1A' is not 2 octets in hexadecimal"),
        (cell("model", "XXXX", 4), "line 4, column model: 'XXXX' is not 2 octets"),
        (cell("firmware_version", ""), "line 2, column firmware_version: '' is not 4 octets"),
        (cell("status", "Expired"), "line 2, column status: 'Expired' is neither Current nor Removed"),
        (cell("hash", "AB"), "line 2, column hash: 'AB' is not 32 octets"),
        (cell("gbcs_version", ""), "line 2, column gbcs_version: 1 to 20 characters expected"),
        (BY_HAND.replace("status", "state", 1), "line 1: unknown column 'state'"),
        (BY_HAND.replace(",hash", "", 1), "line 1: no column 'hash'"),
        (BY_HAND.replace("gbcs_version", "smets_version", 1), "line 1: no column 'gbcs_version'"),
        (BY_HAND + "a,b\n", "line 5: 2 cells, 9 columns"),
        (BY_HAND + BY_HAND.splitlines()[1] + "\n", "line 5: the product of line 2 again"),
        (BY_HAND + '"', "line 5: unexpected end of data"),
        ("", "line 1: no column 'device_type'"),
    ],
)
def test_a_wrong_list_is_refused_by_line_and_column(text: str, told: str) -> None:
    with pytest.raises(InputError, match=f"cpl.csv {told}"):
        read_products(text, "cpl.csv")


def test_a_list_that_is_refused_leaves_the_one_in_force() -> None:
    bench = Bench()
    before = bench.store.dump()
    with pytest.raises(InputError):
        bench.dsp.update_products(read_products(cell("hash", "AB")), bench.now)
    assert bench.store.dump() == before


def test_a_list_that_is_read_takes_effect() -> None:
    bench = Bench()
    listed = write_products([replace(entry(Kind.ESME, 0, bench.parties), status="Removed")])
    bench.run(bench.dsp.update_products(read_products(listed), bench.now))
    assert bench.inventory_row(ESME)["status"] == "Suspended"


# --- inventory -----------------------------------------------------------------------------------------------------


def test_an_inventory_survives() -> None:
    assert read_devices(write_devices(estate())) == estate()
    one = read_devices("device,type,status,manufacturer,model\n00db1234567890a0,ESME,Commissioned,1A0E,E0010100\n")
    assert (one[0].device, one[0].status, one[0].hub) == (ESME, DeviceStatus.COMMISSIONED, None)


def test_what_a_dsp_has_can_be_laid_into_another() -> None:
    bench = Bench()
    other = Bench(devices=read_devices(write_devices(bench.dsp.inventory)))
    assert other.rows("inventory") == bench.rows("inventory")


HEAD = "device,type,status,manufacturer,model,added\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + "00db1234567890a0,TOASTER,,1A0E,E0010100,\n", "line 2, column type: 'TOASTER' is not a valid"),
        (HEAD + "00db,ESME,,1A0E,E0010100,\n", "line 2, column device: "),
        (HEAD + "00db1234567890a0,ESME,,,E0010100,\n", "line 2, column manufacturer is empty"),
        (HEAD + "00db1234567890a0,ESME,,1A0E,E0010100,soon\n", "line 2, column added: "),
        (HEAD + 2 * "00db1234567890a0,ESME,,1A0E,E0010100,1\n", "line 3: the row of line 2 again"),
        ("type\nESME\n", "line 1: no column 'device'"),
        ("device,colour\n", "line 1: unknown column 'colour'"),
    ],
)
def test_a_wrong_inventory_is_refused_by_line_and_column(text: str, told: str) -> None:
    with pytest.raises(InputError, match=f"smi.csv {told}"):
        read_devices(text, "smi.csv")
