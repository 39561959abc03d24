"""From the hub's WAN side up to the user: CSP, DSP, users, store, campaigns and the command line."""
