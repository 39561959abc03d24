"""PPMID: the prepayment display; firmware by 11.4, version read by CS08, activation told by CS09."""

from emulator.parts.self_activating import SelfActivatingDevice


class Ppmid(SelfActivatingDevice):
    """A prepayment interface device."""
