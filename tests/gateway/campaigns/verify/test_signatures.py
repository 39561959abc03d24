"""X-5: the XML signatures of a run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from protocols.addresses import Eui64
from tests.support.honest_story import Story
from tests.support.planting import failures, told
from tests.support.requirements import EVIDENCE
from tests.support.told_run import ACB, OPERATOR, SUPPLIER, Posted
from tests.support.xmldsig import unsigned, with_placeholder

REQUEST, ANSWER = "11.4 ppmid", "11.4 ppmid answer"


def flipped(octets: bytes) -> bytes:
    """Return a document with one octet altered that the schema does not mind: a digit of the RequestID's counter."""
    at = octets.index(b"</sr:RequestID>") - 1
    return octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :]


def item(story: Story, label: str) -> Posted:
    return story.run.sent[label] if label == REQUEST else story.run.mail[label]


@pytest.mark.requirement("X-5", planted=EVIDENCE)
@pytest.mark.parametrize("label", [REQUEST, ANSWER])
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (flipped, "invalid: element DigestValue: the document is not the one that was signed"),
        (unsigned, "absent: no signature"),
        (lambda octets: with_placeholder(unsigned(octets)), "placeholder: "),
        (lambda octets: octets.replace(b"#ecdsa-sha256", b"#ecdsa-sha1"), "SignatureMethod: Algorithm"),
    ],
)
def test_a_document_that_does_not_verify_is_found(
    label: str, spoil: Callable[[bytes], bytes], reason: str, tmp_path: Path
) -> None:
    story = told()
    item(story, label).spoil = spoil
    found = failures(story, tmp_path)["X-5"]
    assert f"{'requests' if label == REQUEST else 'mailboxes'}/supplier/" in found
    assert reason in found


@pytest.mark.requirement("X-5", planted=EVIDENCE)
@pytest.mark.parametrize(("label", "signer"), [(REQUEST, OPERATOR), (REQUEST, ACB), (ANSWER, SUPPLIER)])
def test_a_document_signed_by_another_is_found(label: str, signer: Eui64, tmp_path: Path) -> None:
    story = told()
    item(story, label).signer = signer
    assert "the key is that of" in failures(story, tmp_path)["X-5"]


@pytest.mark.requirement("X-5", planted=EVIDENCE)
@pytest.mark.parametrize("owner", [ACB, SUPPLIER])
def test_without_its_certificate_nothing_verifies(owner: Eui64, tmp_path: Path) -> None:
    story = told()
    story.run.without = (f"certificates/{owner}-xml.pem",)
    assert "no XML signing certificate" in failures(story, tmp_path)["X-5"]


@pytest.mark.requirement("X-5", planted=EVIDENCE)
@pytest.mark.parametrize("said", ["absent", "invalid"])
def test_a_summary_that_says_otherwise_is_found(said: str, tmp_path: Path) -> None:
    story = told()
    story.run.xml_signature = said
    assert f"the summary says {said}" in failures(story, tmp_path)["X-5"]
