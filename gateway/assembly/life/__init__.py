"""The life of one home over days: what happens when, how it is run, and what is shown of it."""
