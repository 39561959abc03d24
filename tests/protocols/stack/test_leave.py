"""Mgmt_Leave: a device answers its trust centre, then leaves."""

import pytest

from protocols.addresses import Eui64
from protocols.interfaces import Left
from protocols.stack.settings import NodeRole
from protocols.zdp.messages import ManagementLeaveRequest, ManagementLeaveResponse, ZdpMessage, ZdpStatus
from tests.support.han import Han, Member


def ask(asker: Member, device: Member, request: ManagementLeaveRequest) -> list[ZdpMessage | None]:
    answers: list[ZdpMessage | None] = []
    running = asker.node._running
    assert running is not None
    running.zdp.query(running.state.peer(device.eui), request, answers.append)
    return answers


@pytest.mark.parametrize("role", [NodeRole.ROUTER, NodeRole.END_DEVICE, NodeRole.SLEEPY_END_DEVICE])
def test_a_device_answers_and_leaves(role: NodeRole) -> None:
    han = Han()
    hub, device = han.hub(), han.add("device", role)
    han.link(hub, device)
    han.join("device")
    answers = ask(hub, device, ManagementLeaveRequest(Eui64(0)))
    han.run(30)
    assert answers == [ManagementLeaveResponse(ZdpStatus.SUCCESS)]
    assert Left(device.eui) in device.events
    assert not device.node.joined
