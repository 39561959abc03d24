"""`hanlab image` as a user runs it."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner, Result

from gateway.cli.image import app
from protocols.ota.image import HardwareRange, OtaHeader
from tests.support.parties import Parties

PARTIES = Parties()
RUNNER = CliRunner()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "supplier-ds.key"
    path.write_bytes(PARTIES.supplier.ds_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.fixture
def cert(tmp_path: Path) -> Path:
    path = tmp_path / "supplier-ds.pem"
    path.write_bytes(PARTIES.supplier.ds_certificate.pem)
    return path


def run(*arguments: str | Path) -> Result:
    return RUNNER.invoke(app, [str(argument) for argument in arguments])


def build(out: Path, kind: str = "bridge1", size: int = 20_480, **options: str | Path) -> Result:
    given: dict[str, str | Path] = {"version": "0B100100", "manufacturer": "1A0B", "model": "B1010100", **options}
    extra = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)]
    return run("build", "--kind", kind, "--size", str(size), "--out", out, *extra)


def one_line(result: Result, code: int) -> str:
    """Return the only line of standard error, after checking the exit code."""
    assert result.exit_code == code
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("kind", ["ppmid", "bridge1", "bridge2", "bridge3", "bridge4"])
def test_an_unsigned_kind_is_built_and_verified(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "image.ota"
    assert build(out, kind).exit_code == 0
    assert out.stat().st_size == 20_480
    assert run("verify", out, "--kind", kind).exit_code == 0


@pytest.mark.parametrize("kind", ["esme", "gsme", "hcalcs"])
def test_a_signed_kind_is_built_and_verified(tmp_path: Path, key: Path, cert: Path, kind: str) -> None:
    out = tmp_path / "image.ota"
    assert build(out, kind, sign_key=key).exit_code == 0
    result = run("verify", out, "--kind", kind, "--cert", cert)
    assert result.exit_code == 0
    assert "signature: valid" in result.stdout


def test_the_same_arguments_make_the_same_file(tmp_path: Path, key: Path) -> None:
    for name in ("a.ota", "b.ota"):
        build(tmp_path / name, "esme", sign_key=key)
    assert (tmp_path / "a.ota").read_bytes() == (tmp_path / "b.ota").read_bytes()


@pytest.mark.requirement("SM7-R10", "MP170-A2")
def test_the_full_size_is_built_and_one_octet_more_is_not(tmp_path: Path) -> None:
    assert build(tmp_path / "full.ota", size=768_000).exit_code == 0
    assert "at most 768000 octets" in one_line(build(tmp_path / "more.ota", size=768_001), 2)
    assert not (tmp_path / "more.ota").exists()


def test_an_altered_image_does_not_verify(tmp_path: Path) -> None:
    out = tmp_path / "image.ota"
    build(out)
    octets = bytearray(out.read_bytes())
    octets[1000] ^= 1
    out.write_bytes(octets)
    assert "digest does not match" in one_line(run("verify", out, "--kind", "bridge1"), 1)


def test_an_altered_signature_does_not_verify(tmp_path: Path, key: Path, cert: Path) -> None:
    out = tmp_path / "image.ota"
    build(out, "esme", sign_key=key)
    octets = bytearray(out.read_bytes())
    octets[-1] ^= 1
    out.write_bytes(octets)
    assert one_line(run("verify", out, "--kind", "esme", "--cert", cert), 1).endswith("signature: invalid")
    unchecked = run("verify", out, "--kind", "esme")
    assert (unchecked.exit_code, "signature: unchecked" in unchecked.stdout) == (0, True)


def test_an_image_of_another_kind_does_not_verify(tmp_path: Path) -> None:
    out = tmp_path / "image.ota"
    build(out)
    assert "made for bridge1" in one_line(run("verify", out, "--kind", "bridge2"), 1)
    assert "verify" not in one_line(run("verify", out, "--kind", "esme"), 1)


@pytest.mark.requirement("MP170-D4")
def test_inspect_tells_what_the_file_says_of_itself(tmp_path: Path) -> None:
    out = tmp_path / "image.ota"
    build(out)
    found = json.loads(run("inspect", out, "--json").stdout)
    assert (found["form"], found["kind"], found["version"], found["size"]) == ("product", "bridge1", "0B100100", 20_480)
    assert (found["manufacturer"], found["model"], found["minimum_hardware"]) == ("1A0B", "B1010100", "0100")
    assert found["sha256"] == sha256(out.read_bytes()).hexdigest()
    assert "version: 0B100100" in run("inspect", out).stdout.splitlines()


def test_inspect_reads_an_ordinary_zigbee_file(tmp_path: Path) -> None:
    body = bytes.fromhex("000003000000010203") + bytes.fromhex("030010000000") + bytes(16)
    header = OtaHeader(0x1234, 0x5678, 1, 56 + len(body), b"plain")
    file = tmp_path / "zigbee.ota"
    file.write_bytes(header.encode() + body)
    found = json.loads(run("inspect", file, "--json").stdout)
    assert found["form"] == "sub-elements"
    assert [(each["tag"], each["name"], each["octets"]) for each in found["sub_elements"]] == [
        ("0000", "Upgrade image", 3),
        ("0003", "Image integrity code", 16),
    ]
    assert found["minimum_hardware"] is None


def test_inspect_gives_both_readings_of_a_foreign_gb_file(tmp_path: Path) -> None:
    body = b"CriticalSoftware sample firmware image_" * 6 + b"\n"
    signed = body + b"\x00\x40" + bytes(64)
    header = OtaHeader(0x121D, 0, 0xACDCACDC, 361, b"sample", hardware_range=HardwareRange(0x1111, 0x1211))
    file = tmp_path / "sample.ota"
    file.write_bytes(header.encode() + signed)
    found = json.loads(run("inspect", file, "--json").stdout)
    assert found["form"] == "plain"
    assert found["manufacturer_image_hash"] == sha256(signed).hexdigest()
    assert found["hash_if_signed"] == sha256(body).hexdigest()


def test_a_foreign_image_is_good_only_if_its_signature_is(tmp_path: Path, cert: Path) -> None:
    body = b"CriticalSoftware sample firmware image_" * 6 + b"\n"
    signed = body + b"\x00\x40" + PARTIES.sign_image(body)
    header = OtaHeader(0x121D, 0, 0xACDCACDC, 361, b"sample", hardware_range=HardwareRange(0x1111, 0x1211))
    file = tmp_path / "sample.ota"
    file.write_bytes(header.encode() + signed)
    assert run("verify", file, "--kind", "esme", "--cert", cert).exit_code == 0
    assert "nothing in the file proves it" in one_line(run("verify", file, "--kind", "esme"), 1)


@pytest.mark.parametrize("command", [["inspect"], ["verify", "--kind", "bridge1"]])
def test_what_is_no_image_gets_one_line(tmp_path: Path, command: list[str]) -> None:
    out = tmp_path / "image.ota"
    build(out)
    octets = out.read_bytes()
    for name, content, words in [
        ("short.ota", octets[:-1], "file of 20480 octets expected, 20479 found"),
        ("long.ota", octets + b"\x00", "file of 20480 octets expected, 20481 found"),
        ("header.ota", octets[:40], "56 octets expected"),
        ("empty.ota", b"", "56 octets expected"),
        ("text.ota", b"no image at all, but long enough to be read as the header of one", "1ef1ee0b expected"),
    ]:
        file = tmp_path / name
        file.write_bytes(content)
        line = one_line(run(*command, file), 2)
        assert words in line
        assert str(file) in line
    assert "No such file" in one_line(run(*command, tmp_path / "absent.ota"), 2)


def test_an_image_over_the_limit_of_its_kind_gets_one_line(tmp_path: Path, key: Path) -> None:
    out = tmp_path / "image.ota"
    build(out, "esme", size=768_001, sign_key=key)
    assert "at most 768000" in one_line(run("verify", out, "--kind", "hcalcs"), 2)


@pytest.mark.parametrize(
    ("kind", "size", "options", "words"),
    [
        ("bridge1", 20_480, {"version": "100"}, "--version 100: 8 hexadecimal digits expected"),
        ("bridge1", 20_480, {"manufacturer": "0x1A"}, "--manufacturer 0x1A: 4 hexadecimal digits expected"),
        ("bridge1", 20_480, {"model": "B10101000"}, "--model B10101000: 8 hexadecimal digits expected"),
        ("toaster", 20_480, {}, "--kind toaster: one of esme, gsme"),
        ("bridge1", 100, {}, "at least 112 octets"),
        ("esme", 20_480, {}, "a signing key is needed"),
    ],
)
def test_a_wrong_option_gets_one_line_and_writes_nothing(
    tmp_path: Path, kind: str, size: int, options: dict[str, str | Path], words: str
) -> None:
    out = tmp_path / "image.ota"
    out.write_bytes(b"what was there")
    assert words in one_line(build(out, kind, size, **options), 2)
    assert out.read_bytes() == b"what was there"


def test_a_bridge_image_takes_no_key(tmp_path: Path, key: Path) -> None:
    assert "no signing key belongs here" in one_line(build(tmp_path / "image.ota", sign_key=key), 2)


def test_a_file_that_is_no_key_or_certificate_gets_one_line(tmp_path: Path, key: Path, cert: Path) -> None:
    assert "no PEM private key" in one_line(build(tmp_path / "image.ota", "esme", sign_key=cert), 2)
    out = tmp_path / "image.ota"
    build(out, "esme", sign_key=key)
    assert "no PEM certificate" in one_line(run("verify", out, "--kind", "esme", "--cert", key), 2)
