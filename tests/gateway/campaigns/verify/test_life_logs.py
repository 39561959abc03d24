"""What users read of a supply is held against the plan it was lived by; each defect is found."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.campaigns.verify.evidence import Evidence, gather
from gateway.campaigns.verify.life_logs import check_logs
from protocols.gbcs.use_cases import ecs23, ecs35
from protocols.interfaces import HOUR, MINUTE
from tests.support.lived import Line, altered, lived, planned, verdict


@pytest.fixture(scope="module", params=["home-3", "home-4"])
def honest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    length = {"home-3": "1d", "home-4": "2d"}[request.param]
    return gather(lived(tmp_path_factory, request.param, length) / "run")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return gather(lived(tmp_path_factory, "home-3", "1d") / "run")


def readdressed(evidence: Evidence, code: int, change: Callable[[bytes], bytes]) -> Evidence:
    """Change the payload of the last answer of a use case, on the air and in the mailbox alike."""
    carried = list(evidence.air.carried)
    place = max(at for at, each in enumerate(carried) if each.upward and each.code == code)
    judged = carried[place].judged
    assert judged is not None
    message = replace(judged.message, payload=change(judged.message.payload))
    carried[place] = carried[place]._replace(judged=judged._replace(message=message))
    return replace(evidence, air=evidence.air._replace(carried=tuple(carried)))


def test_an_honest_life_is_read_as_it_was(honest: Evidence) -> None:
    passed, said = verdict(check_logs, honest)
    assert passed, said
    assert said.count("answered as it was") >= 4


def test_a_loss_that_is_not_in_the_power_event_log_is_found(honest: Evidence) -> None:
    plan = honest.files.summary["plan"]
    passed, said = verdict(check_logs, planned(honest, cuts=[*plan["cuts"], [plan["begin"] + 30 * MINUTE, MINUTE]]))
    assert not passed
    assert "8F57" in said


def test_an_entry_that_never_happened_is_found(honest: Evidence) -> None:
    fits: Line = lambda e: e.name == "logged" and e.text("log") == "security" and e.actor.endswith("esme")  # noqa: E731
    passed, said = verdict(check_logs, altered(honest, fits, lambda _: None, 0))
    assert not passed
    assert "happened" in said


def test_a_phase_that_was_away_and_has_its_voltage_is_found(three: Evidence) -> None:
    plan = three.files.summary["plan"]
    (first, _, _), *_ = plan["phase_cuts"]
    passed, said = verdict(
        check_logs, planned(three, phase_cuts=[*plan["phase_cuts"], [first - HOUR, 25 * MINUTE, [1]]])
    )
    assert not passed
    assert "phase 1: 2" in said
    assert "V expected" in said


def test_a_voltage_of_another_time_is_found(three: Evidence) -> None:
    def later(payload: bytes) -> bytes:
        response = ecs23.Response.decode(payload)
        one, *others = response.phases
        assert one.averages
        moved = (*one.averages[:-1], replace(one.averages[-1], end=one.averages[-1].end + 99 * HOUR))
        return replace(response, phases=(replace(one, averages=moved), *others)).encode()

    passed, said = verdict(check_logs, readdressed(three, ecs23.THREE_PHASES_MESSAGE_CODE, later))
    assert not passed
    assert "which was not asked for" in said


def test_a_log_that_leaves_something_out_is_found(honest: Evidence) -> None:
    def shorter(payload: bytes) -> bytes:
        response = ecs35.Response.decode(payload)
        return replace(response, entries=response.entries[:-1]).encode()

    passed, said = verdict(check_logs, readdressed(honest, ecs35.POWER_MESSAGE_CODE, shorter))
    assert not passed
    assert "happened" in said


def test_an_answer_that_the_device_did_not_send_is_found(honest: Evidence) -> None:
    carried = tuple(each for each in honest.air.carried if each.code != ecs35.SECURITY_MESSAGE_CODE)
    passed, said = verdict(check_logs, replace(honest, air=honest.air._replace(carried=carried)))
    assert not passed
    assert "is not what the device sent" in said
