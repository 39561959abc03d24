"""Homes without radio, by the thousand. Start at `hub.py`."""
