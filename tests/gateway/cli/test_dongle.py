"""`hanlab dongle`: what it refuses, and the commands to a served home."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.clock import VirtualClock, run
from emulator.entropy import SeededEntropy, SystemEntropy
from emulator.home import find_home
from gateway.assembly.dongle import Address, DongleService
from protocols.errors import InputError
from protocols.interfaces import SECOND

ROOT = Path(__file__).parents[3]
HOME = "zoh-home"


def hanlab(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from gateway.cli import main; main()", "dongle", "serve", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--home", HOME, "--rcp", "tcp://0.0.0.0:5555"], "loopback"),
        (["--home", HOME, "--rcp", "udp://127.0.0.1:5555"], "tcp://HOST:PORT or pty expected"),
        (["--home", HOME, "--rcp", "tcp://127.0.0.1:99999"], "tcp://HOST:PORT or pty expected"),
        (["--home", HOME, "--rcp", "pty", "--speed", "0"], "--speed"),
        (["--home", "nowhere.yaml", "--rcp", "pty"], "nowhere.yaml"),
        (["--home", HOME, "--rcp", "pty", "--capture", "/nowhere/air.pcapng"], "--capture"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments: list[str], reason: str) -> None:
    done = hanlab(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert reason in done.stderr


@pytest.mark.parametrize(
    ("text", "exposed", "address"),
    [
        ("pty", False, Address("")),
        ("tcp://127.0.0.1:5555", False, Address("127.0.0.1", 5555)),
        ("tcp://[::1]:0", False, Address("::1", 0)),
        ("tcp://0.0.0.0:5555", True, Address("0.0.0.0", 5555)),
    ],
)
def test_addresses_are_loopback_unless_told(text: str, exposed: bool, address: Address) -> None:
    assert Address.parse(text, exposed=exposed) == address


class Served:
    """A service whose real time is virtual; nothing connects to it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.real = VirtualClock()
        self.service = DongleService(find_home(HOME), SeededEntropy(1), start=SECOND, speed=10, tell=self.told.append)

    def live(self, *commands: str) -> list[str]:
        """Switch the devices on, give the commands a second apart, and return what was told since."""

        async def main() -> None:
            runner = asyncio.create_task(self.service.clock.run())
            await self.real.sleep(0)
            for device in self.service.home.devices:
                self.service.home.switch_on(device)
            for command in commands:
                self.service.command(command)
                await self.real.sleep(SECOND)
            runner.cancel()
            with pytest.raises(asyncio.CancelledError):
                await runner

        run(self.real, main)
        return self.told


def test_list_tells_of_every_device() -> None:
    told = Served().live("list")
    assert [line.split()[0] for line in told] == [
        "esme:", "bridge-1:", "ppmid:", "gsme:", "bridge-3:", "far-ppmid:"
    ]  # fmt: skip
    assert "Home Automation endpoint" in told[1]
    assert all(line.endswith("not joined") for line in told)


def test_devices_lose_and_get_their_power() -> None:
    served = Served()
    told = served.live("off ppmid", "on ppmid", "list")
    assert [line.split(", ")[-1] for line in told if line.startswith("  ppmid")] == ["off", "not joined", "not joined"]
    assert any("zoh-home/ppmid power-off" in line for line in told)
    assert served.service.home.device("ppmid").device.node.powered


@pytest.mark.parametrize("command", ["off", "off nobody", "burn ppmid"])
def test_a_command_that_is_wrong_is_told(command: str) -> None:
    assert [line.split(":")[0] for line in Served().live(command, "", "list")][:2] == ["hanlab", "  esme"]


def test_the_report_counts_frames_and_lateness() -> None:
    served = Served()
    served.live("list")
    assert served.service.report().startswith("0 frames sent (0 not acknowledged), 0 heard, 0 bad serial frames")


def test_keys_of_the_system_do_not_repeat_and_stay_for_their_purpose() -> None:
    one, other = SystemEntropy(), SystemEntropy()
    assert one.private_key("ds") is one.private_key("ds")
    assert one.random("a").randbytes(16) != one.random("a").randbytes(16)
    numbers = {e.private_key(p).private_numbers().private_value for e in (one, other) for p in ("ds", "ka")}
    assert len(numbers) == 4


def test_an_address_in_use_is_named() -> None:
    async def twice() -> None:
        service = DongleService(find_home(HOME), SeededEntropy(1), start=0, tell=lambda text: None)
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            with pytest.raises(InputError, match=f"tcp://127.0.0.1:{port} cannot be served"):
                await service.serve(Address("127.0.0.1", port))
        finally:
            server.close()
            await server.wait_closed()

    asyncio.run(twice())
