"""`hanlab capture lint` and `hanlab capture follow`: exit codes, JSON, and Wireshark at the end of the pipe."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from protocols.mac.frame import acknowledgement, fcs
from protocols.pcapng import PcapngWriter
from tests.support.demo_run import PROJECT, hanlab
from tests.support.hand_built import DEVICE, HUB, KEYS, HandBuilt
from tests.support.tools import require_tool

START = 1_772_442_000_000_000_000
QUERY = b"\x01\x01\x06\x00\x04\x1a\x84\x00\x00\x01\x00\x04"
PATIENCE = 60  # s


def frame(number: int) -> bytes:
    octets = acknowledgement(number & 0xFF, pending=False)
    return octets + fcs(octets)


# --- keys --------------------------------------------------------------------------------------------------------


@pytest.mark.judge("tshark")
def test_the_keys_of_a_run_open_its_capture_in_a_shell(built: Path) -> None:
    built.rename(built.with_name("capture.pcapng"))
    options = hanlab("capture", "keys", built.parent)
    assert (options.returncode, options.stderr) == (0, "")
    assert hanlab("capture", "keys", built.with_name("keys.txt")).stdout == options.stdout
    shown = []
    for keys in ("", options.stdout.strip()):
        command = f"{require_tool('tshark')} -r {built.parent}/capture.pcapng {keys} -Y zbee_zcl"
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=PATIENCE, check=True)
        shown.append(len(done.stdout.splitlines()))
    assert shown == [0, 2]  # at either hop


def test_what_is_no_key_table_exits_2(built: Path, tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("no row\n", encoding="utf-8")
    for place in (tmp_path / "nowhere", tmp_path / "none.txt"):
        done = hanlab("capture", "keys", place)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


# --- lint --------------------------------------------------------------------------------------------------------


def written(place: Path, *, good_fcs: bool = True) -> Path:
    """Return a capture of a few frames without MAC acknowledgements, its keys beside it."""
    air = HandBuilt()
    air.announce()
    air.zcl(DEVICE, HUB, 0x0019, QUERY, 1)
    air.put(acknowledgement(7, pending=False), good_fcs=good_fcs)
    (place / "lab.pcapng").write_bytes(air.capture)
    (place / "keys.txt").write_text(KEYS, encoding="utf-8")
    return place / "lab.pcapng"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return written(tmp_path)


def lint(capture: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    keys = capture.parent / "keys.txt"
    return hanlab("capture", "lint", capture, "--keys", keys, "--ignore", "mac-ack", *arguments)


def test_a_good_capture_exits_0(built: Path) -> None:
    done = lint(built)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith("no rule broken")
    assert "block-period   not seen" in done.stdout


def test_a_broken_rule_exits_1_with_its_name_and_frames(tmp_path: Path) -> None:
    bad = written(tmp_path, good_fcs=False)
    done = lint(bad, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["passed"], told["broken"]) == (1, False, ["fcs"])
    (rule,) = [each for each in told["rules"] if each["findings"]]
    assert rule["findings"][0]["frames"] == [told["frames"]]
    assert "broken: fcs" in lint(bad).stdout
    assert lint(bad, "--ignore", "fcs").returncode == 0


def test_a_capture_without_a_frame_is_no_good_one(built: Path) -> None:
    built.write_bytes(HandBuilt().capture)
    done = lint(built)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith("lab.pcapng: no IEEE 802.15.4 frame in it")


def test_a_classic_capture_of_a_sniffer_is_read_too(built: Path) -> None:
    classic = built.with_suffix(".pcap")
    command = [require_tool("tshark"), "-r", str(built), "-F", "nsecpcap", "-w", str(classic)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    done = lint(classic, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["frames"] == json.loads(lint(built, "--json").stdout)["frames"]


@pytest.mark.parametrize(
    ("name", "content", "arguments"),
    [
        ("none.pcapng", None, ()),
        ("text.pcapng", b"no capture", ()),
        ("lab.pcapng", None, ("--ignore", "nonsense")),
    ],
    ids=["missing", "no capture", "no such rule"],
)
def test_bad_input_exits_2_in_one_line(built: Path, name: str, content: bytes | None, arguments: tuple[str]) -> None:
    place = built.with_name(name)
    if content is not None:
        place.write_bytes(content)
    done = lint(place, *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


# --- follow ------------------------------------------------------------------------------------------------------


@contextmanager
def following(place: Path | None, *form: str, cwd: Path = PROJECT) -> "Iterator[subprocess.Popen[bytes]]":
    """Run `hanlab capture follow` with its output in a pipe, and end it whatever happens."""
    command = [sys.executable, "-m", "gateway", "capture", *(form or ("follow",)), *([str(place)] if place else [])]
    env = os.environ | {"PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def read(stream: BinaryIO, size: int) -> bytes:
    """Read exactly `size` octets of a pipe, failing if they do not come."""
    octets = b""
    while len(octets) < size:
        ready, _, _ = select.select([stream], [], [], PATIENCE)
        assert ready, f"{len(octets)} of {size} octets came"
        chunk = os.read(stream.fileno(), size - len(octets))
        assert chunk, "the stream ended"
        octets += chunk
    return octets


def out(process: "subprocess.Popen[bytes]") -> BinaryIO:
    assert process.stdout is not None
    return process.stdout  # type: ignore[return-value]


@pytest.mark.parametrize("form", [("follow",), ("--follow",)])
def test_what_is_written_comes_out_block_by_block(tmp_path: Path, form: tuple[str, ...]) -> None:
    place = tmp_path / "capture.pcapng"
    with place.open("wb", buffering=0) as file, following(place, *form) as process:
        writer = PcapngWriter(file)
        writer.frame(writer.interface("han"), START, frame(1))
        first = place.read_bytes()
        assert read(out(process), len(first)) == first
        file.write(first[-40:][:20])  # half a block is kept back
        writer_rest = first[-40:][20:]
        assert select.select([out(process)], [], [], 0.2)[0] == []
        file.write(writer_rest)
        assert read(out(process), 40) == first[-40:]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.parametrize("form", [("follow",), ("--follow",)])
def test_without_a_place_it_is_the_run_where_the_demo_leaves_it(tmp_path: Path, form: tuple[str, ...]) -> None:
    place = tmp_path / "run" / "capture.pcapng"
    place.parent.mkdir()
    with place.open("wb", buffering=0) as file, following(None, *form, cwd=tmp_path) as process:
        writer = PcapngWriter(file)
        writer.frame(writer.interface("han"), START, frame(1))
        written = place.read_bytes()
        assert read(out(process), len(written)) == written


def test_a_reader_that_goes_ends_it_though_nothing_more_is_written(tmp_path: Path) -> None:
    place = tmp_path / "capture.pcapng"
    with place.open("wb", buffering=0) as file, following(place) as process:
        PcapngWriter(file)
        read(out(process), place.stat().st_size)
        out(process).close()
        assert process.wait(PATIENCE) == 0


def test_the_folder_of_a_run_that_is_over_ends_the_stream(tmp_path: Path) -> None:
    with (tmp_path / "capture.pcapng").open("wb") as file:
        writer = PcapngWriter(file)
        writer.frame(writer.interface("han"), START, frame(1))
    (tmp_path / "summary.json").write_text("{}", encoding="utf-8")
    with following(tmp_path) as process:
        octets, errors = process.communicate(timeout=PATIENCE)
    assert (octets, errors, process.returncode) == ((tmp_path / "capture.pcapng").read_bytes(), b"", 0)


def test_a_file_that_is_no_pcapng_exits_2(tmp_path: Path) -> None:
    place = tmp_path / "capture.pcapng"
    place.write_bytes(b"\xd4\xc3\xb2\xa1" + bytes(40))
    with following(place) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert (
        errors.decode() == f"hanlab: {place}: not a pcapng file at octet 0 of d4c3b2a1\n" or b"not a pcapng" in errors
    )


@pytest.mark.judge("tshark")
def test_wireshark_reads_the_pipe_while_the_file_grows(tmp_path: Path) -> None:
    """Each frame is shown before the next is written."""
    tshark, place = require_tool("tshark"), tmp_path / "capture.pcapng"
    with following(place) as process:
        command = [tshark, "-l", "-i", "-", "-T", "fields", "-e", "frame.number", "-e", "wpan.seq_no"]
        with subprocess.Popen(command, stdin=out(process), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as shark:
            out(process).close()
            with place.open("wb", buffering=0) as file:
                writer = PcapngWriter(file)
                interface = writer.interface("home-1 2.4 GHz")
                for number in range(1, 6):
                    writer.frame(interface, START + number, frame(number))
                    wanted = f"{number}\t{number}\n".encode()
                    assert read(out(shark), len(wanted)) == wanted
            process.send_signal(signal.SIGINT)
            try:
                assert process.wait(PATIENCE) == 0
                assert shark.wait(PATIENCE) == 0
            finally:
                shark.kill()  # who waits for a pipe that stays open would wait for ever
