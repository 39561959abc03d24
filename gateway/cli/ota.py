"""`hanlab ota explain`: where the time of each firmware transfer went, and who stalled it."""

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from protocols.errors import InputError

if TYPE_CHECKING:
    from gateway.campaigns.evidence.explanation import BlockRecord, Distribution, Explained

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

_WHO = ("device", "radio", "queue", "hub")
_SHOWN_STALLS = 12  # of a transfer; --json has all
_STATUS = {None: "no Upgrade End", 0x00: "SUCCESS", 0x95: "ABORT", 0x96: "INVALID_IMAGE", 0x99: "REQUIRE_MORE_IMAGE"}


@app.callback()
def ota() -> None:
    """Firmware transfers over the air."""


@app.command()
def explain(
    place: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="Output folder of a run, or any capture.")],
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="K", help="Key table of a FILE, else keys.txt beside it.")
    ] = None,
    blocks: Annotated[
        Path | None, typer.Option("--blocks", metavar="CSV", help="Write a row for every block here.")
    ] = None,
    stall: Annotated[float, typer.Option("--stall", metavar="S", help="Seconds that make a stall.", min=0.001)] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a page.")] = False,
) -> None:
    """Say of each transfer how fast it was, what its time went to, and who stalled it.

    Everything is taken from the capture: requests seen or not, acknowledgements, relays, repetitions.
    Exit 0, or 2 if a file cannot be read.
    """
    from gateway.campaigns.evidence.explanation import explain_file, explain_folder

    threshold = round(stall * 1e9)
    if place.is_file():
        told = explain_file(place, place.with_name("keys.txt") if keys is None else keys, stall=threshold)
    elif keys is not None:
        raise InputError(f"--keys: goes with a capture file, and {place} is none")
    else:
        told = explain_folder(place, stall=threshold)
    if blocks is not None:
        _write_blocks(blocks, told)
    if as_json:
        print(json.dumps({"transfers": [report(each) for each in told], "verdict": verdict(told)}, indent=1))
        return
    names = _names(place)
    for each in told:
        print("\n".join(page(each, names.get(str(each.transfer.device), ""))) + "\n")
    print(verdict(told))


# --- JSON ----------------------------------------------------------------------------------------------------------


def report(told: "Explained") -> dict[str, Any]:
    """Return a transfer as `--json` prints it; times in seconds."""
    transfer = told.transfer
    return {
        "device": str(transfer.device),
        "version": f"{transfer.file_version:08X}",
        "status": _status(transfer.status),
        "started": transfer.started / 1e9,
        "duration": told.duration / 1e9,
        "size": transfer.size,
        "octets": told.octets,
        "rate": round(told.rate, 1),
        "blocks": told.blocks,
        "block_size": told.block_size,
        "requests": told.requests,
        "repeats": told.repeats,
        "waits": told.waits,
        "pages": told.pages,
        "request_to_response": _figures(told.request_to_response),
        "response_to_request": _figures(told.response_to_request),
        "shares": {who: round(told.share(who), 4) for who in _WHO},
        "causes": {cause.text: time / 1e9 for cause, time in told.causes.items()},
        "air_in_use": {network: round(share, 4) for network, share in told.busy.items()},
        "stalls": [_stall(stall) for stall in told.stalls],
    }


def _figures(times: "Distribution") -> dict[str, float]:
    return {"number": times.number, "median": times.median / 1e9, "p95": times.p95 / 1e9, "most": times.most / 1e9}


def _stall(stall: "BlockRecord") -> dict[str, Any]:
    return {
        "began": stall.began / 1e9,
        "frame": stall.frame,
        "offset": stall.offset,
        "duration": stall.duration / 1e9,
        "attempts": stall.attempts,
        "who": stall.cause.who,
        "cause": stall.cause.text,
        "where": None if stall.where is None else str(stall.where),
        "detail": stall.detail,
    }


def _status(status: int | None) -> str:
    return _STATUS.get(status) or f"status {status:02X}"


# --- CSV -----------------------------------------------------------------------------------------------------------

_COLUMNS = (
    "device", "version", "frame", "began_s", "offset", "blocks", "requests", "duration_ms", "device_ms", "radio_ms",
    "queue_ms", "hub_ms", "most_by", "cause", "where",
)  # fmt: skip


def _write_blocks(path: Path, told: "list[Explained]") -> None:
    """Write the record of every block that came; InputError if the file cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(_COLUMNS)
            for each in told:
                device, version = str(each.transfer.device), f"{each.transfer.file_version:08X}"
                rows.writerows((device, version, *_row(block)) for block in each.record)
    except OSError as error:
        raise InputError(f"--blocks: {path}: {error.strerror}") from None


def _row(block: "BlockRecord") -> list[object]:
    times = [f"{time / 1e6:.3f}" for time in (block.duration, *(block.spent[who] for who in _WHO))]
    began, where = f"{block.began // 10**9}.{block.began % 10**9:09}", "" if block.where is None else str(block.where)
    cause = block.cause
    return [block.frame, began, block.offset, block.blocks, block.attempts, *times, cause.who, cause.text, where]


# --- text ----------------------------------------------------------------------------------------------------------


def _names(folder: Path) -> dict[str, str]:
    """Return the names of the devices by EUI-64, if the folder has them."""
    try:
        devices = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["devices"]
        return {device["eui"]: device["name"] for device in devices}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def page(told: "Explained", name: str = "") -> list[str]:
    """Return the lines of one transfer."""
    transfer = told.transfer
    size = "size unknown" if transfer.size is None else f"{transfer.size:,} octets"
    shares = ", ".join(f"{who} {told.share(who):.1%}" for who in _WHO)
    air = ", ".join(f"{network} {share:.1%}" for network, share in told.busy.items())
    lines = [
        f"{transfer.device}{name and '  ' + name}  version {transfer.file_version:08X}  {size}: "
        f"{_status(transfer.status)}",
        f"  {told.blocks:,} blocks of {told.block_size} in {told.duration / 1e9:,.1f} s, {told.rate:,.0f} octets/s; "
        f"{told.requests:,} requests, {told.repeats:,} repeated, {told.waits:,} told to wait, {told.pages:,} pages",
        f"  request to response  {_times(told.request_to_response)}",
        f"  response to request  {_times(told.response_to_request)}",
        f"  time spent by: {shares}; air in use: {air}",
        f"  stalls: {len(told.stalls)}, {sum(stall.duration for stall in told.stalls) / 1e9:,.1f} s in total",
    ]
    longest = sorted(told.stalls, key=lambda stall: -stall.duration)[:_SHOWN_STALLS]
    lines += [f"    {_line(stall)}" for stall in sorted(longest, key=lambda stall: stall.began)]
    if len(told.stalls) > _SHOWN_STALLS:
        lines.append(f"    and {len(told.stalls) - _SHOWN_STALLS} shorter ones")
    return lines


def _times(times: "Distribution") -> str:
    if not times.number:
        return "none"
    median, p95, most = (value / 1e6 for value in times[1:])
    return f"median {median:,.1f} ms, 95 % within {p95:,.1f} ms, longest {most:,.1f} ms"


def _line(stall: "BlockRecord") -> str:
    where = "" if stall.where is None else f" at {stall.where}"
    detail = f" ({stall.detail})" if stall.detail else ""
    asked = "asked once" if stall.attempts == 1 else f"asked {stall.attempts} times"
    return (
        f"frame {stall.frame}, offset {stall.offset:,}: {stall.duration / 1e9:,.3f} s, {asked}; "
        f"{stall.cause.who}: {stall.cause.text}{where}{detail}"
    )


def verdict(told: "list[Explained]") -> str:
    """Return one paragraph: what the time went to over all transfers, and who stalled most."""
    if not told:
        return "no transfer in this capture"
    totals: dict[str, int] = dict.fromkeys(_WHO, 0)
    stalled: dict[str, tuple[int, int]] = {}
    for each in told:
        for cause, time in each.causes.items():
            totals[cause.who] += time
        for stall in each.stalls:
            place = stall.cause.text if stall.where is None else f"{stall.cause.text} at {stall.where}"
            count, time = stalled.get(place, (0, 0))
            stalled[place] = (count + 1, time + stall.duration)
    whole = sum(totals.values()) or 1
    shares = ", ".join(f"{who} {time / whole:.1%}" for who, time in totals.items())
    text = f"verdict: {len(told)} transfers; time spent by {shares}; "
    if not stalled:
        return text + "nobody stalled"
    worst = sorted(stalled.items(), key=lambda item: -item[1][1])
    return text + "stalled by " + "; ".join(f"{place}: {n} times, {time / 1e9:,.1f} s" for place, (n, time) in worst)
