"""Two sides of key establishment, their certificates, and a network between them that loses, doubles and reorders."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Any, NamedTuple

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.cbke.initiator import Initiator
from protocols.cbke.responder import Responder
from protocols.cbke.types import CbkeSettings, Effect, Established, Failed, Send
from protocols.crypto import ecqv
from protocols.crypto.certificate_authority import CertificateAuthority
from protocols.crypto.ecqv import Authority, Credentials
from protocols.crypto.suites import Suite
from protocols.interfaces import MILLISECOND, SECOND, LinkKey

START = 1_772_442_000 * SECOND
HUB, DEVICE = Eui64(0x00DB1234567890A0), Eui64(0x00DB1234567890A2)
ENDPOINT = 3  # of the device's client; the hub's server is on 1
BOTH = (Suite.SUITE_1, Suite.SUITE_2)
DELAY = 20 * MILLISECOND
RETRIES_OVER = 6_400 * MILLISECOND  # until the APS layer gives up


@cache
def authority(suite: Suite, seed: int = 1) -> CertificateAuthority:
    return CertificateAuthority(suite, SeededEntropy(seed))


@cache
def issued(eui: Eui64, suite: Suite, seed: int = 1) -> Credentials:
    return authority(suite, seed).issue(eui, START)


def credentials(eui: Eui64, suites: Iterable[Suite] = BOTH, seed: int = 1) -> dict[Suite, Credentials]:
    return {suite: issued(eui, suite, seed) for suite in suites}


def published(vector: Mapping[str, Any], side: str) -> dict[Suite, Credentials]:
    """Return what a side of a published exchange holds."""
    suite, values = Suite(vector["suite"]), vector[side]
    certificate = ecqv.decode(bytes.fromhex(values["certificate"]), suite)
    anchor = Authority(suite, certificate.issuer, bytes.fromhex(vector["ca_public_key"]))
    return {suite: Credentials(certificate, int(values["private_key"], 16), anchor)}


class Scripted:
    """Randomness that gives the numbers it is told, then fails."""

    def __init__(self, *numbers: int) -> None:
        self._numbers = list(numbers)

    def randrange(self, start: int, stop: int) -> int:
        number = self._numbers.pop(0)
        assert start <= number < stop
        return number

    def random(self) -> float:
        raise AssertionError("not asked for")

    def randbytes(self, n: int) -> bytes:
        raise AssertionError("not asked for")


def initiator(held: Mapping[Suite, Credentials] | None = None, settings: CbkeSettings | None = None) -> Initiator:
    return Initiator(held or credentials(DEVICE), SeededEntropy(2).random("initiator"), settings)


def responder(held: Mapping[Suite, Credentials] | None = None, settings: CbkeSettings | None = None) -> Responder:
    return Responder(held or credentials(HUB), SeededEntropy(2).random("responder"), settings)


def frames(effects: Iterable[Effect]) -> list[bytes]:
    return [effect.frame for effect in effects if isinstance(effect, Send)]


def outcomes(effects: Iterable[Effect]) -> list[Established | Failed]:
    return [effect for effect in effects if not isinstance(effect, Send)]


class Fate(NamedTuple):
    """What becomes of one message."""

    delays: tuple[int, ...] = (DELAY,)  # ns, one a copy that arrives; none: lost
    acknowledged: bool = True  # whether the sender hears of it; not if it was lost


class Network:
    """Runs both machines on one virtual time line. Messages beyond the given fates arrive in order, once."""

    def __init__(self, device: Initiator, hub: Responder, fates: Sequence[Fate] = ()) -> None:
        self.device, self.hub = device, hub
        self.now = START
        self.at_device: list[Established | Failed] = []
        self.at_hub: list[Established | Failed] = []
        self.air: list[tuple[Eui64, bytes]] = []  # sender and frame, as sent
        self._fates = list(reversed(fates))
        self._events: list[tuple[int, int, Eui64, bytes | int, bool]] = []
        self._order = count()

    def start(self, suites: int | None = None) -> None:
        self._take(DEVICE, self.device.start(HUB, 1, self.now, suites))

    def run(self, until: int = START + 24 * 3600 * SECOND) -> None:
        """Go on until nothing is due on either side."""
        while True:
            due = [when for when in (self.device.deadline, self.hub.deadline) if when is not None]
            if self._events:
                due.append(self._events[0][0])
            if not due:
                return
            assert min(due) <= until, "the machines go on for ever"
            self.now = max(self.now, min(due))
            self._step()

    def _step(self) -> None:
        if self._events and self._events[0][0] <= self.now:
            _, _, to, content, acknowledged = heapq.heappop(self._events)
            self._take(to, self._event(to, content, acknowledged=acknowledged))
        else:
            self._take(DEVICE, self.device.wake(self.now))
            self._take(HUB, self.hub.wake(self.now))

    def _event(self, to: Eui64, content: bytes | int, *, acknowledged: bool) -> list[Effect]:
        if isinstance(content, int):
            side = self.device if to == DEVICE else self.hub
            return side.delivered(content, self.now, acknowledged=acknowledged)
        if to == DEVICE:
            return self.device.frame(HUB, content, self.now)
        return self.hub.frame(DEVICE, ENDPOINT, content, self.now)

    def _take(self, side: Eui64, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self._send(side, effect)
            else:
                (self.at_device if side == DEVICE else self.at_hub).append(effect)

    def _send(self, sender: Eui64, send: Send) -> None:
        other, endpoint = (HUB, 1) if sender == DEVICE else (DEVICE, ENDPOINT)
        assert (send.partner, send.endpoint) == (other, endpoint)
        self.air.append((sender, send.frame))
        fate = self._fates.pop() if self._fates else Fate()
        for delay in fate.delays:
            self._schedule(delay, other, send.frame)
        heard = bool(fate.delays) and fate.acknowledged
        self._schedule(min(fate.delays) if heard else RETRIES_OVER, sender, send.token, acknowledged=heard)

    def _schedule(self, delay: int, to: Eui64, content: bytes | int, *, acknowledged: bool = True) -> None:
        heapq.heappush(self._events, (self.now + delay, next(self._order), to, content, acknowledged))


def keys(log: Iterable[Established | Failed]) -> list[LinkKey]:
    return [entry.key for entry in log if isinstance(entry, Established)]


def failures(log: Iterable[Established | Failed]) -> list[Failed]:
    return [entry for entry in log if isinstance(entry, Failed)]
