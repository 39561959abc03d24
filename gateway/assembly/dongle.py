"""A home served to a host from outside: its devices on the air, and a dongle at the hub's place."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from emulator.air.medium import Medium
from emulator.dongle.rcp import Rcp
from emulator.dongle.server import Line, serve_pty, serve_tcp
from emulator.home.builder import ForeignHome, HomeDevice, Surroundings
from emulator.home.description import HomeDescription
from emulator.parts.gbcs_entity import TrustAnchors
from emulator.real_clock import RealTimeClock
from gateway.assembly.capture import CaptureFile, KeyFile
from gateway.assembly.parties import ACB, NETWORK_OPERATOR, SUPPLIER, Parties
from protocols.errors import InputError
from protocols.interfaces import MILLISECOND, SECOND, Entropy

LOOPBACK = ("127.0.0.1", "::1", "localhost")
PTY = "pty"
VERSION = "HANLAB-RCP/1; emulated; IEEE 802.15.4"
_HOST_DELAY = 20 * MILLISECOND  # real time that host and line may take to answer a frame
_COMMANDS = "commands: list, on NAME, off NAME"


class Address(NamedTuple):
    """Where the RCP is offered: a TCP address, or a pseudo-terminal if `host` is empty."""

    host: str
    port: int = 0

    @classmethod
    def parse(cls, text: str, *, exposed: bool = False) -> "Address":
        """Read `pty` or `tcp://HOST:PORT`. Raises InputError, also for other hosts than loopback unless `exposed`."""
        if text == PTY:
            return cls("")
        host, colon, port = text.removeprefix("tcp://").rpartition(":")
        if not text.startswith("tcp://") or not colon or not port.isdecimal() or int(port) > 0xFFFF:
            raise InputError(f"--rcp: tcp://HOST:PORT or pty expected, not {text!r}")
        host = host.strip("[]")
        if host not in LOOPBACK and not exposed:
            raise InputError(f"--rcp: {host!r} is not loopback; whoever reaches it has the radio: say --expose if so")
        return cls(host, int(port))


class Chronicle:
    """`protocols.interfaces.Recorder` that tells one line an event."""

    def __init__(self, clock: RealTimeClock, tell: Callable[[str], None]) -> None:
        self._clock, self._tell = clock, tell

    def note(self, actor: str, event: str, **fields: "str | int | bool | None") -> None:
        when = datetime.fromtimestamp(self._clock.now() / SECOND, UTC).strftime("%H:%M:%S.%f")[:-3]
        rest = "".join(f" {name}={value}" for name, value in fields.items())
        self._tell(f"{when} {actor} {event}{rest}")


class DongleService:
    """One served home. `serve` runs until it is cancelled; `command` acts on its devices meanwhile."""

    def __init__(
        self,
        description: HomeDescription,
        entropy: Entropy,
        *,
        start: int,
        speed: float = 1.0,
        capture: BinaryIO | None = None,
        tell: Callable[[str], None] = print,
    ) -> None:
        """start: ns UTC, the time with which the home begins."""
        self._tell, self._speed = tell, speed
        self.clock = clock = RealTimeClock(start, speed)
        self.keys = KeyFile()
        own = Parties(entropy, start, (description,)).credentials
        around = Surroundings(
            clock=clock,
            entropy=entropy,
            medium=Medium(clock, entropy, None if capture is None else CaptureFile(capture, live=True)),
            recorder=Chronicle(clock, tell),
            key_log=self.keys.log,
            credentials=own,
            meter_anchors=TrustAnchors.of(own(SUPPLIER), own(NETWORK_OPERATOR), own(ACB)),
            broker_anchors=TrustAnchors.of(own(ACB)),
        )
        self.home = ForeignHome(description, around, host_delay=round(_HOST_DELAY * speed))
        self.line = Line(clock, tell)
        self.rcp = self.line.rcp = Rcp(self.home.hub_radio, clock, self.line.write, description.hub.gpf, VERSION)

    async def serve(self, address: Address) -> None:
        """Offer the dongle and let the devices look for a network, until cancelled. Raises InputError."""
        server: asyncio.Server | None = None
        if address.host:
            server = await serve_tcp(self.line, address.host, address.port)
            where = f"tcp://{address.host}:{server.sockets[0].getsockname()[1]}"
        else:
            where = await serve_pty(self.line)
        self._introduce(where)
        for device in self.home.devices:
            self.home.switch_on(device)
        try:
            await self.clock.run()
        finally:
            self.line.close()
            if server is not None:
                server.close()

    def _introduce(self, where: str) -> None:
        described = self.home.description
        trust = "well-known link key" if described.trust == "well_known" else "link keys of install codes"
        pace = "real time" if self._speed == 1 else f"{self._speed:g} times real time"
        self._tell(f"{described.name}: Spinel RCP at {where}, channel {described.channel}, {trust}, {pace}")
        for device in self.home.devices:
            self._tell(self._line_of(device))
        self._tell(f"{_COMMANDS}; Ctrl-C ends")

    def _line_of(self, device: HomeDevice) -> str:
        node, described = device.device.node, device.description
        state = "off" if not node.powered else f"joined as {node.short:04x}" if node.joined else "not joined"
        second = ", Home Automation endpoint" if described.home_automation else ""
        version = f"{device.device.firmware_version:08X}"
        return f"  {device.name}: {described.kind} {device.eui.hyphenated}, version {version}{second}, {state}"

    def command(self, text: str) -> None:
        """Obey a line such as `off ppmid`; what is wrong with it is told."""
        self.clock.catch_up()
        try:
            match text.split():
                case []:
                    pass
                case ["list"]:
                    for device in self.home.devices:
                        self._tell(self._line_of(device))
                case ["on" | "off" as verb, name]:
                    self.home.switch(self.home.device(name), on=verb == "on")
                    self._tell(self._line_of(self.home.device(name)))
                case _:
                    raise InputError(_COMMANDS)
        except InputError as wrong:
            self._tell(f"hanlab: {wrong}")

    def report(self) -> str:
        """Return one line on what went over the dongle and whether time kept its pace."""
        sent, missed, heard, bad = self.rcp.statistics
        callbacks, late, worst = self.clock.punctuality
        return (
            f"{sent} frames sent ({missed} not acknowledged), {heard} heard, {bad} bad serial frames, "
            f"{self.line.dropped} unread; {late} of {callbacks} events late, the worst by {worst / MILLISECOND:.1f} ms"
        )


def run(service: DongleService, address: Address, commands: Callable[[Callable[[str], None]], None]) -> None:
    """Serve until interrupted: KeyboardInterrupt goes through. `commands(take)` starts what brings command lines."""

    async def serve() -> None:
        loop = asyncio.get_running_loop()

        def take(text: str) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(service.command, text)

        commands(take)
        await service.serve(address)

    asyncio.run(serve())


def write_keys(service: DongleService, capture: Path) -> Path:
    """Write the keys that open `capture` beside it and return where."""
    path = capture.with_suffix(".keys.txt")
    service.keys.write(path)
    return path
