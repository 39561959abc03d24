"""Command variants: to the device, to the user for local delivery, both; 8.13; the web services of requests."""

from dataclasses import replace

import pytest

from gateway.dsp.validation import WEB_SERVICE_OF, WebService
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.requests import ALLOWED_COMMAND_VARIANTS, CommandVariant
from protocols.duis.responses import LocalCommand
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs06, cs08, ecs52
from protocols.interfaces import DAY
from tests.support.dsp_bench import BRIDGE, ESME, HUB, PPMID, Bench, Outcome
from tests.support.parties import BROKER, NETWORK_OPERATOR, OTHER_SUPPLIER, SUPPLIER

READ = bodies.ReadFirmwareVersion()
LOCAL, BOTH = CommandVariant.LOCAL, CommandVariant.TO_DEVICE_AND_LOCAL


def local_command(outcome: Outcome) -> Message:
    return Message.decode(outcome.content(LocalCommand).gbcs_payload)


def answer(bench: Bench, command: Message, payload: bytes, *, mac: bool) -> bytes:
    """Return what the target of a command answers it."""
    response = replace(
        command, cra=Cra.RESPONSE, originator=command.target, target=command.originator, payload=payload,
        signature=None, mac=None,
    )  # fmt: skip
    own = bench.parties.pki.device(command.target)
    if not mac:
        return security.sign(response, own.ds_key, bench.parties.entropy).encode()
    party = bench.parties.broker if command.originator == BROKER else bench.parties.supplier
    return security.add_mac(response, security.shared_secret(own.ka_key, party.ka_certificate.public_key)).encode()


def give_back(bench: Bench, asked: Outcome, octets: bytes, *, user: Eui64 = SUPPLIER) -> Outcome:
    assert asked.reply is not None
    assert asked.reply.request_id is not None
    body = bodies.ReturnLocalCommandResponse(original_request_id=asked.reply.request_id, device_gbcs_response=octets)
    return bench.request(body, user=user)


def version_answer(bench: Bench, command: Message, version: int) -> bytes:
    return answer(bench, command, cs08.Response(version, cs08.ReadCode.READ).encode(), mac=True)


def test_a_local_command_goes_to_the_user_alone_and_its_answer_comes_by_8_13() -> None:
    bench = Bench()
    asked = bench.request(READ, BRIDGE, LOCAL)
    assert (asked.code, asked.to_csp) == ("I0", [])
    command = local_command(asked)
    assert (command.originator, command.target, command.mac is not None) == (BROKER, BRIDGE, True)
    bench.restart()
    returned = give_back(bench, asked, version_answer(bench, command, 0x0B100100))
    assert (returned.code, returned.to_users) == ("I99", [])
    assert bench.inventory_row(BRIDGE)["firmware_version"] == "0B100100"
    assert bench.rows("commands") == []


def test_both_ways_the_first_answer_counts() -> None:
    for by_user in (True, False):
        bench = Bench()
        asked = bench.request(READ, BRIDGE, BOTH)
        assert asked.code == "I0"
        assert bench.command_of(asked) == local_command(asked)
        octets = version_answer(bench, local_command(asked), 0x0B100100)
        if by_user:
            assert give_back(bench, asked, octets).code == "I99"
        else:
            read = cs08.Response(0x0B100100, cs08.ReadCode.READ).encode()
            assert len(bench.respond(bench.command_of(asked), read, mac=True).to_users) == 1
        assert give_back(bench, asked, octets).code == "E46", "nothing waits any more"
        assert bench.inventory_row(BRIDGE)["firmware_version"] == "0B100100"


def test_a_signed_command_is_handed_over_too() -> None:
    bench = Bench()
    asked = bench.activate(variant=CommandVariant.SIGNED_LOCAL)
    assert asked.to_csp == []
    outcome = cs06.Response(cs06.Outcome(cs06.OutcomeCode.SUCCESS, 0x01000001)).encode()
    assert give_back(bench, asked, answer(bench, local_command(asked), outcome, mac=False)).code == "I99"
    assert bench.inventory_row(ESME)["firmware_version"] == "01000001"


def test_what_does_not_answer_a_waiting_command_is_refused_and_changes_nothing() -> None:
    bench = Bench()
    asked = bench.request(READ, BRIDGE, LOCAL)
    other = bench.request(READ, PPMID, LOCAL)
    good = version_answer(bench, local_command(asked), 0x0B100100)
    altered = bytearray(good)
    altered[-1] ^= 1
    before = bench.store.dump()
    for octets in (
        bytes(altered),
        b"noise",
        local_command(asked).encode(),
        version_answer(bench, local_command(other), 1),
    ):
        assert give_back(bench, asked, octets).code == "E46"
    assert give_back(bench, asked, good, user=OTHER_SUPPLIER).code == "E46"
    assert give_back(bench, asked, good, user=NETWORK_OPERATOR).code == "E2"
    assert bench.store.dump() == before
    assert give_back(bench, asked, good).code == "I99"


def test_an_answer_only_its_user_can_check_is_not_believed_by_that_way() -> None:
    """Its MAC lies between meter and supplier, and the supplier brings it."""
    bench = Bench()
    before = bench.inventory_row(ESME)["firmware_version"]
    asked = bench.request(READ, ESME, LOCAL)
    command = local_command(asked)
    assert command.originator == SUPPLIER
    read = ecs52.Response(0x01000001, counter=command.counter).encode()
    assert give_back(bench, asked, answer(bench, command, read, mac=True)).code == "I99"
    assert bench.inventory_row(ESME)["firmware_version"] == before


def test_a_command_nobody_returns_is_forgotten_without_a_word() -> None:
    bench = Bench()
    bench.request(READ, BRIDGE, LOCAL)
    bench.at(bench.now + bench.settings.local_timeout - 1)
    assert len(bench.rows("commands")) == 1
    bench.now += 1
    assert bench.run(bench.dsp.wake(bench.now)).to_users == []
    assert bench.rows("commands") == []


def test_local_delivery_is_for_suppliers_and_for_now() -> None:
    bench = Bench()
    assert bench.request(READ, HUB, LOCAL, user=NETWORK_OPERATOR).code == "E17"
    dated = bodies.ReadFirmwareVersion(execution_date_time=bench.now + DAY)
    assert bench.request(dated, BRIDGE, BOTH).code == "E17"


# --- web services --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("posted_to", WebService)
def test_a_request_belongs_to_one_web_service(posted_to: WebService) -> None:
    bench = Bench()
    requests: dict[WebService, tuple[bodies.RequestBody, Eui64, CommandVariant]] = {
        WebService.NON_DEVICE: (bodies.ReadInventory(device_id=ESME), BROKER, CommandVariant.DCC_ONLY),
        WebService.SEND_COMMAND: (READ, BRIDGE, CommandVariant.TO_DEVICE),
        WebService.TRANSFORM: (bodies.ActivateFirmware(firmware_hash=bytes(32)), ESME, CommandVariant.TRANSFORM),
    }
    for wanted, (body, target, variant) in requests.items():
        outcome = bench.request(body, target, variant, posted_to=posted_to)
        assert (outcome.code == "E13") is (wanted is not posted_to)


def test_every_variant_a_user_may_send_has_its_web_service() -> None:
    assert set(WEB_SERVICE_OF) == {variant for allowed in ALLOWED_COMMAND_VARIANTS.values() for variant in allowed}
    assert WEB_SERVICE_OF[LOCAL] is WebService.NON_DEVICE
    assert WEB_SERVICE_OF[BOTH] is WebService.SEND_COMMAND


def test_a_variant_of_the_dcc_alone_is_refused() -> None:
    bench = Bench()
    assert bench.request(READ, ESME, CommandVariant.DCC_INTERNAL, posted_to=WebService.SEND_COMMAND).code == "E12"
