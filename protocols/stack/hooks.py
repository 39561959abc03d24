"""Where one part of a node tells another, before the other has taken the call."""


def nobody(*_: object) -> None:
    """Hear, and do nothing: the first value of every hook."""
