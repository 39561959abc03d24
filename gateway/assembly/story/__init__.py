"""The story of the demo: what its people do, in virtual time."""
