"""Credit runs out in home 1: alerts, emergency credit by the PPMID's button, a voucher, all on real air."""

from pathlib import Path

import pytest

from emulator.devices.esme import Esme
from emulator.devices.ppmid import Ppmid
from protocols.interfaces import HOUR, MINUTE, SECOND
from protocols.zcl.clusters.prepayment import CreditStatus, TopUpResult
from tests.support import tshark
from tests.support.keyed_home import KeyedHome


class PoorHome(KeyedHome):
    def __init__(self) -> None:
        super().__init__("ppmid")
        self.run_till_keyed()
        self.run(600)

    @property
    def esme(self) -> Esme:
        device = self.device("esme").device
        assert isinstance(device, Esme)
        return device

    @property
    def ppmid(self) -> Ppmid:
        device = self.device("ppmid").device
        assert isinstance(device, Ppmid)
        return device

    def leave(self, balance: int) -> None:
        """Take credit away until so much is left."""
        account = self.esme.meter.account
        opened, day, credit, selected, told = account._state()
        account._put(opened, day, credit - account.balance + balance, selected=selected, told=told)

    def told(self, event: str) -> int:
        return len(self.notes.of(event, "home-1/esme"))

    def alerts(self) -> list[object]:
        return [fields["code"] for fields in self.notes.of("alert-sent", "home-1/esme")]


@pytest.mark.judge("tshark")
def test_low_credit_emergency_credit_and_a_voucher(tmp_path: Path) -> None:
    home = PoorHome()
    account = home.esme.meter.account
    assert account.status & CreditStatus.CREDIT_OK
    home.leave(150_000)
    home.run_till(lambda: home.told("emergency-credit-activated") == 1, within=2 * HOUR // SECOND, step=60)
    assert (home.told("credit-low"), home.told("emergency-credit-available")) == (1, 1)
    assert account.emergency_left == 500_000
    home.leave(-20_000)
    assert account.status & CreditStatus.EMERGENCY_CREDIT_IN_USE
    assert account.emergency_left <= 480_000
    home.run_till(lambda: home.told("credit-added") == 1, within=2 * HOUR // SECOND, step=60)
    (answered,) = home.notes.of("top-up-answered", "home-1/ppmid")
    assert answered == {"result": TopUpResult.ACCEPTED, "amount": 2_000_000}
    home.run(60)
    assert account.balance > 1_900_000
    assert account.status & CreditStatus.CREDIT_OK
    assert not account.status & CreditStatus.EMERGENCY_CREDIT_SELECTED
    assert home.alerts() == ["810D", "8119", "81AB", "810E"]
    capture, keys = home.write(tmp_path)
    assert tshark.faults(capture, keys) == []
    asked = "zbee_zcl_se.pp.cmd.srv_rx.id"
    commands = tshark.fields(capture, keys, [asked], display_filter=asked)  # at every hop
    assert list(dict.fromkeys(command for (command,) in commands)) == ["0x00", "0x04"]
    left = "zbee_zcl_se.pp.consumer_top_up_response.credit_remaining"
    (remaining,) = {row[0] for row in tshark.fields(capture, keys, [left], display_filter=left)}
    assert int(remaining) > 1_900_000


def test_a_voucher_is_good_once_and_a_wrong_code_never() -> None:
    home = PoorHome()
    code = b"19001000000000000001"
    for typed in (code, code, b"00000000000000000000"):
        home.ppmid.top_up(typed)
        home.run(10)
    results = [fields["result"] for fields in home.notes.of("top-up-answered", "home-1/ppmid")]
    assert results == [TopUpResult.ACCEPTED, TopUpResult.REJECTED_DUPLICATE, TopUpResult.REJECTED_INVALID]
    assert home.told("credit-added") == 1


def test_emergency_credit_is_refused_while_there_is_credit() -> None:
    home = PoorHome()
    home.ppmid.select_emergency_credit()
    home.run(10)
    assert home.told("emergency-credit-activated") == 0


def test_low_credit_is_told_before_emergency_credit_is_taken() -> None:
    """The button is pressed between two half-hours: the meter has not looked at its account yet."""
    home = PoorHome()
    home.leave(150_000)
    home.ppmid.select_emergency_credit()
    home.run(10)
    assert home.alerts() == ["810D", "8119", "81AB"]


def test_emergency_credit_that_is_used_up_is_told_once() -> None:
    home = PoorHome()
    home.ppmid._vouchers.clear()
    home.leave(100_000)
    home.run_till(lambda: home.told("emergency-credit-activated") == 1, within=2 * HOUR // SECOND, step=60)
    home.leave(-500_001)
    home.run(2 * HOUR // SECOND)
    assert home.told("emergency-credit-used-up") == 1
    assert home.esme.meter.account.status & CreditStatus.CREDIT_EXHAUSTED
    assert home.alerts().count("81AA") == 1


def test_what_is_told_of_the_account_outlives_a_power_cut() -> None:
    home = PoorHome()
    home.leave(100_000)
    home.run(HOUR // SECOND)
    before = home.esme.meter.account.balance
    home.home.mains.cut(5 * MINUTE)
    home.run(2 * HOUR // SECOND)
    assert home.told("credit-low") == 1
    assert home.esme.meter.account.balance <= before
