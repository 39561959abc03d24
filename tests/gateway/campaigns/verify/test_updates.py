"""SM7-R2, SM7-R3, MP170-R2, R2a, A4, C8, C9, C12, C13 and C16."""

from dataclasses import replace
from pathlib import Path

import pytest

from protocols.duis.alerts import (
    ActivateImageResultCode,
    DccAlert,
    PpmidAlert,
    PpmidFirmwareUpgradeAlert,
)
from protocols.duis.bodies import UpdatePpmidFirmware
from protocols.duis.requests import Request
from protocols.gbcs.use_cases import cs09
from protocols.interfaces import MINUTE, SECOND
from protocols.zcl.clusters import ota
from tests.support.honest_story import BRIDGE_1, BRIDGE_3, PPMID, Story
from tests.support.planting import change_dcc_alert, failures, message_of, ota_of, put_octets, put_ota, told
from tests.support.requirements import EVIDENCE


def _sign_by_another(story: Story, label: str) -> None:
    message = message_of(story.run, label)
    put_octets(story.run, label, story.run.signed(message, by=BRIDGE_1).encode())


@pytest.mark.requirement("SM7-R3", "MP170-C13", planted=EVIDENCE)
def test_an_alert_signed_with_another_key_is_found(tmp_path: Path) -> None:
    story = told()
    _sign_by_another(story, "ppmid 8F8B")
    found = failures(story, tmp_path)
    assert "8F8B 02000000" in found["SM7-R3"]
    assert "signature invalid" in found["SM7-R3"]
    assert "is not validly signed, yet" in found["MP170-C13"]
    assert "MP170-C16" not in found


@pytest.mark.requirement("MP170-C16", planted=EVIDENCE)
@pytest.mark.parametrize("field", [b"", b"\x00"], ids=["no signature field", "empty signature field"])
def test_an_alert_of_a_bridge_without_a_signature_is_found(tmp_path: Path, field: bytes) -> None:
    story = told()
    octets = message_of(story.run, "bridge-3 8F8B").encode()
    put_octets(story.run, "bridge-3 8F8B", octets[:-65] + field)
    found = failures(story, tmp_path)
    assert "8F8B without a signature" in found["MP170-C16"]
    assert "SM7-R3" not in found


@pytest.mark.requirement("MP170-C16", planted=EVIDENCE)
def test_an_alert_with_a_mac_in_place_of_the_signature_is_found(tmp_path: Path) -> None:
    story = told()
    bare = replace(message_of(story.run, "bridge-3 8F8B"), signature=b"")
    put_octets(story.run, "bridge-3 8F8B", story.run.with_mac(bare).encode())
    assert "8F8B without a signature" in failures(story, tmp_path)["MP170-C16"]


@pytest.mark.requirement("MP170-C16", "MP170-R2", "MP170-C13", planted=EVIDENCE)
def test_a_bridge_that_is_silent_about_its_update_is_found(tmp_path: Path) -> None:
    story = told()
    del story.run.air["bridge-3 8F8B"]
    found = failures(story, tmp_path)
    assert "sent no 8F8B" in found["MP170-C16"]
    assert "no valid 8F8B tells its activation" in found["MP170-R2"]
    assert "has no 8F8B" in found["MP170-C13"]


@pytest.mark.requirement("MP170-C16", planted=EVIDENCE)
def test_a_bridge_that_does_not_answer_cs08_is_found(tmp_path: Path) -> None:
    story = told()
    del story.run.air["bridge-1 CS08 response"]
    assert "did not answer CS08" in failures(story, tmp_path)["MP170-C16"]


@pytest.mark.requirement("MP170-C13", planted=EVIDENCE)
def test_an_alert_the_supplier_did_not_get_is_found(tmp_path: Path) -> None:
    story = told()
    del story.run.mail["bridge-1 N39"]
    assert "is no N39" in failures(story, tmp_path)["MP170-C13"]


@pytest.mark.parametrize(
    ("version", "result"),
    [
        ("03000000", ActivateImageResultCode.ACTIVATION_SUCCESS),
        ("02000000", ActivateImageResultCode.ACTIVATION_FAILURE),
    ],
)
def test_an_n39_that_tells_something_else_is_found(
    tmp_path: Path, version: str, result: ActivateImageResultCode
) -> None:
    story = told()

    def other(alert: DccAlert) -> DccAlert:
        assert isinstance(alert, PpmidAlert)
        return replace(alert, firmware_upgrade=PpmidFirmwareUpgradeAlert(firmware_version=version, result=result))

    change_dcc_alert(story.run, "ppmid N39", other)
    assert "MP170-C13" in failures(story, tmp_path)


@pytest.mark.requirement("SM7-R2", planted=EVIDENCE)
def test_a_ppmid_that_never_got_its_image_is_found(tmp_path: Path) -> None:
    story = told()
    for label in [label for label in story.run.air if label.startswith("ppmid ")]:
        del story.run.air[label]
    assert "never came over the air" in failures(story, tmp_path)["SM7-R2"]


@pytest.mark.requirement("SM7-R2", planted=EVIDENCE)
def test_a_failed_activation_is_found(tmp_path: Path) -> None:
    story = told()
    message = message_of(story.run, "ppmid 8F8B")
    failed = cs09.Alert(cs09.Alert.decode(message.payload).time, 0x02000000, cs09.ActivationCode.FAILED)
    put_octets(story.run, "ppmid 8F8B", story.run.signed(replace(message, payload=failed.encode())).encode())
    assert "no valid 8F8B tells its activation" in failures(story, tmp_path)["SM7-R2"]


@pytest.mark.requirement("MP170-R2a", planted=EVIDENCE)
def test_one_request_for_two_bridges_is_found(tmp_path: Path) -> None:
    story = told()
    request = story.run.sent["11.4 bridge-1"].document
    assert isinstance(request, Request)
    assert isinstance(request.body, UpdatePpmidFirmware)
    body = replace(request.body, device_ids=(BRIDGE_1, BRIDGE_3))
    story.run.sent["11.4 bridge-1"].document = replace(request, body=body)
    assert "names 2 bridges" in failures(story, tmp_path)["MP170-R2a"]


@pytest.mark.requirement("MP170-C12", planted=EVIDENCE)
def test_a_second_update_that_is_carried_is_found(tmp_path: Path) -> None:
    story = told()
    request = story.run.sent["11.4 again"]
    assert isinstance(request.document, Request)
    name = str(request.document.request_id)
    story.run.note(request.time, "csp", "firmware-service", request=name, device=str(BRIDGE_1), type="PPMID")
    assert "csp got it" in failures(story, tmp_path)["MP170-C12"]


@pytest.mark.requirement("MP170-C12", planted=EVIDENCE)
def test_a_block_after_the_end_of_the_first_update_is_found(tmp_path: Path) -> None:
    story = told()
    late = story.run.mail["bridge-1 N39"].time + 5 * MINUTE
    story.run.sent["11.4 again"].time = story.run.mail["11.4 again answer"].time = late
    assert "no earlier 11.4 for it was open" in failures(story, tmp_path)["MP170-C12"]


@pytest.mark.requirement("MP170-C8", planted=EVIDENCE)
def test_an_11_4_that_names_a_variant_is_found(tmp_path: Path) -> None:
    """It is no 11.4 of any schema, and so none was accepted."""
    story = told()
    variant = b"<sr:PPMIDVariant>AltHAN Bridge 1</sr:PPMIDVariant></sr:UpdatePPMIDFirmware>"
    for sent in story.run.sent.values():
        if isinstance(sent.document, Request) and isinstance(sent.document.body, UpdatePpmidFirmware):
            sent.spoil = lambda octets: octets.replace(b"</sr:UpdatePPMIDFirmware>", variant)
    found = failures(story, tmp_path)
    assert "no 11.4 for a bridge was accepted" in found["MP170-C8"]
    assert "PPMIDVariant" in found["X-5"]


@pytest.mark.requirement("MP170-C9", planted=EVIDENCE)
def test_a_bridge_under_another_type_at_the_csp_is_found(tmp_path: Path) -> None:
    story = told()
    service = next(e for e in story.run.timeline if e["event"] == "firmware-service" and e["device"] == str(BRIDGE_1))
    service["type"] = "BRIDGE"
    assert "is BRIDGE to the CSP" in failures(story, tmp_path)["MP170-C9"]


@pytest.mark.requirement("MP170-C9", planted=EVIDENCE)
def test_a_bridge_that_never_reached_the_csp_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.timeline = [e for e in story.run.timeline if e.get("device") != str(BRIDGE_1)]
    assert "never reached the CSP" in failures(story, tmp_path)["MP170-C9"]


@pytest.mark.requirement("MP170-A4", planted=EVIDENCE)
def test_a_bridge_told_to_wait_where_a_ppmid_is_not_is_found(tmp_path: Path) -> None:
    story = told()
    end = ota_of(story.run, "bridge-1 end response")
    assert isinstance(end, ota.UpgradeEndResponse)
    put_ota(story.run, "bridge-1 end response", end._replace(upgrade_time=end.current_time + 600))
    assert "upgrade times differ" in failures(story, tmp_path)["MP170-A4"]


@pytest.mark.requirement("MP170-A4", planted=EVIDENCE)
def test_an_image_discarded_in_silence_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.note(story.now, story.hub, "image-discarded", device=str(PPMID), version="02000000")
    assert "no N62 tells" in failures(story, tmp_path)["MP170-A4"]


@pytest.mark.requirement("MP170-R2", planted=EVIDENCE)
def test_an_alert_before_the_end_of_the_transfer_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.air["bridge-1 8F8B"].time = story.run.air["bridge-1 query"].time - SECOND
    assert "8F8B before the transfer ended" in failures(story, tmp_path)["MP170-R2"]


@pytest.mark.requirement("MP170-C13", planted=EVIDENCE)
def test_a_record_that_calls_a_forged_alert_valid_is_found(tmp_path: Path) -> None:
    story = told()
    _sign_by_another(story, "ppmid 8F8B")
    del story.run.mail["ppmid N39"]
    assert "its signature is not valid" in failures(story, tmp_path)["MP170-C13"]


@pytest.mark.requirement("MP170-C13", planted=EVIDENCE)
def test_an_alert_without_a_record_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.rows["alerts"] = [kept for kept in story.run.rows["alerts"] if kept["originator"] != str(PPMID)]
    assert "the store has no record, its signature is valid" in failures(story, tmp_path)["MP170-C13"]


@pytest.mark.requirement("SM7-R3", planted=EVIDENCE)
def test_updates_of_bridges_alone_do_not_show_the_ppmid(tmp_path: Path) -> None:
    story = told()
    del story.run.air["ppmid 8F8B"]
    assert "no PPMID sent an 8F8B" in failures(story, tmp_path)["SM7-R3"]
