"""Authentic commands with any payload, drawn or damaged: a device obeys or refuses, and goes on."""

import random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.parts.clock_commands import ClockCommands
from emulator.parts.gbcs_entity import AUTHORISING_ROLES, DeviceKind
from emulator.parts.register_commands import serve_electricity, serve_gas
from protocols.gbcs.envelope import Cra
from protocols.gbcs.payloads import classes_of
from protocols.gbcs.use_cases.table import USE_CASES, Access, UseCase
from protocols.interfaces import DAY, SECOND
from protocols.wan.envelope import GbcsCarried
from tests.support.gbcs_payloads import PAYLOADS
from tests.support.hub_bench import CHF, HubBench
from tests.support.offline import DEVICE, Offline
from tests.support.parties import SUPPLIER, Parties

PARTIES = Parties()
BY_ROLE = {party.ds_certificate.role: party for party in PARTIES.known}
COMMANDS = [row for row in USE_CASES.values() if row.module and Cra.COMMAND in row.directions]


class Case(NamedTuple):
    kind: DeviceKind
    row: UseCase
    access: Access


CASES = [
    Case(kind, row, access)
    for row in COMMANDS
    for access in row.access
    for kind in access.devices
    if access.originator in BY_ROLE and AUTHORISING_ROLES.get(row.message_code, access.originator) is access.originator
]


def commands_of(row: UseCase) -> st.SearchStrategy[bytes]:
    """Return payloads of the command, some of them damaged."""
    kind = next(found for (cra, _), found in classes_of(row).items() if cra is Cra.COMMAND)
    return st.builds(damaged, PAYLOADS[kind].map(lambda payload: payload.encode()), st.integers(0, 2**32))


def damaged(payload: bytes, seed: int) -> bytes:
    """Return the payload as it is for every other seed, else with octets changed or cut off."""
    draw, octets = random.Random(seed), bytearray(payload)
    if seed % 2 or not octets:
        return payload
    for _ in range(draw.choice((1, 2, 4))):
        octets[draw.randrange(len(octets))] = draw.choice((0, 1, 0x7F, 0x80, 0x81, 0x82, 0xFF, draw.randrange(256)))
    return bytes(octets[: draw.choice((len(octets), draw.randrange(len(octets) + 1)))])


def device(kind: DeviceKind) -> Offline:
    made = Offline(PARTIES, kind)
    ClockCommands(made.application)
    (serve_electricity if kind is DeviceKind.ESME else serve_gas)(made.application, lambda: 5)
    return made


@settings(deadline=None, database=None, max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(CASES).flatmap(lambda case: st.tuples(st.just(case), commands_of(case.row))), st.integers(0, 9))
def test_a_device_obeys_or_refuses_and_goes_on(drawn: tuple[Case, bytes], counter: int) -> None:
    (kind, row, access), payload = drawn
    made = device(kind)
    before = made.contents()
    signed = bool(row.critical) if access.signed is None else access.signed
    octets = PARTIES.command(
        BY_ROLE[access.originator], DEVICE, row.message_code, payload, counter=counter, signed=signed, mac=access.mac,
        for_user=(SUPPLIER, 9) if access.on_behalf else None,
    )  # fmt: skip
    response = made.obey(octets)
    assert (response is None) == bool(made.refusals)
    if response is None:
        assert {cell: value for cell, value in made.contents().items() if "alert-counter" not in cell} == before
    made.run(400 * DAY)
    made.restart()
    made.run(SECOND)


@pytest.fixture(scope="module")
def hub() -> HubBench:
    bench = HubBench()
    bench.hub.start()
    return bench


@settings(
    deadline=None, database=None, max_examples=120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_a_hub_obeys_or_refuses_and_goes_on(hub: HubBench, data: st.DataObject) -> None:
    rows = [case.row for case in CASES if case.kind is DeviceKind.CHF and case.access.on_behalf]
    row = data.draw(st.sampled_from(rows))
    payload = data.draw(commands_of(row))
    hub.down(GbcsCarried(CHF, hub.command(row.message_code, payload)))
    hub.run(15)
    assert hub.hub.running
