"""What a home looks like on the air before anything is done with it: link budgets, and the tree that joining builds.

The tree is not guessed: all devices join over the air of a short virtual run, bridges first as an installer would.
"""

from collections.abc import Iterator
from typing import NamedTuple

from emulator.air.medium import Medium
from emulator.air.radio import SimulatedRadio
from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from emulator.home.builder import CCS01_TYPES, Home, HomeDevice, Surroundings
from emulator.home.description import HomeDescription
from emulator.home.siting import HUB
from emulator.parts.gbcs_entity import TrustAnchors
from gateway.assembly.parties import ACB, NETWORK_OPERATOR, SUPPLIER, Parties
from protocols.addresses import Eui64
from protocols.interfaces import MINUTE, SECOND

START = 1_772_442_000_000_000_000  # 2026-03-02T09:00:00Z
PATIENCE = 10 * MINUTE  # for one device to join
LONGEST_FRAME = 127  # octets, FCS included
HAN, BACKHAUL = "2.4 GHz", "backhaul"


class SurveyedNode(NamedTuple):
    name: str
    kind: str
    place: str
    eui: Eui64
    power: float  # dBm


class LinkBudget(NamedTuple):
    """One pair that hears each other. Of two directions the worse one."""

    one: str
    other: str
    band: str  # HAN or BACKHAUL
    rssi: int  # dBm
    lqi: int  # 0 to 255
    loss: float  # share of frames of 127 octets lost at one try


class Route(NamedTuple):
    """The way of a device to the hub: every node on it, the hub last; empty if it did not join."""

    device: str
    hops: tuple[str, ...]
    over_backhaul: bool  # the first hop


class Survey(NamedTuple):
    home: str
    channel: int
    backhaul_channel: int
    pan_id: int
    nodes: tuple[SurveyedNode, ...]
    links: tuple[LinkBudget, ...]
    routes: tuple[Route, ...]
    seconds: int  # virtual, until the tree stood


def survey(description: HomeDescription, *, seed: int = 1) -> Survey:
    """Build the home, let everybody join, and tell what came of it; InputError for more devices than a hub holds.

    A home for a foreign host is shown with a hub of ours in its place.
    """
    clock = VirtualClock(START)
    devices = [device.model_copy(update={"home_automation": False}) for device in description.devices]
    home = _built(description.model_copy(update={"trust": "install_code", "devices": devices}), clock, seed)
    began = clock.now()
    _join(home, clock)
    return Survey(
        description.name,
        description.channel,
        description.backhaul_channel,
        description.pan_id,
        tuple(_nodes(description)),
        (*_budgets(home.siting.radios, HAN), *_budgets(home.siting.backhauls, BACKHAUL)),
        tuple(_route(home, device) for device in home.devices),
        (clock.now() - began) // SECOND,
    )


class _Silent:
    """A recorder that keeps nothing."""

    def note(self, actor: str, event: str, **fields: "str | int | bool | None") -> None:
        """Keep nothing."""


def _built(description: HomeDescription, clock: VirtualClock, seed: int) -> Home:
    entropy = SeededEntropy(seed)
    parties = Parties(entropy, clock.now(), [description])
    own = parties.credentials
    around = Surroundings(
        clock=clock,
        entropy=entropy,
        medium=Medium(clock, entropy),
        recorder=_Silent(),
        key_log=None,
        credentials=own,
        meter_anchors=TrustAnchors.of(own(SUPPLIER), own(NETWORK_OPERATOR), own(ACB)),
        broker_anchors=TrustAnchors.of(own(ACB)),
    )
    return Home(description, around)


def _join(home: Home, clock: VirtualClock) -> None:
    home.start_hub()
    for device in sorted(home.devices, key=_turn):
        if not device.description.installed:
            type_code = CCS01_TYPES.get(device.description.kind, CCS01_TYPES["ppmid"])
            home.hub.preload([(device.eui, type_code, device.description.install_code)])
        home.switch_on(device)
        patience = clock.now() + PATIENCE
        while not device.device.node.joined and clock.now() < patience:
            clock.run_for(SECOND)
    clock.run_for(MINUTE)


def _turn(device: HomeDevice) -> int:
    """Return 0 for a bridge at the hub, 1 for one behind it, 2 for everything else."""
    if not device.description.is_bridge:
        return 2
    return 0 if device.description.partner is None else 1


def _nodes(description: HomeDescription) -> Iterator[SurveyedNode]:
    hub = description.hub
    yield SurveyedNode(HUB, HUB, hub.place, hub.gpf, hub.power)
    for device in description.devices:
        yield SurveyedNode(device.name, device.kind, device.place, device.eui, device.power)


def _budgets(radios: dict[str, SimulatedRadio], band: str) -> Iterator[LinkBudget]:
    names = list(radios)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            ways = [
                sender.links[receiver]
                for sender, receiver in ((radios[one], radios[other]), (radios[other], radios[one]))
                if receiver in sender.links
            ]
            loss = max((link.expected_loss(LONGEST_FRAME) for link in ways), default=1.0)
            if len(ways) == 2 and loss < 1.0:
                worse = max(ways, key=lambda link: (-link.rssi, link.loss))
                yield LinkBudget(one, other, band, worse.rssi, worse.lqi, loss)


def _route(home: Home, device: HomeDevice) -> Route:
    """Follow the parents from a device to the hub."""
    by_eui = {other.eui: other for other in home.devices}
    hops, at = list[str](), device
    while at.device.node.joined:
        parent = at.device.node.parent
        if parent is None or parent == home.gpf:
            over_backhaul = bool(hops) and device.description.partner == hops[0]
            return Route(device.name, (*hops, HUB), over_backhaul)
        if parent not in by_eui or by_eui[parent].name in hops:
            break
        at = by_eui[parent]
        hops.append(at.name)
    return Route(device.name, (), False)
