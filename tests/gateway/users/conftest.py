"""A supplier and a network operator on a line to the small DCC of tests, in virtual time."""

from collections.abc import Callable

import pytest

from emulator.clock import VirtualClock
from gateway.users.network_operator import NetworkOperator
from gateway.users.supplier import Supplier
from gateway.users.user import UserRole
from tests.support.dcc_responder import ACB, OPERATOR, SUPPLIER, DccResponder

START = 1_772_442_000_123_456_789  # 2026-03-02T09:00:00.123456789Z


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def dcc(clock: VirtualClock) -> DccResponder:
    return DccResponder(clock)


@pytest.fixture
def supplier(clock: VirtualClock, dcc: DccResponder) -> Supplier:
    return Supplier(
        SUPPLIER,
        UserRole.IMPORT_SUPPLIER,
        dcc.supplier,
        lambda octets: dcc.submit(octets),
        clock,
        entropy=dcc.entropy,
        certificates=dcc.repository,
        dsp=ACB,
        xml=dcc.xml[SUPPLIER],
        name="supplier",
    )


@pytest.fixture
def operator(clock: VirtualClock, dcc: DccResponder) -> NetworkOperator:
    send: Callable[[bytes], bytes] = dcc.submit
    return NetworkOperator(
        OPERATOR,
        UserRole.ELECTRICITY_DISTRIBUTOR,
        dcc.operator,
        send,
        clock,
        entropy=dcc.entropy,
        certificates=dcc.repository,
        dsp=ACB,
        xml=dcc.xml[OPERATOR],
        name="network-operator",
    )
