"""`Node` keeps the contract of `HanPort`, whatever the device is and wherever it stands."""

from protocols.stack.settings import NodeRole
from tests.protocols.han_port_contract import HanPortContract, PortBench
from tests.support.han import Han, Member


def bench_of(han: Han, device: Member) -> PortBench:
    hub = han.members["hub"]
    return PortBench(
        hub.node,
        hub.eui,
        device.node,
        device.eui,
        device.key,
        lambda: device.node.join(device.key, (11, 15)),
        han.run,
    )


class TestRouterInReach(HanPortContract):
    def make_bench(self) -> PortBench:
        han = Han()
        hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
        han.link(hub, device)
        return bench_of(han, device)


class TestSleepyDeviceOnALossyLink(HanPortContract):
    def make_bench(self) -> PortBench:
        han = Han(11)
        hub, device = han.hub(), han.add("device", NodeRole.SLEEPY_END_DEVICE)
        han.link(hub, device, loss=0.1)
        return bench_of(han, device)


class TestEndDeviceBehindABridge(HanPortContract):
    def make_bench(self) -> PortBench:
        han = Han()
        hub, bridge = han.hub(), han.add("bridge", NodeRole.ROUTER, "han", "backhaul")
        far = han.add("far", NodeRole.ROUTER, "far side", "backhaul")
        device = han.add("device", NodeRole.END_DEVICE, "far side")
        for a, b in ((hub, bridge), (bridge, far), (far, device)):
            han.link(a, b)
        # The bridges are there already: their keys came otherwise than by this port.
        han.join("bridge", "far")
        return bench_of(han, device)

    def test_the_trust_backup_holds_hashes_and_not_keys(self, joined: PortBench) -> None:
        backup = joined.hub.export_trust()
        assert [eui for eui, _ in backup.hashed_link_keys] == sorted(eui for eui, _ in backup.hashed_link_keys)
        assert len(backup.hashed_link_keys) == 3
        assert joined.key not in [hashed for _, hashed in backup.hashed_link_keys]
