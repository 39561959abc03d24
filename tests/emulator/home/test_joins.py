"""CS03 and CS04 on the air: what two devices of a home do to have a link key, and what they are without one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.devices.esme import Esme
from emulator.devices.ppmid import Ppmid
from emulator.entropy import SeededEntropy
from gateway.campaigns.evidence.capture import dissect
from gateway.campaigns.evidence.link_keys import Pair
from protocols.addresses import Eui64
from protocols.cbke.types import Send
from protocols.crypto.certificate_authority import CertificateAuthority
from protocols.crypto.suites import Suite
from protocols.errors import DecodeError
from protocols.gbcs import security
from protocols.gbcs.codes import DeviceType, JoinCode
from protocols.gbcs.device_log import LogEntry
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import pcs02
from protocols.gbcs.use_cases.cs04 import UnjoinCode
from protocols.interfaces import HOUR, SECOND
from protocols.zcl.clusters.key_establishment import EphemeralData, KeyEstablishmentCommand, TerminateStatus
from protocols.zcl.frame import ZclStatus
from tests.support import tshark
from tests.support.han import START
from tests.support.joining_home import A1, A2, B, C, JoiningHome, PowerCut

CLIENT, SERVER = "zbee_zcl_se.ke.cmd.srv_rx.id", "zbee_zcl_se.ke.cmd.srv_tx.id"


@pytest.fixture(scope="module")
def home() -> JoiningHome:
    """ESME and PPMID by method A, ESME and IHD by method B; an hour later."""
    made = JoiningHome("ppmid", "ihd")
    made.run(2 * HOUR // SECOND)
    assert (made.reads("ppmid"), made.reads("ihd")) == (0, 0)  # nobody is joined yet
    assert made.join("ppmid", A2, "esme") == JoinCode.SUCCESS
    assert made.join("esme", A1, "ppmid") == JoinCode.SUCCESS
    assert made.join("esme", B, "ihd") == JoinCode.SUCCESS
    made.run(HOUR // SECOND)
    return made


def entries(home: JoiningHome, name: str) -> tuple[LogEntry, ...]:
    return home.updatable(name).joins.log.entries()


def shared(home: JoiningHome, one: str, other: str) -> bool:
    """Whether both hold the same key with the other."""
    here = home.node(one)._on().state.peer(home.eui(other)).key
    there = home.node(other)._on().state.peer(home.eui(one)).key
    return here is not None and here == there


def test_both_sides_have_entry_and_key_and_the_displays_read(home: JoiningHome) -> None:
    ppmid, ihd, esme = home.eui("ppmid"), home.eui("ihd"), home.eui("esme")
    assert set(entries(home, "esme")) == {LogEntry(ppmid, DeviceType.PPMID), LogEntry(ihd, DeviceType.TYPE_2)}
    assert entries(home, "ppmid") == (LogEntry(esme, DeviceType.ESME),)
    assert shared(home, "esme", "ppmid")
    assert shared(home, "esme", "ihd")
    assert home.node("ppmid").agreed_with(esme)
    assert home.node("esme").agreed_with(ppmid)
    assert not home.node("ihd").agreed_with(esme)
    for name in ("ppmid", "ihd"):
        assert home.reads(name) >= 2


@pytest.mark.requirement("JOIN-1")
@pytest.mark.judge("tshark")
def test_wireshark_counts_the_frames_of_both_methods(home: JoiningHome, tmp_path: Path) -> None:
    """A: Request-Key, two Transport-Keys, six messages of key establishment; B: the first three alone."""
    capture, keys = home.write(tmp_path)
    assert tshark.faults(capture, keys) == []
    between = {home.node(name).short for name in ("esme", "ppmid")}
    shown = f"{CLIENT} || {SERVER}"
    rows = tshark.fields(capture, keys, ["zbee_nwk.src", "zbee_nwk.dst", CLIENT, SERVER], display_filter=shown)
    said = {tuple(row) for row in rows if {int(row[0], 16), int(row[1], 16)} == {int(short) for short in between}}
    assert sorted((row[2], row[3]) for row in said) == sorted(
        [("0x00", ""), ("0x01", ""), ("0x02", ""), ("", "0x00"), ("", "0x01"), ("", "0x02")]
    )
    asked = tshark.fields(
        capture, keys, ["zbee_nwk.src", "zbee_aps.cmd.partner"], display_filter="zbee_aps.cmd.id == 0x08"
    )
    assert {int(row[0], 16) for row in asked} == {int(home.node("esme").short)}
    assert len({row[1] for row in asked}) == 2
    given = tshark.fields(
        capture, keys, ["zbee_nwk.dst", "zbee_aps.cmd.key"],
        display_filter="zbee_aps.cmd.id == 0x05 && zbee_aps.cmd.key_type == 0x03",
    )  # fmt: skip
    assert len({tuple(row) for row in given}) == 4
    assert len({row[1] for row in given}) == 2


@pytest.mark.requirement("JOIN-2")
def test_what_two_devices_say_goes_under_the_key_of_their_method_alone(home: JoiningHome) -> None:
    """By method A under the one they agreed on, by method B under the trust centre's."""
    seen = dissect(home.frames, home.keys)
    assert (seen.defects, seen.unfinished, seen.link_keys.plain) == ([], 0, [])
    given = {key.key for key in seen.link_keys.pairs.keys if key.key is not None}
    meter = home.node("esme")._on().state
    for name, from_hub in (("ppmid", False), ("ihd", True)):
        pair = Pair.of(home.eui("esme"), home.eui(name))
        uses = [use for use in seen.link_keys.pairs.uses if use.pair == pair]
        assert {use.sender for use in uses} == set(pair)
        for use in uses:
            assert use.key == meter.peer(home.eui(name)).key
            assert (use.key in given) == from_hub
            assert use.messages >= 5


def test_a_second_command_for_the_same_device_is_a_success_without_another_key(home: JoiningHome) -> None:
    keys = dict(home.key_table)
    assert home.join("esme", A1, "ppmid") == JoinCode.SUCCESS
    assert home.key_table == keys


# --- codes -----------------------------------------------------------------------------------------------------------


def _foreign(home: JoiningHome) -> None:
    authority = CertificateAuthority(Suite.SUITE_2, SeededEntropy(1), Eui64.from_big(b"STRANGER"))
    home.recertify("ppmid", {Suite.SUITE_2: authority.issue(home.eui("ppmid"), START)})


def _other_suite(home: JoiningHome) -> None:
    authority = CertificateAuthority(Suite.SUITE_1, SeededEntropy(1))
    home.recertify("ppmid", {Suite.SUITE_1: authority.issue(home.eui("ppmid"), START)})


def _misnamed(home: JoiningHome) -> None:
    home.recertify("ppmid", home.certificates.of(Eui64(1)))


def _wrong_private_key(home: JoiningHome) -> None:
    held = home.certificates.of(home.eui("ppmid"))[Suite.SUITE_2]
    home.recertify("ppmid", {Suite.SUITE_2: held._replace(private_key=held.private_key - 1)})


def _stammering(home: JoiningHome) -> None:
    """The PPMID cuts the last octet off its ephemeral point."""
    responder = home.exchanges("ppmid")._responder
    whole = responder._send

    def cut(who: Eui64, endpoint: int, transaction: int, command: KeyEstablishmentCommand) -> Send:
        send = whole(who, endpoint, transaction, command)
        return send._replace(frame=send.frame[:-1]) if isinstance(command, EphemeralData) else send

    responder._send = cut  # type: ignore[method-assign]


def _not_told(home: JoiningHome) -> None:
    assert home.unjoin("ppmid", "esme") == UnjoinCode.SUCCESS


def _removed(home: JoiningHome) -> None:
    home.broker.remove(home.eui("ppmid"))
    home.run(60)


def _off(home: JoiningHome) -> None:
    home.device("ppmid").device.power_off()


CAUSES: dict[JoinCode, Callable[[JoiningHome], None]] = {
    JoinCode.NO_RESOURCES: _not_told,
    JoinCode.UNKNOWN_ISSUER: _foreign,
    JoinCode.UNSUPPORTED_SUITE: _other_suite,
    JoinCode.BAD_MESSAGE: _stammering,
    JoinCode.BAD_KEY_CONFIRM: _wrong_private_key,
    JoinCode.INVALID_OR_MISSING_CERTIFICATE: _misnamed,
    JoinCode.NO_PARTNER_LINK_KEY: _removed,
    JoinCode.NO_CBKE_RESPONSE: _off,
}


@pytest.mark.requirement("JOIN-3")
@pytest.mark.parametrize("code", CAUSES, ids=lambda code: code.name.lower())
def test_a_key_establishment_that_fails_is_told_and_leaves_neither_entry_nor_key(code: JoinCode) -> None:
    home = JoiningHome("ppmid")
    assert home.join("ppmid", A2, "esme") == JoinCode.SUCCESS
    CAUSES[code](home)
    assert home.join("esme", A1, "ppmid") == code
    assert entries(home, "esme") == ()
    assert home.node("esme").partners == []
    home.run(2 * HOUR // SECOND)
    assert home.reads("ppmid") == 0


def test_a_responder_that_gets_the_hubs_key_a_moment_later_is_asked_again() -> None:
    home = JoiningHome("ppmid")
    assert home.join("ppmid", A2, "esme") == JoinCode.SUCCESS
    keys = home.updatable("ppmid").partners
    held, late = keys.has, iter((False,))
    keys.has = lambda partner: next(late, True) and held(partner)  # type: ignore[method-assign]
    assert home.join("esme", A1, "ppmid") == JoinCode.SUCCESS
    (refused,) = home.notes.of("key-establishment-failed", "home-1/ppmid")
    assert refused["status"] == f"{TerminateStatus.NO_RESOURCES:02X}"
    assert shared(home, "esme", "ppmid")


def test_a_join_that_failed_succeeds_once_its_cause_is_gone() -> None:
    home = JoiningHome("ppmid")
    assert home.join("esme", A1, "ppmid") == JoinCode.NO_RESOURCES
    assert home.join("ppmid", A2, "esme") == JoinCode.SUCCESS
    assert home.join("esme", A1, "ppmid") == JoinCode.SUCCESS
    assert shared(home, "esme", "ppmid")


def test_a_display_that_was_off_gets_its_key_by_a_second_command() -> None:
    """By method B the meter cannot tell whether the other one has it."""
    home = JoiningHome("ihd")
    home.device("ihd").device.power_off()
    assert home.join("esme", B, "ihd") == JoinCode.SUCCESS
    home.run(60)
    home.device("ihd").device.power_on()
    home.run(HOUR // SECOND)
    assert home.reads("ihd") == 0
    assert home.join("esme", B, "ihd") == JoinCode.SUCCESS
    home.run(HOUR // SECOND)
    assert home.reads("ihd") >= 1
    assert shared(home, "esme", "ihd")


@pytest.mark.requirement("JOIN-5")
def test_the_gas_meters_mirror_is_read_by_those_that_the_gpf_is_joined_to() -> None:
    home = JoiningHome("ihd", "gsme", "bridge-1", "bridge-3")
    home.run(HOUR // SECOND)
    assert home.gas_reads("ihd") == 0
    assert home.join("gpf", B, "ihd") == JoinCode.SUCCESS
    home.run(HOUR // SECOND)
    read = home.gas_reads("ihd")
    assert read >= 1
    assert home.unjoin("gpf", "ihd", loose=True) == UnjoinCode.SUCCESS
    home.run(HOUR // SECOND)
    assert home.gas_reads("ihd") == read


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("JOIN-2")
def test_a_meter_takes_no_key_with_a_device_that_it_was_not_joined_to() -> None:
    """A display asks the trust centre by itself, which sends the key to both."""
    home = JoiningHome("ihd")
    came: list[bool] = []
    home.node("ihd").request_partner_key(home.eui("esme"), came.append)
    home.run(HOUR // SECOND)
    assert came == [True]
    assert home.node("ihd").partners == [home.eui("esme")]
    assert home.node("esme").partners == []
    assert home.reads("ihd") == 0  # it asks, and is not understood


@pytest.mark.requirement("JOIN-2")
def test_an_unjoined_display_reads_nothing_more_and_is_told_nothing_more() -> None:
    home = JoiningHome("ihd", "ppmid")
    home.join("ppmid", A2, "esme")
    assert [home.join("esme", A1, "ppmid"), home.join("esme", B, "ihd")] == [JoinCode.SUCCESS] * 2
    home.run(HOUR // SECOND)
    meter = home.device("esme").device
    assert isinstance(meter, Esme)
    assert len(meter.meter.listeners.all()) == 2
    assert home.unjoin("esme", "ihd", loose=True) == UnjoinCode.SUCCESS
    assert home.unjoin("esme", "ppmid") == home.unjoin("ppmid", "esme") == UnjoinCode.SUCCESS
    assert home.unjoin("esme", "ppmid") == UnjoinCode.NOT_IN_LOG
    before = home.reads("ihd"), home.reads("ppmid")
    home.run(3 * HOUR // SECOND)
    assert (home.reads("ihd"), home.reads("ppmid")) == before
    assert (home.node("esme").partners, home.node("ppmid").partners) == ([], [])
    assert entries(home, "esme") == entries(home, "ppmid") == ()
    assert meter.meter.listeners.all() == []


# --- method C --------------------------------------------------------------------------------------------------------


def gas_home() -> JoiningHome:
    home = JoiningHome("ppmid", "gsme", "bridge-1", "bridge-3")
    assert isinstance(home.device("ppmid").device, Ppmid)
    return home


def join_by_certificates(home: JoiningHome) -> None:
    """CS03C to both; the gas meter fetches its own when it wakes."""
    codes = []
    for name, other in (("ppmid", "gsme"), ("gsme", "ppmid")):
        certificate = home.credentials(home.eui(other)).ka_certificate.der
        codes.append(home.answered(home.send_join(name, C, other, certificate), within=2 * HOUR // SECOND))
    assert codes == [JoinCode.SUCCESS] * 2


def between(data: bytes, *devices: Eui64) -> Message | None:
    """Return the message of a tunnel that is between these two; that of a GSME stands behind its queue's header."""
    for start in range(3):
        try:
            message = Message.decode(data[start:])
        except DecodeError:
            continue
        return message if {message.originator, message.target} == set(devices) else None
    return None


def press(home: JoiningHome) -> None:
    ppmid = home.device("ppmid").device
    assert isinstance(ppmid, Ppmid)
    ppmid.select_gas_emergency_credit()
    home.run(2 * HOUR // SECOND)


@pytest.mark.requirement("JOIN-6")
@pytest.mark.judge("tshark")
def test_a_ppmid_and_a_gas_meter_speak_by_each_others_certificates(tmp_path: Path) -> None:
    home = gas_home()
    press(home)
    assert home.notes.of("gas-emergency-credit-asked", "home-1/ppmid") == []  # nobody to ask
    join_by_certificates(home)
    home.home.mains.cut(300 * SECOND)  # the certificates outlive it
    home.run(HOUR // SECOND)
    press(home)
    assert home.notes.of("gas-emergency-credit-asked", "home-1/ppmid") == [{"of": str(home.eui("gsme"))}]
    assert home.notes.of("emergency-credit-refused", "home-1/gsme") == [{"by": str(home.eui("ppmid"))}]
    assert home.notes.of("gas-emergency-credit-answered", "home-1/ppmid") == [{"status": ZclStatus.FAILURE}]
    assert home.broker.messages(pcs02.MESSAGE_CODE) == []  # the hub hands them on, nothing leaves the home
    seen = dissect(home.frames, home.keys)
    assert (seen.defects, seen.unfinished) == ([], 0)
    ppmid, gsme = home.eui("ppmid"), home.eui("gsme")
    secret = security.shared_secret(home.credentials(ppmid).ka_key, home.credentials(gsme).ka_certificate.public_key)
    heard = [message for each in seen.messages if (message := between(each.data, ppmid, gsme)) is not None]
    assert [message.cra for message in heard] == [Cra.COMMAND, Cra.COMMAND, Cra.RESPONSE, Cra.RESPONSE]
    for message in heard:  # each in two tunnels
        security.check_mac(message, secret)
    capture, keys = home.write(tmp_path)
    assert tshark.faults(capture, keys) == []


@pytest.mark.requirement("JOIN-6")
def test_a_gas_meter_obeys_no_ppmid_that_it_was_not_joined_to() -> None:
    """The PPMID has the meter's certificate, the meter not the PPMID's; later one of another device."""
    home = gas_home()
    gsme = home.eui("gsme")
    own = home.credentials(gsme).ka_certificate.der
    assert home.answered(home.send_join("ppmid", C, "gsme", own)) == JoinCode.SUCCESS
    press(home)
    assert home.notes.of("emergency-credit-refused", "home-1/gsme") == []
    assert home.notes.of("gas-emergency-credit-answered", "home-1/ppmid") == []
    stranger = home.credentials(home.eui("esme")).ka_certificate.der
    refused = home.send_join("gsme", C, "ppmid", stranger)
    assert home.answered(refused, within=2 * HOUR // SECOND) == JoinCode.INVALID_OR_MISSING_CERTIFICATE
    assert entries(home, "gsme") == ()


# --- power -----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("JOIN-4")
def test_what_was_joined_stays_joined_over_power_cuts_of_all() -> None:
    home = JoiningHome("ppmid", "hcalcs", "ihd")
    for name in ("ppmid", "hcalcs"):
        assert home.join(name, A2, "esme") == home.join("esme", A1, name) == JoinCode.SUCCESS
    assert home.join("esme", B, "ihd") == JoinCode.SUCCESS
    keys, logs = dict(home.key_table), [entries(home, name) for name in ("esme", "ppmid", "hcalcs")]
    home.home.mains.cut(300 * SECOND)
    home.run(HOUR // SECOND)
    before = home.reads("ihd"), home.reads("ppmid")
    home.run(HOUR // SECOND)
    assert [entries(home, name) for name in ("esme", "ppmid", "hcalcs")] == logs
    assert home.key_table == keys
    assert (home.reads("ihd"), home.reads("ppmid")) == (before[0] + 2, before[1] + 2)


@pytest.mark.requirement("JOIN-4")
@pytest.mark.parametrize("name", ["esme", "ppmid"])
def test_the_power_goes_between_any_two_changes_of_a_join(name: str) -> None:
    """The command is answered once, with whatever came of it, and entry and key agree with the answer."""
    for fatal in range(100):
        home = JoiningHome("ppmid")
        assert home.join("ppmid", A2, "esme") == JoinCode.SUCCESS
        cut = PowerCut(home, name, fatal)
        command = home.send_join("esme", A1, "ppmid")
        code = home.answered(command, within=1200)
        if not cut.happened:
            assert fatal > 5
            break
        home.run(300)
        assert code in (JoinCode.SUCCESS, JoinCode.NO_CBKE_RESPONSE, JoinCode.NO_PARTNER_LINK_KEY), cut.cell
        assert len({answer.encode() for answer in home.answers(command)}) == 1, cut.cell
        joined = code == JoinCode.SUCCESS
        assert bool(entries(home, "esme")) == bool(home.node("esme").partners) == joined, cut.cell
        if not joined:
            assert home.join("esme", A1, "ppmid") == JoinCode.SUCCESS, cut.cell
        home.run(HOUR // SECOND)
        assert shared(home, "esme", "ppmid"), cut.cell
        assert home.reads("ppmid") >= 1, cut.cell
    else:
        raise AssertionError("a join has no end")
