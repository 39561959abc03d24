"""A served DSP on its socket: groups, numbers, lines, and what ends it."""

import asyncio
import contextlib
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.northbound.client import LineClient, LineError
from gateway.northbound.served import ServedDsp
from gateway.northbound.server import LineServer
from gateway.store import Store
from protocols.duis.responses import parse_response
from protocols.errors import InputError
from protocols.wan.line import CSP, Frame
from tests.support.dsp_bench import OTHER_HUB, Bench
from tests.support.killing import Writer, outage, prenotification
from tests.support.parties import NETWORK_OPERATOR, START, SUPPLIER

USER = str(SUPPLIER)


class Served:
    """A server in a thread of its own, and how it ended."""

    def __init__(self, url: str, path: Path) -> None:
        self.url, self.path = url, path
        self.ended: BaseException | None = None
        self.groups: list[int] = []  # messages of each commit
        self._ready = threading.Event()
        self._stop: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Served":
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._thread.join(30)

    def wait(self) -> None:
        """Wait until it has ended by itself."""
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        try:
            asyncio.run(self._run())
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.ended = error
        finally:
            self._ready.set()

    async def _run(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def stop() -> None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(task.cancel)

        self._stop = stop
        store = Store(self.url, served=True)
        commit, groups = store.commit, self.groups

        def counted(rows: object, **more: object) -> None:
            groups.append(len(more["received"]))  # type: ignore[arg-type]
            commit(rows, **more)  # type: ignore[arg-type]

        store.commit = counted  # type: ignore[method-assign]

        def make(release: Callable[[str, Frame], None]) -> ServedDsp:
            return ServedDsp(Bench().dsp, store, lambda: START, release)

        try:
            await LineServer(make, lambda: START).run(self.path, self._ready.set)
        finally:
            store.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    Bench(url=url).store.close()
    with Served(url, tmp_path / "dsp.sock") as served:
        yield served


def test_only_its_owner_may_connect(served: Served) -> None:
    assert stat.S_IMODE(served.path.stat().st_mode) == 0o600


def test_a_request_is_answered_once_however_often_it_is_sent(served: Served) -> None:
    writer = Writer()
    _, line, octets = prenotification(writer, 1)
    with LineClient(served.path, line) as client:
        answer = client.send(octets)
        client.post(octets, 1)
        assert client.answer(1) == answer
    with LineClient(served.path, line) as client:
        assert client.number == 1
        client.post(octets, 1)
        assert client.answer(1) == answer
    assert parse_response(answer).response_code == "I99"
    store = Store(served.url)
    assert [(m.line, m.message_id, m.octets, m.reply) for m in store.journal()] == [(USER, 1, octets, answer)]
    store.close()


def test_what_comes_together_is_committed_together_and_answered_in_order(served: Served) -> None:
    writer = Writer()
    with LineClient(served.path, USER) as client:
        for number in range(1, 101):
            client.post(prenotification(writer, number)[2], number)
        codes = [parse_response(client.answer(number)).response_code for number in range(1, 101)]
    assert codes == ["I99"] * 100
    assert sum(served.groups) == 100
    assert len(served.groups) < 60


def test_a_message_of_the_dsp_comes_again_until_it_is_acknowledged(served: Served) -> None:
    operator = str(NETWORK_OPERATOR)
    with LineClient(served.path, CSP) as csp:
        assert csp.send(outage(Writer(), OTHER_HUB, 1)[2]) == b""
    with LineClient(served.path, operator) as client:
        first = client.wait()
    with LineClient(served.path, operator) as client:
        assert client.wait() == first
        client.acknowledge(first.number)
        csp = LineClient(served.path, CSP)
        csp.send(outage(Writer(), OTHER_HUB, 2)[2])
        csp.close()
        assert client.wait().number == first.number + 1
    with LineClient(served.path, operator, last=first.number) as client:
        assert client.wait().number == first.number + 1


def test_the_last_connection_of_a_line_counts(served: Served) -> None:
    first = LineClient(served.path, USER)
    second = LineClient(served.path, USER)
    with pytest.raises(LineError, match="closed the line"):
        first.wait()
    second.send(prenotification(Writer(), 1)[2])
    second.close()


@pytest.mark.parametrize("line", ["somebody", "90B3D51F30010000", "90-b3-d5-1f-30-01-00-00"])
def test_a_line_has_a_known_name(served: Served, line: str) -> None:
    with pytest.raises(LineError, match="is no line"):
        LineClient(served.path, line)


@pytest.mark.parametrize("number", [0, 1 << 63])
def test_numbers_out_of_range_end_a_line_and_nothing_else(served: Served, number: int) -> None:
    with LineClient(served.path, CSP) as client:
        client.post(b"x", number)
        with pytest.raises(LineError, match="does not go this way"):
            client.answer(number)
    with LineClient(served.path, USER) as client:
        assert client.send(prenotification(Writer(), 1)[2])


def test_octets_of_no_sense_are_taken_acknowledged_and_recorded_as_refused(served: Served) -> None:
    with LineClient(served.path, CSP) as client:
        assert client.send(b"nothing of the kind") == b""
    with LineClient(served.path, USER) as client:
        assert parse_response(client.send(b"<nothing/>")).response_code.startswith("E")
    store = Store(served.url)
    assert len(store.load()["refused_messages"]) == 1
    assert len(store.journal()) == 2
    store.close()


def test_a_commit_that_fails_ends_the_dsp_without_any_acknowledgement(served: Served) -> None:
    other = Store(served.url)
    with other._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE outbox")
    other.close()
    with LineClient(served.path, CSP) as client:
        client.post(outage(Writer(), OTHER_HUB, 1)[2], 1)
        with pytest.raises(LineError):
            client.answer(1)
    served.wait()
    assert "outbox" in str(served.ended)


def test_nobody_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no DSP is served there"):
        LineClient(tmp_path / "dsp.sock", CSP)


def test_a_path_that_cannot_be_served_at_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    Bench(url=url).store.close()
    with Served(url, tmp_path / "no" / "dsp.sock") as served:
        served.wait()
    assert isinstance(served.ended, InputError)
    assert "dsp.sock" in str(served.ended)
