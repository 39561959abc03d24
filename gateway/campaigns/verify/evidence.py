"""All evidence of one run, gathered once and then only read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from gateway.campaigns.verify.air import Air
from gateway.campaigns.verify.capture_view import read_air
from gateway.campaigns.verify.folder import Event, Row, RunFiles, read_folder
from gateway.campaigns.verify.messages import Correspondence, read_correspondence
from gateway.campaigns.verify.wan_view import read_wan
from protocols.addresses import Eui64
from protocols.duis.bodies import DevicePrenotification
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceType, PpmidVariant
from protocols.duis.requests import CommandVariant
from protocols.errors import InputError


@dataclass(frozen=True)
class Evidence:
    """files: what the run wrote. users: what they asked and were told. air: what the capture shows."""

    files: RunFiles
    users: Correspondence
    air: Air

    @cached_property
    def types(self) -> Mapping[Eui64, DeviceType]:
        """Device types as users gave or read them: 12.2, else the last 8.2."""
        told = {device: entry.device_type for device, entry in self.users.last_inventory().items()}
        return told | {device: body.device_type for device, body in self.prenotified.items()}

    @cached_property
    def prenotified(self) -> Mapping[Eui64, DevicePrenotification]:
        """The accepted 12.2 of each device."""
        found = {}
        for exchange in self.users.of_service("12.2"):
            body = exchange.request.body
            if exchange.accepted and isinstance(body, DevicePrenotification):
                found[body.device_id] = body
        return found

    @cached_property
    def bridges(self) -> tuple[Eui64, ...]:
        return tuple(
            device
            for device, body in self.prenotified.items()
            if body.ppmid_variant is not None and body.ppmid_variant is not PpmidVariant.PPMID
        )

    @cached_property
    def ppmids(self) -> tuple[Eui64, ...]:
        """Plain PPMIDs."""
        return tuple(d for d, body in self.prenotified.items() if body.ppmid_variant is PpmidVariant.PPMID)

    @cached_property
    def broker(self) -> Eui64:
        """The ACB: the target of requests that the DCC itself answers."""
        for exchange in self.users.exchanges:
            if exchange.request.command_variant is CommandVariant.DCC_ONLY:
                return exchange.target
        raise InputError(f"{self.files.path}: no request to the DSP itself, so its identifier is unknown")

    @cached_property
    def tracked(self) -> tuple[Eui64, ...]:
        """ESMEs on the list of MP102B, as the description of the homes has it."""
        devices = self.files.summary.get("devices", [])
        return tuple(Eui64.parse(device["eui"]) for device in devices if device.get("tracked"))

    @cached_property
    def hubs(self) -> Mapping[Eui64, Eui64]:
        """The CHF each device is associated with."""
        rows = self.files.store.get("inventory", ())
        return {Eui64.parse(row["device"]): Eui64.parse(row["hub"]) for row in rows if row["hub"]}

    @cached_property
    def moves(self) -> Mapping[Eui64, tuple[tuple[int, Eui64], ...]]:
        """Onto which hubs each device came, and when, as the DSP noted it."""
        found: dict[Eui64, list[tuple[int, Eui64]]] = {}
        for event in self.events("inventory"):
            if event.text("field") == "hub" and event.text("new"):
                device, hub = Eui64.parse(event.text("device")), Eui64.parse(event.text("new"))
                found.setdefault(device, []).append((event.time, hub))
        return {device: tuple(moves) for device, moves in found.items()}

    def hub_at(self, device: Eui64, time: int) -> Eui64 | None:
        """Return the CHF a device was associated with at a time; the present one where nothing else is known."""
        before = [hub for when, hub in self.moves.get(device, ()) if when <= time]
        return before[-1] if before else self.hubs.get(device)

    @cached_property
    def restored(self) -> Mapping[Eui64, int]:
        """Since when devices have been on a hub that replaced theirs (8.12.1)."""
        moved = [event for event in self.events("inventory") if event.text("cause").startswith("8.12.1 ")]
        return {Eui64.parse(event.text("device")): event.time for event in moved if event.text("field") == "hub"}

    def stranded(self, device: Eui64, time: int) -> bool:
        """Whether it is a bridge behind a replaced hub, to which it is an IHD (MP170-A10), not a repaired product."""
        behind = device in self.bridges and self.restored.get(device, time + 1) <= time
        return behind and self._tunnelling.get(self.actors.get(device, "")) != "always"

    @cached_property
    def _tunnelling(self) -> Mapping[str, str]:
        """When bridges serve tunnels, by actor, as the plan of a life has it."""
        plan = self.files.summary.get("plan")
        told = plan.get("tunnelling") if isinstance(plan, dict) else None
        return told if isinstance(told, dict) else {}

    @cached_property
    def actors(self) -> Mapping[Eui64, str]:
        """The names under which devices stand in the timeline, from the summary and from their joining."""
        devices = self.files.summary.get("devices", [])
        named = {Eui64.parse(device["eui"]): str(device["name"]) for device in devices if device.get("name")}
        joined = [event for event in self.events("joined") if event.text("device")]
        return named | {Eui64.parse(event.text("device")): event.actor for event in joined}

    @cached_property
    def _updates(self) -> Mapping[tuple[str, str, str], list[Row]]:
        """Rows of updates and of their history by table, RequestID in its one form, and device."""
        found: dict[tuple[str, str, str], list[Row]] = {}
        for table in ("firmware_updates", "firmware_update_history"):
            for row in self.files.store.get(table, ()):
                found.setdefault((table, _one_form(str(row["request_id"])), row["device"]), []).append(row)
        return found

    def rows_of(self, table: str, request_id: RequestId, device: Eui64) -> list[Row]:
        """Return the rows of a device's update, or of its history."""
        return self._updates.get((table, str(request_id), str(device)), [])

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[Event, ...]]:
        found: dict[str, list[Event]] = {}
        for event in self.files.timeline:
            found.setdefault(event.name, []).append(event)
        return {name: tuple(events) for name, events in found.items()}

    def events(self, name: str) -> tuple[Event, ...]:
        """Return the events of this name, in order."""
        return self._by_name.get(name, ())

    def name(self, device: Eui64) -> str:
        """Return a short name for evidence: kind and last octets, e.g. "AltHAN Bridge 3 ..11b3"."""
        body = self.prenotified.get(device)
        kind = self.types.get(device, "device")
        if body is not None and body.ppmid_variant is not None:
            kind = body.ppmid_variant
        return f"{kind} ..{str(device)[-4:]}"


def gather(path: Path) -> Evidence:
    """Read and dissect an output folder. Raises InputError where it cannot be read."""
    files = read_folder(path)
    users = read_correspondence(files.received, files.sent)
    if files.wan.is_file():
        return Evidence(files, users, read_wan(files.wan, files.certificates))
    return Evidence(files, users, read_air(files.capture, files.keys, files.certificates))


@lru_cache(1 << 16)
def _one_form(text: str) -> str:
    """Return a RequestID in its one form; what is none stays as it is."""
    try:
        return str(RequestId.parse(text))
    except InputError:
        return text


def same_request(text: str, request_id: RequestId) -> bool:
    """Return whether `text`, as store or timeline keeps it, names the request."""
    return _one_form(text) == str(request_id)
