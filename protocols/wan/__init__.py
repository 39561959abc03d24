"""Octets between hub and CSP (`envelope`, `session`) and between CSP and DSP (`smwan`)."""
