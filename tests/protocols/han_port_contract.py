"""What every `HanPort` promises. A test module subclasses `HanPortContract` and gives it a bench."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from protocols.addresses import Eui64
from protocols.crypto.mmo import aes_mmo
from protocols.interfaces import (
    ActiveEndpoints,
    ApsData,
    Delivered,
    DeliveryStatus,
    DescribeEndpoint,
    Discovered,
    HanEvent,
    HanPort,
    Joined,
    Left,
    LinkKey,
    MatchDescriptor,
    Received,
    SimpleDescriptor,
)

PROFILE = 0x0109
HUB_ENDPOINT = SimpleDescriptor(0x7B, PROFILE, 0x0500, 0, (0x000A,), (0x0704,))
DEVICE_ENDPOINTS = (
    SimpleDescriptor(3, PROFILE, 0x0506, 0, (0x0704, 0x0000), (0x0019, 0x000A)),
    SimpleDescriptor(9, 0x0104, 0x0000, 1, (0x0000,), ()),
)
STRANGER = Eui64(0x0102_0304_0506_0708)


@dataclass
class PortBench:
    """A hub's port under test and one device that wants to join it."""

    hub: HanPort
    hub_eui: Eui64
    device: HanPort
    device_eui: Eui64
    key: LinkKey  # of the device's install code
    knock: Callable[[], None]  # the device begins to join, and goes on until it has
    run: Callable[[float], None]  # let so many seconds pass
    hub_events: list[HanEvent] = field(default_factory=list)
    device_events: list[HanEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hub.attach(self.hub_events.append)
        self.device.attach(self.device_events.append)
        self.hub.register([HUB_ENDPOINT])
        self.device.register(DEVICE_ENDPOINTS)

    def join(self) -> None:
        self.hub.allow_join(self.device_eui, self.key, 120)
        self.knock()
        self.run(60)
        assert Joined(self.device_eui) in self.hub_events


def message(payload: bytes, *, to: int = 3, source: int = 0x7B, cluster: int = 0x0704) -> ApsData:
    return ApsData(PROFILE, cluster, source, to, payload)


class HanPortContract(ABC):
    """The suite. Requirement: one contract runs on every implementation."""

    @abstractmethod
    def make_bench(self) -> PortBench: ...

    @pytest.fixture
    def bench(self) -> PortBench:
        return self.make_bench()

    @pytest.fixture
    def joined(self, bench: PortBench) -> PortBench:
        bench.join()
        bench.hub_events.clear()
        bench.device_events.clear()
        return bench

    def test_limits_are_those_of_a_frame(self, bench: PortBench) -> None:
        limits = bench.hub.limits
        assert 60 <= limits.secured_octets < limits.plain_octets <= 82

    def test_nobody_joins_who_was_not_allowed(self, bench: PortBench) -> None:
        bench.knock()
        bench.run(60)
        assert bench.hub_events == []

    def test_nobody_joins_under_another_key(self, bench: PortBench) -> None:
        bench.hub.allow_join(bench.device_eui, LinkKey(bytes(16)), 120)
        bench.knock()
        bench.run(60)
        assert bench.hub_events == []

    def test_an_allowed_device_joins_and_is_reported_once(self, bench: PortBench) -> None:
        bench.join()
        bench.run(30)
        assert bench.hub_events == [Joined(bench.device_eui)]
        assert bench.device_events == [Joined(bench.hub_eui)]

    @pytest.mark.parametrize("secured", [True, False])
    @pytest.mark.parametrize("acknowledged", [True, False])
    def test_a_message_arrives_as_it_was_sent(self, joined: PortBench, secured: bool, acknowledged: bool) -> None:
        data = message(b"\x01\x05\x02")
        handle = joined.hub.send(joined.device_eui, data, secured=secured, acknowledged=acknowledged)
        assert joined.hub_events == []
        joined.run(5)
        assert joined.hub_events == [Delivered(handle, DeliveryStatus.OK)]
        (received,) = joined.device_events
        assert isinstance(received, Received)
        assert received[:3] == (joined.hub_eui, data, secured)
        assert 0 <= received.lqi <= 255

    def test_a_message_comes_back(self, joined: PortBench) -> None:
        data = message(b"\x09\x05\x01", to=0x7B, source=3)
        joined.device.send(joined.hub_eui, data, secured=True, acknowledged=True)
        joined.run(5)
        received = [event for event in joined.hub_events if isinstance(event, Received)]
        assert [event[:3] for event in received] == [(joined.device_eui, data, True)]

    def test_messages_of_any_length_up_to_1500_octets_arrive_whole(self, joined: PortBench) -> None:
        limits = joined.hub.limits
        lengths = [0, 1, limits.secured_octets]
        if limits.fragmentation:
            lengths += [limits.secured_octets + 1, 200, 1500]
        for length in lengths:
            data = message(bytes(number % 251 for number in range(length)))
            joined.hub.send(joined.device_eui, data, secured=True, acknowledged=True)
            joined.run(20)
        received = [event.aps.payload for event in joined.device_events if isinstance(event, Received)]
        assert [len(payload) for payload in received] == lengths
        assert all(payload == bytes(number % 251 for number in range(len(payload))) for payload in received)

    def test_handles_tell_messages_apart(self, joined: PortBench) -> None:
        handles = [
            joined.hub.send(joined.device_eui, message(bytes((n,))), secured=True, acknowledged=True) for n in range(10)
        ]
        joined.run(20)
        assert len(set(handles)) == 10
        done = [event for event in joined.hub_events if isinstance(event, Delivered)]
        assert sorted(event.handle for event in done) == sorted(handles)
        assert [event.aps.payload[0] for event in joined.device_events if isinstance(event, Received)] == list(
            range(10)
        )

    def test_a_stranger_cannot_be_reached(self, joined: PortBench) -> None:
        handle = joined.hub.send(STRANGER, message(b"x"), secured=False, acknowledged=True)
        joined.run(30)
        assert joined.hub_events == [Delivered(handle, DeliveryStatus.NO_ROUTE)]

    def test_discovery(self, joined: PortBench) -> None:
        queries = (MatchDescriptor(PROFILE, (0x0704,)), MatchDescriptor(PROFILE, (0x0702,)), ActiveEndpoints())
        asked = [joined.hub.discover(joined.device_eui, query) for query in queries]
        described = joined.hub.discover(joined.device_eui, DescribeEndpoint(3))
        joined.run(20)
        who = joined.device_eui
        assert sorted(event for event in joined.hub_events if isinstance(event, Discovered)) == [
            Discovered(asked[0], who, (3,), None, True),
            Discovered(asked[1], who, (), None, True),
            Discovered(asked[2], who, (3, 9), None, True),
            Discovered(described, who, (), DEVICE_ENDPOINTS[0], True),
        ]

    def test_a_removed_device_is_gone(self, joined: PortBench) -> None:
        joined.hub.remove(joined.device_eui)
        joined.run(10)
        assert joined.hub_events == [Left(joined.device_eui)]
        assert joined.device_events == [Left(joined.device_eui)]

    def test_a_removed_device_may_be_readmitted_once_and_a_stranger_never(self, joined: PortBench) -> None:
        joined.hub.remove(joined.device_eui)
        joined.run(5)
        hashed = (joined.device_eui, aes_mmo(joined.key))
        assert hashed not in joined.hub.export_trust().hashed_link_keys
        assert not joined.hub.readmit(STRANGER, 10)
        assert [joined.hub.readmit(joined.device_eui, 10) for _ in range(2)] == [True, False]
        assert hashed in joined.hub.export_trust().hashed_link_keys

    def test_the_trust_backup_holds_hashes_and_not_keys(self, joined: PortBench) -> None:
        backup = joined.hub.export_trust()
        assert backup.hashed_link_keys == ((joined.device_eui, aes_mmo(joined.key)),)

    def test_an_installed_link_key_replaces_the_one_of_the_install_code(self, joined: PortBench) -> None:
        new = LinkKey(bytes(range(16)))
        joined.hub.install_link_key(joined.device_eui, new)
        joined.device.install_link_key(joined.hub_eui, new)
        handle = joined.hub.send(joined.device_eui, message(b"new key"), secured=True, acknowledged=True)
        joined.run(5)
        assert joined.hub_events == [Delivered(handle, DeliveryStatus.OK)]
        assert [event.secured for event in joined.device_events if isinstance(event, Received)] == [True]
