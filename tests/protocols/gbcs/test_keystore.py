"""Key store folders: what is written is read back, and wrong files are named."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.errors import InputError
from protocols.gbcs.keystore import PREPAYMENT, Keystore, write, write_pair
from protocols.gbcs.security import shared_secret
from protocols.gbcs.smki import XML_SIGNING, Credentials, KeyPair, RemotePartyRole, TestPki
from tests.support.vectors import rtds_keystore

NOW = 1_772_442_000_000_000_000
BROKER, DEVICE = Eui64(0x90B3D51F30000002), Eui64(0x00DB1234567890A0)


@pytest.fixture(scope="module")
def credentials() -> list[Credentials]:
    pki = TestPki(SeededEntropy(7), NOW)
    return [pki.organisation(BROKER, RemotePartyRole.ACCESS_CONTROL_BROKER), pki.device(DEVICE)]


def test_what_is_written_is_read_back(tmp_path: Path, credentials: list[Credentials]) -> None:
    broker, device = credentials
    write(tmp_path, [broker], private=True)
    write(tmp_path, [device], private=False)
    (tmp_path / "README.md").write_text("left alone")
    keystore = Keystore.load(tmp_path)
    assert keystore.certificate(BROKER, "ds") == broker.ds_certificate
    assert keystore.certificate(DEVICE, "ka") == device.ka_certificate
    key = keystore.private_key(BROKER, "ka")
    assert key is not None
    assert key.private_numbers() == broker.ka_key.private_numbers()
    assert keystore.private_key(DEVICE, "ka") is None
    assert keystore.certificate(Eui64(1), "ds") is None
    assert keystore.of_role(RemotePartyRole.ACCESS_CONTROL_BROKER, "ka") == [broker.ka_certificate]


def test_xml_signing_pairs_stand_beside_the_others(tmp_path: Path, credentials: list[Credentials]) -> None:
    pair = TestPki(SeededEntropy(7), NOW).xml_signing(BROKER, RemotePartyRole.XML_SIGNING_DSP)
    write(tmp_path, credentials[:1], private=True)
    write_pair(tmp_path, XML_SIGNING, pair, private=True)
    keystore = Keystore.load(tmp_path)
    key = keystore.private_key(BROKER, "xml")
    assert key is not None
    assert key.private_numbers() == pair.key.private_numbers()
    assert keystore.certificate(BROKER, "xml") == pair.certificate != keystore.certificate(BROKER, "ds")
    assert keystore.of_role(RemotePartyRole.XML_SIGNING_DSP, "xml") == [pair.certificate]
    held = Keystore()
    held.add_certificate(XML_SIGNING, pair.certificate)
    assert held.certificate(BROKER, "xml") == pair.certificate


def test_a_certificate_for_another_use_is_no_xml_signing_one(tmp_path: Path, credentials: list[Credentials]) -> None:
    own = credentials[0]
    write_pair(tmp_path, XML_SIGNING, KeyPair(own.ds_key, own.ds_certificate), private=False)
    with pytest.raises(InputError, match=f"{BROKER}-xml.pem: the certificate inside is not for XML signing"):
        Keystore.load(tmp_path)


def test_only_the_owner_reads_a_private_key(tmp_path: Path, credentials: list[Credentials]) -> None:
    key = tmp_path / f"{BROKER}-ds.key"
    key.write_bytes(b"something older")
    key.chmod(0o644)
    write(tmp_path, credentials[:1], private=True)
    assert [oct(file.stat().st_mode & 0o777) for file in sorted(tmp_path.glob("*.key"))] == ["0o600", "0o600"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        f"{BROKER}-{usage}.{kind}" for usage in ("ds", "ka") for kind in ("key", "pem")
    ]


def test_a_keystore_is_filled_without_a_folder_too(credentials: list[Credentials]) -> None:
    keystore = Keystore()
    keystore.add(credentials[0], private=True)
    keystore.add(credentials[1], private=False)
    assert keystore.private_key(BROKER, "ds") is credentials[0].ds_key
    assert keystore.certificate(DEVICE, "ds") is credentials[1].ds_certificate
    assert keystore.private_key(DEVICE, "ds") is None


@pytest.mark.judge("rtds")
def test_the_published_keystore_is_read() -> None:
    keystore = rtds_keystore()
    supplier = Eui64(0x90B3D51F30010000)
    assert keystore.private_key(supplier, PREPAYMENT) is not None
    assert keystore.certificate(supplier, PREPAYMENT) != keystore.certificate(supplier, "ka")
    for eui, usage in ((BROKER, "ka"), (BROKER, "ds"), (supplier, "ds"), (supplier, PREPAYMENT)):
        key, certificate = keystore.private_key(eui, usage), keystore.certificate(eui, usage)
        assert key is not None
        assert certificate is not None
        assert key.public_key() == certificate.public_key


def test_der_files_are_read_as_well(tmp_path: Path, credentials: list[Credentials]) -> None:
    device = credentials[1]
    (tmp_path / f"{DEVICE}-ds.pem").write_bytes(device.ds_certificate.der)
    assert Keystore.load(tmp_path).certificate(DEVICE, "ds") == device.ds_certificate


def test_a_certificate_under_another_name_is_refused(tmp_path: Path, credentials: list[Credentials]) -> None:
    for name in (f"{Eui64(5)}-ds.pem", f"{DEVICE}-ka.pem"):
        file = tmp_path / name
        file.write_bytes(credentials[1].ds_certificate.pem)
        with pytest.raises(InputError, match=f"{name}: the certificate inside is {DEVICE}-ds"):
            Keystore.load(tmp_path)
        file.unlink()


def test_a_misnamed_certificate_can_be_left_out(tmp_path: Path, credentials: list[Credentials]) -> None:
    write(tmp_path, credentials[:1], private=False)
    (tmp_path / f"{Eui64(5)}-ka.pem").write_bytes(credentials[1].ka_certificate.pem)
    misnamed = list[str]()
    keystore = Keystore.load(tmp_path, misnamed=misnamed)
    assert misnamed == [f"{tmp_path}/{Eui64(5)}-ka.pem: the certificate inside is {DEVICE}-ka"]
    assert keystore.entities() == [(BROKER, "ds"), (BROKER, "ka")]
    (tmp_path / f"{Eui64(5)}-ka.pem").write_text("nonsense")
    with pytest.raises(InputError, match="not a certificate"):
        Keystore.load(tmp_path, misnamed=misnamed)


def test_a_shared_secret_needs_one_private_key_of_the_two(credentials: list[Credentials]) -> None:
    broker, device = credentials
    z = shared_secret(broker.ka_key, device.ka_certificate.public_key)
    for holder in (broker, device):
        keystore = Keystore()
        for entity in credentials:
            keystore.add(entity, private=entity is holder)
        assert [keystore.shared_secret(BROKER, DEVICE), keystore.shared_secret(DEVICE, BROKER)] == [z, z]
        assert keystore.shared_secret(BROKER, Eui64(1)) is None
    public = Keystore()
    public.add(broker, private=False)
    public.add(device, private=False)
    assert public.shared_secret(BROKER, DEVICE) is None
    public.add(device, private=True)
    assert public.shared_secret(BROKER, DEVICE) == z


def test_new_credentials_give_a_new_secret(credentials: list[Credentials]) -> None:
    broker, device = credentials
    keystore = Keystore()
    keystore.add(broker, private=True)
    keystore.add(device, private=False)
    before = keystore.shared_secret(BROKER, DEVICE)
    keystore.add(TestPki(SeededEntropy(7), NOW).device(DEVICE, 1), private=False)
    assert keystore.shared_secret(BROKER, DEVICE) not in (None, before)


@pytest.mark.parametrize("name", [f"{DEVICE}-ds.pem", f"{DEVICE}-ds.key"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN nonsense"])
def test_a_file_of_nonsense_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name) as caught:
        Keystore.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_private_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / f"{DEVICE}-ka.key"
    other, key = ec.derive_private_key(5, ec.SECP384R1()), SeededEntropy(1).private_key("any")
    for pem, reason in (
        (key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")), "encrypted"),
        (other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), "not a P-256"),
        (key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")), "encrypted"),
    ):
        file.write_bytes(pem)
        with pytest.raises(InputError, match=reason):
            Keystore.load(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such key store folder"):
        Keystore.load(tmp_path / "nowhere")
