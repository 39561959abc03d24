"""X-2: alerts of devices."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.honest_story import ESME
from tests.support.planting import failures, message_of, put_alert_octets, put_octets, told
from tests.support.requirements import EVIDENCE


@pytest.mark.requirement("X-2", planted=EVIDENCE)
def test_an_alert_that_reached_nobody_is_found(tmp_path: Path) -> None:
    story = told()
    del story.run.mail["hcalcs receipt mail"]
    assert "is in no mailbox" in failures(story, tmp_path)["X-2"]


@pytest.mark.requirement("X-2", planted=EVIDENCE)
def test_an_alert_in_the_wrong_mailbox_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.mail["8F35 mail"].user = "supplier"
    assert "is in the mailbox of supplier" in failures(story, tmp_path)["X-2"]


@pytest.mark.requirement("X-2", planted=EVIDENCE)
def test_an_alert_no_device_sent_is_found(tmp_path: Path) -> None:
    story = told()
    del story.run.air["8F35"]
    assert "an alert no device sent" in failures(story, tmp_path)["X-2"]


@pytest.mark.requirement("X-2", planted=EVIDENCE)
def test_an_alert_changed_on_its_way_is_found(tmp_path: Path) -> None:
    story = told()
    message = message_of(story.run, "hcalcs receipt")
    put_alert_octets(story.run, "hcalcs receipt mail", replace(message, counter=message.counter + 1).encode())
    assert "an alert no device sent" in failures(story, tmp_path)["X-2"]


@pytest.mark.requirement("X-2", planted=EVIDENCE)
def test_an_alert_with_a_bad_signature_that_is_passed_on_is_found(tmp_path: Path) -> None:
    story = told()
    octets = message_of(story.run, "hcalcs receipt")
    forged = story.run.signed(octets, by=ESME).encode()
    put_octets(story.run, "hcalcs receipt", forged)
    put_alert_octets(story.run, "hcalcs receipt mail", forged)
    assert "is not validly signed, yet" in failures(story, tmp_path)["X-2"]


@pytest.mark.requirement("X-2", planted=EVIDENCE)
def test_an_alert_suppressed_with_the_outages_is_found(tmp_path: Path) -> None:
    story = told()
    del story.run.mail["8F66 mail"]
    assert "inside a window, reached nobody" in failures(story, tmp_path)["X-2"]
