"""CS14 (8F12): the hub's whole device log, and what the inventory makes of it (MP170-A13's way into the network)."""

import pytest

from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceStatus
from protocols.gbcs.device_log import HashedKey, LogBackup
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import cs14
from tests.support.dsp_bench import (
    BRIDGE,
    ESME,
    ESME_2,
    GSME,
    HCALCS,
    HUB,
    IHD,
    OTHER_HUB,
    PPMID,
    Bench,
    Outcome,
)
from tests.support.parties import BROKER

WHOLE = (ESME, ESME_2, GSME, HCALCS, PPMID, BRIDGE, IHD)
JOINED = (ESME, ESME_2, GSME, IHD)


def alert(bench: Bench, listed: tuple[Eui64, ...], joined: tuple[Eui64, ...], hub: Eui64 = HUB) -> Message:
    keys = tuple(HashedKey(eui, bytes(16) if eui in joined else b"") for eui in listed)
    log = LogBackup(bench.now, Eui64(0x0001020304050607), keys)
    message = bench.alert_message(hub, cs14.MESSAGE_CODE, BROKER, b"")
    payload = cs14.Alert(bench.now, log, counter=message.counter).encode()
    return Message(
        message.cra, message.counter, hub, BROKER, message_code=cs14.MESSAGE_CODE, payload=payload, signature=b""
    )


def tell(bench: Bench, message: Message) -> Outcome:
    return bench.device_message(message, message.originator, mac=True)


def status(bench: Bench, eui: Eui64) -> DeviceStatus | None:
    device = bench.dsp.inventory.device(eui)
    assert device is not None
    return device.status


def test_a_device_with_a_link_key_has_joined() -> None:
    bench = Bench()
    outcome = tell(bench, alert(bench, WHOLE, (*JOINED, BRIDGE)))
    assert status(bench, BRIDGE) is DeviceStatus.INSTALLED_NOT_COMMISSIONED
    assert status(bench, PPMID) is DeviceStatus.WHITELISTED
    assert status(bench, ESME) is DeviceStatus.COMMISSIONED
    assert outcome.to_users == []  # it is for the broker
    (row,) = bench.rows("alerts")
    assert (row["code"], row["decision"], row["signature"]) == ("8F12", "delivered", "valid")
    cause = [each["cause"] for each in bench.rows("inventory_history") if each["new"] == "InstalledNotCommissioned"]
    assert cause == ["8F12 counter 2001"]


def test_the_same_log_again_changes_nothing() -> None:
    bench = Bench()
    message = alert(bench, WHOLE, (*JOINED, BRIDGE))
    tell(bench, message)
    history = bench.rows("inventory_history")
    tell(bench, message)
    tell(bench, alert(bench, WHOLE, (*JOINED, BRIDGE)))
    assert bench.rows("inventory_history") == history


@pytest.mark.parametrize("restart", [False, True])
def test_a_log_that_a_newer_one_overtook_changes_nothing(restart: bool) -> None:
    bench = Bench()
    old = alert(bench, WHOLE[:-2], JOINED)
    tell(bench, alert(bench, WHOLE, (*JOINED, BRIDGE)))
    if restart:
        bench.restart()
    tell(bench, old)
    assert status(bench, BRIDGE) is DeviceStatus.INSTALLED_NOT_COMMISSIONED


def test_a_device_that_is_gone_from_the_log_loses_its_hub() -> None:
    bench = Bench()
    tell(bench, alert(bench, (ESME, ESME_2, HCALCS, PPMID, IHD), JOINED))
    bridge, gsme = bench.inventory_row(BRIDGE), bench.inventory_row(GSME)
    assert (bridge["hub"], bridge["status"]) == (None, "Pending")
    assert (gsme["hub"], gsme["status"]) == (None, "Commissioned")


def test_a_device_that_joined_another_hub_moves_there() -> None:
    bench = Bench()
    tell(bench, alert(bench, (BRIDGE,), (BRIDGE,), OTHER_HUB))
    assert bench.inventory_row(BRIDGE)["hub"] == str(OTHER_HUB)


def test_a_log_of_something_that_is_no_hub_or_with_a_wrong_mac_is_refused() -> None:
    bench = Bench()
    tell(bench, alert(bench, (BRIDGE,), (BRIDGE,), ESME))
    bench.device_message(alert(bench, WHOLE, (BRIDGE,)), mac=False)
    assert status(bench, BRIDGE) is DeviceStatus.WHITELISTED
