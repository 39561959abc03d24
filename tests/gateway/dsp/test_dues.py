"""What is due first, against the plain search over everything."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.dsp.dues import Dues

STEPS = st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 9)), max_size=40)


@given(STEPS, st.integers(0, 9))
def test_the_earliest_is_that_of_a_search_over_all(steps: list[tuple[int, int | None]], now: int) -> None:
    dues, known = Dues(), dict[int, int]()
    for key, when in steps:
        dues.set(key, when)
        if when is None:
            known.pop(key, None)
        else:
            known[key] = when
        assert dues.first == min(known.values(), default=None)
    due = dues.until(now)
    assert set(due) == {key for key, when in known.items() if when <= now}
    times = [known[key] for key in due if isinstance(key, int)]
    assert times == sorted(times)
    assert len(times) == len(due)
    assert dues.until(now) == due
