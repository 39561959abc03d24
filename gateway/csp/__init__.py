"""The communications service provider: between the DSP and the hubs' WAN."""

from gateway.csp.machine import Csp
from gateway.csp.settings import CspSettings, Effect, ToDsp, ToHub, WakeAt

__all__ = ["Csp", "CspSettings", "Effect", "ToDsp", "ToHub", "WakeAt"]
