"""The capture of a joined home with traffic, judged by Wireshark; and two runs of one seed."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from protocols.interfaces import ApsData
from protocols.stack.settings import StackSettings
from protocols.zcl.clusters import tunneling
from tests.support.han import FAR, PROFILE, Han, home_with_bridges
from tests.support.tshark import faults, fields

MESSAGE = bytes(range(256)) * 3


def tunnelled(message: bytes) -> bytes:
    """Return a ZCL frame of the Tunneling cluster that carries `message` to the server."""
    return tunneling.encode(tunneling.TransferData(1, message), 1, from_server=False)


def run_home(seed: int, *, extended_nonce: bool = False) -> Han:
    """Join a home with bridges under loss, exchange messages, restart a bridge and the hub."""
    han = home_with_bridges(seed, 0.1, StackSettings(extended_nonce=extended_nonce))
    han.join(*FAR, within=300)
    hub = han.members["hub"]
    for name in FAR:
        device = han.members[name]
        for sender, to in ((hub, device), (device, hub)):
            data = ApsData(PROFILE, 0x0704, 1, 1, tunnelled(MESSAGE))
            sender.node.send(to.eui, data, secured=True, acknowledged=True)
            read_zcl_version = ApsData(PROFILE, 0x0000, 1, 1, bytes.fromhex("0001000000"))
            sender.node.send(to.eui, read_zcl_version, secured=False, acknowledged=False)
    han.run(120)
    for name in ("b1", "hub"):
        han.members[name].node.power_off()
        han.run(20)
        han.members[name].node.power_on()
        han.run(70)
    hub.node.remove(han.members["ihd"].eui)
    han.run(30)
    return han


@pytest.mark.judge("tshark")
@pytest.mark.parametrize("extended_nonce", [False, True], ids=["short nonce", "extended nonce"])
def test_wireshark_decrypts_and_decodes_every_frame(tmp_path: Path, extended_nonce: bool) -> None:
    han = run_home(3, extended_nonce=extended_nonce)
    path, keys = han.capture(tmp_path)
    assert faults(path, keys) == []
    assert faults(path, "") != []
    numbers = fields(path, keys, ("frame.number", "frame.interface_name"))
    assert len(numbers) == len(han.log.frames) > 1500
    assert {interface for _, interface in numbers} == {"han", "backhaul", "far 2", "far 4"}


@pytest.mark.judge("tshark")
def test_wireshark_sees_the_steps_of_joining(tmp_path: Path) -> None:
    path, keys = run_home(3).capture(tmp_path)

    def count(display_filter: str) -> int:
        return len(fields(path, keys, ("frame.number",), display_filter=display_filter))

    assert count("wpan.cmd == 7") >= len(FAR)  # beacon requests
    assert count("zbee_beacon.protocol == 0") >= len(FAR)
    assert count("wpan.cmd == 1") >= len(FAR)  # association
    assert count("wpan.cmd == 2") >= len(FAR)
    assert count("zbee_aps.cmd.id == 0x05 && zbee_aps.cmd.key") >= len(FAR)  # Transport-Key, decrypted
    assert count("zbee_aps.cmd.id == 0x06") >= 4  # Update-Device for those behind bridges
    assert count("zbee_aps.cmd.id == 0x0e") >= 4  # Tunnel
    assert count("zbee_aps.zdp_cluster == 0x0013") >= len(FAR)  # Device_annce
    assert count("zbee_aps.zdp_cluster == 0x0036") >= 1  # Mgmt_Permit_Joining
    assert count("zbee_nwk.cmd.id == 0x04 || zbee_aps.cmd.id == 0x07") >= 2  # Leave, Remove-Device


@pytest.mark.judge("tshark")
def test_wireshark_reassembles_the_fragments(tmp_path: Path) -> None:
    path, keys = run_home(3).capture(tmp_path)
    rows = fields(path, keys, ("zbee_aps.reassembled.length",), display_filter="zbee_aps.reassembled.length")
    assert {length for (length,) in rows} == {str(len(tunnelled(MESSAGE)))}
    assert len(rows) >= 2 * len(FAR)


SCRIPT = "from tests.protocols.stack.test_wireshark_capture import digest_of_run; print(digest_of_run({seed}))"


def digest_of_run(seed: int) -> str:
    """Return a hash over every frame with its time and network, and over every event."""
    han = run_home(seed)
    digest = hashlib.sha256()
    for network, time, octets in han.log.frames:
        digest.update(f"{network} {time} {octets.hex()}\n".encode())
    for member in han.members.values():
        digest.update(f"{member.name} {member.events} {member.node.statistics}\n".encode())
    return digest.hexdigest()


def test_one_seed_gives_one_capture_whatever_the_hash_seed_and_time_zone() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT.format(seed=seed)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, hash_seed, zone in ((7, "1", "UTC"), (7, "4711", "Asia/Tokyo"), (8, "1", "UTC"))
    ]
    assert outputs[0] == outputs[1] != outputs[2]
    assert len(outputs[0]) == 65
