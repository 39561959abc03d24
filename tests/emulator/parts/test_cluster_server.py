"""Clusters that a device serves, asked over the air: attributes, reports, commands, and the link key they need."""

import pytest

from emulator.parts.cluster_server import ClusterServer
from emulator.parts.han_application import METERING
from protocols.addresses import BROADCAST_RX_ON
from protocols.errors import DecodeError, UsageError
from protocols.interfaces import MINUTE, SECOND, ApsData, Received
from protocols.zcl.frame import ZclFrame
from tests.support.cluster_home import CONFIGURE, ClusterHome
from tests.support.hub_side import HUB, HUB_ENDPOINT, SMART_ENERGY

BASIC, OTA, TUNNELING = 0x0000, 0x0019, 0x0704


@pytest.fixture
def home() -> ClusterHome:
    return ClusterHome()


def test_attributes_are_read_written_and_discovered(home: ClusterHome) -> None:
    assert home.say(METERING, "000102" + "0000" + "25" + "0a0000000000") == [("180104" + "00", True)]
    assert home.device.count == 10
    assert home.say(METERING, "000200" + "0000" + "0100") == [
        ("180201" + "000000" + "25" + "0a0000000000" + "010086", True)
    ]
    assert home.say(METERING, "00030c" + "0000" + "ff") == [("18030d" + "01" + "0000" + "25", True)]
    assert home.say(METERING, "000411" + "00" + "ff") == [("180412" + "01" + "05", True)]
    assert home.say(METERING, "000513" + "00" + "ff") == [("180514" + "01" + "06", True)]


def test_commands_are_carried_out_or_answered_with_the_reason(home: ClusterHome) -> None:
    assert home.say(METERING, "010105" + "03") == [("18010b" + "0500", True)]
    assert home.say(METERING, "110205" + "04") == []  # success, and nobody asked to hear of it
    assert home.device.count == 7
    assert home.say(METERING, "110305" + "0a") == [("18030b" + "0585", True)]
    assert home.say(METERING, "110405") == [("18040b" + "0580", True)]
    assert home.say(METERING, "110507") == [("18050b" + "0781", True)]
    assert home.say(METERING, "09060503") == []  # from a server to a client, which the device is not
    assert home.device.count == 7


def test_a_cluster_without_its_link_key_is_answered_failure_and_does_nothing(home: ClusterHome) -> None:
    """ZSE 5.4.6: under network security alone there is a Default Response FAILURE, itself under network security."""
    assert home.say(METERING, "000102" + "0000" + "25" + "0a0000000000", secured=False) == [("18010b" + "0201", False)]
    assert home.say(METERING, "010205" + "03", secured=False) == [("18020b" + "0501", False)]
    assert home.say(METERING, "000300" + "0000", secured=False) == [("18030b" + "0001", False)]
    assert home.say(TUNNELING, "010400" + "06ffff00dc05", secured=False) == [("18040b" + "0001", False)]
    assert home.say(OTA, "080500" + "0200", secured=False) == [("10050b" + "0001", False)]
    assert home.say(OTA, "090600" + "0064", secured=False) == [("10060b" + "0001", False)]  # a unicast Image Notify
    assert home.say(METERING, "00070b" + "0001", secured=False) == []  # a Default Response is never answered
    assert home.device.count == 0


def test_basic_needs_no_link_key_and_keeps_its_location(home: ClusterHome) -> None:
    assert home.say(BASIC, "000102" + "1000" + "42" + "04686f6d65", secured=False) == [("180104" + "00", False)]
    home.device.power_off()
    home.run(SECOND)
    home.device.power_on()
    home.run(MINUTE)
    assert home.say(BASIC, "000200" + "1000") == [("180201" + "100000" + "42" + "04686f6d65", True)]
    long = "000302" + "1000" + "42" + "11" + "61" * 17
    assert home.say(BASIC, long, secured=False) == [("180304" + "871000", False)]


def test_a_broadcast_is_answered_by_nobody_and_changes_no_protected_cluster(home: ClusterHome) -> None:
    home.heard.clear()
    for frame in ("010105" + "03", "010207", "000302" + "0000" + "25" + "0a0000000000"):
        home.node.broadcast(BROADCAST_RX_ON, ApsData(SMART_ENERGY, METERING, HUB_ENDPOINT, 1, bytes.fromhex(frame)))
        home.node.broadcast(BROADCAST_RX_ON, ApsData(SMART_ENERGY, BASIC, HUB_ENDPOINT, 1, bytes.fromhex("010107")))
        home.run(5 * SECOND)
    assert (home.answers(METERING), home.answers(BASIC), home.device.count) == ([], [], 0)


def test_reports_go_to_what_the_cluster_is_bound_to_on_change_and_in_time(home: ClusterHome) -> None:
    assert home.say(METERING, CONFIGURE) == [("180107" + "00", True)]
    home.run(2 * MINUTE)
    assert home.heard == [each for each in home.heard if each.aps.payload[2] != 0x0A]  # not bound
    home.bind()
    home.heard.clear()
    home.run(61 * SECOND)
    assert home.answers(METERING)[0][0][4:] == "0a" + "0000" + "25" + "000000000000"
    assert home.answers(METERING)[0][1]  # under the link key
    home.heard.clear()
    home.device.count = 2  # too small a change
    home.run(15 * SECOND)
    assert home.answers(METERING) == []
    home.device.count = 3
    home.run(6 * SECOND)  # it looks every 5 s
    assert [each[4:] for each, _ in home.answers(METERING)] == ["0a" + "0000" + "25" + "030000000000"]
    home.heard.clear()
    home.device.count = 9
    home.device.reporting.look()
    home.run(SECOND)
    assert home.answers(METERING) == []  # within 10 s of the one before
    home.run(10 * SECOND)
    assert len(home.answers(METERING)) == 1


def test_reporting_and_bindings_outlive_a_power_cut_and_end_when_told(home: ClusterHome) -> None:
    home.say(METERING, CONFIGURE)
    home.bind()
    home.device.power_off()
    home.run(MINUTE)
    home.device.power_on()
    home.heard.clear()
    home.run(3 * MINUTE)
    assert 2 <= len(home.answers(METERING)) <= 3
    assert ("180209" + "00" + CONFIGURE[6:], True) in home.say(METERING, "000208" + "00" + "0000")
    end = CONFIGURE.replace("3c00", "ffff")
    home.say(METERING, end)
    home.heard.clear()
    home.run(3 * MINUTE)
    assert home.answers(METERING) == []


def test_the_ota_client_shows_its_attributes(home: ClusterHome) -> None:
    running = home.device.firmware_version.to_bytes(4, "little").hex()
    assert home.say(OTA, "080100" + "0200" + "0600" + "0000") == [
        ("100101" + "020000" + "23" + running + "060000" + "30" + "00" + "000000" + "f0" + HUB.wire.hex(), True)
    ]
    assert home.say(OTA, "080202" + "0200" + "23" + "00000000") == [("100204" + "880200", True)]
    ((found, _),) = home.say(OTA, "08030c" + "0000" + "ff")
    assert found[:8] == "10030d" + "01"
    assert len(found) == 8 + 13 * 6


def test_a_cluster_that_no_endpoint_lists_cannot_be_served(home: ClusterHome) -> None:
    with pytest.raises(UsageError, match="0x0700"):
        home.device.application.serve(ClusterServer(0x0700, {}))


def test_a_command_that_stops_early_is_malformed() -> None:
    def broken(frame: ZclFrame, event: Received) -> int:
        raise DecodeError("too short")

    server = ClusterServer(METERING, {}, commands={0: broken})
    event = Received(HUB, ApsData(SMART_ENERGY, METERING, 1, 1, b""), True, 0)
    assert server.answer(ZclFrame(0x01, 7, 0, b""), event, 0) == bytes.fromhex("18070b0080")
