"""A fleet, joined: clock, homes without radio, WAN, CSP, DSP, store, users and the output folder."""

import json
from collections.abc import Callable

from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from emulator.fleet.bridge import LeanBridge
from emulator.fleet.device import FIRST_ALERT_COUNTER, Around
from emulator.fleet.home import LeanFeed, LeanHome
from emulator.fleet.hub import LeanHub
from emulator.fleet.meter import LeanMeter
from emulator.parts.gbcs_entity import GbcsEntity
from emulator.parts.trust_anchors import TrustAnchors
from emulator.storage import MemoryStorage
from emulator.wan import wan_pair
from firmware_images import product
from gateway.assembly.fleet.estate import provision
from gateway.assembly.fleet.plan import FleetPlan, HomePlan, homes_of
from gateway.assembly.folder import PackedMessageLog, RunFolder, Timeline
from gateway.assembly.hosts import CspHost, DspHost
from gateway.assembly.images import Releases
from gateway.assembly.parties import ACB, NETWORK_OPERATOR, SUPPLIER, WAN_PROVIDER, Parties
from gateway.assembly.users import User, service_user
from gateway.assembly.world import START, USER_DELAY
from gateway.csp.machine import Csp
from gateway.csp.settings import CspSettings
from gateway.dsp.machine import Dsp
from gateway.store.store import Store
from gateway.users.network_operator import NetworkOperator
from gateway.users.supplier import Supplier
from gateway.users.user import UserRole
from protocols.addresses import Eui64
from protocols.interfaces import WanLink
from protocols.ota.image import Kind


class FleetWorld:
    """A fleet before, while and after its story is told."""

    def __init__(self, plan: FleetPlan, folder: RunFolder, *, seed: int) -> None:
        self.plan, self.folder, self.seed = plan, folder, seed
        self.clock, self.entropy = VirtualClock(START), SeededEntropy(seed)
        self.plans = homes_of(plan)
        entities = [eui for home in self.plans for eui in home.entities]
        self.parties = Parties(self.entropy, START, devices=entities)
        self.images = Releases(self.entropy, self.parties.credentials(SUPPLIER), self.parties.credentials(WAN_PROVIDER))
        self._open_files()
        own = self.parties.credentials
        self._meter_anchors = TrustAnchors.of(own(SUPPLIER), own(NETWORK_OPERATOR), own(ACB), root=self.parties.root)
        self._broker_anchors = TrustAnchors.of(own(ACB), root=self.parties.root)
        self._raise_gateway()
        self._around = Around(clock=self.clock, entropy=self.entropy, recorder=self.timeline)
        self._random = self.entropy.random("fleet wan")
        self._links: dict[Eui64, WanLink] = {}
        self.homes = [self._home(home) for home in self.plans]
        csp_host = CspHost(self.csp, self.clock, self.dsp_host.from_csp, self._links)
        self.dsp_host.to_csp = csp_host.from_dsp

    def close(self) -> None:
        """Complete the files: nothing more happens in this world."""
        self._timeline_file.close()
        self._wan_file.close()
        for log in self._logs:
            log.close()
        self.store.close()
        self.parties.write(self.folder.path / "certificates", self.folder.path / "keystore", devices=False)

    @property
    def meters(self) -> list[LeanMeter]:
        return [meter for home in self.homes for meter in home.meters]

    @property
    def bridges(self) -> list[LeanBridge]:
        return [bridge for home in self.homes for bridge in home.bridges]

    def step(self, what: str) -> None:
        """Say in the timeline where the story stands."""
        self.timeline.note("story", "step", what=what)

    # --- making ------------------------------------------------------------------------------------------------

    def _open_files(self) -> None:
        self._timeline_file = self.folder.file("timeline.jsonl").open("w", encoding="utf-8", newline="\n")
        self._logs: list[PackedMessageLog] = []
        self._wan_file = self.folder.file("wan.jsonl").open("w", encoding="utf-8", newline="\n")
        self.timeline = Timeline(self.clock, self._timeline_file)
        self.store = Store(f"sqlite:///{self.folder.file('store.db')}")

    def _raise_gateway(self) -> None:
        parties, settings = self.parties, self.plan.dsp_settings
        xml = parties.xml(ACB)
        self.dsp = Dsp(settings, parties.credentials(ACB), parties.repository, self.entropy, xml=xml)
        self.dsp.load_tracked(str(home.esme) for home in self.plans if home.tracked)
        self.dsp_host = DspHost(self.dsp, self.store, self.clock, self.timeline, user_delay=USER_DELAY)
        self.dsp_host.begin(provision(self.dsp, self.plans, self.images, self.clock.now()))
        self.dsp_host.begin(self.dsp.start(self.clock.now()))
        lost = CspSettings(lost_11_3_responses=self.plan.lost_responses)
        self.csp = Csp(lost, self.entropy, self.timeline)
        self.supplier = self._user(Supplier, SUPPLIER, UserRole.IMPORT_SUPPLIER, "supplier")
        self.operator = self._user(
            NetworkOperator, NETWORK_OPERATOR, UserRole.ELECTRICITY_DISTRIBUTOR, "network-operator"
        )

    def _user(self, kind: type[User], eui: Eui64, role: UserRole, name: str) -> User:
        logs = tuple(PackedMessageLog(self.folder, self.clock, f"{what}/{name}") for what in ("mailboxes", "requests"))
        self._logs += logs
        return service_user(
            kind, eui, role, name, folder=self.folder, clock=self.clock, parties=self.parties, entropy=self.entropy,
            dsp=self.dsp_host, logs=(logs[0], logs[1]),
        )  # fmt: skip

    def _home(self, home: HomePlan) -> LeanHome:
        feed = LeanFeed(self.clock)
        wan = wan_pair(self.clock, self._random)
        self._links[home.chf] = wan.csp
        chf = GbcsEntity(
            self.parties.credentials(home.chf), self._broker_anchors, MemoryStorage(), self.entropy,
            first_alert_counter=FIRST_ALERT_COUNTER,
        )  # fmt: skip
        hub = LeanHub(f"{home.name}/hub", chf, wan.hub, feed.hub, self._around, self._carried(home.chf))
        meters = [self._meter(home, Kind.ESME, home.esme, feed)]
        if home.gas:
            meters.append(self._meter(home, Kind.GSME, home.gsme, None))
        bridges = [
            LeanBridge(
                f"{home.name}/bridge{place + 1}", self.parties.credentials(home.bridge(place)), self._broker_anchors,
                product(kind), self._around,
            )
            for place, kind in enumerate(home.bridges)
        ]  # fmt: skip
        return LeanHome(home.name, self.clock, feed, hub, meters, bridges)

    def _meter(self, home: HomePlan, kind: Kind, eui: Eui64, feed: LeanFeed | None) -> LeanMeter:
        return LeanMeter(
            f"{home.name}/{kind.value}", self.parties.credentials(eui), self._meter_anchors,
            product(kind).versions[0], self._around, dc_out=None if feed is None else feed.dc_out,
        )  # fmt: skip

    def _carried(self, chf: Eui64) -> Callable[[Eui64, bytes, bool], None]:
        """Return what keeps each GBCS message at a hub in wan.jsonl."""
        hub = str(chf)

        def keep(device: Eui64, octets: bytes, upward: bool) -> None:
            line = {
                "ns": self.clock.now(), "hub": hub, "device": str(device), "upward": upward, "message": octets.hex(),
            }  # fmt: skip
            self._wan_file.write(json.dumps(line) + "\n")

        return keep
