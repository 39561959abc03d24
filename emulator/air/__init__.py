"""The simulated 802.15.4 air."""
