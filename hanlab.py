"""The supported Python API of hanlab."""

from emulator.home import Home
from gateway.assembly.lab import Lab

__all__ = ["Home", "Lab"]
