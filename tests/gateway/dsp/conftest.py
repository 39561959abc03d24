"""After a test of these modules each DSP it had is restored from its store, and must know what the first one knew.

Those of `ON_POSTGRESQL` are run a second time with their stores in PostgreSQL.
"""

from collections.abc import Iterator

import pytest

from tests.support.databases import PostgresqlServer
from tests.support.dsp_bench import Bench
from tests.support.dsp_state import state_of

ON_POSTGRESQL = ("test_firmware", "test_flows", "test_suppression_rows")
HELD = (
    *ON_POSTGRESQL, "test_departures", "test_device_log", "test_device_log_requests", "test_device_messages",
    "test_inventory_rules", "test_joins", "test_local_delivery", "test_requests", "test_suspension",
)  # fmt: skip


def _module(name: str) -> str:
    return name.rpartition(".")[2]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if _module(metafunc.module.__name__) in ON_POSTGRESQL:
        postgresql = pytest.param("postgresql", marks=pytest.mark.judge("postgresql"))
        metafunc.parametrize("_kept", ["sqlite", postgresql], indirect=True)


@pytest.fixture(autouse=True)
def _kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if _module(request.module.__name__) not in HELD:
        yield
        return
    made: list[Bench] = []
    monkeypatch.setattr(Bench, "benches", made)
    if getattr(request, "param", "sqlite") == "postgresql":
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        monkeypatch.setattr(Bench, "new_store", server.new_database)
    yield
    under_defect = hasattr(request.node, "shown")
    states = [] if under_defect else [(state_of(bench.restored()), state_of(bench.dsp)) for bench in made]
    for bench in made:
        bench.store.close()
    for restored, lived in states:
        assert {path: told for path, told in restored.items() if lived.get(path) != told} == {}
        assert set(restored) == set(lived)
