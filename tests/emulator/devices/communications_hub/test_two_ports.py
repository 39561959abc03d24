"""One hub on two HAN ports: the same home on two networks, say a dongle's and a simulated one."""

from emulator.clock import OffsetWallClock
from emulator.devices.communications_hub import CommunicationsHub
from emulator.storage import MemoryStorage
from protocols.crypto.install_code import link_key
from protocols.stack.node import Node
from protocols.stack.settings import NodeRole
from protocols.wan.envelope import GbcsCarried
from protocols.zcl.clusters.tunneling import RequestTunnelResponse
from tests.support.hub_bench import CHANNEL, GPF, PPMID_TYPE, DrivenDevice, HubBench, code_of, eui


def test_each_device_is_reached_over_the_port_it_joined_also_after_a_boot() -> None:
    bench = HubBench()
    second_radio = bench.medium.radio("second", "hub")
    second = Node(
        NodeRole.COORDINATOR, GPF, (second_radio,), bench.clock, MemoryStorage(), bench.entropy, name="hub-second"
    )
    second.form(0x2B73, CHANNEL)
    bench.hub = CommunicationsHub(
        "hub", (bench.node, second), bench.wan.hub, bench.clock, OffsetWallClock(bench.clock), bench.storage,
        bench.entropy, bench.notes, bench.chf, None, bench.dc_in,
    )  # fmt: skip
    bench.hub.start()
    for number in (1, 2):
        bench.add_to_log(eui(number), PPMID_TYPE)
    first = bench.driven(eui(1), RequestTunnelResponse(1, 0), RequestTunnelResponse(2, 0))
    radio = bench.medium.radio("second", "far")
    bench.medium.link(second_radio, radio)
    far = DrivenDevice(
        Node(NodeRole.ROUTER, eui(2), (radio,), bench.clock, MemoryStorage(), bench.entropy, name="far"),
        answers=[RequestTunnelResponse(1, 0), RequestTunnelResponse(2, 0)],
    )
    far.show()
    far.node.join(link_key(code_of(eui(2))), (CHANNEL,))
    bench.run_till(lambda: len(bench.notes.of("tunnel-open")) == 2)
    for turn in (b"before", b"after"):
        for number in (1, 2):
            bench.down(GbcsCarried(eui(number), turn + bytes((number,))))
        bench.run(30)
        bench.hub.power_off()
        bench.run(30)
        bench.hub.power_on()
        bench.run(60)
    assert first.data() == [b"before\x01", b"after\x01"]
    assert far.data() == [b"before\x02", b"after\x02"]
