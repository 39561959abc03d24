"""A hub that lives on its meter: an activation of the meter, and a real loss of the mains."""

import hashlib

import pytest

from emulator.devices.esme import Esme
from firmware_images import product
from protocols.gbcs import security
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import alert_code_of, cs06, ecs80
from protocols.interfaces import SECOND
from protocols.ota.image import Kind
from protocols.wan.envelope import GbcsCarried, PowerLoss
from tests.support.hub_bench import (
    ACB,
    CHF,
    ESME_TYPE,
    SUPPLIER,
    HubBench,
    acb,
    code_of,
    credentials,
    delivery,
    eui,
    image_of,
    supplier,
)
from tests.support.requirements import patched

ESME = eui(1)
V2 = product(Kind.ESME).versions[1]
DC_OUTAGE, WAN_UP = 780 * SECOND, 2 * SECOND


def activation(bench: HubBench, image: bytes) -> bytes:
    """Return the supplier's CS06 for at once, with its signature and the ACB's MAC."""
    manufacturer_image = image[60:-66]
    counter = 5_000
    payload = cs06.Command(hashlib.sha256(manufacturer_image).digest(), counter, None).encode()
    message = Message(
        Cra.COMMAND, counter, SUPPLIER, ESME, b"", cs06.MESSAGE_CODE, None, None, None, b"", payload, None, None
    )
    signed = security.sign(message, supplier().ds_key, bench.entropy)
    z = security.shared_secret(acb().ka_key, credentials(ESME).ka_certificate.public_key)
    return security.add_mac(signed, z).encode()


def losses(bench: HubBench) -> list[tuple[int, PowerLoss]]:
    return [(at, message) for at, message in bench.up if isinstance(message, PowerLoss)]


def alerts(bench: HubBench) -> list[int | None]:
    return [alert_code_of(message) for message in bench.messages_up(ESME) if message.cra is Cra.ALERT]


@pytest.fixture
def bench() -> HubBench:
    bench = HubBench(fed_by_esme=True)
    bench.hub.preload([(ESME, ESME_TYPE, code_of(ESME))])
    bench.hub.start()
    bench.esme(ESME)
    bench.run_till(lambda: bench.notes.of("tunnel-open") != [])
    return bench


@pytest.mark.requirement(
    "MP102B-R1", "MP102B-G11", planted=patched(Esme, "activate", lambda self: self.restart_after(30 * SECOND))
)
def test_an_activation_takes_the_hub_down_and_its_answer_comes_when_both_are_back(bench: HubBench) -> None:
    """MP102B-R1, MP102B-G11: 8F72, CS06, 13 minutes of no hub, one PowerLoss, the response, and no 8F35 or 8F36."""
    image = image_of(Kind.ESME, size=5_000)
    bench.down(delivery("a:b:1", image, ESME, type_code=ESME_TYPE))
    bench.run_till(lambda: alerts(bench) == [AlertCode.FIRMWARE_VERIFIED])
    bench.down(GbcsCarried(ESME, activation(bench, image)))
    bench.run_till(lambda: not bench.dc_in.on)
    bench.run(201)
    assert not bench.hub.running
    bench.run_till(lambda: bench.dc_in.on, within=800)
    bench.run(300)
    ((reported, loss),) = losses(bench)
    assert loss.hub == CHF
    assert reported == loss.started + 180 * SECOND + WAN_UP
    (answer,) = [message for message in bench.messages_up(ESME) if message.cra is Cra.RESPONSE]
    assert (answer.message_code, answer.target, answer.counter) == (cs06.MESSAGE_CODE, SUPPLIER, 5_000)
    security.verify_signature(answer, credentials(ESME).ds_certificate.public_key)
    assert alerts(bench) == [AlertCode.FIRMWARE_VERIFIED]
    assert answer.target != ACB
    assert bench.transfer_alerts()[0].firmware_version == V2


@pytest.mark.requirement("MP102B-G10", "MP102B-G9")
@pytest.mark.parametrize(
    ("seconds", "reports", "code"),
    [
        (179, 0, AlertCode.SUPPLY_RESTORED),
        (180, 1, AlertCode.SUPPLY_RESTORED_AFTER_OUTAGE),
        (3600, 1, AlertCode.SUPPLY_RESTORED_AFTER_OUTAGE),
    ],
)
def test_a_real_loss_of_the_mains(bench: HubBench, seconds: int, reports: int, code: AlertCode) -> None:
    """MP102B-G10, MP102B-G9: 2:59 gives no AD1 and 8F35; 3:00 and an hour give one AD1, and 8F36 after the return."""
    went = bench.clock.now()
    bench.mains.cut(seconds * SECOND)
    bench.run(seconds + 900)
    assert losses(bench) == [(went + 180 * SECOND + WAN_UP, PowerLoss(CHF, went))] * reports
    assert alerts(bench) == [code]
    (message,) = bench.messages_up(ESME)
    security.verify_signature(message, credentials(ESME).ds_certificate.public_key)
    assert ecs80.Alert.decode(message.payload).interruption == went
