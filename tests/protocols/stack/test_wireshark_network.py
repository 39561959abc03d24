"""One network that does all of it, judged by Wireshark: nothing undecrypted or malformed, every command there."""

from pathlib import Path

import pytest

from protocols.addresses import Eui64, ShortAddress
from protocols.interfaces import SECOND
from protocols.stack.settings import NodeRole, StackSettings
from protocols.zcl.clusters import tunneling
from protocols.zdp import management
from protocols.zdp import messages as zdp
from tests.support.han import Han
from tests.support.tshark import faults, fields

SETTINGS = StackSettings(
    link_status_period=60 * SECOND,
    link_status_most=60 * SECOND,
    concentrator_period=60 * SECOND,
    issue_link_keys=True,
    exchange_link_key=True,
)
QUESTIONS: list[zdp.ZdpMessage] = [
    management.ManagementLqiRequest(0),
    management.ManagementRoutingRequest(0),
    management.ManagementBindRequest(0),
    management.ManagementNwkUpdateRequest(0x07FFF800, 1),
    management.SystemServerDiscoveryRequest(1),
    zdp.NwkAddressRequest(Eui64(9)),
]


def tunnelled(message: bytes) -> bytes:
    """Return a ZCL frame of the Tunneling cluster that carries `message` to the server."""
    return tunneling.encode(tunneling.TransferData(1, message), 1, from_server=False)


def live(folder: Path) -> tuple[Path, str]:
    """Let a network live through everything; return its capture and keys."""
    han = Han(5, SETTINGS)
    hub, left, right = han.hub(), han.add("left", NodeRole.ROUTER), han.add("right", NodeRole.ROUTER)
    child, sleeper = han.add("child", NodeRole.END_DEVICE), han.add("sleeper", NodeRole.SLEEPY_END_DEVICE)
    for one, other in ((hub, left), (hub, right), (left, child), (right, child), (left, sleeper), (right, sleeper)):
        han.link(one, other)
    han.join("left", "right")
    han.join("child", "sleeper")
    for device in (left, child, sleeper):
        device.send(hub, tunnelled(b"recorded"))
    han.run(70)
    hub.send(child, tunnelled(bytes(300)))
    hub.node.query(left.eui, management.PowerDescriptorRequest(left.node.short), lambda answer: answer)
    row = management.Binding(left.eui, 1, 0x0704, hub.eui, 1)
    for message in (*QUESTIONS, management.BindRequest(row), management.UnbindRequest(row)):
        hub.node.query(left.eui, message, lambda answer: answer)
        han.run(4)
    left.node.request_partner_key(right.eui, lambda came: came)
    han.run(10)
    hub.node.power_off()  # the routers discover each other
    han.link(left, right)
    left.send(right, tunnelled(b"partner"))
    han.run(9)
    hub.node.power_on()
    han.run(20)
    left.node.power_off()  # its children find another parent, the hub another way
    child.send(hub, tunnelled(b"anybody"))
    han.run(90)
    left.node.power_on()
    han.run(60)
    hub.node.update_network_key()
    han.run(60)
    child.node.rejoin(without_key=True)
    right.node.take_address(ShortAddress(left.node.short))
    han.run(60)
    hub.node.query(child.eui, zdp.ManagementLeaveRequest(Eui64(0), rejoin=True), lambda answer: answer)
    han.run(60)
    hub.node.remove(sleeper.eui)
    hub.node.change_channel(20)
    han.run(60)
    return han.capture(folder)


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return live(tmp_path_factory.mktemp("network"))


@pytest.mark.judge("tshark")
def test_wireshark_finds_no_fault(captured: tuple[Path, str]) -> None:
    assert faults(*captured) == []
    assert len(fields(*captured, ("frame.number",))) > 1000


@pytest.mark.judge("tshark")
@pytest.mark.parametrize(
    ("what", "least"),
    [
        ("zbee_nwk.cmd.id == 0x01", 5),  # route request
        ("zbee_nwk.cmd.id == 0x02", 1),  # route reply
        ("zbee_nwk.cmd.id == 0x03", 2),  # network status
        ("zbee_nwk.cmd.id == 0x04", 3),  # leave
        ("zbee_nwk.cmd.id == 0x05", 3),  # route record
        ("zbee_nwk.cmd.id == 0x06", 3),  # rejoin request
        ("zbee_nwk.cmd.id == 0x07", 3),  # rejoin response
        ("zbee_nwk.cmd.id == 0x08", 10),  # link status
        ("zbee_nwk.cmd.id == 0x0b", 3),  # end device timeout request
        ("zbee_nwk.cmd.id == 0x0c", 3),
        ("zbee_nwk.src_route == 1", 3),
        ("wpan.cmd == 6", 1),  # orphan notification
        ("zbee_aps.cmd.id == 0x05 && zbee_aps.cmd.key", 8),  # Transport-Key
        ("zbee_aps.cmd.id == 0x06", 4),  # Update-Device
        ("zbee_aps.cmd.id == 0x07", 1),  # Remove-Device
        ("zbee_aps.cmd.id == 0x08", 4),  # Request-Key
        ("zbee_aps.cmd.id == 0x09", 1),  # Switch-Key
        ("zbee_aps.cmd.id == 0x0e", 1),  # Tunnel
        ("zbee_aps.cmd.id == 0x0f", 4),  # Verify-Key
        ("zbee_aps.cmd.id == 0x10", 4),  # Confirm-Key
        ("zbee_aps.zdp_cluster == 0x8003", 1),  # power descriptor
        ("zbee_aps.zdp_cluster == 0x8015", 0),  # system server discovery: a router is no server
        ("zbee_aps.zdp_cluster == 0x001f", 1),  # parent announcement
        ("zbee_aps.zdp_cluster == 0x8021", 1),  # bind
        ("zbee_aps.zdp_cluster == 0x8022", 1),
        ("zbee_aps.zdp_cluster == 0x8031", 1),  # Mgmt_Lqi
        ("zbee_aps.zdp_cluster == 0x8032", 1),  # Mgmt_Rtg
        ("zbee_aps.zdp_cluster == 0x8033", 1),  # Mgmt_Bind
        ("zbee_aps.zdp_cluster == 0x8034", 1),  # Mgmt_Leave
        ("zbee_aps.zdp_cluster == 0x8038", 1),  # Mgmt_NWK_Update
    ],
)
def test_wireshark_sees_the_command(captured: tuple[Path, str], what: str, least: int) -> None:
    seen = len(fields(*captured, ("frame.number",), display_filter=what))
    assert seen >= least
    assert least or not seen
