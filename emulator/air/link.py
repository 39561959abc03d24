"""One direction of reach between two radios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.air.signal import error_rates, link_quality

if TYPE_CHECKING:
    from emulator.air.disturbance import BurstTimes
    from emulator.air.radio import SimulatedRadio
    from protocols.interfaces import Entropy, Random


class Losses:
    """The chances that decide about losses of a sender, each opened when it is first asked: most links lose nothing."""

    __slots__ = ("_entropy", "_randoms", "_sender")

    def __init__(self, entropy: Entropy, sender: SimulatedRadio) -> None:
        self._entropy, self._sender = entropy, sender
        self._randoms: dict[SimulatedRadio, Random] | None = None

    def towards(self, receiver: SimulatedRadio) -> Random:
        """Return the chance of the direction to `receiver`, the same for each link of it."""
        randoms = self._randoms
        if randoms is None:
            randoms = self._randoms = {}
        random = randoms.get(receiver)
        if random is None:
            random = randoms[receiver] = self._entropy.random(f"loss {purpose(self._sender, receiver)}")
        return random


def purpose(sender: SimulatedRadio, receiver: SimulatedRadio) -> str:
    """Return the name of a direction among the purposes of randomness."""
    network = sender.network
    to = receiver.name if receiver.network is network else f"{receiver.network.name} {receiver.name}"
    return f"{network.name} {sender.name} to {to}"


class Link:
    """How a receiver hears a sender. `plain`: nothing but `loss` can spoil a frame that overlaps no other."""

    __slots__ = ("bursts", "errors", "loss", "losses", "lqi", "plain", "random", "receiver", "rssi")

    def __init__(
        self, receiver: SimulatedRadio, rssi: int, loss: float, losses: Losses, bursts: BurstTimes | None = None
    ) -> None:
        """rssi: dBm. loss: share of frames lost whatever their length."""
        self.receiver, self.rssi, self.loss, self.losses, self.bursts = receiver, rssi, loss, losses, bursts
        self.random: Random | None = None  # opened by the first `draw`
        self.lqi = link_quality(rssi)
        self.errors = error_rates(rssi)
        self.plain = self.errors is None and bursts is None

    def draw(self) -> float:
        """Draw from the chance of this direction, 0 to 1."""
        if self.random is None:
            self.random = self.losses.towards(self.receiver)
        return self.random.random()

    def expected_loss(self, octets: int) -> float:
        """Return the share of frames of so many octets (FCS included) that noise and `loss` take, bursts left out."""
        wrong = 0.0 if self.errors is None else self.errors[octets]
        return wrong + (1.0 - wrong) * self.loss
