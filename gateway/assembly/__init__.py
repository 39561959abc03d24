"""Puts a run together: the one package that joins gateway and emulator."""
