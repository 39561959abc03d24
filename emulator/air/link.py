"""One direction of reach between two radios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.air.signal import error_rates, link_quality

if TYPE_CHECKING:
    from emulator.air.disturbance import BurstTimes
    from emulator.air.radio import SimulatedRadio
    from protocols.interfaces import Random


class Link:
    """How a receiver hears a sender. `plain`: nothing but `loss` can spoil a frame that overlaps no other."""

    __slots__ = ("bursts", "errors", "loss", "lqi", "plain", "random", "receiver", "rssi")

    def __init__(
        self, receiver: SimulatedRadio, rssi: int, loss: float, random: Random, bursts: BurstTimes | None = None
    ) -> None:
        """rssi: dBm. loss: share of frames lost whatever their length. random: decides about losses."""
        self.receiver, self.rssi, self.loss, self.random, self.bursts = receiver, rssi, loss, random, bursts
        self.lqi = link_quality(rssi)
        self.errors = error_rates(rssi)
        self.plain = self.errors is None and bursts is None

    def expected_loss(self, octets: int) -> float:
        """Return the share of frames of so many octets (FCS included) that noise and `loss` take, bursts left out."""
        wrong = 0.0 if self.errors is None else self.errors[octets]
        return wrong + (1.0 - wrong) * self.loss
