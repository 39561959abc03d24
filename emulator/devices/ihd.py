"""IHD: the in-home display, a type 2 device."""

from emulator.parts.han_application import IN_HOME_DISPLAY, MESSAGING, METERING, PRICE, TIME
from emulator.parts.quiet import QuietDevice


class Ihd(QuietDevice):
    """A display; it reads and shows, and never speaks GBCS."""

    kind = "ihd"
    shown = IN_HOME_DISPLAY
    clients = (TIME, PRICE, METERING, MESSAGING)
