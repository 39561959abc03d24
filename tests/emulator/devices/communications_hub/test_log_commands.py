"""The CHF's device log: CCS01 to CCS07 and CS14, with real devices on the air."""

import pytest

from emulator.devices.communications_hub import HubSettings
from emulator.devices.communications_hub.device_log import DeviceLog, HistoricLog
from emulator.storage import MemoryStorage
from protocols.addresses import Eui64
from protocols.crypto.install_code import link_key
from protocols.crypto.mmo import aes_mmo
from protocols.gbcs import security
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.device_log import HashedKey
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import ccs01, ccs02, ccs03, ccs04, ccs07, cs14, ecs52
from protocols.wan.envelope import GbcsCarried
from tests.support.hub_bench import (
    CHF,
    IHD_TYPE,
    PPMID_TYPE,
    HubBench,
    acb,
    code_of,
    credentials,
    eui,
)


@pytest.fixture
def bench() -> HubBench:
    bench = HubBench()
    bench.hub.start()
    return bench


def sent(bench: HubBench, message_code: int) -> list[Message]:
    """Return the CHF's messages of a use case, each with a MAC for the broker that verifies."""
    z = security.shared_secret(acb().ka_key, credentials(CHF).ka_certificate.public_key)
    found = [message for message in bench.messages_up(CHF) if message.message_code == message_code]
    for message in found:
        security.check_mac(message, z)
    return found


def logs(bench: HubBench) -> list[tuple[HashedKey, ...]]:
    return [cs14.Alert.decode(message.payload).log.keys for message in sent(bench, cs14.MESSAGE_CODE)]


def say(bench: HubBench, message_code: int, payload: bytes, *, seconds: float = 20) -> Message:
    """Send a command; return its response."""
    before = len(sent(bench, message_code))
    bench.down(GbcsCarried(CHF, bench.command(message_code, payload)))
    bench.run(seconds)
    (response,) = sent(bench, message_code)[before:]
    return response


def joined(bench: HubBench, *numbers: int) -> None:
    for number in numbers:
        bench.add_to_log(eui(number), PPMID_TYPE)
        bench.run(2)
        bench.ppmid(eui(number))
        bench.run(30)


def key_hash(device: Eui64) -> bytes:
    return aes_mmo(link_key(code_of(device)))


# --- CS14 --------------------------------------------------------------------------------------------------------


def test_adding_tells_the_log_without_a_hash_and_joining_tells_it_with_one(bench: HubBench) -> None:
    joined(bench, 1)
    first, second = logs(bench)
    assert first == (HashedKey(eui(1), b""),)
    assert second == (HashedKey(eui(1), key_hash(eui(1))),)
    order = [message.message_code for message in bench.messages_up(CHF)]
    assert order == [ccs01.MESSAGE_CODE, cs14.MESSAGE_CODE, cs14.MESSAGE_CODE]


def test_the_log_alert_always_carries_the_whole_log_and_its_own_counter(bench: HubBench) -> None:
    joined(bench, 1, 2)
    assert [len(keys) for keys in logs(bench)] == [1, 1, 2, 2]
    alerts = sent(bench, cs14.MESSAGE_CODE)
    assert [alert.counter for alert in alerts] == sorted({alert.counter for alert in alerts})
    assert {cs14.Alert.decode(alert.payload).counter for alert in alerts} == {a.counter for a in alerts}


def test_a_device_that_comes_back_with_the_same_key_is_no_change(bench: HubBench) -> None:
    bench.add_to_log(eui(1), PPMID_TYPE)
    bench.run(2)
    device = bench.ppmid(eui(1))
    bench.run(30)
    before = logs(bench)
    device.power_off()
    bench.run(60)
    device.power_on()
    bench.run(60)
    assert logs(bench) == before


# --- CCS02 -------------------------------------------------------------------------------------------------------


def test_removing_takes_the_device_out_of_log_and_network_and_keeps_its_key_hash(bench: HubBench) -> None:
    joined(bench, 1)
    response = say(bench, ccs02.MESSAGE_CODE, ccs02.Command(eui(1), bench.counter + 1).encode())
    assert ccs02.Response.decode(response.payload).success
    assert logs(bench)[-1] == ()
    assert DeviceLog(bench.storage, bench.settings).entries() == ()
    (historic,) = HistoricLog(bench.storage, 15).entries()
    assert historic == (eui(1), key_hash(eui(1)))
    assert bench.notes.of("device-removed") == [{"device": str(eui(1))}]
    assert bench.hub.running


def test_removing_an_unknown_device_fails_and_tells_no_log(bench: HubBench) -> None:
    response = say(bench, ccs02.MESSAGE_CODE, ccs02.Command(eui(1), bench.counter + 1).encode())
    assert ccs02.Response.decode(response.payload).result == AccessResult.HARDWARE_FAULT
    assert logs(bench) == []


def test_a_removed_device_may_be_added_and_join_again(bench: HubBench) -> None:
    """A wrong install code is corrected by CCS02, then CCS01."""
    payload = ccs01.Command(eui(1), bytes(16), PPMID_TYPE, 3600, counter=bench.counter + 1).encode()
    say(bench, ccs01.MESSAGE_CODE, payload)
    bench.ppmid(eui(1))
    bench.run(60)
    assert bench.notes.of("tunnel-open") == []
    say(bench, ccs02.MESSAGE_CODE, ccs02.Command(eui(1), bench.counter + 1).encode())
    bench.add_to_log(eui(1), PPMID_TYPE)
    bench.run_till(lambda: logs(bench)[-1] == (HashedKey(eui(1), key_hash(eui(1))),))


def test_the_historic_log_holds_the_latest_fifteen() -> None:
    historic = HistoricLog(MemoryStorage(), 15)
    for number in range(20):
        historic.put(eui(number), number.to_bytes(16, "big"))
    historic.put(eui(7), bytes(16))
    assert [entry.device for entry in historic.entries()] == [eui(n) for n in (5, 6, *range(8, 20), 7)]
    assert len(historic.entries()) == 15


def test_a_hub_keeps_fifteen_removals_and_lets_the_oldest_go(bench: HubBench) -> None:
    """CHTS: a historic log of 15."""
    for number in range(100, 115):
        HistoricLog(bench.storage, 15).put(eui(number), bytes(16))
    joined(bench, 1)
    say(bench, ccs02.MESSAGE_CODE, ccs02.Command(eui(1), bench.counter + 1).encode())
    request = ccs07.Command(bench.counter + 1).encode()
    told = ccs07.Response.decode(say(bench, ccs07.MESSAGE_CODE, request).payload)
    assert told.historic_log is not None
    assert [key.device for key in told.historic_log.keys] == [*(eui(n) for n in range(101, 115)), eui(1)]


# --- CCS03 -------------------------------------------------------------------------------------------------------

PAN = Eui64(0x00DB123456780000)
KEYS = (HashedKey(eui(1), bytes(range(16))), HashedKey(eui(2), bytes(range(1, 17))))


def test_an_empty_log_is_restored_with_the_hashes_of_the_hub_before(bench: HubBench) -> None:
    response = say(bench, ccs03.MESSAGE_CODE, ccs03.Command(PAN, KEYS, bench.counter + 1).encode())
    assert ccs03.Response.decode(response.payload).success
    assert logs(bench) == [KEYS]
    assert dict(bench.node.export_trust().hashed_link_keys) == {each.device: aes_mmo(each.key_hash) for each in KEYS}
    assert [entry.type.name for entry in DeviceLog(bench.storage, bench.settings).entries()] == ["unknown"] * 2


def test_a_log_that_is_not_empty_is_not_restored(bench: HubBench) -> None:
    joined(bench, 1)
    response = say(bench, ccs03.MESSAGE_CODE, ccs03.Command(PAN, KEYS, bench.counter + 1).encode())
    assert ccs03.Response.decode(response.payload).result == AccessResult.HARDWARE_FAULT
    assert [entry.device for entry in DeviceLog(bench.storage, bench.settings).entries()] == [eui(1)]


# --- reading -----------------------------------------------------------------------------------------------------


def test_ccs04_tells_how_devices_are_heard(bench: HubBench) -> None:
    joined(bench, 1)
    bench.add_to_log(eui(2), IHD_TYPE)
    bench.run(5)
    response = say(bench, ccs04.MESSAGE_CODE, ccs04.Command(bench.counter + 1).encode())
    devices = ccs04.Response.decode(response.payload).devices
    assert devices is not None
    heard, silent = devices
    assert (heard.device, heard.status, silent.device, silent.status) == (eui(1), 0xC8, eui(2), 0)
    assert heard.min_lqi <= heard.average_lqi <= heard.max_lqi
    assert heard.max_lqi > 0
    assert silent.last_communication[:2] == b"\xff\xff"


def test_ccs06_calls_every_device_before_it_answers(bench: HubBench) -> None:
    joined(bench, 1)
    bench.add_to_log(eui(2), PPMID_TYPE)
    bench.run(2)
    gone = bench.ppmid(eui(2))
    bench.run(60)
    gone.power_off()
    response = say(bench, ccs04.CHECKING_MESSAGE_CODE, ccs04.Command(bench.counter + 1).encode(), seconds=30)
    devices = ccs04.Response.decode(response.payload).devices
    assert devices is not None
    assert [(each.successes, each.failures) for each in devices] == [(1, 0), (0, 1)]


def test_ccs06_over_an_empty_log_is_answered(bench: HubBench) -> None:
    response = say(bench, ccs04.CHECKING_MESSAGE_CODE, ccs04.Command(bench.counter + 1).encode())
    assert ccs04.Response.decode(response.payload).devices == ()


def test_ccs07_tells_log_and_historic_log(bench: HubBench) -> None:
    joined(bench, 1, 2)
    say(bench, ccs02.MESSAGE_CODE, ccs02.Command(eui(1), bench.counter + 1).encode())
    response = ccs07.Response.decode(say(bench, ccs07.MESSAGE_CODE, ccs07.Command(bench.counter + 1).encode()).payload)
    assert response.log is not None
    assert response.historic_log is not None
    assert response.log.keys == (HashedKey(eui(2), key_hash(eui(2))),)
    assert response.historic_log.keys == (HashedKey(eui(1), key_hash(eui(1))),)
    assert response.log.extended_pan_id == bench.node.export_trust().extended_pan_id


def test_a_refusal_of_the_chf_is_silent_and_leaves_no_trace() -> None:
    bench = HubBench(HubSettings())
    bench.hub.start()
    before = {cell: bench.storage.get(cell) for cell in bench.storage.cells() if not cell.startswith("wan/")}
    for code, payload in ((ccs02.MESSAGE_CODE, b"\x05\x00"), (0x0012, b"\x05\x00"), (ecs52.MESSAGE_CODE, b"")):
        bench.down(GbcsCarried(CHF, bench.command(code, payload)))
        bench.run(5)
    assert {cell: bench.storage.get(cell) for cell in bench.storage.cells() if not cell.startswith("wan/")} == before
    assert (bench.messages_up(CHF), len(bench.notes.of("command-refused"))) == ([], 3)
