"""The DSP's rows in a database file."""

from gateway.store.store import Line, Outgoing, Received, Rows, Store

__all__ = ["Line", "Outgoing", "Received", "Rows", "Store"]
