"""What can go wrong for a service user."""

from protocols.errors import HanlabError


class NotReceivedError(HanlabError):
    """A message awaited did not come by the deadline."""

    def __init__(self, user: str, what: str, deadline: int) -> None:
        super().__init__(f"{user}: {what} not received by {deadline} ns")
        self.user, self.what, self.deadline = user, what, deadline


class PreCommandError(HanlabError):
    """A pre-command does not say what the user asked for; it was not signed."""
