"""Service requests a second through the whole of a served DSP, as a ratio to the bare signature verification.

Parse, schema, signature, validation, journal and rows in SQLite on disk, signed answer: `ServedDsp` as in a process,
in groups as they come when users keep a DSP busy. In processor time, in one process, both by turns.
"""

import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from time import process_time

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.northbound.served import ServedDsp
from gateway.store import Store
from protocols.duis import bodies
from protocols.duis.requests import CommandVariant, parse_request
from protocols.duis.responses import parse_response
from protocols.duis.signature import Verdict, judge
from protocols.gbcs.smki import RemotePartyRole
from protocols.wan.line import Frame, Kind
from tests.support.dsp_bench import ESME, Bench
from tests.support.killing import Writer, prenotification
from tests.support.parties import BROKER, START, SUPPLIER

GROUP = 128
ROUNDS = 12
LINE = str(SUPPLIER)
_writer, _numbers = Writer(), count(1)


def _inventory() -> bytes:
    """8.2: the nine devices of a home."""
    _writer.request(bodies.ReadInventory(device_id=ESME))
    return _writer.made[1]


def _prenotify() -> bytes:
    """12.2: a new device each time."""
    return prenotification(_writer, next(_numbers))[2]


def _read_version() -> bytes:
    """11.2: a command to a device each time, under the broker's MAC."""
    _writer.request(bodies.ReadFirmwareVersion(), ESME, CommandVariant.TO_DEVICE)
    return _writer.made[1]


class Door:
    """A served DSP and the octets of requests nobody has sent yet."""

    def __init__(self, url: str) -> None:
        Bench(url=url).store.close()
        self.store = Store(url, served=True)
        self.answers: dict[int, bytes] = {}
        self._number = 0
        self._served = ServedDsp(Bench().dsp, self.store, lambda: START, self._release)

    def _release(self, line: str, frame: Frame) -> None:
        if line == LINE and frame.kind is Kind.ACKNOWLEDGEMENT:
            self.answers[frame.number] = frame.octets

    def take(self, group: list[bytes]) -> None:
        for octets in group:
            self._number += 1
            self._served.take(LINE, self._number, octets)
        self._served.flush()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    door = Door(f"sqlite:///{tmp_path / 'store.db'}")
    yield door
    door.store.close()


def _bare_verification() -> Callable[[], None]:
    """Return one verification of a request's signature by a key already read."""
    signature = parse_request(_inventory()).signature
    assert signature is not None
    public = _writer.xml[SUPPLIER].certificate.public_key
    r, s = (int.from_bytes(half, "big") for half in (signature.value[:32], signature.value[32:]))
    der, signed = encode_dss_signature(r, s), signature.signed_info
    public.verify(der, signed, ECDSA(SHA256()))
    return lambda: public.verify(der, signed, ECDSA(SHA256()))


def _seconds(function: Callable[[], object]) -> float:
    start = process_time()
    function()
    return process_time() - start


@pytest.mark.parametrize("make", [_inventory, _prenotify, _read_version], ids=lambda make: make.__doc__[:4].strip(":"))
def test_requests_through_the_whole_dsp(door: Door, make: Callable[[], bytes], request: pytest.FixtureRequest) -> None:
    rounds = ROUNDS if request.config.getoption("benchmark_enable") else 2
    verify = _bare_verification()
    best_request = best_verification = 1.0
    for _ in range(rounds):
        group = [make() for _ in range(GROUP)]
        best_request = min(best_request, _seconds(lambda group=group: door.take(group)) / GROUP)  # type: ignore[misc]
        best_verification = min(best_verification, _seconds(lambda: [verify() for _ in range(GROUP)]) / GROUP)
    _check(door, rounds * GROUP)
    ratio = best_verification / best_request
    sys.stdout.write(
        f"\n{make.__doc__} {1 / best_request:,.0f}/s; bare ECDSA {1 / best_verification:,.0f}/s; ratio {ratio:.3f}\n"
    )
    if rounds == ROUNDS:
        assert ratio >= 0.15


def _check(door: Door, sent: int) -> None:
    """Every request is in the journal and recorded as accepted, every answer is signed by the DSP."""
    certificate = _writer.xml[BROKER].certificate
    assert len(door.answers) == sent
    for octets in door.answers.values():
        answer = parse_response(octets)
        assert judge(answer.signature, certificate, RemotePartyRole.XML_SIGNING_DSP, START).verdict is Verdict.VALID
        assert answer.response_code in ("I0", "I99")
    journal = door.store.journal()
    assert [message.reply for message in journal] == [door.answers[number] for number in sorted(door.answers)]
    assert len(door.store.load()["requests"]) == sent
