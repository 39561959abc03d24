"""One set of rules of suppression as a YAML file."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from gateway.dsp.settings import DspSettings, OutageScope, OutageTime
from protocols.errors import InputError
from protocols.interfaces import HOUR, MINUTE, SECOND
from protocols.yaml_files import read_model

FORMAT = 1
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR}


def _duration(text: object) -> int:
    """Return e.g. "30m" in ns."""
    digits, unit = str(text)[:-1], _UNITS.get(str(text)[-1:])
    if unit is None or not digits.isdecimal():
        raise ValueError(f"a duration is a whole number with s, m or h, not {text!r}")
    return int(digits) * unit


class Rules(BaseModel):
    """What decides on an AD1. The defaults are those of the DSP."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    name: str = ""
    suppression: bool = True
    window: Annotated[int, BeforeValidator(_duration)] = DspSettings().window  # ns
    time: OutageTime = DspSettings().outage_time
    scope: OutageScope = DspSettings().outage_scope
    close_on_failure: bool = DspSettings().close_window_on_failure
    suppressed: Literal["drop", "release"] = "drop"  # release: told to the network operator when the window is over
    tracked: Path | None = None  # the list, beside the rules' own file; else the one of all rules

    @property
    def settings(self) -> DspSettings:
        return DspSettings(
            suppression=self.suppression, window=self.window, outage_time=self.time, outage_scope=self.scope,
            close_window_on_failure=self.close_on_failure,
        )  # fmt: skip


def read_rules(path: Path) -> Rules:
    """Read one set of rules, named like its file if it has no name. Raises InputError: file, line, field."""
    rules = read_model(path, Rules, newest=FORMAT, what="rules")
    if rules.tracked is not None and not (path.parent / rules.tracked).is_file():
        raise InputError(f"{path}: tracked: no file {path.parent / rules.tracked}")
    tracked = None if rules.tracked is None else path.parent / rules.tracked
    return rules.model_copy(update={"name": rules.name or path.stem, "tracked": tracked})
