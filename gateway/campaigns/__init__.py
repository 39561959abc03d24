"""Runs and the judgement on them: evidence taken from outside, checks recomputed from it."""
