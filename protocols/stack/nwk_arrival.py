"""What the NWK layer hands on: how a command came, and who hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from protocols.addresses import ShortAddress
    from protocols.nwk.commands import NwkCommand
    from protocols.nwk.frame import NwkHeader
    from protocols.stack.peer import Peer


class Arrival(NamedTuple):
    """How a NWK command came."""

    radio: int
    neighbour: ShortAddress  # who sent it last
    header: NwkHeader
    lqi: int
    hop: Peer | None  # whose NWK security it had; None without


class CommandHandler(Protocol):
    """Who takes commands of some kinds."""

    def command(self, how: Arrival, command: NwkCommand) -> None:
        """Take a command; one of another kind than its own is nothing to it."""
        ...


class NwkUser(Protocol):
    """The layer above."""

    def nwk_data(self, source: int, payload: bytes, lqi: int) -> None:
        """An APS frame came to this node, decrypted by the network key."""
        ...

    def nwk_unsecured(self, source: int, payload: bytes) -> None:
        """An APS frame came without NWK security, as a joiner gets its Transport-Key."""
        ...

    def heard_child(self, peer: Peer) -> None:
        """A new child has used the network key."""
        ...

    def nwk_key_unknown(self, key_sequence: int) -> None:
        """A frame came under a network key that this node has not."""
        ...
