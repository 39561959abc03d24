"""The check of phases fails when its defect is planted into the evidence of an honest life on three phases."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.campaigns.verify.evidence import Evidence, gather
from gateway.campaigns.verify.gbcs_view import Verdict
from gateway.campaigns.verify.life_phases import check_phases, planned
from gateway.campaigns.verify.messages import NETWORK_OPERATOR
from protocols.duis.responses import DeviceAlertMessage
from protocols.gbcs.use_cases import ecs80
from protocols.interfaces import MINUTE
from tests.support.lived import lived
from tests.support.lived import planned as replanned
from tests.support.lived import verdict as lived_verdict


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return gather(lived(tmp_path_factory, "home-3", "1d") / "run")


def verdict(evidence: Evidence) -> tuple[bool, str]:
    return lived_verdict(check_phases, evidence)


def cuts(evidence: Evidence) -> list[Any]:
    found = evidence.files.summary["plan"]["phase_cuts"]
    assert isinstance(found, list)
    return found


@pytest.mark.requirement("X-2")
def test_an_honest_life_tells_all_six_codes_of_phases(honest: Evidence) -> None:
    passed, said = verdict(honest)
    assert passed, said
    codes = {wanted.code for wanted in planned(honest).wanted}
    assert codes == set(range(0x8F35, 0x8F3D))


def test_a_phase_that_nobody_told_is_found(honest: Evidence) -> None:
    (when, _, _) = cuts(honest)[0]
    passed, said = verdict(replanned(honest, phase_cuts=[*cuts(honest), [when + 45 * MINUTE, MINUTE, [3]]]))
    assert not passed
    assert "phase 3 off for 60 s" in said


def test_a_phase_that_was_not_cut_is_found(honest: Evidence) -> None:
    passed, said = verdict(replanned(honest, phase_cuts=cuts(honest)[1:]))
    assert not passed
    assert "8F39 of" in said
    assert "tells what was not" in said


def test_a_phase_told_as_another_is_found(honest: Evidence) -> None:
    (when, length, _), *rest = cuts(honest)
    passed, said = verdict(replanned(honest, phase_cuts=[[when, length, [3]], *rest]))
    assert not passed
    assert "no 8F3B" in said


def test_a_code_that_does_not_fit_the_length_is_found(honest: Evidence) -> None:
    (when, length, phases), *rest = cuts(honest)
    passed, said = verdict(replanned(honest, phase_cuts=[[when, length + 1_000_000_000, phases], *rest]))
    assert not passed
    assert "no 8F3A" in said


@pytest.mark.parametrize(("hub_phase", "says"), [(2, "no AD1 of"), (None, "an AD1, and the hub had its phase")])
def test_a_hub_on_another_phase_is_found(honest: Evidence, hub_phase: int | None, says: str) -> None:
    passed, said = verdict(replanned(honest, hub_phase=hub_phase))
    assert not passed
    assert says in said


@pytest.mark.parametrize("code", [0x8F38, 0x8F39])
def test_an_alert_that_the_operator_did_not_get_is_found(honest: Evidence, code: int) -> None:
    mail = tuple(
        each for each in honest.users.mail
        if not (isinstance(each.response.body, DeviceAlertMessage) and each.response.body.alert_code == code)
        or each.user != NETWORK_OPERATOR
    )  # fmt: skip
    passed, said = verdict(replace(honest, users=honest.users._replace(mail=mail)))
    assert not passed
    assert f"{code:04X} never reached the network operator" in said


def test_an_alert_without_a_valid_signature_is_found(honest: Evidence) -> None:
    carried = list(honest.air.carried)
    place = next(at for at, each in enumerate(carried) if each.upward and each.code == ecs80.MESSAGE_CODE)
    judged = carried[place].judged
    assert judged is not None
    carried[place] = carried[place]._replace(judged=judged._replace(signature=Verdict.INVALID))
    passed, said = verdict(replace(honest, air=honest.air._replace(carried=tuple(carried))))
    assert not passed
    assert "without a valid signature" in said
