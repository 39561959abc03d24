"""A home: its description in YAML, and the HAN built from it."""

from importlib.resources import as_file, files

from emulator.home.builder import Home
from emulator.home.description import HomeDescription, read_home

__all__ = ["Home", "HomeDescription", "read_home", "shipped_homes"]


def shipped_homes() -> tuple[HomeDescription, ...]:
    """Return the homes shipped with hanlab, in order of their names."""
    folder = files(__name__) / "homes"
    descriptions = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        with as_file(entry) as path:
            descriptions.append(read_home(path))
    return tuple(descriptions)
