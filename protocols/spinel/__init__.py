"""Spinel, the protocol between a host and an 802.15.4 radio co-processor (RCP)."""
