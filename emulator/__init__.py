"""The far side of the radio, and the radio: virtual time, the air, power and the devices of a HAN."""
