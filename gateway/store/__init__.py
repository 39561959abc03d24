"""The DSP's rows in a database file."""

from gateway.store.store import Rows, Store

__all__ = ["Rows", "Store"]
