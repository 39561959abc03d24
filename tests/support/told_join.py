"""A join of method A told into a `ToldRun`: command, keys of the hub, key establishment, answer, and a first read."""

from protocols.addresses import Eui64
from protocols.aps.commands import RequestedKeyType, RequestKey, TransportApplicationLinkKey
from protocols.aps.security import KeyId
from protocols.gbcs import security
from protocols.gbcs.codes import DeviceType
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs03, pcs02
from protocols.interfaces import SECOND
from protocols.zcl import foundation
from protocols.zcl.clusters import metering
from protocols.zcl.clusters.prepayment import SelectAvailableEmergencyCredit
from protocols.zcl.foundation import ReadAttributes
from tests.support.told_run import ACB, SUPPLIER, OnAir, ToldRun

GIVEN, AGREED = bytes(range(0x50, 0x60)), bytes(range(0x60, 0x70))


def tell_join(run: ToldRun, meter: Eui64, ppmid: Eui64, counter: int, asked: int) -> None:
    """Have an ESME join a PPMID at `asked` (ns) within three seconds; labels begin with "join"."""
    code = cs03.MESSAGE_CODE_A1
    payload = cs03.Command(cs03.MethodAndRole.A_INITIATOR, ppmid, DeviceType.PPMID).encode()
    command = run.signed(Message(Cra.COMMAND, counter, SUPPLIER, meter, message_code=code, payload=payload))
    run.carry("join CS03", asked, meter, run.with_mac(command).encode(), upward=False)
    request = RequestKey(RequestedKeyType.APPLICATION_LINK, ppmid).encode()
    run.air["join asked"] = OnAir(asked + SECOND, meter, True, 0, request, command=KeyId.LINK)
    for one, other, first in ((meter, ppmid, True), (ppmid, meter, False)):
        sent = TransportApplicationLinkKey(GIVEN, other, first).encode()
        run.air[f"join given {one}"] = OnAir(asked + SECOND, one, False, 0, sent, command=KeyId.KEY_LOAD)
    run.agree(meter, ppmid, asked + 2 * SECOND, "join keys")
    answer = Message(Cra.RESPONSE, counter, meter, SUPPLIER, message_code=code, payload=cs03.Response().encode())
    run.carry("join CS03 response", asked + 3 * SECOND, meter, run.signed(answer).encode(), upward=True)
    read = foundation.encode(ReadAttributes((0x0000,)), 1, from_server=False)
    at, cluster = asked + 10 * SECOND, metering.CLUSTER
    run.air["join read"] = OnAir(at, ppmid, True, cluster, read, link_key=AGREED, partner=meter)
    run.stray_keys.append(AGREED)


def answer_of_gpf(run: ToldRun, gpf: Eui64, counter: int, user_counter: int) -> bytes:
    """Return the success of a CS03B at the GPF, which the ACB sent on the supplier's behalf."""
    message = Message(
        Cra.RESPONSE, counter, gpf, ACB, message_code=cs03.MESSAGE_CODE_B, payload=cs03.Response().encode(),
        signature=b"", supplementary_party=SUPPLIER, supplementary_counter=user_counter,
    )  # fmt: skip
    return run.with_mac(message).encode()


def tell_certified_join(run: ToldRun, gsme: Eui64, ppmid: Eui64, counter: int, asked: int) -> None:
    """Have a GSME and a PPMID join each other at `asked`, and the PPMID ask for emergency credit; labels "C ..."."""
    code = cs03.MESSAGE_CODE_C
    for one, other, kind, by in (
        (gsme, ppmid, DeviceType.PPMID, SUPPLIER), (ppmid, gsme, DeviceType.GSME, ACB),
    ):  # fmt: skip
        certificate = run.parties[other].ka_certificate.der
        payload = cs03.Command(cs03.MethodAndRole.C, other, kind, certificate).encode()
        command = run.signed(Message(Cra.COMMAND, counter, by, one, message_code=code, payload=payload))
        run.carry(f"C CS03 {one}", asked, one, run.with_mac(command).encode(), upward=False)
        answer = Message(Cra.RESPONSE, counter, one, by, message_code=code, payload=cs03.Response().encode())
        run.carry(f"C CS03 response {one}", asked + SECOND, one, run.signed(answer).encode(), upward=True)
    payload = pcs02.Command(SelectAvailableEmergencyCredit(0, 1)).encode()
    said = Message(Cra.COMMAND, 77, ppmid, gsme, message_code=pcs02.MESSAGE_CODE, payload=payload, signature=b"")
    secret = security.shared_secret(run.parties[ppmid].ka_key, run.parties[gsme].ka_certificate.public_key)
    octets = security.add_mac(said, secret).encode()
    run.carry("C asked", asked + 10 * SECOND, ppmid, octets, upward=True)
    run.carry("C handed on", asked + 20 * SECOND, gsme, octets, upward=False)
