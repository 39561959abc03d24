"""A home: its description in YAML, and the HAN built from it."""

from importlib.resources import as_file, files
from pathlib import Path

from emulator.home.builder import Home
from emulator.home.description import HomeDescription, read_home
from protocols.errors import InputError

__all__ = ["Home", "HomeDescription", "find_home", "more_homes", "read_home", "shipped_homes"]


def shipped_homes() -> tuple[HomeDescription, ...]:
    """Return the homes of the demo, in order of their names."""
    return _homes("homes")


def more_homes() -> tuple[HomeDescription, ...]:
    """Return the other homes shipped with hanlab: on three phases, with a twin element meter, for a foreign host."""
    return _homes("more_homes")


def _homes(name: str) -> tuple[HomeDescription, ...]:
    folder = files(__name__) / name
    descriptions = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        with as_file(entry) as path:
            descriptions.append(read_home(path))
    return tuple(descriptions)


def find_home(text: str) -> HomeDescription:
    """Return a shipped home by its name, or the home in a file; InputError if there is neither."""
    shipped = (*shipped_homes(), *more_homes())
    for home in shipped:
        if home.name == text:
            return home
    if not Path(text).exists():
        names = ", ".join(home.name for home in shipped)
        raise InputError(f"{text}: no such file, and none of the shipped homes ({names})")
    return read_home(Path(text))
