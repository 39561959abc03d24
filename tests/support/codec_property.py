"""One property for every codec: values survive the wire, and noise decodes to a fixed point or raises our own error."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import DecodeError

T = TypeVar("T")

uint8 = st.integers(0, 0xFF)
uint16 = st.integers(0, 0xFFFF)
uint32 = st.integers(0, 0xFFFF_FFFF)
uint64 = st.integers(0, 0xFFFF_FFFF_FFFF_FFFF)


def assert_codec(
    values: st.SearchStrategy[T],
    encode: Callable[[T], bytes],
    decode: Callable[[bytes], T],
    *,
    noise: st.SearchStrategy[bytes] | None = None,
    examples: int = 100,
) -> None:
    """Assert the property over drawn values, noise and damaged encodings.

    `values` must be in the form `decode` gives. Types are compared too, as tuples of different classes are equal.
    noise: octets to decode; short random ones if not given.
    """

    @settings(max_examples=examples, deadline=None, database=None)
    @given(values)
    def survives_the_wire(value: T) -> None:
        decoded = decode(encode(value))
        assert decoded == value
        assert type(decoded) is type(value)

    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.binary(max_size=64) if noise is None else noise)
    def noise_is_harmless(octets: bytes) -> None:
        assert_fixed_point(octets, encode, decode)

    @settings(max_examples=examples, deadline=None, database=None)
    @given(values, st.data())
    def damage_is_harmless(value: T, data: st.DataObject) -> None:
        octets = bytearray(encode(value))
        if octets:
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(uint8)
        assert_fixed_point(bytes(octets[: data.draw(st.integers(0, len(octets)))]), encode, decode)

    survives_the_wire()
    noise_is_harmless()
    damage_is_harmless()


def assert_fixed_point(octets: bytes, encode: Callable[[T], bytes], decode: Callable[[bytes], T]) -> None:
    """Assert that `octets` raise DecodeError, or decode to a value that encodes and decodes to itself."""
    try:
        once = decode(octets)
    except DecodeError:
        return
    assert decode(encode(once)) == once
