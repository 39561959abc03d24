"""Everything of a run, joined: clock, air, homes, WAN, CSP, DSP, store, users and the output folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emulator.air.medium import Medium
from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from emulator.home.builder import Defects, Home, HomeDevice, Surroundings
from emulator.home.description import HomeDescription
from emulator.parts.gbcs_entity import TrustAnchors
from emulator.wan import WanSettings
from gateway.assembly import estate
from gateway.assembly.capture import CaptureFile, KeyFile
from gateway.assembly.folder import RunFolder, Timeline
from gateway.assembly.happenings import Happenings
from gateway.assembly.hosts import CspHost, DspHost
from gateway.assembly.images import Releases
from gateway.assembly.key_establishment import NodeCertificates
from gateway.assembly.ledger import Ledger
from gateway.assembly.parties import ACB, NETWORK_OPERATOR, SUPPLIER, WAN_PROVIDER, Parties
from gateway.assembly.users import User, service_user
from gateway.csp.machine import Csp
from gateway.csp.settings import CspSettings
from gateway.dsp.machine import Dsp
from gateway.dsp.settings import DspSettings
from gateway.store.store import Store
from gateway.users.network_operator import NetworkOperator
from gateway.users.supplier import Supplier
from gateway.users.user import UserRole
from protocols.addresses import Eui64
from protocols.errors import HanlabError, InputError
from protocols.interfaces import MILLISECOND, MINUTE
from protocols.ota.image import FirmwareImage

START = 1_772_442_000_000_000_000  # 2026-03-02T09:00:00Z
USER_DELAY = 100 * MILLISECOND  # DSP to a user's receive service
OUTAGE_REPORTED_AFTER = 3 * MINUTE


@dataclass(frozen=True, slots=True)
class PlantedFaults:
    """What a sabotage changes; an honest run has none."""

    homes: Defects = field(default_factory=Defects)
    dsp: Callable[..., Dsp] = Dsp
    dsp_settings: DspSettings = field(default_factory=DspSettings)


class World:
    """A run before, while and after its story is told. `close` completes the files of the folder."""

    def __init__(
        self,
        descriptions: Sequence[HomeDescription],
        *,
        seed: int,
        folder: RunFolder,
        faults: PlantedFaults | None = None,
        sabotage: str | None = None,
    ) -> None:
        """sabotage: the name of what `faults` plants, for the summary."""
        faults = faults if faults is not None else PlantedFaults()
        self.seed, self.folder, self.descriptions, self.sabotage = seed, folder, tuple(descriptions), sabotage
        self.failures: list[str] = []
        self.clock = VirtualClock(START)
        self.entropy = SeededEntropy(seed)
        self.parties = Parties(self.entropy, START, self.descriptions)
        self.node_certificates = NodeCertificates(self.entropy, START)
        self.images = Releases(self.entropy, self.parties.credentials(SUPPLIER), self.parties.credentials(WAN_PROVIDER))
        self._open_files()
        self._raise_gateway(faults)
        around = self._surroundings()
        self.homes = tuple(Home(description, around, faults.homes) for description in self.descriptions)
        self._join_up()

    # --- what the story uses -----------------------------------------------------------------------------------

    def home(self, name: str) -> Home:
        for home in self.homes:
            if home.name == name:
                return home
        raise InputError(f"no home {name!r}")

    @property
    def devices(self) -> list[tuple[Home, HomeDevice]]:
        return [(home, device) for home in self.homes for device in home.devices]

    @property
    def outage_latency(self) -> int:
        """From the loss of the hub's supply until its AD1 reaches the DSP, ns: hub, WAN and CSP, all fixed."""
        return OUTAGE_REPORTED_AFTER + WanSettings().delay_up + self._csp_settings.delay_up

    def replace_hub(self, home: Home) -> Eui64:
        """Have the home's replacement hub take the place of its hub, on the WAN too; return the CHF of the former."""
        former, name = home.chf, home.hub_name
        home.replace_hub()
        self.timeline.note(name, "replaced", by=home.hub_name)
        self._csp_host.connect(home.chf, home.wan.csp)
        return former

    def update_hub(self, home: Home, image: FirmwareImage) -> None:
        """Have the CSP bring the hub of a home firmware of its own; the folder keeps the image as it was signed."""
        octets, version = image.encode(), image.header.file_version
        self.folder.file(f"hub-images/{home.chf}-{version:08X}.ota").write_bytes(octets)
        self._csp_host.update_hub(home.chf, octets)

    def note_failure(self, error: HanlabError) -> None:
        """Keep what went another way than told."""
        self.failures.append(str(error))
        self.timeline.note("story", "failure", what=str(error))

    def close(self) -> None:
        """Complete the files: nothing more happens in this world."""
        self._timeline_file.close()
        self._capture_file.close()
        self.store.close()
        self.keys.write(self.folder.file("keys.txt"))
        self.parties.write(self.folder.path / "certificates", self.folder.path / "keystore")
        self.node_certificates.write(self.folder)

    # --- making ------------------------------------------------------------------------------------------------

    def _open_files(self) -> None:
        self._timeline_file = self.folder.file("timeline.jsonl").open("w", encoding="utf-8", newline="\n")
        self._capture_file = self.folder.file("capture.pcapng").open("wb")
        self.timeline = Timeline(self.clock, self._timeline_file)
        self.happenings = Happenings(self.clock)
        self.ledger = Ledger()
        self.capture, self.keys = CaptureFile(self._capture_file), KeyFile()
        self.timeline.listeners += [self.happenings, self.ledger, self.capture]
        self.store = Store(f"sqlite:///{self.folder.file('store.db')}")

    def _raise_gateway(self, faults: PlantedFaults) -> None:
        acb = self.parties.credentials(ACB)
        repository, xml = self.parties.repository, self.parties.xml(ACB)
        dsp = faults.dsp(faults.dsp_settings, acb, repository, self.entropy, xml=xml)
        dsp.load_tracked(str(device.eui) for home in self.descriptions for device in home.devices if device.tracked)
        self.dsp_host = DspHost(dsp, self.store, self.clock, self.timeline, user_delay=USER_DELAY)
        self.dsp_host.begin(estate.provision(dsp, self.descriptions, self.images, self.clock.now()))
        self.dsp_host.begin(dsp.start(self.clock.now()))
        self._csp_settings = CspSettings()
        self.csp = Csp(self._csp_settings, self.entropy, self.timeline)
        self.supplier = self._user(Supplier, SUPPLIER, UserRole.IMPORT_SUPPLIER, "supplier")
        self.operator = self._user(
            NetworkOperator, NETWORK_OPERATOR, UserRole.ELECTRICITY_DISTRIBUTOR, "network-operator"
        )

    def _user(self, kind: type[User], eui: Eui64, role: UserRole, name: str) -> User:
        return service_user(
            kind, eui, role, name, folder=self.folder, clock=self.clock, parties=self.parties, entropy=self.entropy,
            dsp=self.dsp_host,
        )  # fmt: skip

    def _surroundings(self) -> Surroundings:
        own, root = self.parties.credentials, self.parties.root
        return Surroundings(
            clock=self.clock,
            entropy=self.entropy,
            medium=Medium(self.clock, self.entropy, self.capture),
            recorder=self.timeline,
            key_log=self.keys.log,
            credentials=own,
            meter_anchors=TrustAnchors.of(own(SUPPLIER), own(NETWORK_OPERATOR), own(ACB), root=root),
            broker_anchors=TrustAnchors.of(own(ACB), root=root),
            key_establishment=self.node_certificates.of,
            wan_provider=own(WAN_PROVIDER),
        )

    def _join_up(self) -> None:
        links = {home.chf: home.wan.csp for home in self.homes}
        self._csp_host = CspHost(self.csp, self.clock, self.dsp_host.from_csp, links)
        self.dsp_host.to_csp = self._csp_host.from_dsp
