"""The stories `hanlab demo` can tell."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from emulator.home import shipped_homes
from emulator.home.description import HomeDescription
from gateway.assembly.story import demo, old_hub
from gateway.assembly.world import World
from gateway.campaigns.verify.registry import OLD_HUB
from protocols.errors import InputError


class Story(NamedTuple):
    about: str  # a line for users
    homes: Callable[[], Sequence[HomeDescription]]
    tell: Callable[[World], Coroutine[Any, Any, None]]
    kind: str | None  # of the run, in summary.json; it says which checks apply


FIRST = "updates"
STORIES: Mapping[str, Story] = MappingProxyType(
    {
        FIRST: Story("two homes update their bridges and their meters", shipped_homes, demo.tell, None),
        OLD_HUB: Story("a hub of before SECMP0007 gets new firmware", old_hub.homes, old_hub.tell, OLD_HUB),
    }
)


def story(name: str) -> Story:
    """Return the story of this name; InputError lists the names there are."""
    try:
        return STORIES[name]
    except KeyError:
        raise InputError(f"no story {name!r}; there are: {', '.join(STORIES)}") from None
