"""The packed list of tracked ESME (MP102B-G2, G14)."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dsp.tracked import TrackedList
from protocols.addresses import Eui64
from protocols.errors import InputError

FORMS: tuple[Callable[[Eui64], str], ...] = (
    str,
    lambda eui: str(eui).upper(),
    lambda eui: eui.hyphenated,
    lambda eui: eui.hyphenated.replace("-", ":"),
)
identifiers = st.integers(0, (1 << 64) - 1)


@given(st.lists(identifiers, max_size=60), st.lists(identifiers, max_size=20))
def test_it_is_a_set(listed: list[int], asked: list[int]) -> None:
    tracked = TrackedList(listed)
    assert len(tracked) == len(set(listed))
    assert tracked.summary.duplicates == len(listed) - len(set(listed))
    for identifier in (*listed, *asked):
        assert (Eui64(identifier) in tracked) is (identifier in listed)


@given(st.lists(identifiers, min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_order_and_form_of_the_lines_do_not_matter(listed: list[int], shuffler: Random) -> None:
    lines = [FORMS[i % len(FORMS)](Eui64(identifier)) + "\r\n" for i, identifier in enumerate(listed)]
    shuffled = list(lines)
    shuffler.shuffle(shuffled)
    one, other = TrackedList.load(lines, 0), TrackedList.load(shuffled, 0)
    assert one.summary == other.summary
    assert all(Eui64(identifier) in one for identifier in listed)


def test_bad_lines_are_counted_and_too_many_refuse_the_whole_list() -> None:
    lines = ["# tracked", "", *(f"{n:016x}" for n in range(99)), "nonsense"]
    assert TrackedList.load(lines, 0.01).summary[:3] == (99, 0, 1)
    with pytest.raises(InputError, match="1 of 100 lines are not an EUI-64") as refused:
        TrackedList.load(lines, 0.009)
    assert "nonsense" not in str(refused.value)


def test_an_empty_list_tracks_nothing() -> None:
    assert Eui64(0) not in TrackedList.load([], 0)
    assert len(TrackedList.load([], 0)) == 0


def test_its_text_shows_no_identifier() -> None:
    tracked = TrackedList([0x00DBCAFEF00DFEED])
    assert repr(tracked) == f"TrackedList(1 identifiers, version {tracked.summary.version})"


def test_a_list_of_full_length_takes_eight_octets_an_entry() -> None:
    count = 200_000
    tracked = TrackedList.load((f"{n * 7919:016x}" for n in range(count)), 0)
    assert len(tracked) == count
    assert tracked.packed_octets == 8 * count
    assert Eui64(7919 * 123_456) in tracked
    assert Eui64(7919 * 123_456 + 1) not in tracked
