"""The Communications Hub (CHF and GPF)."""

from emulator.devices.communications_hub.hub import CommunicationsHub
from emulator.devices.communications_hub.settings import DEVICE_TYPES, DeviceType, HubSettings, InstalledDevice

__all__ = ["DEVICE_TYPES", "CommunicationsHub", "DeviceType", "HubSettings", "InstalledDevice"]
