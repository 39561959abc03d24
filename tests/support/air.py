"""Radios of one network with users that note all they are told."""

from dataclasses import dataclass, field

from emulator.air.medium import Medium
from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64, ShortAddress
from protocols.interfaces import Handle, TransmitStatus
from protocols.mac.frame import data_frame
from tests.support.han import FrameLog

PAN, CHANNEL = 0x1A62, 15
EUI = 0x00DB_1234_5678_9000


@dataclass
class Listener:
    """What a radio told its user, with times."""

    clock: VirtualClock
    heard: list[tuple[int, bytes]] = field(default_factory=list)
    signal: list[tuple[int, int]] = field(default_factory=list)
    sent: list[tuple[int, Handle, TransmitStatus, bool]] = field(default_factory=list)

    def received(self, frame: bytes, rssi: int, lqi: int, timestamp: int) -> None:
        assert timestamp == self.clock.now()
        self.heard.append((timestamp, frame))
        self.signal.append((rssi, lqi))

    def transmitted(self, handle: Handle, status: TransmitStatus, pending: bool) -> None:
        self.sent.append((self.clock.now(), handle, status, pending))


class Air:
    """Radios on one network, all in range of each other unless told otherwise."""

    def __init__(self, count: int, seed: int = 1, loss: float = 0.0) -> None:
        self.clock = VirtualClock(1_000_000)
        self.log = FrameLog()
        self.medium = Medium(self.clock, SeededEntropy(seed), self.log)
        self.radios = [self.medium.radio("air", str(number)) for number in range(count)]
        self.users = [Listener(self.clock) for _ in range(count)]
        for number, radio in enumerate(self.radios):
            radio.attach(self.users[number])
            self.configure(number)
            for other in self.radios[:number]:
                self.medium.link(radio, other, loss=loss)

    def configure(self, number: int, *, receiver_on: bool = True, pan: int = PAN, coordinator: bool = False) -> None:
        self.radios[number].configure(
            eui=Eui64(EUI + number),
            short=ShortAddress(number),
            pan_id=pan,
            channel=CHANNEL,
            receiver_on=receiver_on,
            coordinator=coordinator,
        )

    def data(self, source: int, to: int, payload: bytes = b"payload", sequence: int = 1, *, ack: bool = True) -> bytes:
        return data_frame(sequence, PAN, ShortAddress(to), ShortAddress(source), payload, ack_request=ack)
