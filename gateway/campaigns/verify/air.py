"""What the capture shows, in the words of the checks: transfers, running versions, GBCS messages in the tunnels."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from gateway.campaigns.evidence.energy import EnergyCommand
from gateway.campaigns.evidence.link_keys import LinkKeys
from gateway.campaigns.evidence.readings import MeterReading
from gateway.campaigns.verify.gbcs_view import Judged, Verdict
from protocols.addresses import Eui64
from protocols.gbcs.envelope import Cra
from protocols.zcl.command_set import Command

C = TypeVar("C", bound=Command)


class Transfer(NamedTuple):
    """One image as a device pulled it, rebuilt from the block responses it was sent."""

    device: Eui64
    manufacturer: int  # 16 bits
    image_type: int  # 16 bits
    version: int  # 32 bits
    image: bytes
    size: int  # octets announced
    blocks: int  # distinct ones
    conflicting: tuple[int, ...]  # frames that served other octets for an offset than before
    started: int  # ns UTC, of the first block
    ended: int  # ns UTC, of the last frame
    status: int | None  # of Upgrade End, None if the device sent none
    upgrade_wait: int | None  # s from now in the answer to Upgrade End, 0xFFFFFFFF for "wait", None: no answer
    frame: int  # number of the last frame

    @property
    def complete(self) -> bool:
        return len(self.image) == self.size > 0


class Running(NamedTuple):
    """A device told which version it runs, in Query Next Image."""

    device: Eui64
    version: int
    time: int
    frame: int


class Carried(NamedTuple):
    """A GBCS message in a tunnel."""

    device: Eui64
    upward: bool  # from the device to the hub
    time: int
    frame: int
    octets: bytes
    judged: Judged | None  # None: not a GBCS message

    @property
    def code(self) -> int:
        """Return the message code, 0 for what is no GBCS message."""
        return 0 if self.judged is None else self.judged.message.message_code

    @property
    def valid(self) -> bool:
        return self.judged is not None and self.judged.signature is Verdict.VALID


class Air(NamedTuple):
    frames: int
    networks: tuple[str, ...]
    protected: int  # frames that were encrypted and could be decrypted
    defects: tuple[str, ...]  # bad FCS, undecrypted, malformed: what and frame number
    first: int  # ns UTC, of the first frame
    last: int
    transfers: tuple[Transfer, ...]
    running: tuple[Running, ...]
    carried: tuple[Carried, ...]  # each message once, however often it was sent
    link_keys: LinkKeys
    readings: tuple[MeterReading, ...] = ()  # in order of time
    energy: tuple[EnergyCommand, ...] = ()  # prices, texts, loads and top-ups, in order of time

    def readings_of(self, reader: Eui64, begin: int, end: int) -> list[MeterReading]:
        """Return the answers a reader got from `begin` to `end`, ns UTC."""
        first = bisect_left(self.readings, begin, key=lambda reading: reading.time)
        last = bisect_right(self.readings, end, key=lambda reading: reading.time)
        return [each for each in self.readings[first:last] if each.reader == reader and not each.reported]

    def commands(self, kind: type[C], source: Eui64 | None = None) -> Iterator[tuple[EnergyCommand, C]]:
        """Yield the commands of a kind, of one sender or of all, in order of time."""
        for sent in self.energy:
            if isinstance(sent.command, kind) and source in (None, sent.source):
                yield sent, sent.command

    def sent_up(self, *codes: int, device: Eui64 | None = None) -> Iterator[Carried]:
        """Yield what devices sent with one of these message codes."""
        return self._matching(codes, device, upward=True)

    def sent_down(self, *codes: int, device: Eui64 | None = None) -> Iterator[Carried]:
        """Yield what devices were sent with one of these message codes."""
        return self._matching(codes, device, upward=False)

    def alerts(self) -> Iterator[Carried]:
        """Yield every alert of a device."""
        for carried in self.carried:
            if carried.upward and carried.judged is not None and carried.judged.message.cra is Cra.ALERT:
                yield carried

    def _matching(self, codes: tuple[int, ...], device: Eui64 | None, *, upward: bool) -> Iterator[Carried]:
        for carried in self.carried:
            if carried.upward is upward and carried.code in codes and device in (None, carried.device):
                yield carried
