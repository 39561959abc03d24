"""Kills a served DSP while messages of every kind are on their way, and counts from outside what became of them.

The counting shares nothing with the DSP: it knows what it sent, what was acknowledged and what it got, and reads the
database by SQL.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from firmware_images import product
from gateway.dsp.effects import Turn
from gateway.northbound.client import LineClient
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.inventory import DeviceType, PpmidVariant
from protocols.duis.requests import CommandVariant
from protocols.duis.responses import parse_response
from protocols.gbcs.envelope import Message as GbcsMessage
from protocols.gbcs.use_cases import cs08
from protocols.gbcs.use_cases.ccs08 import TransferCode
from protocols.interfaces import SECOND
from protocols.ota.image import Kind
from protocols.wan import smwan
from protocols.wan.line import CSP
from tests.support.dsp_bench import BRIDGE, ESME, HUB, OTHER_HUB, Bench, Outcome, image
from tests.support.kill_server import Phase
from tests.support.parties import NETWORK_OPERATOR, START, SUPPLIER

ROOT = Path(__file__).resolve().parents[2]
LINES = (CSP, str(SUPPLIER), str(NETWORK_OPERATOR))
REQUEST, SIGNED, STATUS, RESPONSE, ALERT, OUTAGE = (
    "service request", "signed pre-command", "delivery status", "device response", "device alert", "AD1",
)  # fmt: skip
KINDS = (REQUEST, SIGNED, STATUS, RESPONSE, ALERT, OUTAGE)
_PATIENCE = 60.0  # seconds for a process to come so far


@dataclass(frozen=True)
class Sent:
    """One message of ours."""

    kind: str
    line: str
    number: int
    octets: bytes


@dataclass
class Ledger:
    """What we know, whatever the DSP does."""

    sent: list[Sent] = field(default_factory=list)
    answers: dict[tuple[str, int], bytes] = field(default_factory=dict)  # of what was acknowledged
    inboxes: dict[str, list[bytes]] = field(default_factory=lambda: {line: [] for line in LINES})
    last: dict[str, int] = field(default_factory=dict)  # number of the last message in each inbox
    kills: Counter[tuple[str, Phase]] = field(default_factory=Counter)  # by kind and phase
    repeated: int = 0  # messages that came again, and were known by their number


class Writer(Bench):
    """Makes the octets that users and devices send; they go nowhere by themselves."""

    made: tuple[str, bytes] = ("", b"")

    def submit(self, octets: bytes, user: Eui64 = SUPPLIER) -> Outcome:
        self.made = (str(user), octets)
        return Outcome(Turn(self.now))

    def from_csp(self, message: smwan.SmWanMessage) -> Outcome:
        self.made = (CSP, message.encode())
        return Outcome(Turn(self.now))


Story = Generator[tuple[str, str, bytes], bytes, None]  # yields kind, line and octets; is sent the answer


class Run:
    """One store, the process that serves it now, and everybody around it. A context that ends all processes."""

    def __init__(self, url: str, folder: Path, *, kind: str = "honest") -> None:
        self.url, self._kind, self._socket = url, kind, folder / "dsp.sock"
        self.ledger, self.writer, self.now = Ledger(), Writer(), START
        self._numbers = dict.fromkeys(LINES, 0)
        self._clients: dict[str, LineClient] = {}
        self._pid = 0
        Bench(url=url).store.close()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.kill_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self._said = b""

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pid:
            self.kill()
        self._server.kill()
        self._server.communicate()

    # --- the process ---

    def start(self, stop: Phase | None = None, before: Sent | None = None) -> None:
        """Start a process and open all lines to it; it stops at a phase of the first message but `before`."""
        self.now += SECOND
        order = {
            "url": self.url, "socket": str(self._socket), "kind": self._kind, "now": self.now, "stop": stop or "",
            "before": ("", 0) if before is None else (before.line, before.number),
        }  # fmt: skip
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(order).encode() + b"\n")
        self._server.stdin.flush()
        self._pid = int(self._hear("pid ").removeprefix("pid "))
        self._hear("ready")
        for line in LINES:
            self._clients[line] = LineClient(self._socket, line, timeout=_PATIENCE, last=self.ledger.last.get(line, 0))

    def kill(self) -> None:
        """Kill it as nothing can be caught or cleaned up."""
        os.kill(self._pid, signal.SIGKILL)
        self._pid = 0
        for client in self._clients.values():
            self.ledger.repeated += client.repeated
            client.close()

    def _hear(self, start: str) -> str:
        assert self._server.stdout is not None
        while b"\n" not in self._said:
            ready, _, _ = select.select([self._server.stdout], [], [], _PATIENCE)
            octets = os.read(self._server.stdout.fileno(), 4096) if ready else b""
            assert octets, f"{start!r} was not said"
            self._said += octets
        said, _, self._said = self._said.partition(b"\n")
        assert said.decode().startswith(start), said
        return said.decode()

    # --- messages ---

    def next(self, kind: str, line: str, octets: bytes) -> Sent:
        self._numbers[line] += 1
        message = Sent(kind, line, self._numbers[line], octets)
        self.ledger.sent.append(message)
        return message

    def post(self, message: Sent) -> None:
        self._clients[message.line].post(message.octets, message.number)

    def answer(self, message: Sent) -> bytes:
        """Wait for the acknowledgement."""
        octets = self._clients[message.line].answer(message.number)
        return self.ledger.answers.setdefault((message.line, message.number), octets)

    def deliver(self, message: Sent) -> bytes:
        """Send a message, again if it was sent before, until it is acknowledged."""
        self.post(message)
        return self.answer(message)

    def fetch(self, line: str, wanted: int = 1) -> bytes:
        """Store and acknowledge messages of the DSP until `wanted` more came; return the last."""
        for _ in range(wanted):
            frame = self._clients[line].wait()
            self.ledger.inboxes[line].append(frame.octets)
            self.ledger.last[line] = frame.number
            self._clients[line].acknowledge(frame.number)
        return self.ledger.inboxes[line][-1]

    def kill_at(self, phase: Phase, message: Sent, *, read: bool) -> None:
        """Send a message to the process that stops at this phase of it, and kill it there; `read` its answer if any."""
        self.post(message)
        self._hear("reached")
        self.ledger.kills[message.kind, phase] += 1
        if read and phase is Phase.RELEASED:
            self.answer(message)
        self.kill()

    def tell(self, story: Story, phases: Iterable[Phase]) -> None:
        """Kill once in each message of a story, at the next phase; each message is finished by the process after."""
        stops = iter(phases)
        phase: Phase | None = next(stops)
        self.start(phase)
        message = self.next(*next(story))
        for place in count():
            if phase is not None:
                self.kill_at(phase, message, read=place % 2 == 0)
                phase = next(stops, None)
                self.start(phase, message)
            known = self.ledger.answers.get((message.line, message.number))
            try:
                message = self.next(*story.send(self.deliver(message) if known is None else known))
            except StopIteration:
                break

    # --- stories ---

    def burst(self, messages: Iterable[tuple[str, str, bytes]], after: int) -> None:
        """Send many messages at once, and kill when so many are acknowledged; then send what is not, again."""
        posted = [self.next(*message) for message in messages]
        self.start()
        for message in posted:
            self.post(message)
        for message in posted[:after]:
            self.answer(message)
        self.kill()
        self.start()
        for message in posted:
            if (message.line, message.number) not in self.ledger.answers:
                self.deliver(message)
        self.kill()


NEW_DEVICES = 0x00DB123457000000  # pre-notified by the stories, one a number
_V = product(Kind.BRIDGE1).versions


def prenotification(writer: Writer, number: int) -> tuple[str, str, bytes]:
    """Return a 12.2 for a new bridge."""
    made = product(Kind.BRIDGE1)
    body = bodies.DevicePrenotification(
        device_id=Eui64(NEW_DEVICES + number), device_type=DeviceType.PPMID,
        device_manufacturer=f"{made.manufacturer:04X}", device_model=made.model_text, smets_chts_version="5.0",
        firmware_version=f"{_V[0]:08X}", ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_1,
    )  # fmt: skip
    writer.request(body)
    return (REQUEST, *writer.made)


def outage(writer: Writer, hub: Eui64, number: int) -> tuple[str, str, bytes]:
    """Return an AD1, each of its own time."""
    writer.outage(hub, started=START - number * SECOND)
    return (OUTAGE, *writer.made)


def update(run: Run, number: int) -> Story:
    """A bridge's update from 11.4 to Activated, a read of its version, an activation of the ESME, and power cuts."""
    writer = run.writer
    yield prenotification(writer, number)
    version = _V[1 - number % 2]
    octets = image(Kind.BRIDGE1, 1 - number % 2, writer.parties).encode()
    writer.request(
        bodies.UpdatePpmidFirmware(firmware_image=octets, firmware_version=f"{version:08X}", device_ids=(BRIDGE,))
    )
    assert parse_response((yield (REQUEST, *writer.made))).response_code == "I99"
    message = smwan.decode(run.fetch(CSP))
    assert isinstance(message, smwan.FirmwareToHubs)
    writer.from_csp(smwan.FirmwareDeliveryStatus(message.request_id, HUB, BRIDGE, version, run.now, True))
    yield (STATUS, *writer.made)
    writer.transfer_report(BRIDGE, version, TransferCode.TRANSFERRED)
    yield (ALERT, *writer.made)
    writer.activation_report(BRIDGE, version)
    yield (ALERT, *writer.made)
    run.fetch(str(SUPPLIER), 3)  # N60, N62, N39
    writer.request(bodies.ReadFirmwareVersion(), BRIDGE, CommandVariant.TO_DEVICE)
    yield (REQUEST, *writer.made)
    writer.respond(_command(run), cs08.Response(version).encode(), mac=True)
    yield (RESPONSE, *writer.made)
    run.fetch(str(SUPPLIER))
    yield from activation(run)
    yield outage(writer, OTHER_HUB, number)
    run.fetch(str(NETWORK_OPERATOR))
    yield outage(writer, HUB, number)


def activation(run: Run) -> Story:
    """11.3 for the tracked ESME, at once."""
    writer = run.writer
    writer.transform(ESME)
    transformed = parse_response((yield (REQUEST, *writer.made)))
    writer.send_signed(Outcome(Turn(run.now), transformed))
    assert parse_response((yield (SIGNED, *writer.made))).response_code == "I99"
    _command(run)


def _command(run: Run) -> GbcsMessage:
    message = smwan.decode(run.fetch(CSP))
    assert isinstance(message, smwan.GbcsToHub)
    return GbcsMessage.decode(message.message)
