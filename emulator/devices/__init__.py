"""The emulated devices of a HAN, one module or package each."""
