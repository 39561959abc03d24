"""Key establishment in a home: every device agrees with the hub on a link key, and is served under that alone."""

from hashlib import sha256
from pathlib import Path

import pytest

from emulator.devices.communications_hub.settings import HubSettings
from emulator.entropy import SeededEntropy
from emulator.parts.key_establishment import SuiteCredentials
from gateway.assembly.key_establishment import NodeCertificates
from gateway.campaigns.evidence.capture import dissect
from protocols.addresses import Eui64
from protocols.crypto.certificate_authority import CertificateAuthority
from protocols.crypto.install_code import link_key
from protocols.crypto.suites import Suite
from protocols.interfaces import MINUTE, SECOND
from protocols.wan.envelope import FirmwareImageDelivery
from protocols.wan.session import WanSession
from protocols.zcl.clusters.key_establishment import TerminateStatus
from tests.support import tshark
from tests.support.han import START
from tests.support.keyed_home import HUB, KeyedHome
from tests.support.ota_homes import image

PPMID = Eui64(0x00DB1234567811A4)
STRANGER = Eui64.from_big(b"STRANGER")
CLIENT, SERVER = "zbee_zcl_se.ke.cmd.srv_rx.id", "zbee_zcl_se.ke.cmd.srv_tx.id"


@pytest.fixture(scope="module")
def home() -> KeyedHome:
    """All seven devices, near and behind bridges, keyed, an hour later."""
    keyed = KeyedHome().run_till_keyed(within=600)
    keyed.run(3600)
    return keyed


def test_every_device_near_and_behind_bridges_has_a_key_of_its_own(home: KeyedHome) -> None:
    devices = home.home.devices
    assert {device.name for device in devices} == {"esme", "ihd", "gsme", "hcalcs", "ppmid", "bridge-1", "bridge-3"}
    keys = [home.hub._on().state.peer(device.eui).key for device in devices]
    assert len(set(keys)) == len(devices)
    assert not set(keys) & {device.key for device in devices}
    for device in devices:  # both keys can be read from the table
        labels = {key for key, label in home.key_table.items() if label == f"link key {device.eui}"}
        assert labels == {device.key, home.hub._on().state.peer(device.eui).key}
    assert len([label for label in home.key_table.values() if label.startswith("partner key")]) == 3


def test_the_hub_asks_for_tunnels_after_the_exchange_only(home: KeyedHome) -> None:
    for device in home.home.devices:
        if device.tunnelled:
            keyed = home.notes.when("key-established", partner=str(device.eui))
            assert keyed < home.notes.when("tunnel-open", device=str(device.eui))
    assert len(home.notes.of("tunnel-open")) == 5


def test_each_exchange_was_made_once(home: KeyedHome) -> None:
    for device in home.home.devices:
        assert len(home.notes.of("key-established", f"home-1/{device.name}")) == 1
    assert len(home.notes.of("key-established")) == 7
    assert home.notes.of("key-establishment-failed") == []


def test_nothing_of_smart_energy_goes_under_a_preconfigured_key(home: KeyedHome) -> None:
    install_codes = [key for key in home.keys if key.key in {device.key for device in home.home.devices}]
    networks = [key for key in home.keys if key.label.startswith("network")]
    everything = dissect(home.frames, home.keys)
    assert (everything.defects, everything.unfinished) == ([], 0)
    opened = dissect(home.frames, [*networks, *install_codes])
    assert len(opened.ota) + len(opened.tunnels) + len(opened.messages) == 0
    assert len(everything.ota) > 10
    assert {event.secured for event in everything.ota if event.device is not None} == {True}
    assert len(everything.tunnels) >= 10


@pytest.mark.judge("tshark")
def test_wireshark_opens_all_and_reads_the_six_messages(home: KeyedHome, tmp_path: Path) -> None:
    capture, keys = home.write(tmp_path)
    assert tshark.faults(capture, keys) == []
    rows = tshark.fields(
        capture, keys, ["zbee_nwk.src", "zbee_nwk.dst", "zbee_aps.counter", "zbee_aps.security", CLIENT, SERVER],
        display_filter=f"{CLIENT} || {SERVER}",
    )  # fmt: skip
    said = set(map(tuple, rows))  # relays and repetitions count once
    assert len(said) == 6 * 7
    assert {row[3] for row in said} <= {"0", "False"}  # no APS security; the word depends on Wireshark's version
    for number in ("0x00", "0x01", "0x02"):
        assert len({row[0] for row in said if row[4] == number}) == 7
        assert len({row[1] for row in said if row[5] == number}) == 7
    assert [row for row in said if "0x03" in row[4:]] == []


def test_the_cluster_is_shown_as_server_and_client(home: KeyedHome) -> None:
    for device in home.home.devices:
        (endpoint,) = device.device.node._application.endpoints
        assert 0x0800 in endpoint.input_clusters
        assert 0x0800 in endpoint.output_clusters
    endpoint, mirror = home.hub._application.endpoints
    assert 0x0800 not in mirror.input_clusters
    assert 0x0800 in endpoint.input_clusters
    assert 0x0800 in endpoint.output_clusters


# --- refusals ------------------------------------------------------------------------------------------------------


def foreign(eui: Eui64, own: SuiteCredentials) -> SuiteCredentials:
    """Give the PPMID a certificate of an authority that the hub does not know."""
    if eui != PPMID:
        return own
    authority = CertificateAuthority(Suite.SUITE_2, SeededEntropy(1), STRANGER)
    return {Suite.SUITE_2: authority.issue(eui, START)}


def test_a_device_of_a_foreign_issuer_is_refused_and_leaves() -> None:
    home = KeyedHome("ppmid", certificates=foreign)
    home.run(120)
    unknown = f"{TerminateStatus.UNKNOWN_ISSUER:02X}"
    (told,) = home.notes.of("key-establishment-failed", "home-1/ppmid")
    assert told == {"cause": "terminated", "status": unknown, "again": False}
    assert {fields["status"] for fields in home.notes.of("key-establishment-failed")} == {unknown}
    assert not home.node("ppmid").joined
    assert not home.hub.key_established(PPMID)
    assert home.keyed(home.device("esme"))


def misnamed(eui: Eui64, own: SuiteCredentials) -> SuiteCredentials:
    """Give the PPMID a good certificate that names another device."""
    if eui != PPMID:
        return own
    return NodeCertificates(SeededEntropy(1), START).of(Eui64(PPMID + 1))


def test_a_device_with_the_certificate_of_another_gets_no_key_and_is_removed() -> None:
    home = KeyedHome("ppmid", certificates=misnamed)
    limit = HubSettings().key_establishment_limit
    assert limit == 20 * MINUTE
    home.run(limit // SECOND - 60)
    failures = home.notes.of("key-establishment-failed", "home-1/ppmid")
    assert len(failures) >= 5  # again and again, at growing pauses
    assert {fields["status"] for fields in failures} == {f"{TerminateStatus.INVALID_CERTIFICATE:02X}"}
    assert home.node("ppmid").joined
    assert home.notes.of("tunnel-open")[1:] == []  # the ESME's alone
    home.run(120)
    assert home.notes.of("key-establishment-overdue") == [{"partner": str(PPMID)}]
    assert not home.node("ppmid").joined
    begin = len(home.log.frames)
    home.run(600)
    assert key_messages(home, begin) == 0


def keyless(eui: Eui64, own: SuiteCredentials) -> SuiteCredentials | None:
    return None if eui == PPMID else own


def test_a_device_that_never_begins_an_exchange_is_removed() -> None:
    home = KeyedHome("ppmid", certificates=keyless)
    home.run(60)
    assert home.node("ppmid").joined
    home.run(20 * 60)
    assert home.notes.of("key-establishment-overdue") == [{"partner": str(PPMID)}]
    assert not home.node("ppmid").joined


# --- power and loss ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 5])
def test_a_hub_that_restarts_in_the_middle_ends_with_a_key(after: int) -> None:
    """After the n-th message of the exchange the hub is off for five seconds."""
    home = KeyedHome("ppmid", loss=0.0, later=("ppmid",))
    home.run_till(lambda: home.keyed(home.device("esme")))
    home.run(1)
    home.home.switch_on(home.device("ppmid"))
    begin = len(home.log.frames)
    home.run_till(lambda: key_messages(home, begin) > after, step=0.002, within=60)
    assert len(home.notes.of("key-established", "home-1/ppmid")) == (after == 5)
    home.home.hub.power_off()
    home.run(5)
    home.home.hub.power_on()
    home.run_till_keyed(within=300)
    home.run_till(lambda: {"device": str(PPMID)} in home.notes.of("tunnel-open"))


def key_messages(home: KeyedHome, begin: int) -> int:
    """Return how many messages of key establishment were sent since frame `begin`."""
    evidence = dissect(home.frames[begin:], home.keys)
    return sum(count for name, count in evidence.kinds.items() if name.startswith("zcl 0x0800"))


def test_a_lost_confirm_key_response_leaves_the_old_key_until_the_next_exchange() -> None:
    home = KeyedHome("ppmid")

    def cut(actor: str, event: str) -> None:
        if (actor, event) == ("home-1/hub", "key-established") and home.notes.lines[-1][3]["partner"] == str(PPMID):
            home.notes.watch = lambda actor, event: None
            home.link("ppmid", 1.0)

    home.notes.watch = cut
    home.run_till(lambda: home.hub.key_established(PPMID), step=0.1)
    home.run(10)
    peer = home.hub._on().state.peer(PPMID)
    assert not home.node("ppmid").key_established(HUB)
    assert peer.former is not None
    assert peer.former.key == home.device("ppmid").key
    missed = {"partner": str(PPMID), "cause": "not delivered", "status": "none"}
    assert missed in home.notes.of("key-establishment-failed")
    home.link("ppmid", 0.0)
    home.run_till_keyed()
    assert len(home.notes.of("key-established", "home-1/ppmid")) == 1
    home.run(60)
    assert home.hub._on().state.peer(PPMID).former is None
    assert {"device": str(PPMID)} in home.notes.of("tunnel-open")


def test_after_a_restart_of_either_side_the_key_serves_on() -> None:
    home = KeyedHome("ppmid", "ihd").run_till_keyed()
    home.run(360)  # displays ask for a key with the meter again if that was not there yet
    keys = dict(home.key_table)
    for cut in (home.device("ppmid").device, home.device("ihd").device, home.home.hub):
        cut.power_off()
        home.run(60)
        cut.power_on()
        home.run(60)
    assert home.key_table == keys
    assert len(home.notes.of("key-established")) == 3
    opened = [fields["device"] for fields in home.notes.of("tunnel-open")]
    assert opened.count(str(PPMID)) >= 3
    evidence = dissect(home.frames, home.keys)
    assert (evidence.defects, evidence.unfinished) == ([], 0)


def test_another_key_can_be_agreed_on_while_an_image_is_on_its_way() -> None:
    home = KeyedHome("ppmid").run_till_keyed()
    home.run(30)
    device = home.updatable("ppmid")
    file = image_for(home)
    home.run_till(lambda: device.statistics.blocks > 40, within=1200, step=0.1)
    assert device.keys is not None
    for _ in range(3):
        device.keys.renew()
        home.run(2)
    home.run_till(lambda: bool(home.notes.of("download-finished", "home-1/ppmid")), within=600)
    (finished,) = home.notes.of("download-finished", "home-1/ppmid")
    assert finished["sha256"] == sha256(file).hexdigest()
    assert len(home.notes.of("key-established", "home-1/ppmid")) == 4
    assert home.keyed(home.device("ppmid"))
    assert dissect(home.frames, home.keys).defects == []


def image_for(home: KeyedHome) -> bytes:
    """Have the WAN bring the hub an image for the PPMID; return its file."""
    file = image(size=50_000)
    session = WanSession()
    _, octets = session.send(FirmwareImageDelivery("test", ((PPMID, 132),), file), home.clock.now())
    home.home.wan.csp.send(octets)
    return file


def test_a_second_link_key_of_the_install_code_changes_nothing(home: KeyedHome) -> None:
    """CCS01 for a device that is in the log: its link key is not touched."""
    device = home.device("ppmid")
    home.hub.allow_join(device.eui, link_key(device.description.install_code), 60)
    assert home.keyed(device)
