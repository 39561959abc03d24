"""The tables at the end of a run."""

import io

import pytest
from rich.console import Console

from gateway.assembly import tables


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("8F72", "firmware image verified"),
        ("AD1", "hub without supply for at least 3 minutes"),
        ("N60", "firmware image delivered to the hub"),
        ("0000", "unknown"),
        ("N99", "unknown"),
    ],
)
def test_an_alert_is_told_in_words(code: str, words: str) -> None:
    assert tables.meaning(code) == words


def test_who_an_alert_is_from_and_for_is_told_by_name() -> None:
    alert = {"time": "2026-03-02T09:00:03.7Z", "code": "8F12", "origin": "a2", "recipient": "02",
             "decision": "delivered", "signature": "valid"}  # fmt: skip
    summary = {
        "devices": [], "parties": {"a2": "home-1/hub", "02": "broker"}, "wall_seconds": 1.0, "virtual_seconds": 60,
        "alerts": [alert, alert | {"recipient": None, "origin": "a9"}], "frames": 5, "story_failures": ["went wrong"],
        "suppression": {"suppressed": 0, "delivered": 1},
    }  # fmt: skip
    text = io.StringIO()
    tables.show(summary, Console(file=text, width=120))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.getvalue().splitlines() if "8F12" in line]
    assert rows == [
        ["03-02 09:00:03", "8F12 CHF device log changed", "home-1/hub", "broker", "delivered", "valid"],
        ["03-02 09:00:03", "8F12 CHF device log changed", "a9", "", "delivered", "valid"],
    ]
    assert "story: went wrong" in text.getvalue()
