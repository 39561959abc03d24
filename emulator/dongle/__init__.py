"""Virtual dongles: a radio of the emulated air offered to host stacks outside."""
