"""The packed list of tracked ESME (MP102B-G2, G14)."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dsp.tracked import TrackedList
from gateway.dsp.tracked_file import read_tracked, write_cache
from protocols.addresses import Eui64
from protocols.errors import InputError
from tests.support.dsp_bench import ESME, Bench
from tests.support.requirements import patched

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


@given(st.lists(identifiers, max_size=40), st.integers(1, 50))
def test_the_octets_of_a_file_may_be_cut_anywhere(listed: list[int], size: int) -> None:
    octets = "".join(FORMS[i % len(FORMS)](Eui64(identifier)) + "\n" for i, identifier in enumerate(listed)).encode()
    blocks = [octets[at : at + size] for at in range(0, len(octets), size)]
    assert TrackedList.read(blocks, 0).summary == TrackedList(listed).summary


@given(st.lists(st.integers(0x7EFF << 48, (1 << 64) - 1), max_size=60))
def test_identifiers_that_are_no_doubles_are_put_in_order_too(listed: list[int]) -> None:
    packed = TrackedList(listed).octets()
    found = [int.from_bytes(packed[at : at + 8], "little") for at in range(0, len(packed), 8)]
    assert found == sorted(set(listed))


def test_bad_lines_are_named_by_number_and_not_shown() -> None:
    lines = ["# of March", "00DB123456789001", "", "00DB1234 secret1", "00-DB-12-34-56-78-90-02", "secret2"]
    tracked = TrackedList.load(lines, 0.5)
    assert tracked.summary[:3] == (2, 0, 2)
    assert tracked.summary.bad_lines == (4, 6)
    with pytest.raises(InputError, match=r"2 of 4 lines are not an EUI-64: line 4, 6$"):
        TrackedList.load(lines, 0.4)


def test_white_space_within_a_line_makes_no_identifier() -> None:
    assert TrackedList.load(["00DB12345678 901"], 1).summary.rejects == 1


# --- files -----------------------------------------------------------------------------------------------------------


def text_of(folder: Path, listed: list[int]) -> Path:
    path = folder / "list.txt"
    path.write_text("".join(f"{Eui64(one).hyphenated}\n" for one in listed), encoding="utf-8")
    return path


@pytest.mark.requirement("MP102B-G2", planted=patched(TrackedList, "__contains__", lambda self, eui: eui % 2 == 0))
def test_a_cache_is_the_list_it_was_made_from(tmp_path: Path) -> None:
    random = Random(1)
    listed = [random.getrandbits(64) for _ in range(70_000)]
    tracked = read_tracked(text_of(tmp_path, listed), 0)
    write_cache(tmp_path / "list.bin", tracked)
    cached = read_tracked(tmp_path / "list.bin", 0)
    assert (cached.summary, cached.octets()) == (tracked.summary, tracked.octets())
    assert (tmp_path / "list.bin").stat().st_mode & 0o777 == 0o600
    others = [random.getrandbits(64) for _ in range(1000)]
    assert all(Eui64(one) in cached for one in listed[:1000])
    assert not any(Eui64(one) in cached for one in others)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda octets: octets[:-8], "a cache of 3 identifiers holds 16 octets, not 24"),
        (lambda octets: octets[:-1] + b"\xff", "a cache whose content is not that of its hash"),
        (lambda octets: octets[:20], "a cache cut short, 20 octets"),
        (lambda octets: octets[:15] + b"\x09" + octets[16:], "cache version 9 is newer than this program reads (1)"),
    ],
)
def test_a_damaged_cache_is_refused(damage: Callable[[bytes], bytes], told: str, tmp_path: Path) -> None:
    path = tmp_path / "list.bin"
    write_cache(path, TrackedList([1, 2, 3]))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError) as refused:
        read_tracked(path, 0)
    assert str(refused.value) == f"{path}: {told}"


def test_a_cache_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "nowhere" / "list.bin", tmp_path / "folder"):
        with pytest.raises(InputError, match=f"^{place}: cannot be written: "):
            write_cache(place, TrackedList([1]))
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_a_list_that_cannot_be_read_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"^{tmp_path}/none: cannot be read: No such file or directory$"):
        read_tracked(tmp_path / "none", 0)


def test_a_list_is_replaced_while_the_dsp_runs_or_not_at_all(tmp_path: Path) -> None:
    """A bad list leaves the one in force."""
    bench = Bench(tracked=())
    bench.dsp.swap_tracked(read_tracked(text_of(tmp_path, [ESME]), 0))
    with pytest.raises(InputError):
        bench.dsp.load_tracked(["nonsense"])
    bench.activate()
    assert bench.outage().dcc_alerts() == []
