"""A cursor over octets that raises our own error, with the offset, when they stop early."""

from protocols.errors import DecodeError, TruncatedError


class Reader:
    """Reads `data` from the front. `uint` is little-endian as on the air, `uint_be` big-endian as in GBCS."""

    __slots__ = ("data", "offset")

    def __init__(self, data: bytes, offset: int = 0) -> None:
        self.data, self.offset = data, offset

    def octets(self, count: int) -> bytes:
        """Return the next `count` octets; TruncatedError if there are fewer."""
        end = self.offset + count
        if count < 0 or end > len(self.data):
            raise TruncatedError(f"{count} octets expected", offset=self.offset, data=self.data)
        taken = self.data[self.offset : end]
        self.offset = end
        return taken

    def uint8(self) -> int:
        return self.octets(1)[0]

    def uint(self, size: int) -> int:
        """Return `size` octets as a little-endian number."""
        return int.from_bytes(self.octets(size), "little")

    def uint_be(self, size: int) -> int:
        """Return `size` octets as a big-endian number."""
        return int.from_bytes(self.octets(size), "big")

    @property
    def remaining(self) -> int:
        return len(self.data) - self.offset

    def rest(self) -> bytes:
        """Return all octets not read yet."""
        return self.octets(self.remaining)

    def finish(self, what: str = "octets after the end") -> None:
        """Raise DecodeError if anything is left."""
        if self.remaining:
            raise DecodeError(what, offset=self.offset, data=self.data)
