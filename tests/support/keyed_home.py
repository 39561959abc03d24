"""Home 1 of the demo with key establishment: all devices installed, capture, keys and notes in memory."""

from collections.abc import Callable
from pathlib import Path

import yaml

from emulator.air.medium import Medium
from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from emulator.home.builder import Defects, Home, HomeDevice, Surroundings
from emulator.home.description import HomeDescription
from emulator.parts.gbcs_entity import TrustAnchors
from emulator.parts.key_establishment import SuiteCredentials
from emulator.parts.quiet import QuietDevice
from emulator.parts.updatable import UpdatableDevice
from gateway.assembly.key_establishment import NodeCertificates
from gateway.assembly.parties import ACB, NETWORK_OPERATOR, SUPPLIER, WAN_PROVIDER, Parties
from protocols.addresses import Eui64
from protocols.interfaces import SECOND
from protocols.pcapng import CapturedFrame, CaptureKey, write_keys
from protocols.stack.node import Node
from tests.support.han import START, FrameLog

HOMES = Path(__file__).parents[2] / "emulator/home/homes"
HOME = HOMES / "home-1.yaml"
HUB = Eui64(0x00DB1234567811A3)

Note = tuple[int, str, str, dict[str, str | int | bool | None]]  # time, actor, event, fields


class Notes:
    """The recorder; `watch` hears of every event at once."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.lines: list[Note] = []
        self.watch: Callable[[str, str], None] = lambda actor, event: None

    def note(self, actor: str, event: str, **fields: str | int | bool | None) -> None:
        self.lines.append((self._clock.now(), actor, event, fields))
        self.watch(actor, event)

    def of(self, event: str, actor: str = "home-1/hub") -> list[dict[str, str | int | bool | None]]:
        return [fields for _, who, what, fields in self.lines if (who, what) == (actor, event)]

    def when(self, event: str, actor: str = "home-1/hub", **wanted: str) -> int:
        """Return when an actor first said so."""
        for time, who, what, fields in self.lines:
            if (who, what) == (actor, event) and wanted.items() <= fields.items():
                return time
        raise AssertionError(f"{actor} never said {event} {wanted}")


class KeyedHome:
    def __init__(
        self,
        *names: str,
        certificates: Callable[[Eui64, SuiteCredentials], SuiteCredentials | None] = lambda _, own: own,
        loss: float = 0.001,
        seed: int = 1,
        later: tuple[str, ...] = (),
        tunnelling: str = "until_swap",
        joined: bool = True,
        described: Path = HOME,
        hub_version: str | None = None,
    ) -> None:
        """Make the home and switch all on but `later`.

        names: of the devices, all by default, the ESME always. certificates: what a node gets in place of its own.
        tunnelling: of the bridges. joined: devices are joined to each other from the beginning. described: the home.
        hub_version: of its hub, if it is not to be the described one.
        """
        data = yaml.safe_load(described.read_text(encoding="utf-8"))
        data["loss"], data["joined"] = loss, joined
        data["hub"] |= {} if hub_version is None else {"version": hub_version}
        wanted = (*names, "esme") if names else tuple(device["name"] for device in data["devices"])
        changes = {"installed": True, "tunnelling": tunnelling}
        data["devices"] = [device | changes for device in data["devices"] if device["name"] in wanted]
        description = HomeDescription.model_validate(data)
        self.clock, self.entropy, self.log = VirtualClock(START), SeededEntropy(seed), FrameLog()
        self.medium = Medium(self.clock, self.entropy, self.log)
        self.notes, self.key_table = Notes(self.clock), dict[bytes, str]()
        self.certificates = NodeCertificates(self.entropy, START)
        parties = Parties(self.entropy, START, (description,))
        self.credentials = own = parties.credentials
        around = Surroundings(
            clock=self.clock,
            entropy=self.entropy,
            medium=self.medium,
            recorder=self.notes,
            key_log=self._log_key,
            credentials=own,
            meter_anchors=TrustAnchors.of(own(SUPPLIER), own(NETWORK_OPERATOR), own(ACB), root=parties.root),
            broker_anchors=TrustAnchors.of(own(ACB), root=parties.root),
            key_establishment=self.certificates.of,
            wan_provider=own(WAN_PROVIDER),
        )
        self.home = Home(description, around, Defects(key_establishment=certificates))
        self.home.start_hub()
        for device in self.home.devices:
            if device.name not in later:
                self.home.switch_on(device)

    @property
    def hub(self) -> Node:
        """Of the hub in place."""
        return self.home._hub_node

    def _log_key(self, label: str, key: bytes) -> None:
        self.key_table.setdefault(key, label)

    # --- time --------------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        self.clock.run_for(round(seconds * SECOND))

    def run_till(self, condition: Callable[[], bool], within: float = 300, step: float = 1) -> "KeyedHome":
        for _ in range(round(within / step)):
            if condition():
                return self
            self.run(step)
        raise AssertionError(f"not within {within} s")

    def run_till_keyed(self, within: float = 300) -> "KeyedHome":
        return self.run_till(lambda: all(self.keyed(device) for device in self.home.devices), within)

    # --- what there is -----------------------------------------------------------------------------------------

    def device(self, name: str) -> HomeDevice:
        return self.home.device(name)

    def node(self, name: str) -> Node:
        return self.device(name).device.node

    def updatable(self, name: str) -> UpdatableDevice:
        device = self.device(name).device
        assert isinstance(device, UpdatableDevice)
        return device

    def quiet(self, name: str) -> QuietDevice:
        device = self.device(name).device
        assert isinstance(device, QuietDevice)
        return device

    def keyed(self, device: HomeDevice) -> bool:
        """Whether both sides have the same established key."""
        node, hub = device.device.node, self.home.gpf
        if not (node.powered and self.hub.powered and node.key_established(hub)):
            return False
        there, here = self.hub._on().state.peer(device.eui), node._on().state.peer(hub)
        return there.established and there.key == here.key

    def link(self, name: str, loss: float) -> None:
        """Change the loss between the hub and a device in its reach."""
        self.medium.link(self.home.siting.radios["hub"], self.home.siting.radios[name], loss=loss)

    # --- capture -----------------------------------------------------------------------------------------------

    @property
    def keys(self) -> list[CaptureKey]:
        return [CaptureKey(key, label) for key, label in self.key_table.items()]

    @property
    def frames(self) -> list[CapturedFrame]:
        return [CapturedFrame(number, *frame, "") for number, frame in enumerate(self.log.frames, 1)]

    def write(self, folder: Path) -> tuple[Path, str]:
        """Write the capture; return it and Wireshark's key table."""
        return self.log.write(folder), write_keys(self.keys)
