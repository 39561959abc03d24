"""Pushes a recorded stream of alerts and requests through sets of suppression rules. Start at `replay.py`."""
