"""Counters of a node; they outlive its power cuts."""

from protocols.stack.settings import NodeStatistics


class Counts:
    __slots__ = NodeStatistics._fields

    def __init__(self) -> None:
        self.sent = self.received = self.relayed = self.broadcasts = self.retries = 0
        self.failures = self.replays = self.refused = self.duplicates = 0

    def statistics(self) -> NodeStatistics:
        return NodeStatistics(*(getattr(self, field) for field in NodeStatistics._fields))
