"""IHD: the in-home display, a type 2 device."""

from emulator.parts.han_application import IN_HOME_DISPLAY, METERING, PRICE, TIME
from emulator.parts.quiet import QuietDevice


class Ihd(QuietDevice):
    """A display; it reads and never speaks GBCS."""

    shown = IN_HOME_DISPLAY
    clients = (TIME, PRICE, METERING)
