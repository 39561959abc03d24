"""The XML signatures of a whole run: judged by `xmlsec1`, recomputed by `hanlab verify`, told in the summary."""

import shutil
from pathlib import Path

import pytest

from gateway.assembly.lab import Lab
from gateway.assembly.parties import ACB, SUPPLIER
from protocols.duis.requests import parse_request
from protocols.gbcs.keystore import Keystore
from tests.support.demo_run import EXIT_FAILED, DemoRun, hanlab
from tests.support.xmldsig import unsigned, xmlsec_accepts


@pytest.mark.judge("xmlsec1")
def test_xmlsec_verifies_every_document_of_a_run(honest: DemoRun) -> None:
    """Requests by the certificate of their user, everything in the mailboxes by that of the DSP."""
    certificates = honest.folder / "certificates"
    requests, messages = (sorted((honest.folder / name).rglob("*.xml")) for name in ("requests", "mailboxes"))
    assert len(requests) >= 40
    assert len(messages) > len(requests)
    refused = [file for file in messages if not xmlsec_accepts(file, certificates / f"{ACB}-xml.pem")]
    for file in requests:
        user = parse_request(file.read_bytes()).request_id.originator
        if not xmlsec_accepts(file, certificates / f"{user}-xml.pem"):
            refused.append(file)
    assert refused == []
    assert not xmlsec_accepts(requests[0], certificates / f"{ACB}-xml.pem")


def test_the_summary_says_what_was_verified(honest: DemoRun) -> None:
    assert honest.summary["xml_signature"] == "valid"
    seen = [line["signature"] for line in honest.timeline if line["event"] == "request"]
    assert len(seen) >= 40
    assert set(seen) == {"valid"}


@pytest.mark.parametrize(
    ("pattern", "before"),
    [("requests/supplier/*.xml", b"</sr:CommandVariant>"), ("mailboxes/network-operator/*.xml", b"</sr:MPxN>"),
     ("mailboxes/supplier/*.xml", b"</sr:ResponseDateTime>")],
)  # fmt: skip
def test_one_octet_flipped_in_a_folder_is_found(pattern: str, before: bytes, honest: DemoRun, tmp_path: Path) -> None:
    shutil.copytree(honest.folder, tmp_path / "run")
    file = next(file for file in sorted((tmp_path / "run").glob(pattern)) if before in file.read_bytes())
    octets = file.read_bytes()
    at = octets.index(before) - 2 if before.endswith(b"DateTime>") else octets.index(before) - 1
    file.write_bytes(octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :])
    judged = hanlab("verify", tmp_path / "run")
    assert judged.returncode == EXIT_FAILED
    place = file.relative_to(tmp_path / "run").as_posix().rsplit("-", 1)[0]
    assert f"{place}: XML signature invalid: element DigestValue" in judged.stdout
    assert "X-5" in judged.stdout.splitlines()[-1]


def _summary_of(folder: Path, *spoilt: bool) -> str:
    """Let the supplier read the inventory once for each, spoilt or not; return what the summary says."""
    with Lab(folder) as lab:
        send = lab.world.supplier._send
        for spoil in spoilt:
            lab.world.supplier._send = (lambda octets: send(unsigned(octets))) if spoil else send
            code = lab.world.supplier.read_inventory(lab.world.homes[0].chf).code
            assert code == ("E41" if spoil else "I0")
    return str(DemoRun(folder, 0, "", "").summary["xml_signature"])


@pytest.mark.parametrize(
    ("spoilt", "said"), [((), "absent"), ((False,), "valid"), ((False, True), "absent"), ((True,), "absent")]
)
def test_the_summary_does_not_say_valid_unless_all_was(spoilt: tuple[bool, ...], said: str, tmp_path: Path) -> None:
    assert _summary_of(tmp_path / "run", *spoilt) == said


def test_a_run_leaves_certificates_and_the_organisations_keys(honest: DemoRun) -> None:
    certificates, keys = Keystore.load(honest.folder / "certificates"), Keystore.load(honest.folder / "keystore")
    for eui in (ACB, SUPPLIER):
        certificate, key = certificates.certificate(eui, "xml"), keys.private_key(eui, "xml")
        assert certificate is not None
        assert key is not None
        assert certificate.public_key.public_numbers() == key.public_key().public_numbers()
        assert certificates.private_key(eui, "xml") is None
