"""Identifiers of nodes and networks."""

from typing import NewType, Self

from protocols.errors import InputError

ShortAddress = NewType("ShortAddress", int)  # 16 bits
PanId = NewType("PanId", int)  # 16 bits

BROADCAST_ALL = ShortAddress(0xFFFF)
BROADCAST_RX_ON = ShortAddress(0xFFFD)
BROADCAST_ROUTERS = ShortAddress(0xFFFC)
COORDINATOR = ShortAddress(0x0000)
NO_SHORT_ADDRESS = ShortAddress(0xFFFE)


class Eui64(int):
    """A 64-bit entity or node identifier, held as a number so that it packs with `struct` either way round."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read 16 hexadecimal digits, with or without `-` or `:` between octets, in any case."""
        digits = text.replace("-", "").replace(":", "").strip()
        if len(digits) != 16 or any(c not in "0123456789abcdefABCDEF" for c in digits):
            raise InputError(f"not an EUI-64: {text!r}")
        return cls(int(digits, 16))

    @classmethod
    def from_wire(cls, octets: bytes) -> Self:
        """Read the little-endian form of the air."""
        return cls(int.from_bytes(octets, "little"))

    @classmethod
    def from_big(cls, octets: bytes) -> Self:
        """Read the big-endian form of GBCS and certificates."""
        return cls(int.from_bytes(octets, "big"))

    @property
    def wire(self) -> bytes:
        return self.to_bytes(8, "little")

    @property
    def big(self) -> bytes:
        return self.to_bytes(8, "big")

    @property
    def hyphenated(self) -> str:
        """The form of DUIS: eight upper-case octets joined with `-`."""
        return self.big.hex("-").upper()

    def __str__(self) -> str:
        """The form of key stores and reports: 16 lower-case digits."""
        return self.big.hex()

    def __repr__(self) -> str:
        return f"Eui64({self})"
