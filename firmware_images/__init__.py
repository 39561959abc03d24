"""Firmware image manifest of the emulated products."""
