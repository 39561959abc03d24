"""Errors that say whose fault it is."""


class HanlabError(Exception):
    """Root of every error this project raises on purpose."""


class DecodeError(HanlabError, ValueError):
    """The peer sent octets that do not follow the standard."""

    def __init__(self, what: str, *, offset: int = 0, data: bytes = b"") -> None:
        shown = data[:32].hex() + ("..." if len(data) > 32 else "")
        super().__init__(f"{what} at octet {offset}" + (f" of {shown}" if shown else ""))
        self.what, self.offset, self.data = what, offset, data


class TruncatedError(DecodeError):
    """The octets stop early; a stream reader may wait for more."""


class IntegrityError(DecodeError):
    """A MIC, MAC or signature did not verify."""


class InputError(HanlabError):
    """A file, option or description given by the user is wrong; the text names what and where, in one line."""


class UsageError(HanlabError):
    """Our own code asked for something the standard forbids."""
