"""A power cut before any put of a credential replacement, on every kind of device: one set holds, never a mixture."""

import pytest

from emulator.parts.journal import Change, Journal
from gateway.assembly.brokered_home import BrokeredHome
from gateway.assembly.credential_replacement import CELLS, CredentialReplacement, Holds, Replaced
from protocols.errors import InputError
from protocols.gbcs.protection import VALID, check
from protocols.interfaces import DAY

DEVICES = ["bridge-1", "bridge-3", "ppmid", "hcalcs", "esme", "gsme"]


def replaced(device: str, cut_before: int | None = None) -> Replaced:
    return CredentialReplacement(device, cut_before).run()


@pytest.mark.requirement("MP170-R8", "MP170-C7")
@pytest.mark.parametrize("device", DEVICES)
def test_a_cut_before_any_put_leaves_the_new_set_that_alone_is_obeyed(device: str) -> None:
    whole = replaced(device)
    assert (whole.holds, whole.consistent) == (Holds.NEW, True)
    assert sum("anchor/" in name for name in whole.puts) == 2
    found = [replaced(device, number) for number in range(1, len(whole.puts) + 1)]
    for number, each in enumerate(found, 1):
        assert each.consistent, number
        assert each.puts == whole.puts[:number]
        assert [check(message, each.keys).signature for message in each.responses] == [VALID] * len(each.responses)
        others = [cell for cell in each.before if cell.holds == "-"]
        assert [cell for cell in each.after if cell.holds == "-"] == others
    held = [each.holds for each in found]
    assert held == [Holds.NEW] * len(found)  # before the journal is written the hub sends the command again


def test_without_the_journal_a_cut_leaves_a_mixture_and_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The defect planted: cells are written one by one."""

    def commit(self: Journal, changes: list[Change]) -> None:
        self._apply(changes)
        self._unfinished = False

    monkeypatch.setattr(Journal, "_commit", commit)
    whole = replaced("bridge-1")
    assert whole.consistent
    found = [replaced("bridge-1", number) for number in range(1, len(whole.puts) + 1)]
    assert Holds.MIXED in {each.holds for each in found}
    assert not all(each.consistent for each in found)


@pytest.mark.requirement("MP170-R8")
@pytest.mark.parametrize("device", ["bridge-1", "bridge-3", "ppmid"])
def test_nothing_but_a_command_replaces_credentials(device: str) -> None:
    """Not routinely: a week of ordinary life changes no cell."""
    bench = BrokeredHome("home-1", device)
    before = dict(bench.device.entity.anchors.cells())
    bench.run(7 * DAY)
    assert bench.device.powered
    assert dict(bench.device.entity.anchors.cells()) == before
    assert before[CELLS[0]] == bench.old.ds_certificate


def test_what_is_told_is_told_after_it_is_stored() -> None:
    steps = [step.what for step in replaced("bridge-1").steps]
    last_put = max(number for number, what in enumerate(steps) if what.startswith("put"))
    assert all(number > last_put for number, what in enumerate(steps) if what.startswith("credential-replaced"))
    cut = [step.what for step in replaced("bridge-1", 1).steps]
    assert not any(what.startswith("credential-replaced") for what in cut[: cut.index("has power again")])


@pytest.mark.parametrize(
    ("device", "cut_before", "complaint"),
    [
        ("bridge-1", 99, "bridge-1 makes 6 puts, none is number 99"),
        ("ihd", None, "ihd holds no credentials"),
        ("boiler", None, "home-1 has no device 'boiler'"),
    ],
)
def test_what_cannot_be_shown_is_refused(device: str, cut_before: int | None, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        replaced(device, cut_before)
