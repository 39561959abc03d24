"""Capture, keys and certificates as a run leaves them."""

import io
import stat
from pathlib import Path

from emulator.entropy import SeededEntropy
from emulator.home import shipped_homes
from gateway.assembly.capture import CaptureFile, KeyFile
from gateway.assembly.parties import ACB, NETWORK_OPERATOR, SUPPLIER, Parties
from gateway.assembly.world import START
from protocols.gbcs.keystore import Keystore
from protocols.pcapng import read_frames, read_keys

FRAME = b"\x02\x00\x0c\xda\xd1"  # an acknowledgement with its FCS


def test_each_radio_network_is_an_interface_in_order_of_mention() -> None:
    file = io.BytesIO()
    capture = CaptureFile(file)
    for time, network in enumerate(("b", "a", "b")):
        capture.tap(network)(START + time, FRAME)
    file.seek(0)
    frames = [(frame.network, frame.time, frame.octets) for frame in read_frames(file)]
    assert frames == [("b", START, FRAME), ("a", START + 1, FRAME), ("b", START + 2, FRAME)]
    assert capture.frames == 3
    assert [capture.network("b"), capture.network("a"), capture.network("c")] == [0, 1, 2]


def test_a_key_is_written_once_for_its_owner_only(tmp_path: Path) -> None:
    keys = KeyFile()
    keys.log("link key 1", bytes(16))
    keys.log("network key", b"\x5a" * 16)
    keys.log("link key 1 again", bytes(16))
    keys.write(tmp_path / "keys.txt")
    read = read_keys((tmp_path / "keys.txt").read_text(encoding="utf-8"))
    assert [(key.key, key.label) for key in read] == [(bytes(16), "link key 1"), (b"\x5a" * 16, "network key")]
    assert stat.S_IMODE((tmp_path / "keys.txt").stat().st_mode) == 0o600


def test_certificates_are_everybodys_and_private_keys_the_organisations(tmp_path: Path) -> None:
    homes = shipped_homes()
    parties = Parties(SeededEntropy(1), START, homes)
    parties.write(tmp_path / "certificates", tmp_path / "keystore")
    certificates, keystore = Keystore.load(tmp_path / "certificates"), Keystore.load(tmp_path / "keystore")
    for home in homes:
        for device in home.devices:
            known = device.kind not in ("ihd", "cad")
            for usage in ("ds", "ka"):
                assert (certificates.certificate(device.eui, usage) is not None) is known
                assert keystore.private_key(device.eui, usage) is None
    for organisation in (ACB, SUPPLIER, NETWORK_OPERATOR):
        assert keystore.private_key(organisation, "ds") is not None
        assert certificates.private_key(organisation, "ds") is None


def test_keys_follow_from_the_seed() -> None:
    def certificate(seed: int) -> bytes:
        return Parties(SeededEntropy(seed), START, shipped_homes()).credentials(SUPPLIER).ds_certificate.der

    assert certificate(1) == certificate(1) != certificate(2)
