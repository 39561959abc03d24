"""Homes by the thousand on one clock: real nodes on real air, without what lies above the cluster library."""
