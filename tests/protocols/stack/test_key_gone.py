"""A message that waits for its acknowledgement when its link key is forgotten is not sent again in the clear."""

from protocols.interfaces import DeliveryStatus
from protocols.stack.settings import NodeRole
from tests.support.han import Han


def test_a_retry_without_its_key_goes_nowhere() -> None:
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    han.link(hub, device, loss=1.0)
    handle = device.send(hub, b"for the hub alone")
    han.run(1)
    state = device.node._on().state
    state.clear_key(state.peer(hub.eui))
    han.link(hub, device)
    han.run(10)
    assert device.outcome(handle) is DeliveryStatus.NO_KEY
    assert hub.messages == []
