"""Text files of commands: errors of the operating system and of the encoding as one line."""

from pathlib import Path

from protocols.errors import InputError


def read_text(path: Path) -> str:
    """Read UTF-8. Raises InputError naming the file."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at octet {error.start}") from error


def write_text(path: Path | None, text: str) -> None:
    """Write UTF-8 to a file, or to the terminal without one. Raises InputError naming the file."""
    if path is None:
        print(text, end="")
        return
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
