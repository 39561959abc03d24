"""Idle homes: every report arrives, decrypted, in order; what a joined node stores; what a fleet does not forgive."""

import pytest

from emulator.fleet.on_air import report
from emulator.fleet.on_air.fleet import Fleet
from emulator.fleet.on_air.membership import Member, Membership
from protocols.addresses import Eui64
from protocols.interfaces import MINUTE, ApsData, LinkKey
from protocols.stack.settings import NodeRole
from tests.support.han import FrameLog, Han


def test_each_device_is_heard_once_a_minute() -> None:
    fleet = Fleet(4, 5, seed=3)
    fleet.run(30 * MINUTE)
    tally = fleet.tally()
    assert tally.reports == tally.sent == 4 * 5 * 30
    assert (tally.torn, tally.refused) == (0, 0)
    for home in fleet.homes:
        assert [reading.summation for reading in home.hub.readings.values()] == [30] * 5


def test_a_seed_gives_one_course_and_another_seed_another() -> None:
    def course(seed: int) -> list[tuple[str, int, bytes]]:
        log = FrameLog()
        fleet = Fleet(2, 3, seed=seed, capture=log)
        fleet.run(5 * MINUTE)
        assert fleet.tally().reports == 2 * 3 * 5
        return log.frames

    assert course(1) == course(1)
    assert course(1) != course(2)


def test_a_report_under_another_key_is_refused() -> None:
    fleet = Fleet(1, 2)
    meter = fleet.homes[0].meters[0]
    meter.node.install_link_key(fleet.homes[0].membership.hub, LinkKey(b"another key here"))
    fleet.run(3 * MINUTE)
    tally = fleet.tally()
    assert (tally.sent, tally.reports) == (6, 3)
    assert tally.refused >= 3
    assert fleet.homes[0].hub.readings[meter.node.eui].reports == 0


def test_a_report_that_skips_a_unit_is_told() -> None:
    fleet = Fleet(1, 1)
    fleet.run(MINUTE)
    home = fleet.homes[0]
    data = ApsData(0x0109, 0x0702, 1, 1, report.encode(9, 7))
    home.meters[0].node.send(home.membership.hub, data, secured=True, acknowledged=False)
    fleet.run(MINUTE // 10)
    assert fleet.tally().torn == 1


@pytest.mark.parametrize("cell", ["network", "peer"])
def test_the_storage_it_begins_with_is_that_of_a_real_join(cell: str) -> None:
    """SM7-R1: a home that joined frame by frame and agreed on a link key holds the same cells."""
    han, key = Han(), LinkKey(bytes(range(16)))
    hub, device = han.hub(), han.add("device", NodeRole.END_DEVICE)
    han.link(hub, device)
    han.join("device")
    hub.node.install_link_key(device.eui, key)
    device.node.install_link_key(hub.eui, key)
    running = device.node._running
    assert running is not None
    network = running.state.network
    assert network is not None
    member = Member(device.eui, network.short, key)
    laid_out = Membership(hub.eui, network.pan_id, network.channel, network.key, (member,))
    at_hub, at_device = laid_out.hub_storage(), laid_out.device_storage(member)
    if cell == "network":
        assert at_hub.get("network") == hub.storage.get("network")
        assert at_device.get("network") == device.storage.get("network")
    else:
        assert at_hub.get(f"peer/{device.eui}") == hub.storage.get(f"peer/{device.eui}")
        assert at_device.get(f"peer/{hub.eui}") == device.storage.get(f"peer/{hub.eui}")


def test_homes_have_networks_of_their_own() -> None:
    homes = [Membership.of(number, 5, bytes) for number in range(300)]
    assert len({home.hub for home in homes}) == len({home.pan_id for home in homes}) == 300
    euis = [member.eui for home in homes for member in home.members]
    assert len(set(euis)) == 1500
    assert all(isinstance(eui, Eui64) for eui in euis)
