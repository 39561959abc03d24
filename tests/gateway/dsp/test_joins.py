"""8.7.1, 8.7.2, 8.8.1 and 8.8.2 through a started DSP: pairs, rights, commands, and what the inventory follows."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from gateway.dsp import joins, variants
from gateway.dsp.acb import Acb
from gateway.dsp.inventory import Inventory
from gateway.dsp.joins import CRITICAL_PAIRS, NON_CRITICAL_PAIRS, Joins
from gateway.dsp.records import Device, User
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.inventory import DeviceStatus, DeviceType, PpmidVariant
from protocols.duis.requests import CommandVariant
from protocols.duis.responses import GbcsPayload, PreCommand, ResponseMessage
from protocols.gbcs import codes
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs03, cs04
from tests.support.dsp_bench import (
    BRIDGE,
    CAD,
    ESME,
    GPF,
    GSME,
    HCALCS,
    HUB,
    IHD,
    OTHER_ESME,
    OTHER_USER,
    PPMID,
    Bench,
    Outcome,
    device,
    estate,
)
from tests.support.parties import BROKER, OTHER_SUPPLIER, SUPPLIER
from tests.support.requirements import patched

BRIDGES = [variant for variant in PpmidVariant if variant is not PpmidVariant.PPMID]
TO_DEVICE, TRANSFORM = CommandVariant.TO_DEVICE, CommandVariant.TRANSFORM


def home(*changed: Device, status: dict[Eui64, DeviceStatus] | None = None) -> Bench:
    """Return a bench with some devices of the estate otherwise, and a CAD."""
    others = {each.device: each for each in changed}
    devices = [others.pop(each.device, each) for each in estate()]
    devices += [replace(device(CAD, None, DeviceType.CAD, None), hub=HUB), *others.values()]
    devices = [replace(each, status=(status or {}).get(each.device, each.status)) for each in devices]
    return Bench(devices=devices, users=[User(OTHER_USER, "OU")])


def of(eui: Eui64) -> Device:
    (found,) = [each for each in estate() if each.device == eui]
    return found


def no_certificate(self: Acb, device: Eui64) -> bytes:
    return b"\x30\x00"


OTHER_CERTIFICATE = patched(Acb, "key_agreement_certificate", no_certificate)


def transform(bench: Bench, target: Eui64, other: Eui64, *, user: Eui64 = SUPPLIER) -> Outcome:
    return bench.request(bodies.JoinServiceCritical(other_device_id=other), target, TRANSFORM, user=user)


def join(bench: Bench, target: Eui64, other: Eui64, *, user: Eui64 = SUPPLIER) -> Outcome:
    return bench.request(bodies.JoinServiceNonCritical(other_device_id=other), target, TO_DEVICE, user=user)


def pre_command(outcome: Outcome) -> Message:
    return Message.decode(outcome.content(PreCommand).gbcs_payload)


# --- 8.7.1 ---------------------------------------------------------------------------------------------------------

CRITICAL = [
    (ESME, HCALCS, 0x000D, cs03.MethodAndRole.A_INITIATOR, codes.DeviceType.HCALCS),
    (ESME, PPMID, 0x000D, cs03.MethodAndRole.A_INITIATOR, codes.DeviceType.PPMID),
    (HCALCS, ESME, 0x00AB, cs03.MethodAndRole.A_RESPONDER, codes.DeviceType.ESME),
    (GSME, PPMID, 0x00AF, cs03.MethodAndRole.C, codes.DeviceType.PPMID),
]


@pytest.mark.requirement(
    "MP170-L22", planted=patched(joins, "CRITICAL_PAIRS", dict.fromkeys(CRITICAL_PAIRS, joins._LOOSE))
)
@pytest.mark.parametrize(("target", "other", "code", "method", "kind"), CRITICAL)
def test_each_pair_has_its_use_case(
    target: Eui64, other: Eui64, code: int, method: cs03.MethodAndRole, kind: codes.DeviceType
) -> None:
    message = pre_command(transform(home(), target, other))
    assert (message.originator, message.target, message.message_code) == (SUPPLIER, target, code)
    payload = cs03.Command.decode(message.payload)
    assert (payload.method_and_role, payload.device, payload.device_type) == (method, other, kind)


@pytest.mark.requirement("MP170-L22")
def test_any_other_pair_is_refused() -> None:
    bench = home()
    types = {ESME: DeviceType.ESME, GSME: DeviceType.GSME, HCALCS: DeviceType.HCALCS}
    others = {
        GPF: DeviceType.GPF,
        IHD: DeviceType.IHD,
        CAD: DeviceType.CAD,
        HUB: DeviceType.CHF,
        PPMID: DeviceType.PPMID,
    }
    before = bench.store.dump()
    for target, target_type in types.items():
        for other, other_type in (others | types).items():
            if (target_type, other_type) not in CRITICAL_PAIRS:
                assert transform(bench, target, other).code == "E080702", (target_type, other_type)
    assert transform(bench, ESME, Eui64(1)).code == "E080702", "not in the inventory"
    assert transform(bench, OTHER_ESME, PPMID).code == "E080702", "on another hub"
    assert bench.store.dump() == before


@pytest.mark.requirement("MP170-L22")
def test_a_join_takes_its_roles_targets_and_variants_alone() -> None:
    bench = home()
    assert transform(bench, ESME, PPMID, user=OTHER_USER).code == "E2"
    assert transform(bench, PPMID, ESME).code == "E11"
    assert transform(bench, ESME, PPMID, user=OTHER_SUPPLIER).code == "E4"
    for variant in (CommandVariant.TO_DEVICE, CommandVariant.LOCAL, CommandVariant.DCC_ONLY):
        body = bodies.JoinServiceCritical(other_device_id=PPMID)
        assert bench.request(body, ESME, variant).code == "E12"
    for variant in (CommandVariant.SIGNED_TO_DEVICE, CommandVariant.SIGNED_LOCAL):
        assert bench.send_signed(transform(bench, ESME, PPMID), variant).code in ("I99", "I0")


@pytest.mark.requirement("MP170-L23", planted=OTHER_CERTIFICATE)
def test_joining_a_gsme_to_a_ppmid_carries_the_certificate_of_the_ppmid() -> None:
    bench = home()
    payload = cs03.Command.decode(pre_command(transform(bench, GSME, PPMID)).payload)
    assert payload.certificate == bench.parties.pki.device(PPMID).ka_certificate.der
    assert cs03.Command.decode(pre_command(transform(bench, ESME, PPMID)).payload).certificate is None


def no_commission(self: Joins, *_: object) -> None:
    """Forget what a join means for the inventory."""


@pytest.mark.requirement("MP170-L24", planted=patched(Joins, "_commission", no_commission))
@pytest.mark.parametrize(
    ("target", "other", "small"), [(ESME, PPMID, PPMID), (HCALCS, ESME, HCALCS), (GSME, PPMID, PPMID)]
)
def test_success_commissions_the_small_device(target: Eui64, other: Eui64, small: Eui64) -> None:
    bench = home()
    sent = bench.send_signed(transform(bench, target, other))
    assert sent.code == "I99"
    answered = bench.joined(sent)
    ((user, response),) = answered.to_users
    assert user == SUPPLIER
    assert isinstance(response.body, ResponseMessage)
    assert isinstance(response.body.content, GbcsPayload)
    row = bench.inventory_row(small)
    assert (row["status"], row["commissioned"]) == ("Commissioned", bench.now)
    (change,) = [r for r in bench.rows("inventory_history") if r["new"] == "Commissioned" and r["old"] is not None]
    assert change["device"] == str(small)
    assert str(change["cause"]).startswith("8.7.1 ")


def always(self: Joins, turn: object, command: object, response: object) -> None:
    """Commission the other device of any join, whatever hub, meter and answer say."""
    inventory: Inventory = self._inventory
    for eui in (command.device, command.subject):  # type: ignore[attr-defined]
        found = inventory.device(eui)
        if found is not None:
            inventory.change(turn, found, "any", status=DeviceStatus.COMMISSIONED)  # type: ignore[arg-type]


@pytest.mark.requirement("MP170-L24", planted=patched(Joins, "joined", always))
@pytest.mark.parametrize("wrong", ["hub", "meter", "answer"])
def test_nothing_is_commissioned_before_hub_and_meter_are(wrong: str) -> None:
    installed = DeviceStatus.INSTALLED_NOT_COMMISSIONED
    bench = home(status={"hub": {HUB: installed}, "meter": {ESME: installed}}.get(wrong, {}))
    bench.joined(bench.send_signed(transform(bench, ESME, HCALCS)), code=3 if wrong == "answer" else 0)
    assert bench.inventory_row(HCALCS)["status"] == "Whitelisted"


def anything(code: str, *devices: Device) -> None:
    """Let bridges be joined."""


ANY_BRIDGE = patched(variants, "refuse_join", anything)


@pytest.mark.requirement("MP170-L25", "MP170-C6", planted=ANY_BRIDGE)
@pytest.mark.parametrize("variant", BRIDGES)
def test_a_bridge_is_not_joined_critically(variant: PpmidVariant) -> None:
    bench = home(replace(of(BRIDGE), variant=variant))
    before = bench.store.dump()
    for target in (ESME, GSME):
        assert transform(bench, target, BRIDGE).code == "E080702"
    unjoin = bodies.UnjoinServiceCritical(other_device_id=BRIDGE)
    assert bench.request(unjoin, ESME, TRANSFORM).code == "E080801"
    assert bench.store.dump() == before
    assert transform(bench, ESME, PPMID).code == "I0", "a plain PPMID passes"


# --- 8.7.2 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "other", "code", "originator", "signed"),
    [
        (ESME, IHD, 0x000E, SUPPLIER, False),
        (ESME, CAD, 0x000E, SUPPLIER, False),
        (GSME, GPF, 0x000E, SUPPLIER, False),
        (GPF, PPMID, 0x000E, BROKER, False),
        (GPF, IHD, 0x000E, BROKER, False),
        (PPMID, ESME, 0x00AB, BROKER, True),
        (PPMID, GSME, 0x00AF, BROKER, True),
    ],
)
def test_each_pair_has_its_command(target: Eui64, other: Eui64, code: int, originator: Eui64, *, signed: bool) -> None:
    message = home().command_of(join(home(), target, other))
    assert (message.cra, message.originator, message.target, message.message_code) == (
        Cra.COMMAND, originator, target, code,
    )  # fmt: skip
    assert (bool(message.signature), message.mac is not None) == (signed, True)
    assert (message.supplementary_party == SUPPLIER) is (originator == BROKER)
    assert cs03.Command.decode(message.payload).device == other


@pytest.mark.requirement("MP170-L26")
def test_any_other_pair_is_refused_there_too() -> None:
    bench = home()
    types = {ESME: DeviceType.ESME, GSME: DeviceType.GSME, GPF: DeviceType.GPF, PPMID: DeviceType.PPMID}
    others = types | {IHD: DeviceType.IHD, CAD: DeviceType.CAD, HUB: DeviceType.CHF, HCALCS: DeviceType.HCALCS}
    for target, target_type in types.items():
        for other, other_type in others.items():
            if (target_type, other_type) not in NON_CRITICAL_PAIRS:
                assert join(bench, target, other).code == "E080721", (target_type, other_type)


def no_rights(self: Joins, *_: object) -> None:
    """Let anybody join anything."""


@pytest.mark.requirement("MP170-L26", planted=patched(Joins, "_check_rights", no_rights))
def test_who_may_join_what() -> None:
    bench = home()
    assert join(bench, ESME, CAD, user=OTHER_USER).code == "I99"
    assert join(bench, ESME, IHD, user=OTHER_USER).code == "E080722"
    assert join(bench, GPF, PPMID, user=OTHER_USER).code == "E080722"
    assert join(bench, GSME, GPF, user=OTHER_SUPPLIER).code == "E080723"
    unjoin = bodies.UnjoinServiceNonCritical(other_device_id=IHD)
    assert bench.request(unjoin, ESME, TO_DEVICE, user=OTHER_USER).code == "E080822"


@pytest.mark.requirement("MP170-L26")
def test_whoever_serves_the_hub_may_join_its_gsme_to_its_gpf() -> None:
    """The electricity supplier is not the GSME's, yet responsible for a device on that hub."""
    bench = home()
    elsewhere = replace(bench.dsp.inventory.premises.get("7012345601"), supplier=OTHER_SUPPLIER)  # type: ignore[type-var]
    bench.run(bench.dsp.provision(bench.now, premises=[elsewhere]))  # type: ignore[list-item]
    outcome = join(bench, GSME, GPF)
    assert outcome.code == "I99"
    assert bench.command_of(outcome).originator == BROKER, "the meter does not know this supplier"
    assert join(bench, GSME, GPF, user=OTHER_SUPPLIER).code == "I99"
    assert join(bench, ESME, IHD, user=OTHER_SUPPLIER).code == "E4"


@pytest.mark.requirement("MP170-L27", planted=OTHER_CERTIFICATE)
def test_joining_a_ppmid_to_a_gsme_carries_the_certificate_of_the_gsme() -> None:
    bench = home()
    payload = cs03.Command.decode(bench.command_of(join(bench, PPMID, GSME)).payload)
    assert payload.certificate == bench.parties.pki.device(GSME).ka_certificate.der


@pytest.mark.requirement("MP170-L28", planted=patched(Joins, "_commission", no_commission))
def test_a_gpf_is_commissioned_by_its_join_with_the_gsme() -> None:
    bench = home(status={GPF: DeviceStatus.INSTALLED_NOT_COMMISSIONED})
    bench.joined(join(bench, GSME, GPF), mac=True)
    assert bench.inventory_row(GPF)["status"] == "Commissioned"


@pytest.mark.requirement("MP170-L28", planted=patched(Joins, "joined", always))
def test_a_gpf_waits_for_hub_and_gsme() -> None:
    installed = DeviceStatus.INSTALLED_NOT_COMMISSIONED
    for early in (HUB, GSME):
        bench = home(status={GPF: installed, early: installed})
        bench.joined(join(bench, GSME, GPF), mac=True)
        assert bench.inventory_row(GPF)["status"] == "InstalledNotCommissioned"


@pytest.mark.requirement("MP170-L29", "MP170-C6", planted=ANY_BRIDGE)
@pytest.mark.parametrize("variant", BRIDGES)
def test_a_bridge_is_not_joined_non_critically(variant: PpmidVariant) -> None:
    bench = home(replace(of(BRIDGE), variant=variant))
    before = bench.store.dump()
    for target, other in ((BRIDGE, ESME), (BRIDGE, GSME), (GPF, BRIDGE)):
        assert join(bench, target, other).code == "E080721"
        unjoin = bodies.UnjoinServiceNonCritical(other_device_id=other)
        assert bench.request(unjoin, target, TO_DEVICE).code == "E080821"
    assert bench.store.dump() == before


# --- 8.8 -----------------------------------------------------------------------------------------------------------


def test_devices_leave_each_other_by_their_use_case() -> None:
    bench = home()
    unjoin = bodies.UnjoinServiceCritical(other_device_id=PPMID)
    message = pre_command(bench.request(unjoin, ESME, TRANSFORM))
    assert (message.message_code, cs04.Command.decode(message.payload).device) == (0x000F, PPMID)
    for target, other, code in ((PPMID, ESME, 0x000F), (GSME, GPF, 0x0010), (GPF, PPMID, 0x0010)):
        body = bodies.UnjoinServiceNonCritical(other_device_id=other)
        sent = bench.command_of(bench.request(body, target, TO_DEVICE))
        assert (sent.message_code, cs04.Command.decode(sent.payload).device) == (code, other)
        assert bool(sent.signature) is (code == 0x000F)


def test_leaving_changes_no_status() -> None:
    bench = home(status={PPMID: DeviceStatus.COMMISSIONED})
    unjoin = bodies.UnjoinServiceCritical(other_device_id=PPMID)
    bench.joined(bench.send_signed(bench.request(unjoin, ESME, TRANSFORM)))
    assert bench.inventory_row(PPMID)["status"] == "Commissioned"


# --- Transform and Signed Pre-Command ------------------------------------------------------------------------------


def test_a_signed_pre_command_is_what_was_transformed_or_nothing() -> None:
    bench = home()
    asked: Iterable[tuple[str, bytes, str | None]] = []
    transformed = transform(bench, ESME, PPMID)
    good = Message.decode(bench.sign(transformed))
    other = cs03.Command(cs03.MethodAndRole.A_INITIATOR, HCALCS, codes.DeviceType.HCALCS).encode()
    asked = [
        ("E44", replace(good, payload=other).encode(), None),
        ("E44", replace(good, message_code=0x00AB).encode(), None),
        ("E44", replace(good, counter=good.counter + 1).encode(), None),
        ("E41", bench.sign(transformed, key=bench.parties.other_supplier), None),
        ("E41", replace(good, signature=None).encode(), None),
        ("E44", b"\x00", None),
        ("E44", good.encode(), "8.8.1"),
        ("E44", good.encode(), "11.3"),
    ]
    before = bench.store.dump()
    for code, octets, service in asked:
        assert bench.send_signed(transformed, octets=octets, service=service).code == code
    assert bench.store.dump() == before
    assert bench.send_signed(transformed).code == "I99"
    assert bench.send_signed(transformed).code == "E44", "signed once"
    assert bench.rows("transforms") == []


def test_a_transform_nobody_signs_is_forgotten_in_time() -> None:
    bench = home()
    transformed = transform(bench, ESME, PPMID)
    assert len(bench.rows("transforms")) == 1
    bench.restart()
    bench.later(bench.settings.transform_lifetime)
    assert bench.rows("transforms") == []
    assert bench.send_signed(transformed).code == "E44"


# --- what a join opens ---------------------------------------------------------------------------------------------


@pytest.mark.requirement("X-6")
def test_by_setting_firmware_waits_for_the_join_but_never_for_a_bridges() -> None:
    bench = Bench(settings=DspSettings(unjoined_count=False))
    read = bodies.ReadFirmwareVersion()
    assert bench.request(read, BRIDGE, TO_DEVICE).code == "I99", "joins are barred for it"
    assert bench.request(read, PPMID, TO_DEVICE).code == "E5"
    assert bench.request(read, HCALCS, TO_DEVICE).code == "E5"
    for target, other in ((ESME, PPMID), (HCALCS, ESME)):
        bench.joined(bench.send_signed(transform(bench, target, other)))
    assert bench.request(read, PPMID, TO_DEVICE).code == "I99"
    assert bench.request(read, HCALCS, TO_DEVICE).code == "I99"
