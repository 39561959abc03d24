"""What a home's YAML file may say. Errors name the field and the line."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from emulator.air.medium import POWER
from emulator.consumption.household import PHASES
from emulator.home.consumption import Consumption
from emulator.home.site import Backhaul, SiteDescription
from emulator.parts.auxiliary_switches import MOST
from protocols.duis.inventory import ESME_VARIANTS
from protocols.errors import InputError
from protocols.yaml_files import EuiText, read_model

FORMAT = 1

Kind = Literal["esme", "gsme", "hcalcs", "ppmid", "ihd", "cad", "bridge1", "bridge2", "bridge3", "bridge4"]


def _octets(text: object) -> bytes:
    try:
        return bytes.fromhex(str(text))
    except ValueError as wrong:
        raise ValueError(f"not hexadecimal: {text!r}") from wrong


def _version(text: object) -> int:
    digits = str(text)
    if len(digits) != 8:
        raise ValueError(f"a version is eight hexadecimal digits in quotes, not {text!r}")
    return int(digits, 16)


Tunnelling = Literal["until_swap", "always", "never"]
"""until_swap: with the hub it joined by install code, and with no other; what is inferred of MP170-A10."""

Version = Annotated[int, BeforeValidator(_version)]
Octets = Annotated[bytes, BeforeValidator(_octets)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HubDescription(_Model):
    """A Communications Hub: CHF and GPF are two entities on one Zigbee node whose address is the GPF's."""

    chf: EuiText
    gpf: EuiText
    place: str
    power: float = POWER  # dBm its radio sends with
    version: Version
    secmp0007: bool = True  # its firmware updates PPMID, HCALCS and bridges
    manufacturer: str = Field(pattern="^[0-9A-F]{4}$")
    model: str = Field(pattern="^[0-9A-F]{8}$")


class ReplacementHub(HubDescription):
    """A hub that may take the place of the first one; its network has another PAN id."""

    pan_id: int = Field(ge=1, le=0xFFFE)


class SwitchDescription(_Model):
    """A switch built into an ESME."""

    load: int = Field(default=0, ge=0)  # W
    on_times: tuple[tuple[int, int], ...] = ()  # as of an HCALCS


class DeviceDescription(_Model):
    name: str = Field(pattern="^[a-z][a-z0-9-]*$")
    kind: Kind
    eui: EuiText
    install_code: Octets
    place: str
    power: float = POWER  # dBm its radio sends with
    partner: str | None = None  # of a bridge: the bridge its backhaul leads to
    battery: int | None = Field(default=None, ge=0, le=13_000)  # mAh left at the beginning, of a bridge 4; None: full
    tunnelling: Tunnelling = "until_swap"  # of a bridge: when it serves tunnels [I]
    installed: bool = False  # in the hub's log and the inventory before the run begins
    powers_hub: bool = False
    tracked: bool = False  # on the list of ESME whose activation cuts the hub's supply (MP102B)
    variant: str = "A"  # of an ESME: its DUIS ESMEVariant
    alcs: tuple[SwitchDescription, ...] = Field(default=(), max_length=MOST)  # of an ESME whose variant has a D
    phase: int = Field(default=1, ge=1, le=PHASES)  # of its socket, where the supply has three
    hub_phase: int | None = Field(default=None, ge=1, le=PHASES)  # of a polyphase ESME, feeding the hub; None: any [I]
    load: int = Field(default=0, ge=0)  # W, behind an HCALCS
    on_times: tuple[tuple[int, int], ...] = ()  # of an HCALCS: minute of the UTC day, minutes, in its meter's calendar
    reads_every: int = Field(default=1800, ge=10)  # seconds, of a display
    clock_drift: int = Field(default=0, ge=-100_000, le=100_000)  # parts in 10^9, of its own clock
    home_automation: bool = False  # a second endpoint, of profile 0x0104, for hosts that know no Smart Energy
    polls_every: int = Field(default=1800, ge=1, le=3600)  # seconds, of a sleepy device with nothing to expect

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if len(self.install_code) not in (6, 8, 12, 16):
            raise ValueError("install_code has 6, 8, 12 or 16 octets, without its CRC")
        if self.battery is not None and self.kind != "bridge4":
            raise ValueError("only a bridge 4 has a battery that is described")
        if self.partner is not None and not self.is_bridge:
            raise ValueError("only a bridge has a partner")
        if self.variant not in ESME_VARIANTS:
            raise ValueError(f"no ESMEVariant {self.variant!r}; there are {', '.join(ESME_VARIANTS)}")
        if self.alcs and (self.kind != "esme" or "D" not in self.variant):
            raise ValueError("only an ESME whose variant has a D has switches built in")
        if (self.load or self.on_times) and self.kind != "hcalcs":
            raise ValueError("only an HCALCS has a load and times for it")
        if any(not (0 <= begin < 1440 and 1 <= length <= 1440) for begin, length in _times(self)):
            raise ValueError("on_times are minutes of the day and a length of 1 to 1440 minutes")
        if (self.powers_hub or self.tracked) and self.kind != "esme":
            raise ValueError("only an ESME powers the hub or is tracked")
        if self.hub_phase is not None and not (self.polyphase and self.powers_hub):
            raise ValueError("only a polyphase ESME feeds the hub from one phase")
        return self

    @property
    def polyphase(self) -> bool:
        return self.kind == "esme" and self.variant.startswith("C")

    @property
    def is_bridge(self) -> bool:
        return self.kind.startswith("bridge")


def _times(device: DeviceDescription) -> tuple[tuple[int, int], ...]:
    return device.on_times + tuple(on for switch in device.alcs for on in switch.on_times)


class Premises(_Model):
    import_mpxn: str = Field(min_length=1, max_length=13)
    gas_mpxn: str | None = None
    postcode: str = Field(min_length=6, max_length=8)
    address_identifier: str = Field(max_length=30)


class HomeDescription(_Model):
    """One HAN: a hub, its devices, the places they stand in and who hears whom."""

    format: Literal[1]
    name: str = Field(pattern="^[a-z][a-z0-9-]*$")
    channel: int = Field(ge=11, le=26)
    backhaul_channel: int = Field(ge=11, le=26)
    pan_id: int = Field(ge=1, le=0xFFFE)
    premises: Premises
    hub: HubDescription
    replacement: ReplacementHub | None = None
    devices: tuple[DeviceDescription, ...]
    loss: float = Field(default=0.0, ge=0.0, lt=1.0)  # of each frame on each link
    consumption: Consumption = Consumption()
    site: SiteDescription = SiteDescription()
    backhaul: Backhaul = Backhaul()
    joined: bool = False
    """Devices are joined to each other before the run begins, their keys and logs in their storage; else by CS03."""
    trust: Literal["install_code", "well_known"] = "install_code"
    """The link key under which devices join: of their install code; well_known: for foreign hosts that know none."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [device.name for device in self.devices]
        _unique("device name", names)
        hubs = [self.hub] if self.replacement is None else [self.hub, self.replacement]
        entities = [eui for hub in hubs for eui in (hub.chf, hub.gpf)]
        _unique("EUI-64", [*entities, *(device.eui for device in self.devices)])
        bridges = {device.name for device in self.devices if device.is_bridge}
        for device in self.devices:
            if device.partner is not None and device.partner not in bridges:
                raise ValueError(f"{device.name}: partner {device.partner!r} is not a bridge of this home")
        for place in (*(hub.place for hub in hubs), *(device.place for device in self.devices)):
            if self.site.places and place not in self.site.places:
                raise ValueError(f"place {place!r} is not among the places of the site")
        if sum(device.powers_hub for device in self.devices) != 1:
            raise ValueError("exactly one ESME powers the hub")
        for device in self.devices:
            if device.phase > self.phases or (device.polyphase and self.phases == 1):
                raise ValueError(f"{device.name}: three phases are there where the ESME that powers the hub has them")
        return self

    @property
    def phases(self) -> int:
        """Of the supply: three where the ESME that powers the hub is a polyphase one."""
        return PHASES if any(device.polyphase and device.powers_hub for device in self.devices) else 1

    def device(self, name: str) -> DeviceDescription:
        for device in self.devices:
            if device.name == name:
                return device
        raise InputError(f"{self.name} has no device {name!r}")


def _unique(what: str, values: list[Any]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{what} {value} is given twice")


def read_home(path: Path) -> HomeDescription:
    """Read one home; InputError names the file, the line and the field that is wrong."""
    return read_model(path, HomeDescription, newest=FORMAT, what="home")
