"""`hanlab gbcs transcript`: golden texts, JSON, exit codes."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.gbcs import app

GOLDEN = Path(__file__).parent / "golden"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["transcript", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.requirement("MP170-R8")
@pytest.mark.parametrize(("cut", "name"), [("1", "cs02b-cut-1.txt"), ("3", "cs02b-cut-3.txt")])
def test_the_transcript_of_a_bridge_is_as_kept(cut: str, name: str) -> None:
    """But for times, which depend on the air, and what is made of them: the date-time and the signature."""
    code, out, err = run("cs02b", "--cut-before", cut)
    assert (code, err) == (0, "")
    assert masked(out) == masked((GOLDEN / name).read_text(encoding="utf-8"))


def masked(text: str) -> str:
    return re.sub(r"\d\d:\d\d:\d\d(\.\d{3})?|(?<=date-time  )[0-9A-F]{24}|(?<=signature  )[0-9A-F]{128}", "-", text)


def test_json_says_the_same() -> None:
    code, out, _ = run("CS02b", "--device", "ppmid", "--cut-before", "3", "--json")
    told = json.loads(out)
    assert (code, told["holds"], told["consistent"], told["cut_before"]) == (0, "new", True, 3)
    assert told["command"]["mac"] == "valid"
    assert [response["signature"] for response in told["responses"]] == ["valid"]
    assert [cell["holds"] for cell in told["after"]] == ["-", "new", "new"]
    assert any("POWER CUT" in step["what"] for step in told["steps"])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("cs06",), "no transcript of 'cs06'; of CS02b there is one"),
        (("cs02b", "--device", "nobody"), "home-1 has no device 'nobody'"),
        (("cs02b", "--cut-before", "50"), "bridge-1 makes 6 puts, none is number 50"),
        (("cs02b", "--home", "nowhere"), "nowhere"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments: tuple[str, ...], complaint: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert complaint in err
