"""What the benchmarks measured, as a table: `make bench` prints it and writes it where `HANLAB_BENCH_TABLE` says."""

from typing import NamedTuple


class Row(NamedTuple):
    """One measured ratio and the bound that its test asserts."""

    what: str
    measured: float
    bound: float
    absolute: str  # figures of this machine, for the reader
    most: bool  # the bound is the most allowed, else the least


ROWS: list[Row] = []


def record(what: str, measured: float, bound: float, absolute: str = "", *, most: bool = False) -> None:
    """Add a row; a benchmark calls it before it asserts the same."""
    ROWS.append(Row(what, measured, bound, absolute, most))


def as_markdown(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | measured | bound | on this machine |", "|---|---|---|---|"]
    lines += [
        f"| {row.what} | {row.measured:.3g} | {'at most' if row.most else 'at least'} {row.bound:g} | {row.absolute} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
