"""The public request templates are accepted or refused for the right reason; the public parser reads what we write."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.dsp.records import Product
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.errors import DuisError
from protocols.duis.inventory import DeviceStatus
from protocols.duis.requests import OTHER_SERVICES, SERVICE_OF, CommandVariant, parse_request
from protocols.ota.image import Kind
from tests.support.dsp_bench import ESME, GPF, HUB, Bench, entry
from tests.support.duis_documents import REQUEST_DOCUMENTS, RESPONSE_DOCUMENTS
from tests.support.npm import installed
from tests.support.parties import NETWORK_OPERATOR, SUPPLIER

CLIENT = Path(__file__).parent / "duis"
OURS = frozenset(SERVICE_OF.values())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(CLIENT, tmp_path_factory.mktemp("duis") / "client")


@pytest.fixture(scope="module")
def templates(client: Path) -> dict[str, bytes]:
    """Return the templates by name."""
    folder = client / "node_modules/@smartdcc/duis-templates/templates"
    return {path.stem: path.read_bytes() for path in sorted(folder.iterdir())}


def service_of(octets: bytes) -> str:
    found = re.search(rb"ServiceReferenceVariant>\s*([0-9.]+)", octets)
    assert found is not None
    return found[1].decode()


# --- templates -----------------------------------------------------------------------------------------------------


@pytest.mark.judge("duis")
@pytest.mark.requirement("X-5")
def test_every_template_is_read_or_told_as_not_offered(templates: dict[str, bytes]) -> None:
    assert len(templates) == 297
    read = set()
    for name, octets in templates.items():
        service = service_of(octets)
        if service in OURS:
            request = parse_request(octets)
            assert request.service == service
            assert parse_request(request.encode()) == request, name
            read.add(service)
        else:
            assert service in OTHER_SERVICES, name
            with pytest.raises(DuisError) as caught:
                parse_request(octets)
            assert caught.value.service == service, name
            assert caught.value.request_id is not None
    assert read == OURS


def user_of(octets: bytes) -> Eui64:
    """Return whose line a template comes on: that of the user it names, if it names one."""
    found = re.search(rb"RequestID>\s*([0-9A-F-]{23}):", octets)
    assert found is not None
    named = Eui64.parse(found[1].decode())
    return named if named in (SUPPLIER, NETWORK_OPERATOR) else SUPPLIER


# What an installed estate makes of a template of ours, and why; everything not listed here is I99.
EXPECTED = {
    "11.1_UPDATE_FIRMWARE_REQUEST_DUIS": "E110101",  # its version is not that of its header
    "11.4_UPDATE_PPMID_FIRMWARE_REQUEST_DUIS": "E110401",
    "12.2_DEVICE_PRE_NOTIFICATION_REQUEST_DUIS": "E120201",  # a device of the estate
    "8.13_RETURN_LOCAL_COMMAND_RESPONSE_CS06_REQUEST_DUIS": "E46",  # no command waits for it
    "8.14.1_COMMUNICATIONS_HUB_STATUS_UPDATE_INSTALL_SUCCESS_REQUEST_DUIS": "W081401",  # metering point unknown
    "8.14.2_COMMUNICATIONS_HUB_STATUS_UPDATE_INSTALL_NO_SM_WAN_REQUEST_DUIS": "W081401",
    "8.2_READ_INVENTORY_REQUEST_DUIS": "I0",
    "8.4_UPDATE_INVENTORY_REQUEST_DUIS": "E080407",  # not Pending
    "CCS01_8.11_SUCCESS_REQUEST_DUIS": "E081102",  # not Pending
    "CCS03_8.12.1_SUCCESS_REQUEST_DUIS": "E19",  # old hub unknown
    "CS02bACBByACB_8.5_SUCCESS_REQUEST_DUIS": "I99",
    "CS03A1_8.7.1_SUCCESS_REQUEST_DUIS": "E080702",  # other device unknown
    "CS03A2Critical_8.7.1_SUCCESS_REQUEST_DUIS": "E080702",
    "CS03CCritical_8.7.1_SUCCESS_REQUEST_DUIS": "E080702",
    "CS03A2NonCritical_8.7.2_SUCCESS_REQUEST_DUIS": "E080721",
    "CS03B_8.7.2_SUCCESS_REQUEST_DUIS": "E080721",
    "CS03CNonCritical_8.7.2_SUCCESS_REQUEST_DUIS": "E080721",
    "CS04ACCritical_8.8.1_SUCCESS_REQUEST_DUIS": "E080801",
    "CS04ACNonCritical_8.8.2_SUCCESS_REQUEST_DUIS": "E080821",
    "CS04B_8.8.2_SUCCESS_REQUEST_DUIS": "E080821",
    "CS06_11.3_CANCELLATION_SUCCESS_REQUEST_DUIS": "I0",
    "CS06_11.3_FUTURE_DATED_SUCCESS_REQUEST_DUIS": "E43",  # in 2030, years ahead
    "CS06_11.3_IMMEDIATE_SUCCESS_REQUEST_DUIS": "I0",
    "CS08_11.2_SUCCESS_REQUEST_DUIS": "E1",  # in the name of the DSP itself
    "ECS70Commission_8.1.1_SUCCESS_REQUEST_DUIS": "E5",  # Commissioned already
    "GCS28Commission_8.1.1_SUCCESS_REQUEST_DUIS": "E5",
    "ECS17b_4.1.1_REQUEST_DUIS": "I0",  # local delivery
    **dict.fromkeys(  # of another device than an ESME, or of its auxiliary switches
        (
            "CS10a_6.13_SUCCESS_REQUEST_DUIS",
            "CS10b_6.13_SUCCESS_REQUEST_DUIS",
            "ECS35c_6.13_SUCCESS_REQUEST_DUIS",
            "ECS35d_6.13_SUCCESS_REQUEST_DUIS",
            "ECS35f_6.13_SUCCESS_REQUEST_DUIS",
            "ECS35g_6.13_SUCCESS_REQUEST_DUIS",
            "GCS18_4.10_SUCCESS_REQUEST_DUIS",
        ),
        "E45",
    ),
}


@pytest.mark.judge("duis")
@pytest.mark.requirement("X-5", "MP105-R11")
def test_every_template_gets_the_answer_it_should(templates: dict[str, bytes]) -> None:
    """Templates bear placeholder signatures, so the lab's switch is on; each goes to an estate of its own."""
    answers = {}
    for name, octets in templates.items():
        bench = Bench(settings=DspSettings(accept_unsigned=True))
        answers[name] = bench.submit(octets, user_of(octets)).code
    ours = {name for name, octets in templates.items() if service_of(octets) in OURS}
    wanted = {name: EXPECTED.get(name, "I99") if name in ours else "E45" for name in templates}
    assert answers == wanted
    assert set(EXPECTED) <= set(templates)


@pytest.mark.judge("duis")
def test_without_the_switch_a_placeholder_signature_is_refused(templates: dict[str, bytes]) -> None:
    assert Bench().submit(templates["8.2_READ_INVENTORY_REQUEST_DUIS"]).code == "E41"


# --- the parser ----------------------------------------------------------------------------------------------------


def read_by_parser(client: Path, documents: dict[str, bytes], folder: Path) -> dict[str, dict[str, object]]:
    folder.mkdir()
    for name, octets in documents.items():
        (folder / name.replace("/", "_")).write_bytes(octets)
    command = ["node", str(client / "read.js"), str(folder)]
    run = subprocess.run(command, cwd=client, capture_output=True, text=True, timeout=120, check=True)
    return {line["name"]: line for line in map(json.loads, run.stdout.splitlines())}


@pytest.mark.judge("duis")
@pytest.mark.requirement("X-5")
def test_the_public_parser_reads_every_kind_of_document(client: Path, tmp_path: Path) -> None:
    documents = REQUEST_DOCUMENTS | {f"response {name}": octets for name, octets in RESPONSE_DOCUMENTS.items()}
    for name, line in read_by_parser(client, documents, tmp_path / "kinds").items():
        assert "error" not in line, (name, line)
        assert line["type"] == ("response" if name.startswith("response ") else "request")


def entry_removed(bench: Bench) -> Product:
    return replace(entry(Kind.ESME, 0, bench.parties), status="Removed")


def emitted(bench: Bench) -> Iterator[tuple[str, bytes]]:
    """Let a DSP say much, and give what it signed and sent."""
    commission = bodies.UpdateDeviceStatusCh(DeviceStatus.WITHDRAWN)
    outcomes = [
        bench.outage(),
        bench.request(bodies.ReadInstantaneousImportRegisters(), GPF, CommandVariant.LOCAL),
        bench.request(bodies.ReadInventory(device_id=ESME)),
        bench.request(bodies.ReadInventory(device_id=Eui64(1))),
        bench.transform(),
        bench.activate(),
        bench.run(bench.dsp.update_products([entry_removed(bench)], bench.now)),
        bench.request(bodies.UpdateInventory(device_id=HUB, change=commission)),
        bench.request(bodies.DecommissionDevice(device_id=ESME)),
    ]
    for number, outcome in enumerate(outcomes):
        for effect in outcome.turn.effects:
            octets = getattr(effect, "octets", None)
            if octets is not None and b"<sr:" in octets:
                yield f"{number} {type(effect).__name__} {sha256(octets).hexdigest()[:8]}", octets


@pytest.mark.judge("duis")
@pytest.mark.requirement("X-5")
def test_the_public_parser_reads_what_a_dsp_sends(client: Path, tmp_path: Path) -> None:
    documents = dict(emitted(Bench()))
    lines = read_by_parser(client, documents, tmp_path / "sent")
    assert len(lines) >= 10
    assert not [line for line in lines.values() if "error" in line]
    assert {line["type"] for line in lines.values()} == {"response"}
    assert {"DCCAlertMessage", "ResponseMessage"} <= {key for line in lines.values() for key in line["body"]}  # type: ignore[attr-defined]
