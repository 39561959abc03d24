"""Joins an OTA client machine and a server machine by a transfer that loses, doubles and reorders frames."""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random

from protocols.addresses import Eui64
from protocols.interfaces import MILLISECOND
from protocols.ota import client as device_side
from protocols.ota import server as hub_side
from protocols.ota.client import Checkpoint, Discover, ImageComplete, OtaClient, ZclStatus
from protocols.ota.server import OtaServer

DEVICE = Eui64(0x00DB1234567890A4)


def sent_frames(effects: list[device_side.Effect]) -> list[bytes]:
    """Return the ZCL frames among what a client wants."""
    return [effect.frame for effect in effects if isinstance(effect, device_side.Send)]


class OtaLink:
    """Runs both machines in virtual time. What they ask for beside frames is kept, in order, with its time."""

    def __init__(
        self,
        client: OtaClient,
        server: OtaServer,
        *,
        now: int = 0,
        seed: int = 0,
        loss: float = 0.0,
        double: float = 0.0,
        slowest: int = 20 * MILLISECOND,
        check: Callable[[bytes], ZclStatus] = lambda file: ZclStatus.SUCCESS,
    ) -> None:
        self.client, self.server, self.now = client, server, now
        self.loss, self.double, self.slowest, self.check = loss, double, slowest, check
        self.images: list[bytes] = []
        self.device_effects: list[tuple[int, device_side.Effect]] = []
        self.hub_effects: list[tuple[int, hub_side.Effect]] = []
        self.sent = 0
        self.connected = True
        self._random, self._order = Random(seed), 0
        self._air: list[tuple[int, int, bool, bytes]] = []  # when, order, to the hub, frame

    def start(self) -> None:
        self.from_client(self.client.start(self.now))

    def run(self, duration: int) -> None:
        """Let `duration` ns pass."""
        end = self.now + duration
        while (due := self._next()) is not None and due <= end:
            self.now = max(self.now, due)
            if self._air and self._air[0][0] <= self.now:
                _, _, to_hub, frame = heappop(self._air)
                if to_hub:
                    self.from_server(self.server.frame(DEVICE, frame, self.now))
                else:
                    self.from_client(self.client.frame(frame, self.now))
            elif self.client.deadline is not None and self.client.deadline <= self.now:
                self.from_client(self.client.wake(self.now))
            else:
                self.from_server(self.server.wake(self.now))
        self.now = end

    def _next(self) -> int | None:
        air = self._air[0][0] if self._air else None
        page = self.server.deadline() if self.server.settings.pages else None
        return min((time for time in (self.client.deadline, air, page) if time is not None), default=None)

    def from_client(self, effects: list[device_side.Effect]) -> None:
        for effect in effects:
            match effect:
                case device_side.Send(frame):
                    self._put(frame, to_hub=True)
                case Discover():
                    self.from_client(self.client.server_found(self.now))
                case ImageComplete(_, image):
                    self.images.append(image)
                    self.from_client(self.client.image_checked(self.check(image), self.now))
                case _:
                    self.device_effects.append((self.now, effect))

    def from_server(self, effects: list[hub_side.Effect]) -> None:
        for effect in effects:
            match effect:
                case hub_side.Send(_, frame):
                    self._put(frame, to_hub=False)
                case _:
                    self.hub_effects.append((self.now, effect))

    def _put(self, frame: bytes, *, to_hub: bool) -> None:
        self.sent += 1
        copies = 2 if self._random.random() < self.double else 1
        for _ in range(copies):
            if self.connected and self._random.random() >= self.loss:
                self._order += 1
                heappush(self._air, (self.now + self._random.randrange(1, self.slowest), self._order, to_hub, frame))

    def checkpoints(self) -> bytes:
        """Return the octets the client has had kept so far, in order."""
        return b"".join(effect.data for _, effect in self.device_effects if isinstance(effect, Checkpoint))
