"""YAML files as pydantic models; what is wrong is told with the line and the field."""

from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import BaseModel, PlainValidator, ValidationError

from protocols.addresses import Eui64
from protocols.errors import InputError

M = TypeVar("M", bound=BaseModel)


def _eui(text: object) -> Eui64:
    try:
        return Eui64.parse(str(text))
    except InputError as wrong:
        raise ValueError(str(wrong)) from wrong


EuiText = Annotated[Eui64, PlainValidator(_eui)]


def read_model(path: Path, model: type[M], *, newest: int, what: str) -> M:
    """Read a file that says `format: N`, N at most `newest`.

    what: the name of the whole, where no field can be named. Raises InputError: file, line, field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(f"{path}: cannot be read: {wrong}") from wrong
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise InputError(f"{path}:{line} not YAML: {getattr(wrong, 'problem', wrong)}") from wrong
    if isinstance(data, dict) and isinstance(data.get("format"), int) and data["format"] > newest:
        raise InputError(f"{path}: format {data['format']} is newer than this hanlab reads ({newest})")
    try:
        return model.model_validate(data)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        field = ".".join(str(step) for step in first["loc"]) or what
        raise InputError(f"{path}: line {_line_of(tree, first['loc'])}: {field}: {first['msg']}") from wrong


def _line_of(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """Return the line (from 1) of the deepest node of `location` that exists."""
    if node is None:
        return 1
    for step in location:
        below: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            below = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            below = node.value[step]
        if below is None:
            break
        node = below
    return int(node.start_mark.line) + 1
