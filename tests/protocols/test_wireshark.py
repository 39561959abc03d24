"""Frames of each kind, built by hand and secured, as Wireshark reads them."""

from pathlib import Path

import pytest

from protocols.addresses import BROADCAST_ALL, BROADCAST_ROUTERS, Eui64, ShortAddress
from protocols.aps import commands as aps_commands
from protocols.aps.frame import ApsHeader, data_header
from protocols.aps.security import ApsSecurity, KeyId
from protocols.crypto.mmo import verify_key_hash
from protocols.interfaces import SimpleDescriptor
from protocols.mac import commands as mac_commands
from protocols.mac.beacon import Beacon
from protocols.mac.commands import Capability
from protocols.mac.frame import MacFrame
from protocols.nwk import commands as nwk_commands
from protocols.nwk.frame import NwkHeader, SourceRoute
from protocols.zcl import data_types, foundation
from protocols.zcl.clusters import basic, drlc, keep_alive, messaging, metering, ota, prepayment, price, time, tunneling
from protocols.zcl.command_set import Command, CommandSet
from protocols.zdp import messages as zdp
from tests.support import tshark
from tests.support.hand_built import (
    DEVICE,
    HUB,
    KEYS,
    LINK_KEY,
    PAN,
    ROUTER,
    ROUTER_LINK_KEY,
    SHORT,
    HandBuilt,
)

pytestmark = pytest.mark.judge("tshark")
IDENTITY = (0x121D, 0x0084, 0x01020304)
EUI_TEXT = "00:db:12:34:56:78:90:a2"


def _written(air: HandBuilt, folder: Path) -> Path:
    capture = folder / "capture.pcapng"
    capture.write_bytes(air.capture)
    return capture


def _joined() -> HandBuilt:
    """Return a network in which every EUI-64 has been seen."""
    air = HandBuilt()
    air.associate()
    air.announce()
    air.announce(ROUTER)
    cluster, payload = zdp.encode(zdp.NodeDescriptorRequest(SHORT[ROUTER]), 1)
    air.send(HUB, ROUTER, ApsHeader(0, 0, cluster, 0, 0, 1).encode() + payload)
    return air


def test_a_join_behind_a_router_is_read(tmp_path: Path) -> None:
    """Beacon, association, Update-Device, the network key in a tunnel, announcement: key transport is opened."""
    air = HandBuilt()
    request = mac_commands.BeaconRequest().encode()
    air.put(MacFrame(3, 1, 0xFFFF, BROADCAST_ALL, None, None, request).encode())
    beacon = Beacon(HUB, False, True, True, True, 1, 0)
    air.put(MacFrame(0, 2, None, None, PAN, SHORT[ROUTER], beacon.encode()).encode())
    air.associate()
    router_key = ApsSecurity(ROUTER_LINK_KEY)
    update = aps_commands.UpdateDevice(DEVICE, SHORT[DEVICE], aps_commands.UpdateStatus.UNSECURED_JOIN)
    air.aps_command(ROUTER, HUB, update, router_key)
    air.transport_network_key()
    air.announce()
    capture = _written(air, tmp_path)
    assert tshark.faults(capture, KEYS) == []
    beacons = tshark.fields(
        capture, KEYS, ["zbee_beacon.ext_panid", "zbee_beacon.depth", "wpan.assoc_permit"], display_filter="zbee_beacon"
    )
    assert beacons == [["00:db:12:34:56:78:90:a0", "1", "1"]]
    names = ["zbee_aps.cmd.id", "zbee_aps.cmd.device", "zbee_aps.cmd.key", "zbee_aps.cmd.dst"]
    commands = tshark.fields(capture, KEYS, names, display_filter="zbee_aps.cmd.id")
    key = bytes(range(0x40, 0x50)).hex()
    assert commands[0][:2] == ["0x06", EUI_TEXT]
    assert commands[1][0] == "0x0e,0x05"
    assert commands[1][2] == key
    assert commands[2] == ["0x05", "", key, EUI_TEXT]
    announced = tshark.fields(capture, KEYS, ["zbee_zdp.ext_addr"], display_filter="zbee_aps.zdp_cluster == 0x13")
    assert announced == [[EUI_TEXT]] * 2
    association = tshark.fields(capture, KEYS, ["wpan.asoc.addr"], display_filter="wpan.cmd == 2")
    assert association == [["0x2222"]]


OTA: list[ota.OtaCommand] = [
    ota.ImageNotify(100, *IDENTITY),
    ota.QueryNextImageRequest(*IDENTITY, 0x1111),
    ota.QueryNextImageResponse(0, *IDENTITY, 361),
    ota.QueryNextImageResponse(0x98),
    ota.ImageBlockRequest(*IDENTITY, 48, 48),
    ota.ImageBlockRequest(*IDENTITY, 48, 48, DEVICE, 500),
    ota.ImagePageRequest(*IDENTITY, 96, 48, 512, 100, DEVICE),
    ota.ImageBlockResponse(*IDENTITY, 48, bytes(range(48))),
    ota.ImageBlockWait(0, 60),
    ota.ImageBlockRefused(0x95),
    ota.UpgradeEndRequest(0x96, *IDENTITY),
    ota.UpgradeEndResponse(*IDENTITY, 0, ota.UPGRADE_WAIT),
]
OTA_SHOWN = "zbee_zcl_general.ota.cmd.srv_tx.id || zbee_zcl_general.ota.cmd.srv_rx.id"
TUNNEL_SHOWN = "zbee_zcl_se.tun.cmd.srv_tx.id || zbee_zcl_se.tun.cmd.srv_rx.id"
FROM_DEVICE = (ota.QueryNextImageRequest, ota.ImageBlockRequest, ota.ImagePageRequest, ota.UpgradeEndRequest)


def test_ota_commands_are_read_at_every_hop(tmp_path: Path) -> None:
    air, expected = _joined(), []
    for counter, command in enumerate(OTA):
        ends = (DEVICE, HUB) if isinstance(command, FROM_DEVICE) else (HUB, DEVICE)
        octets = ota.encode(command, counter)
        air.zcl(*ends, ota.CLUSTER, octets, counter, acknowledged=True)
        offset = getattr(command, "file_offset", "")
        version = getattr(command, "file_version", 0) or getattr(command, "new_file_version", 0) or 0
        expected += [[str(counter), str(offset), f"0x{version:08x}" if version else ""]] * 2
    capture = _written(air, tmp_path)
    assert tshark.faults(capture, KEYS) == []
    names = ["zbee_zcl.cmd.tsn", "zbee_zcl_general.ota.file.offset", "zbee_zcl_general.ota.file.version"]
    assert tshark.fields(capture, KEYS, names, display_filter=OTA_SHOWN) == expected
    data = tshark.fields(
        capture, KEYS, ["zbee_zcl_general.ota.image.data"], display_filter="zbee_zcl_general.ota.image.data"
    )
    assert [row[0].replace(":", "") for row in data] == [bytes(range(48)).hex()] * 2


def test_tunnel_and_its_fragments_are_read(tmp_path: Path) -> None:
    """A GBCS message of 300 octets, in fragments of 61, is put together to the same octets."""
    air, message = _joined(), bytes(index % 251 for index in range(300))
    sent: list[tuple[tunneling.TunnelingCommand, bool]] = [
        (tunneling.RequestTunnel(), False),
        (tunneling.RequestTunnelResponse(0x0102, 0), True),
        (tunneling.TransferDataError(0x0102, 0), True),
        (tunneling.CloseTunnel(0x0102), False),
        (tunneling.TunnelClosureNotification(0x0102), True),
    ]
    for counter, (command, from_server) in enumerate(sent):
        ends = (DEVICE, HUB) if from_server else (HUB, DEVICE)
        air.zcl(*ends, tunneling.CLUSTER, tunneling.encode(command, counter, from_server=from_server), counter)
    transfer = tunneling.encode(tunneling.TransferData(0x0102, message), 9, from_server=False)
    air.fragments(HUB, DEVICE, tunneling.CLUSTER, transfer, 50)
    capture = _written(air, tmp_path)
    assert tshark.faults(capture, KEYS) == []
    names = ["zbee_zcl_se.tun.protocol_id", "zbee_zcl_se.tun.tunnel_id", "data.data"]
    shown = tshark.fields(capture, KEYS, names, display_filter=TUNNEL_SHOWN)
    assert shown[0][:2] == ["0x06", ""]
    assert [row[1] for row in shown[2:-1]] == ["0x0102"] * (len(shown) - 3)
    lengths = tshark.fields(
        capture, KEYS, ["zbee_aps.reassembled.length"], display_filter="zbee_aps.reassembled.length"
    )
    assert lengths == [[str(len(transfer))]]
    assert shown[-1][1:] == ["0x0102", message.hex()]
    acknowledged = tshark.fields(
        capture,
        KEYS,
        ["zbee_aps.block", "zbee_aps.block_acks"],
        display_filter="zbee_aps.type == 2 && zbee_aps.block",
    )
    assert acknowledged == [[str(block), "0x01"] for block in range(5) for _ in range(2)]


def test_attributes_are_read(tmp_path: Path) -> None:
    air = _joined()
    reads = [
        (basic.CLUSTER, foundation.AttributeRead(basic.Attribute.PHYSICAL_ENVIRONMENT, 0, data_types.ENUM8, 1)),
        (
            basic.CLUSTER,
            foundation.AttributeRead(basic.Attribute.MODEL_IDENTIFIER, 0, data_types.CHARACTER_STRING, b"B1"),
        ),
        (time.CLUSTER, foundation.AttributeRead(time.Attribute.TIME, 0, data_types.UTC_TIME, 825_757_200)),
        (time.CLUSTER, foundation.AttributeRead(time.Attribute.TIME_STATUS, 0, data_types.BITMAP8, time.HUB_STATUS)),
        (keep_alive.CLUSTER, foundation.AttributeRead(0, 0, data_types.UINT8, 10)),
        (keep_alive.CLUSTER, foundation.AttributeRead(0x77, 0x86)),
    ]
    for counter, (cluster, record) in enumerate(reads):
        request = foundation.encode(foundation.ReadAttributes((record.attribute,)), counter, from_server=False)
        air.zcl(DEVICE, HUB, cluster, request, 2 * counter)
        answer = foundation.encode(foundation.ReadAttributesResponse((record,)), counter, from_server=True)
        air.zcl(HUB, DEVICE, cluster, answer, 2 * counter + 1)
    default = foundation.encode(foundation.DefaultResponse(3, 0x80), 99, from_server=True)
    air.zcl(HUB, DEVICE, ota.CLUSTER, default, 60)
    capture = _written(air, tmp_path)
    assert tshark.faults(capture, KEYS) == []
    statuses = tshark.fields(capture, KEYS, ["zbee_zcl.attr.status"], display_filter="zbee_zcl.cmd.id == 1")
    assert statuses == [["0x00"]] * 10 + [["0x86"]] * 2
    default_shown = tshark.fields(
        capture, KEYS, ["zbee_zcl.cmd.id.rsp", "zbee_zcl.attr.status"], display_filter="zbee_zcl.cmd.id == 0x0b"
    )
    assert [row[-1] for row in default_shown] == ["0x80"] * 2


ZDP: list[zdp.ZdpMessage] = [
    zdp.NwkAddressRequest(DEVICE),
    zdp.NwkAddressResponse(0, DEVICE, SHORT[DEVICE]),
    zdp.IeeeAddressRequest(SHORT[DEVICE]),
    zdp.IeeeAddressResponse(0, DEVICE, SHORT[DEVICE]),
    zdp.NodeDescriptorRequest(SHORT[DEVICE]),
    zdp.NodeDescriptorResponse(0, SHORT[DEVICE], zdp.NodeDescriptor(1, Capability(False, True, True, True), 0x121D)),
    zdp.SimpleDescriptorRequest(SHORT[DEVICE], 1),
    zdp.SimpleDescriptorResponse(
        0, SHORT[DEVICE], SimpleDescriptor(1, 0x0109, 0x0506, 1, (0x0000, 0x0704), (0x0019, 0x000A))
    ),
    zdp.ActiveEndpointsRequest(SHORT[DEVICE]),
    zdp.ActiveEndpointsResponse(0, SHORT[DEVICE], (1, 2)),
    zdp.MatchDescriptorRequest(SHORT[DEVICE], 0x0109, (0x0704,)),
    zdp.MatchDescriptorResponse(0, SHORT[DEVICE], (1,)),
    zdp.ManagementLeaveRequest(DEVICE),
    zdp.ManagementLeaveResponse(0),
    zdp.ManagementPermitJoiningRequest(180),
    zdp.ManagementPermitJoiningResponse(0),
]


def test_zdp_messages_are_read(tmp_path: Path) -> None:
    air = _joined()
    for counter, message in enumerate(ZDP):
        cluster, payload = zdp.encode(message, counter)
        ends = (DEVICE, HUB) if cluster & zdp.RESPONSE else (HUB, DEVICE)
        air.send(*ends, data_header(0, cluster, 0, 0, counter, security=False, ack_request=False) + payload)
    capture = _written(air, tmp_path)
    assert tshark.faults(capture, KEYS) == []
    shown = tshark.fields(
        capture, KEYS, ["zbee_aps.zdp_cluster", "zbee_zdp.seqno"], display_filter="zbee_zdp && zbee_aps.type == 0"
    )
    expected = [[f"0x{zdp.encode(m, 0)[0]:04x}", str(n)] for n, m in enumerate(ZDP) for _ in range(2)]
    assert shown[-len(expected) :] == expected
    clusters = tshark.fields(
        capture, KEYS, ["zbee_zdp.in_cluster", "zbee_zdp.out_cluster"], display_filter="zbee_aps.zdp_cluster == 0x8004"
    )
    assert clusters == [["0x0000,0x0704", "0x0019,0x000a"]] * 2


NWK: list[tuple[nwk_commands.NwkCommand, str]] = [
    (nwk_commands.RouteRequest(1, SHORT[DEVICE], 3, DEVICE, 1), "0x01"),
    (nwk_commands.RouteReply(1, SHORT[HUB], SHORT[DEVICE], 3, HUB, DEVICE), "0x02"),
    (nwk_commands.NetworkStatus(0x0B, SHORT[DEVICE]), "0x03"),
    (nwk_commands.Leave(rejoin=True, request=True), "0x04"),
    (nwk_commands.RouteRecord((SHORT[ROUTER],)), "0x05"),
    (nwk_commands.RejoinRequest(Capability(False, True)), "0x06"),
    (nwk_commands.RejoinResponse(SHORT[DEVICE], 0), "0x07"),
    (nwk_commands.LinkStatus((nwk_commands.LinkStatusEntry(SHORT[HUB], 1, 3),)), "0x08"),
    (nwk_commands.EndDeviceTimeoutRequest(8), "0x0b"),
    (nwk_commands.EndDeviceTimeoutResponse(0, 3), "0x0c"),
]


def test_nwk_commands_and_optional_fields_are_read(tmp_path: Path) -> None:
    air = _joined()
    header = NwkHeader(1, SHORT[ROUTER], SHORT[DEVICE], 1, 200, source_ieee=DEVICE, destination_ieee=ROUTER)
    for command, _ in NWK:
        air.hop(DEVICE, SHORT[ROUTER], header, command.encode())
    route = SourceRoute(1, (ShortAddress(0x3333), SHORT[ROUTER]))
    routed = NwkHeader(1, SHORT[DEVICE], SHORT[HUB], 30, 201, source_route=route)
    air.hop(HUB, SHORT[ROUTER], routed, nwk_commands.Leave(request=True).encode())
    capture = _written(air, tmp_path)
    assert tshark.faults(capture, KEYS) == []
    names = ["zbee_nwk.cmd.id", "zbee_nwk.src64", "zbee_nwk.relay.count"]
    shown = tshark.fields(capture, KEYS, names, display_filter="zbee_nwk.cmd.id")
    assert [row[0] for row in shown] == [code for _, code in NWK] + ["0x04"]
    assert all(row[1].startswith(EUI_TEXT) for row in shown[: len(NWK)])
    assert shown[-1][2] == "2"


APS: list[tuple[aps_commands.ApsCommand, KeyId | None, str]] = [
    (aps_commands.TransportTrustCentreLinkKey(LINK_KEY, DEVICE, HUB), KeyId.KEY_LOAD, "0x05"),
    (aps_commands.TransportApplicationLinkKey(LINK_KEY, ROUTER, True), KeyId.KEY_LOAD, "0x05"),
    (aps_commands.UpdateDevice(DEVICE, SHORT[DEVICE], 1), KeyId.LINK, "0x06"),
    (aps_commands.RemoveDevice(DEVICE), KeyId.LINK, "0x07"),
    (aps_commands.RequestKey(2, ROUTER), KeyId.LINK, "0x08"),
    (aps_commands.RequestKey(4), KeyId.LINK, "0x08"),
    (aps_commands.SwitchKey(1), None, "0x09"),
    (aps_commands.VerifyKey(4, DEVICE, verify_key_hash(LINK_KEY)), None, "0x0f"),
    (aps_commands.ConfirmKey(0, 4, DEVICE), KeyId.LINK, "0x10"),
]


def test_aps_commands_are_read_under_their_keys(tmp_path: Path) -> None:
    air = _joined()
    for command, key_id, _ in APS:
        security = None if key_id is None else air.link
        air.send(HUB, DEVICE, air.sealed_command(HUB, command, security, key_id or KeyId.LINK))
    capture = _written(air, tmp_path)
    assert tshark.faults(capture, KEYS) == []
    shown = tshark.fields(capture, KEYS, ["zbee_aps.cmd.id"], display_filter="zbee_aps.cmd.id")
    assert [row[0] for row in shown] == [code for _, _, code in APS for _ in range(2)]


def test_broadcast_image_notify_and_other_groups_are_read(tmp_path: Path) -> None:
    air = _joined()
    notify = ota.encode(ota.ImageNotify(100), 5)
    aps = ApsHeader(0, 0xFF, ota.CLUSTER, 0x0109, 1, 9, delivery_mode=2).encode() + notify
    air.hop(HUB, BROADCAST_ALL, NwkHeader(0, BROADCAST_ROUTERS, SHORT[HUB], 30, 250), aps)
    group = ApsHeader(0, 0x4321, ota.CLUSTER, 0x0109, 1, 10, delivery_mode=3).encode() + notify
    air.hop(HUB, BROADCAST_ALL, NwkHeader(0, BROADCAST_ROUTERS, SHORT[HUB], 30, 251), group)
    capture = _written(air, tmp_path)
    assert tshark.faults(capture, KEYS) == []
    shown = tshark.fields(
        capture, KEYS, ["zbee_aps.group", "zbee_zcl_general.ota.query_jitter"], display_filter=OTA_SHOWN
    )
    assert shown == [["", "100"], ["0x4321", "100"]]


def test_frame_under_an_unknown_key_is_a_fault(tmp_path: Path) -> None:
    """So that no faults means decrypted."""
    air = _joined()
    strange = ApsSecurity(bytes(16))
    numbers = air.zcl(DEVICE, HUB, ota.CLUSTER, ota.encode(OTA[0], 1), 1, key=strange)
    capture = _written(air, tmp_path)
    assert [fault[0] for fault in tshark.faults(capture, KEYS)] == [str(number) for number in numbers]
    assert Eui64.parse(EUI_TEXT) == DEVICE


SMART_ENERGY: list[tuple[int, CommandSet, Command, str, str]] = [  # cluster, set, command, a field, what it shows
    (0x0702, metering.COMMANDS, metering.GetProfile(0, 0, 12), "zbee_zcl_se.met.get_profile.number_of_periods", "12"),
    (
        0x0702,
        metering.COMMANDS,
        metering.GetProfileResponse(820_000_000, 0, metering.HALF_HOUR, (500, 1_200)),
        "zbee_zcl_se.met.get_profile_response.intervals",
        "500,1200",
    ),
    (0x0702, metering.COMMANDS, metering.RequestMirror(), "zbee_zcl_se.met.cmd.srv_tx.id", "0x01"),
    (
        0x0702,
        metering.COMMANDS,
        metering.RequestMirrorResponse(2),
        "zbee_zcl_se.met.request_mirror_rsp.endpoint_id",
        "2",
    ),
    (
        0x0702,
        metering.COMMANDS,
        metering.MirrorReportAttributeResponse(1, (0x0020_0001,)),
        "zbee_zcl_se.met.attr.func_noti_flag",
        "0x00200001",
    ),
    (0x0700, price.COMMANDS, price.GetCurrentPrice(), "zbee_zcl_se.price.command_options", "0x01"),
    (0x0700, price.COMMANDS, price.PriceAcknowledgement(7, 9, 820_000_000), "zbee_zcl_se.price.issuer_event_id", "9"),
    (
        0x0700,
        price.COMMANDS,
        price.PublishPrice(7, b"night", 9, 820_000_000, 0, price.GBP, 0x52, 0x22, 0, 420, 15_000),
        "zbee_zcl_se.price.price",
        "15000",
    ),
    (
        0x0700,
        price.COMMANDS,
        price.PublishTariffInformation(7, 9, 3, 820_000_000, 0, b"economy 7", 2, 0, 0, 826, 0x50, 55_000, 0xFF, 1, 1),
        "zbee_zcl_se.price.tariff_information.standing_charge",
        "55000",
    ),
    (
        0x0705,
        prepayment.COMMANDS,
        prepayment.SelectAvailableEmergencyCredit(820_000_000, 2),
        "zbee_zcl_se.pp.select_available_emc.originating_device",
        "0x02",
    ),
    (
        0x0705,
        prepayment.COMMANDS,
        prepayment.ConsumerTopUpResponse(0, 10_000, 2, -5),
        "zbee_zcl_se.pp.consumer_top_up_response.credit_remaining",
        "-5",
    ),
    (0x0703, messaging.COMMANDS, messaging.GetLastMessage(), "zbee_zcl_se.msg.cmd.srv_rx.id", "0x00"),
    (
        0x0703,
        messaging.COMMANDS,
        messaging.DisplayMessage(5, messaging.CONFIRMATION_REQUIRED, 0, 60, b"Hello"),
        "zbee_zcl_se.msg.message",
        "Hello",
    ),
    (0x0703, messaging.COMMANDS, messaging.MessageConfirmation(5, 820_000_000), "zbee_zcl_se.msg.message.id", "5"),
    (
        0x0701,
        drlc.COMMANDS,
        drlc.LoadControlEvent(9, drlc.WATER_HEATER, 0, 0, 420, 4, 100),
        "zbee_zcl_se.drlc.duty_cycle",
        "100",
    ),
    (
        0x0701,
        drlc.COMMANDS,
        drlc.ReportEventStatus(9, drlc.EventStatus.STARTED, 820_000_000, 4, 100),
        "zbee_zcl_se.drlc.report_event.event_status",
        "0x02",
    ),
]


def test_smart_energy_commands_are_read_to_their_last_field(tmp_path: Path) -> None:
    air = _joined()
    for counter, (cluster, commands, command, _, _) in enumerate(SMART_ENERGY):
        server = type(command) in commands.from_server.values()
        ends = (DEVICE, HUB) if server else (HUB, DEVICE)
        air.zcl(*ends, cluster, commands.encode(command, counter, from_server=server), counter, acknowledged=True)
    capture = _written(air, tmp_path)
    assert tshark.faults(capture, KEYS) == []
    for counter, (_, _, _, name, shown) in enumerate(SMART_ENERGY):
        found = tshark.fields(capture, KEYS, [name], display_filter=f"zbee_zcl.cmd.tsn == {counter} && {name}")
        assert [_plain(value) for (value,) in found] == [_plain(shown)] * 2, name


def _plain(text: str) -> list[int | str]:
    """Return numbers whatever base they are written in, other texts as they are."""
    return [int(part, 0) if part[:1].lstrip("-").isdigit() or part[:1] == "-" else part for part in text.split(",")]
