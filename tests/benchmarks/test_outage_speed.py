"""AD1 a second, as a ratio to asking a local Redis whether an identifier is in a set.

From the CSP's octets to the decision and its audit row, for a fleet of 1.4 million tracked ESME, 100,000 open windows,
one alert in a hundred suppressed. Objects that stay are taken out of garbage collection, as a process that serves does.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

import pytest

from gateway.dsp.effects import Append, Value
from gateway.dsp.inventory import Inventory
from gateway.dsp.outages import Outages
from gateway.dsp.products import ProductsList
from gateway.dsp.records import Decision, Device, OutageAudit, Premises, Window, WindowState
from gateway.dsp.rows import column_names, from_values, to_row, to_values
from gateway.dsp.settings import DspSettings
from gateway.dsp.suppression import Suppression
from gateway.dsp.tracked import TrackedList
from gateway.store import Store
from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.interfaces import MINUTE
from protocols.wan import smwan
from tests.support.databases import redis_server
from tests.support.dsp_bench import Bench
from tests.support.parties import NETWORK_OPERATOR, START, SUPPLIER

COLUMNS = column_names(OutageAudit)
_PROCESSORS: Callable[[int], set[int]] = getattr(os, "sched_getaffinity", lambda process: set())
SHARE = 100  # one alert in so many is suppressed


@dataclass(frozen=True)
class Size:
    tracked: int
    windows: int
    quiet_hubs: int  # whose ESME has no window
    alerts: int  # a round
    stored: int  # a round, all of one commit
    lookups: int  # a round
    rounds: int  # all by turns, the median of each counts


FULL = Size(1_400_000, 100_000, 5_000, 500, 4_000, 200, 60)
SMALL = Size(14_000, 1_000, 200, 400, 800, 50, 2)


class Fleet:
    """Homes of a hub and an ESME each; those of the first hubs have a window open now."""

    def __init__(self, size: Size) -> None:
        self.size, random = size, Random(1)
        self.hubs = [Eui64(0x00DB_0000_0000_0000 + 2 * n) for n in range(size.windows + size.quiet_hubs)]
        esmes = [Eui64(hub + 1) for hub in self.hubs]
        others = (random.getrandbits(64) for _ in range(size.tracked - len(esmes)))
        self.settings = DspSettings()
        self.suppression = Suppression(self.settings)
        self.suppression.tracked = TrackedList([*esmes, *others])
        self.suppression.load(self._window(n, esmes[n], self.hubs[n]) for n in range(size.windows))
        self.inventory = Inventory(ProductsList())
        devices = [row for n, hub in enumerate(self.hubs) for row in self._home(n, hub)]
        premises = [to_values(Premises(f"{10**12 + n}", SUPPLIER, NETWORK_OPERATOR)) for n in range(len(self.hubs))]
        self.inventory.load({Device.TABLE: devices, Premises.TABLE: premises})
        gc.collect()
        gc.freeze()
        self._random, self._started = random, START - 10 * MINUTE

    @staticmethod
    def _window(number: int, esme: Eui64, hub: Eui64) -> dict[str, Value]:
        start = START - 10 * MINUTE
        return to_values(
            Window(esme, hub, start, start + 30 * MINUTE, "immediate", f"r{number}", WindowState.ARMED, start, number)
        )

    @staticmethod
    def _home(number: int, hub: Eui64) -> Iterator[dict[str, Value]]:
        chf = Device(hub, DeviceType.CHF, DeviceStatus.COMMISSIONED, "1A00", "C0010101")
        esme = Device(
            Eui64(hub + 1), DeviceType.ESME, DeviceStatus.COMMISSIONED, "1A01", "E5010102", hub=hub,
            mpxn=f"{10**12 + number}",
        )  # fmt: skip
        yield to_values(chf)
        yield to_values(esme)

    def every_hub(self) -> list[bytes]:
        """Return an alert of each hub, of an outage long ago: what follows from the inventory is known after it."""
        return [smwan.PowerOutage(hub, 1, START).encode() for hub in self.hubs]

    def alerts(self, count: int) -> list[bytes]:
        """Return so many messages, of hubs at random, each of an outage of its own."""
        messages = []
        for n in range(count):
            windows = self.size.windows
            place = (
                self._random.randrange(windows) if n % SHARE == 0 else self._random.randrange(windows, len(self.hubs))
            )
            self._started += 1
            messages.append(smwan.PowerOutage(self.hubs[place], self._started, START).encode())
        return messages


@pytest.fixture
def size(request: pytest.FixtureRequest) -> Size:
    return FULL if request.config.getoption("benchmark_enable") else SMALL


@pytest.fixture
def fleet(size: Size) -> Iterator[Fleet]:
    processors = _PROCESSORS(0)
    yield Fleet(size)
    if processors:
        os.sched_setaffinity(0, processors)
    gc.unfreeze()


def _outages(fleet: Fleet) -> Outages:
    answers = Bench().dsp._basis.answers
    return Outages(fleet.settings, fleet.inventory, fleet.suppression, answers)


def _lookups(socket: Path, fleet: Fleet) -> Callable[[], int]:
    """Return one round of SISMEMBER, half of them of members; how many were found."""
    redis = pytest.importorskip("redis").Redis(unix_socket_path=str(socket))
    _let_it_run_elsewhere(redis.info()["process_id"])
    tracked = fleet.suppression.tracked
    octets = tracked.octets()
    members = [octets[n : n + 8] for n in range(0, len(octets), 8)]
    for n in range(0, len(members), 1000):
        redis.sadd("tracked", *members[n : n + 1000])
    assert redis.scard("tracked") == len(tracked)
    asked = [*members[: fleet.size.lookups // 2], *(bytes((n % 256,)) * 7 for n in range(fleet.size.lookups // 2))]
    return lambda: sum(redis.sismember("tracked", identifier) for identifier in asked)


def _let_it_run_elsewhere(process: int) -> None:
    """Give a server another processor than this process has, as it would have.

    On one processor a round trip takes a quarter of the time; else the scheduler decides which of the two is measured.
    """
    own = _PROCESSORS(0)
    if len(own) > 1:
        here = min(own)
        os.sched_setaffinity(process, own - {here})
        os.sched_setaffinity(0, {here})


def _rate(function: Callable[[], object], count: int) -> float:
    start = perf_counter()
    function()
    return count / (perf_counter() - start)


def test_ad1_are_decided_and_audited(fleet: Fleet, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    size, outages = fleet.size, _outages(fleet)
    rates: dict[str, list[float]] = {"SISMEMBER": [], "decided": [], "decided and stored": []}
    store = Store(f"sqlite:///{tmp_path / 'store.db'}", served=True)
    _decide(outages, fleet.every_hub())
    with redis_server() as socket:
        lookups = _lookups(socket, fleet)
        assert lookups() == size.lookups // 2
        for _ in range(size.rounds):
            messages, others, audits = fleet.alerts(size.alerts), fleet.alerts(size.stored), list[tuple[Value, ...]]()
            rates["SISMEMBER"].append(_rate(lookups, size.lookups))
            rates["decided"].append(_rate(lambda: audits.extend(_decide(outages, messages)), size.alerts))  # noqa: B023
            rates["decided and stored"].append(_rate(lambda: _decide_and_store(outages, others, store), size.stored))  # noqa: B023
            _check(audits, messages)
    rows = store.load()["power_outage_audit"]
    store.close()
    assert len(rows) == size.rounds * size.stored
    assert sum(row["decision"] == "suppressed" for row in rows) == len(rows) // SHARE
    medians = {what: median(found) for what, found in rates.items()}
    told = ", ".join(f"{what} {rate:,.0f}/s" for what, rate in medians.items())
    decided, durable = (medians[what] / medians["SISMEMBER"] for what in ("decided", "decided and stored"))
    sys.stdout.write(f"\n{told} (medians); ratios to SISMEMBER {decided:.1f}, stored {durable:.1f}\n")
    if size is FULL:
        assert decided >= 20
        assert durable >= 5


def _decide(outages: Outages, messages: Sequence[bytes]) -> list[tuple[Value, ...]]:
    return [audit for audit, _, _, _ in outages.decide(messages, START)]


def _decide_and_store(outages: Outages, messages: Sequence[bytes], store: Store) -> None:
    audits = _decide(outages, messages)
    store.commit([Append(OutageAudit.TABLE, audit) for audit in audits])


def _check(audits: Sequence[tuple[Value, ...]], messages: Sequence[bytes]) -> None:
    """Each alert has its audit, and those of hubs with a window are suppressed: told by the messages alone."""
    assert len(audits) == len(messages)
    for place, (audit, octets) in enumerate(zip(audits, messages, strict=True)):
        row = from_values(OutageAudit, dict(zip(COLUMNS, audit, strict=True)))
        assert to_row(row) == audit
        assert row.hub == int.from_bytes(octets[6:14], "big")
        assert row.decision is (Decision.SUPPRESSED if place % SHARE == 0 else Decision.DELIVERED)
        assert row.recipient == NETWORK_OPERATOR
        assert not row.duplicate
