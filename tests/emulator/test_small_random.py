"""The small stream of fleets, by its published vector."""

import pytest

from emulator.entropy import SmallRandom


def test_the_small_stream_is_splitmix64() -> None:
    """Vector: seed 1234567, as published with the algorithm (rosettacode.org, Pseudo-random numbers/Splitmix64)."""
    random = SmallRandom(1234567)
    drawn = [int.from_bytes(random.randbytes(8), "little") for _ in range(5)]
    assert drawn == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_the_small_stream_draws_from_its_range() -> None:
    random = SmallRandom(5)
    assert {random.randrange(3, 7) for _ in range(200)} == {3, 4, 5, 6}
    assert all(0 <= random.random() < 1 for _ in range(200))
    assert len(random.randbytes(13)) == 13
    with pytest.raises(ValueError, match="nothing between"):
        random.randrange(4, 4)
