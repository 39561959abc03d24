"""Compares two runs of one seed: capture, keys, timeline, mailboxes, requests and summary, octet for octet."""

import json
import sys
from pathlib import Path


def differences(one: Path, two: Path) -> list[str]:
    """Return the names of what differs; `wall_seconds` of the summary and the store's file may."""
    found = [f"{run}/summary.json: missing" for run in (one, two) if not (run / "summary.json").exists()]
    names = sorted({str(p.relative_to(d)) for d in (one, two) for p in d.rglob("*") if p.is_file()})
    for name in names:
        if name.startswith("store.db"):
            continue
        first, second = one / name, two / name
        if not first.exists() or not second.exists():
            found.append(f"{name}: only in one run")
        elif name == "summary.json":
            if _summary(first) != _summary(second):
                found.append(name)
        elif first.read_bytes() != second.read_bytes():
            found.append(name)
    return found


def _summary(path: Path) -> str:
    summary = json.loads(path.read_text(encoding="utf-8"))
    del summary["wall_seconds"]
    return json.dumps(summary)


if __name__ == "__main__":
    different = differences(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(different) if different else "the two runs are the same, octet for octet")
    sys.exit(1 if different else 0)
