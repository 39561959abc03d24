"""Runs of many homes without radio. Start at `run.py`."""
