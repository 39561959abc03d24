"""Reports from a store. Start at `registry.py`."""
