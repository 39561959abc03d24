"""CAD: the consumer access device, a type 2 device."""

from emulator.parts.han_application import IN_HOME_DISPLAY, METERING, PRICE, TIME
from emulator.parts.quiet import QuietDevice


class Cad(QuietDevice):
    """A consumer's own reader; it never speaks GBCS."""

    shown = IN_HOME_DISPLAY
    clients = (TIME, PRICE, METERING)
