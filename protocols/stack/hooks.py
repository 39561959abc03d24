"""Where one part of a node tells another.

A part that tells several things tells them to one `user`: a reference to it costs nothing, a bound method 64 octets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from protocols.addresses import ShortAddress
    from protocols.stack.peer import Peer


def nobody(*_: object) -> None:
    """Hear, and do nothing: the first value of every hook."""


class MembershipUser(Protocol):
    """Whom a node's place in its network concerns."""

    def stop_polling(self) -> None:
        """The node looks for a parent: it has none to ask for frames."""
        ...

    def left(self) -> None:
        """The node is in no network any more."""
        ...

    def changed(self) -> None:
        """The own address or the channel is another."""
        ...

    def parent_moved(self) -> None:
        """The parent has another address."""
        ...


class ParentUser(Protocol):
    """Who has to know of the children of a node."""

    def child_joined(self, child: Peer) -> None:
        """A device has associated, and needs the network key."""
        ...

    def child_rejoined(self, child: Peer, secured: bool) -> None:
        """A member has come back, under the network key or without."""
        ...

    def child_left(self, child: Peer) -> None:
        """A child has left, and does not come back."""
        ...


class RejoinUser(Protocol):
    """Who waits for a parent."""

    def came_back(self, unchanged: bool) -> None:
        """A parent has taken this node; whether it still knew it: then nothing has changed."""
        ...

    def moved(self, short: ShortAddress) -> None:
        """The parent gave another address."""
        ...
