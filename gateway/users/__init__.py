"""Suppliers and network operators: they sign, send and receive. See README.md."""
