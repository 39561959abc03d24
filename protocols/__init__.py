"""Octets and values of the protocols hanlab speaks; no I/O, no clock, no randomness of its own."""
