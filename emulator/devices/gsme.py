"""GSME: the sleepy gas meter. It joins and polls; its updates are not part of the emulation yet."""

from emulator.parts.han_application import METERING, METERING_DEVICE, OTA_UPGRADE, TIME, TUNNELING
from emulator.parts.quiet import QuietDevice


class Gsme(QuietDevice):
    """A gas meter; client of the tunnel, since it sleeps."""

    shown = METERING_DEVICE
    servers = (METERING,)
    battery = True
    clients = (TIME, OTA_UPGRADE, TUNNELING)
