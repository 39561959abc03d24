"""`functools.cache` with the signature of what it wraps: a type checker takes classes for arguments then."""

from collections.abc import Callable
from functools import cache
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def once(function: Callable[P, T]) -> Callable[P, T]:
    """Work a result out once for the same arguments, all of which have a hash."""
    return cache(function)  # type: ignore[return-value]
