"""What a node answers when others ask by ZDP, as host stacks do after a device has joined."""

from protocols.addresses import BROADCAST_ROUTERS, BROADCAST_RX_ON, Eui64, ShortAddress
from protocols.aps.frame import ApsHeader, DeliveryMode
from protocols.interfaces import ApsData, DeliveryStatus
from protocols.nwk.frame import FrameType
from protocols.stack.settings import NodeRole
from protocols.zdp import management
from protocols.zdp import messages as zdp
from tests.support.han import ENDPOINT, FAR, PROFILE, Han, Member, home_with_bridges
from tests.support.nwk_frames import nwk_frames

OK = zdp.ZdpStatus.SUCCESS


def ask(han: Han, who: Member, to: Member, message: zdp.ZdpMessage, within: float = 10) -> zdp.ZdpMessage | None:
    """Return the answer; fails the test if no verdict came in time."""
    answers: list[zdp.ZdpMessage | None] = []
    who.node.query(to.eui, message, answers.append)
    han.run(within)
    assert len(answers) == 1
    return answers[0]


def home() -> tuple[Han, Member, Member, Member]:
    han = home_with_bridges()
    han.join(*FAR)
    han.run(40)
    return han, han.members["hub"], han.members["b1"], han.members["gsme"]


def test_descriptors() -> None:
    han, hub, b1, gsme = home()
    node = ask(han, hub, b1, zdp.NodeDescriptorRequest(b1.node.short))
    assert isinstance(node, zdp.NodeDescriptorResponse)
    assert node.descriptor is not None
    assert (node.descriptor.logical_type, node.descriptor.server_mask) == (1, 22 << 9)
    own = ask(han, b1, hub, zdp.NodeDescriptorRequest(ShortAddress(0)))
    assert isinstance(own, zdp.NodeDescriptorResponse)
    assert own.descriptor is not None
    assert (own.descriptor.logical_type, own.descriptor.server_mask) == (0, 22 << 9 | 0x41)
    powers = [ask(han, hub, each, management.PowerDescriptorRequest(each.node.short)) for each in (b1, gsme)]
    assert powers == [
        management.PowerDescriptorResponse(OK, b1.node.short, 0xC110),
        management.PowerDescriptorResponse(OK, gsme.node.short, 0xC440),
    ]
    simple = ask(han, hub, gsme, zdp.SimpleDescriptorRequest(gsme.node.short, 1))
    assert simple == zdp.SimpleDescriptorResponse(OK, gsme.node.short, ENDPOINT)
    assert ask(han, hub, gsme, zdp.ActiveEndpointsRequest(gsme.node.short)) == zdp.ActiveEndpointsResponse(
        OK, gsme.node.short, (1,)
    )


def test_requests_about_others_and_of_no_kind_are_refused() -> None:
    han, hub, b1, gsme = home()
    stranger = ShortAddress(0x1234)
    refused = ask(han, hub, b1, zdp.NodeDescriptorRequest(stranger))
    assert refused == zdp.NodeDescriptorResponse(zdp.ZdpStatus.DEVICE_NOT_FOUND, stranger, None)
    refused = ask(han, hub, gsme, zdp.ActiveEndpointsRequest(stranger))
    assert refused == zdp.ActiveEndpointsResponse(zdp.ZdpStatus.INVALID_REQUEST_TYPE, stranger, ())
    refused = ask(han, hub, b1, zdp.SimpleDescriptorRequest(b1.node.short, 0))
    assert refused == zdp.SimpleDescriptorResponse(zdp.ZdpStatus.INVALID_ENDPOINT, b1.node.short, None)
    before = b1.node.statistics.refused
    hub.node.send(b1.eui, ApsData(0, 0x0010, 0, 0, b"\x07\0\0"), secured=False, acknowledged=True)
    han.run(5)
    assert b1.node.statistics.refused == before


def test_addresses_are_told_for_oneself_with_children_and_for_sleeping_children() -> None:
    han, hub, b1, gsme = home()
    b4 = han.members["b4"]
    answer = ask(han, hub, b4, zdp.IeeeAddressRequest(b4.node.short, 1))
    assert answer == zdp.IeeeAddressResponse(OK, b4.eui, b4.node.short, (gsme.node.short,), 0)
    assert ask(han, hub, b4, zdp.IeeeAddressRequest(gsme.node.short)) == zdp.IeeeAddressResponse(
        OK, gsme.eui, gsme.node.short
    )
    assert ask(han, hub, b1, zdp.NwkAddressRequest(b1.eui)) == zdp.NwkAddressResponse(OK, b1.eui, b1.node.short)
    missing = ask(han, hub, b1, zdp.NwkAddressRequest(Eui64(5)))
    assert missing == zdp.NwkAddressResponse(zdp.ZdpStatus.DEVICE_NOT_FOUND, Eui64(5), ShortAddress(0xFFFF))


def test_a_node_that_knows_no_address_of_another_asks_all_for_it() -> None:
    han, _, _, gsme = home()
    ihd = han.members["ihd"]
    first = gsme.send(ihd, b"x", secured=False)
    han.run(15)
    second = gsme.send(ihd, b"x", secured=False)
    han.run(30)
    assert (gsme.outcome(first), gsme.outcome(second)) == (DeliveryStatus.NO_ROUTE, DeliveryStatus.OK)
    assert ihd.messages == [b"x"]


def test_the_neighbour_table_is_told_in_pages() -> None:
    han, hub, b1, _ = home()
    first = ask(han, hub, b1, management.ManagementLqiRequest(0))
    rest = ask(han, hub, b1, management.ManagementLqiRequest(3))
    assert isinstance(first, management.ManagementLqiResponse)
    assert isinstance(rest, management.ManagementLqiResponse)
    rows = [row for row in (*first.rows, *rest.rows) if isinstance(row, management.NeighbourRow)]
    names = {member.eui: name for name, member in han.members.items()}
    told = {names[row.eui]: (row.device_type, row.relationship, row.depth) for row in rows}
    assert told == {"hub": (0, 0, 1), "esme": (1, 2, 1), "b2": (1, 1, 2), "b4": (1, 1, 2)}
    assert (first.total, len(first.rows), rest.start) == (4, 3, 3)
    assert all(row.lqi > 0 and row.extended_pan_id == hub.eui for row in rows)


def test_the_routing_table_is_told() -> None:
    han, hub, b1, gsme = home()
    hub.send(gsme, b"x")
    han.run(10)
    answer = ask(han, hub, b1, management.ManagementRoutingRequest(0))
    assert isinstance(answer, management.ManagementRoutingResponse)
    b4 = han.members["b4"].node.short
    assert management.RoutingRow(gsme.node.short, 0, b4) in answer.rows
    refused = ask(han, hub, gsme, management.ManagementRoutingRequest(0))
    assert refused == management.ManagementRoutingResponse(zdp.ZdpStatus.NOT_SUPPORTED)


def test_bindings_are_kept_over_a_power_cut() -> None:
    han, hub, b1, _ = home()
    row = management.Binding(b1.eui, 1, 0x0704, hub.eui, 1)
    group = management.Binding(b1.eui, 1, 0x0704, None, 0x0102)
    other = row._replace(source=hub.eui)
    answers = [ask(han, hub, b1, management.BindRequest(each), 2) for each in (row, group, row, other)]
    assert answers == [management.BindResponse(OK)] * 3 + [management.BindResponse(zdp.ZdpStatus.NOT_SUPPORTED)]
    b1.node.power_off()
    han.run(5)
    b1.node.power_on()
    han.run(30)
    assert b1.node.bound(1, 0x0704) == [row, group]
    table = ask(han, hub, b1, management.ManagementBindRequest(0))
    assert table == management.ManagementBindResponse(OK, 2, 0, (row, group))
    answers = [ask(han, hub, b1, management.UnbindRequest(row), 2) for _ in range(2)]
    assert answers == [management.UnbindResponse(OK), management.UnbindResponse(zdp.ZdpStatus.NO_ENTRY)]
    assert b1.node.bound(1, 0x0704) == [group]


def test_an_energy_scan_takes_its_time_and_hears_what_is_on_the_air() -> None:
    han, hub, b1, _ = home()
    mask = 0x07FF_F800
    answers: list[zdp.ZdpMessage | None] = []
    hub.node.query(b1.eui, management.ManagementNwkUpdateRequest(mask, 2), answers.append)
    han.run(1)
    assert answers == []  # 16 channels of 5 superframes each
    han.run(5)
    (answer,) = answers
    assert isinstance(answer, management.ManagementNwkUpdateNotify)
    assert (answer.status, answer.channels, len(answer.energies)) == (OK, mask, 16)
    assert answer.transmissions > 10


def test_services_of_the_trust_centre_are_found() -> None:
    han, hub, b1, _ = home()
    found = ask(han, b1, hub, management.SystemServerDiscoveryRequest(0x0041))
    assert found == management.SystemServerDiscoveryResponse(OK, 0x0041)
    answers: list[zdp.ZdpMessage | None] = []
    hub.node.query(b1.eui, management.SystemServerDiscoveryRequest(0x0041), answers.append)
    han.run(60)
    assert answers == [None]


def test_a_match_descriptor_to_all_is_answered_by_those_only_that_match() -> None:
    han = Han()
    hub, a, b = han.hub(), han.add("a", NodeRole.ROUTER), han.add("b", NodeRole.END_DEVICE)
    for one, other in ((hub, a), (hub, b), (a, b)):
        han.link(one, other)
    han.join("a", "b")
    b.node.register([ENDPOINT._replace(profile=0x0104)])
    query = zdp.encode(zdp.MatchDescriptorRequest(BROADCAST_RX_ON, PROFILE, (0x0704,)), 200)
    sent = hub.node.statistics.received
    hub.node.broadcast(BROADCAST_RX_ON, ApsData(0, query[0], 0, 0, query[1]))
    han.run(5)
    assert hub.node.statistics.received == sent + 1


def test_a_permit_that_a_foreign_host_broadcasts_with_an_acknowledgement_request_counts() -> None:
    """zigbee-on-host sets that bit in its broadcasts; nobody acknowledges them."""
    han = home_with_bridges()
    han.join(*FAR)
    hub, b1 = han.members["hub"], han.members["b1"]
    han.run(900)  # the permit under which they joined is over
    parent = b1.node._on()._parent
    before = parent.beacon()
    assert before is not None
    assert not before.association_permit
    header = ApsHeader(0, 0, 0x0036, 0, 0, 99, ack_request=True, delivery_mode=DeliveryMode.BROADCAST)
    since = han.clock.now()
    hub.node._on().aps._nwk.broadcast(BROADCAST_ROUTERS, header.encode() + bytes((7, 60, 1)))
    han.run(3)
    after = parent.beacon()
    assert after is not None
    assert after.association_permit
    sent = {seen.header.destination for seen in nwk_frames(han, since) if seen.header.frame_type == FrameType.DATA}
    assert sent == {BROADCAST_ROUTERS}
