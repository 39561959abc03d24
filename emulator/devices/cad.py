"""CAD: the consumer access device, a type 2 device."""

from emulator.parts.display import Display, DisplaySettings
from emulator.parts.han_application import IN_HOME_DISPLAY, MESSAGING, METERING, PRICE, TIME
from emulator.parts.meter_parts import MeterParts
from emulator.parts.profile_reader import ProfileReader
from emulator.parts.quiet import QuietDevice


class Cad(QuietDevice):
    """A consumer's own reader: it reads often, and the profile of each day; it never speaks GBCS."""

    kind = "cad"
    shown = IN_HOME_DISPLAY
    clients = (TIME, PRICE, METERING, MESSAGING)

    def make_display(self, parts: MeterParts, settings: DisplaySettings) -> Display:
        display = super().make_display(parts, settings)
        self.profile = ProfileReader(parts, display.reader.meter)
        return display

    def _run(self) -> None:
        super()._run()
        if self.display is not None:
            self.profile.start()
