"""Transactions: every cut between two puts leaves all of a transaction or nothing of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.parts.journal import Journal
from emulator.storage import MemoryStorage


class PowerCut(Exception):  # noqa: N818 - what happens, not an error
    pass


cells = st.sampled_from(["a", "b", "c", "d"])
changes = st.lists(st.tuples(cells, st.none() | st.binary(max_size=5)), max_size=8)


def make(journal: Journal, wanted: list[tuple[str, bytes | None]]) -> None:
    with journal.transaction():
        for cell, value in wanted:
            if value is None:
                journal.delete(cell)
            else:
                journal.put(cell, value)


def contents(storage: MemoryStorage | Journal) -> dict[str, bytes | None]:
    return {cell: storage.get(cell) for cell in storage.cells()}


@pytest.mark.requirement("MP170-R8")
@given(st.dictionaries(cells, st.binary(max_size=5)), changes, st.integers(0, 12), st.integers(0, 6))
def test_a_cut_leaves_the_old_or_the_new_cells(
    before: dict[str, bytes], wanted: list[tuple[str, bytes | None]], fatal: int, again: int
) -> None:
    """MP170-R8: never a mixture; also if the power goes again while the first cut is being made good."""
    storage = MemoryStorage()
    for cell, value in before.items():
        storage.put(cell, value)
    after: dict[str, bytes | None] = dict(before)
    for cell, changed in wanted:
        after.pop(cell, None)
        if changed is not None:
            after[cell] = changed
    for countdown in (fatal, again):
        cut_at(storage, countdown)
        try:
            journal = Journal(storage)
            contents(journal)  # finishes what is left
            if contents(journal) == before and countdown == fatal:
                make(journal, wanted)
        except PowerCut:
            continue
    storage.before_put = None
    found = contents(Journal(storage))
    assert found in (before, after)
    assert "journal" not in storage.cells()


def cut_at(storage: MemoryStorage, countdown: int) -> None:
    left = [countdown]

    def cut(cell: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise PowerCut(cell)

    storage.before_put = cut


def fail(journal: Journal, followed: list[str]) -> None:
    """Change two cells in a transaction that does not end well."""
    with journal.transaction():
        journal.put("a", b"2")
        journal.put("b", b"2")
        journal.afterwards(lambda: followed.append("failed"))
        assert (journal.get("a"), journal.cells(), journal.open) == (b"2", ["a", "b"], True)
        raise ValueError("no")


def test_an_exception_drops_the_transaction_and_what_was_to_follow_it() -> None:
    storage, followed = MemoryStorage(), list[str]()
    journal = Journal(storage)
    with pytest.raises(ValueError, match="no"):
        fail(journal, followed)
    assert (storage.cells(), followed, journal.open) == ([], [], False)


def test_an_inner_transaction_that_fails_leaves_the_outer_one() -> None:
    storage, followed = MemoryStorage(), list[str]()
    journal = Journal(storage)
    with journal.transaction():
        journal.put("a", b"1")
        with pytest.raises(ValueError, match="no"):
            fail(journal, followed)
        journal.afterwards(lambda: followed.append("outer"))
        assert followed == []
    assert contents(storage) == {"a": b"1"}
    assert followed == ["outer"]


def test_one_journal_serves_all_who_share_a_storage() -> None:
    storage = MemoryStorage()
    journal = Journal.over(storage)
    assert Journal.over(storage, journal) is journal
    assert Journal.over(journal) is journal
    assert Journal.over(MemoryStorage(), journal) is not journal
