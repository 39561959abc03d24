"""The scenarios of the suite whose captures Wireshark judges, and what it must find in each.

A scenario leaves a capture and its keys in a folder. `EXPECTED` says how many frames of which command it has at least;
a frame counts at every hop and as often as it was repeated.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from emulator.home import HomeDescription, shipped_homes
from emulator.home.site import SiteDescription
from gateway.assembly import images
from gateway.assembly.lab import Lab
from gateway.assembly.story.steps import distribute, update_ppmid
from gateway.assembly.world import World
from protocols.interfaces import DAY, MINUTE, SECOND
from protocols.ota.client import OtaClientSettings
from protocols.ota.image import Kind
from protocols.ota.server import OtaServer, OtaServerSettings
from protocols.pcapng import write_keys
from protocols.stack.settings import StackSettings
from protocols.zcl import foundation
from protocols.zcl.clusters import ota, tunneling
from protocols.zcl.clusters.ota import Attribute
from protocols.zcl.foundation import ReadAttributes
from tests.protocols.stack.test_wireshark_capture import run_home
from tests.protocols.stack.test_wireshark_network import live
from tests.support.cluster_home import CONFIGURE, ClusterHome
from tests.support.han import FAR, FrameLog, home_with_bridges
from tests.support.hub_bench import delivery, image_of
from tests.support.keyed_home import KeyedHome
from tests.support.ota_homes import DEVICE, NEW, NEWER, Far, Played, image
from tests.support.refusals import discovery, images_refused, keys_refused

Captured = tuple[Path, str]  # capture, key table


class Scenario(NamedTuple):
    name: str
    what: str
    make: Callable[[Path], Captured]
    expected: dict[str, int]
    """Least number of frames by cluster and command, as `tests.support.counted` names them."""


# --- the link, the network and the APS layer -------------------------------------------------------------------------


def windows(folder: Path) -> Captured:
    """1,500 octets both ways behind two bridges, in windows of four fragments, one frame in ten lost."""
    han = home_with_bridges(4, loss=0.1, settings=StackSettings(fragment_window=4))
    han.join(*FAR, within=300)
    hub = han.members["hub"]
    message = tunneling.encode(tunneling.TransferData(1, bytes(range(250)) * 6), 1, from_server=False)
    for name in ("ihd", "gsme", "b4"):
        hub.send(han.members[name], message)
        han.members[name].send(hub, message)
    han.run(120)
    return han.capture(folder)


# --- clusters --------------------------------------------------------------------------------------------------------


def clusters(folder: Path) -> Captured:
    """Every general command of the ZCL to Basic, Identify, Metering and OTA; what lacks its link key is refused."""
    log = FrameLog()
    home = ClusterHome(log)
    basic, identify, metering, client = 0x0000, 0x0003, 0x0702, 0x0019
    home.bind()
    for cluster, frame in (
        (basic, "000100" + "04000500"), (basic, "000202" + "1000" + "42" + "04686f6d65"), (basic, "00030c" + "0000ff"),
        (identify, "010100" + "3c00"), (identify, "010201"), (identify, "000300" + "0000"),
        (metering, "000100" + "0000"), (metering, "000202" + "0000" + "25" + "0a0000000000"), (metering, CONFIGURE),
        (metering, "000308" + "00" + "0000"), (metering, "000411" + "00ff"), (metering, "000513" + "00ff"),
        (metering, "000615" + "0000ff"), (client, "080800" + "02000600"),
    ):  # fmt: skip
        home.say(cluster, frame)
    home.say(metering, "000900" + "0000", secured=False)
    home.run(3 * MINUTE)
    return log.write(folder), write_keys(home.keys_of(home.device.node.eui))


def keys_and_meters(folder: Path) -> Captured:
    """All devices of home 1, near and behind bridges, for an hour: keys, tunnels, clock, Keep-Alive, the mirror."""
    home = KeyedHome().run_till_keyed(within=600)
    home.run(3600)
    return home.write(folder)


# --- OTA -------------------------------------------------------------------------------------------------------------


def optional_commands(folder: Path) -> Captured:
    """Pages, block periods, a broadcast Image Notify, a specific file, every attribute."""
    client = OtaClientSettings(start_delay=5 * SECOND, page_size=480, tell_block_period=True)
    hub = Played(client, server=OtaServer(OtaServerSettings(minimum_block_period=20, specific_files=True)))
    hub.server.offer(image(), [DEVICE], activate_now=True)
    hub.broadcast(ota.encode(ota.ImageNotify(100), 3))
    hub.run_until(NEW)
    hub.run(2 * MINUTE)
    hub.put(foundation.encode(ReadAttributes(tuple(Attribute)), 7, from_server=True))
    hub.run(SECOND)
    download = hub.device.download
    assert download.client is not None
    download._run(download.client.ask_for_file(DEVICE, NEWER, hub.clock.now()))
    hub.run(5 * SECOND)
    return hub.log.write(folder), write_keys(hub.keys())


def bridge_restarts(folder: Path) -> Captured:
    """Three devices behind two bridges and one beside the hub fetch an image; the far bridge restarts meanwhile."""
    home = Far(3)
    bench, devices = home.bench, [*home.far, home.near]
    bench.run_till(lambda: len(bench.notes.of("tunnel-open")) == 6)
    bench.down(delivery("a:b:1", image_of(Kind.PPMID, size=10_000), *(device.node.eui for device in devices)))
    bench.run_till(lambda: home.far[0].statistics.blocks > 50)
    home.bridges[1].restart_after(15 * SECOND)
    bench.run_till(lambda: all(device.firmware_version == NEW for device in devices), within=1_200)
    bench.run(60)
    network = bench.entropy.random(f"network key {bench.node.eui}").randbytes(16)
    keys = write_keys(home.keys()) + write_keys([home.keys()[0]._replace(key=network, label="network key")])
    return home.log.write(folder), keys


# --- whole homes -----------------------------------------------------------------------------------------------------


def _home_1(**changes: object) -> HomeDescription:
    home = next(home for home in shipped_homes() if home.name == "home-1")
    return home.model_copy(update=changes)


def _lived(folder: Path, home: HomeDescription, story: Callable[[World], object]) -> Captured:
    with pytest.MonkeyPatch.context() as patch:
        for kind in (Kind.ESME, Kind.BRIDGE1, Kind.BRIDGE3):
            patch.setitem(images.SIZES, kind, 8_192)
        with Lab(folder / "run", homes=[home], seed=5) as lab:
            lab.run(lab.everybody_joins)
            lab.run(story)  # type: ignore[arg-type]
    return folder / "run/capture.pcapng", (folder / "run/keys.txt").read_text(encoding="utf-8")


def a_day_on_credit(folder: Path) -> Captured:
    """A pound of credit: low, emergency credit, a voucher; a text, two changes of price and a load meanwhile."""
    use = _home_1().consumption
    assert use.prepayment is not None
    poor = use.model_copy(update={"prepayment": use.prepayment.model_copy(update={"opening_credit": 100_000})})

    async def story(world: World) -> None:
        await world.clock.sleep(DAY)

    return _lived(folder, _home_1(consumption=poor, joined=True), story)


def hub_without_supply(folder: Path) -> Captured:
    """The ESME activates its image and cuts the hub for 13 minutes; then the mains fail for five."""

    async def story(world: World) -> None:
        home = world.home("home-1")
        esme = home.device("esme").eui
        assert await distribute(world, esme, world.images.release(Kind.ESME, 1))
        world.supplier.activate(esme, world.images.release(Kind.ESME, 1).hash)
        await world.clock.sleep(20 * MINUTE)
        home.mains.cut(5 * MINUTE)
        await world.clock.sleep(20 * MINUTE)

    return _lived(folder, _home_1(), story)


def disturbed(folder: Path) -> Captured:
    """Bursts of interference, a jammer and a loss of one frame in ten while a bridge is updated."""
    jammer = {"name": "oven", "place": "flat", "channels": [15], "start": 300, "duration": 10, "every": 60}
    site = SiteDescription.model_validate({"bursts": {"every": 5, "longest": 2}, "jammers": [jammer]})

    async def story(world: World) -> None:
        bridge = world.home("home-1").device("bridge-3").eui
        assert await update_ppmid(world, bridge, world.images.release(Kind.BRIDGE3, 1))

    return _lived(folder, _home_1(site=site, loss=0.1), story)


_JOINED = {"MAC 01": 5, "MAC 02": 4, "MAC 04": 4, "MAC 07": 5, "APS 05": 5, "ZDP 0013": 5, "ZDP 0036": 1}
_KEYED = {f"Key Establishment {way} server 0{n}": 7 for way in ("to", "from") for n in range(3)}
_FETCHED = {"OTA to server 01": 1, "OTA from server 02": 1, "OTA to server 06": 1, "OTA from server 07": 1}

SCENARIOS = (
    Scenario(
        "network", "every NWK, APS and ZDP command", live,
        {f"NWK {n:02x}": 1 for n in (*range(1, 9), 11, 12)} | {f"APS {n:02x}": 1 for n in (5, 6, 7, 8, 9, 14, 15, 16)}
        | {f"ZDP {n:04x}": 1 for n in (0x0013, 0x001F, 0x8003, 0x8021, 0x8022, 0x8031, 0x8032, 0x8033, 0x8034, 0x8038)}
        | {"MAC 06": 1, "MAC 08": 1, "Tunneling to server 02": 10},
    ),
    Scenario(
        "discovery", "what a host asks a router and a sleepy device", discovery,
        {f"ZDP {answer | n:04x}": 2 for n in (*range(7), 0x21, 0x22) for answer in (0, 0x8000)}
        | {f"ZDP {answer | n:04x}": 1 for n in (*range(0x31, 0x34), 0x36, 0x38) for answer in (0, 0x8000)},
    ),
    Scenario(
        "bridges under loss", "home with two bridges, restarts, a removal", lambda folder: run_home(3).capture(folder),
        _JOINED | {"APS 06": 4, "APS 0e": 4, "Basic read": 10, "Tunneling to server 02": 12},
    ),
    Scenario(
        "windows", "1,500 octets in windows of fragments", windows,
        _JOINED | {"Tunneling to server 02": 6},
    ),
    Scenario(
        "clusters", "every general command, reports, refusals", clusters,
        {"Identify to server 00": 1, "Identify to server 01": 1, "Identify from server 00": 1, "OTA read response": 1}
        | {f"Basic {name}": 1 for name in ("read", "read response", "write", "write response", "discover response")}
        | {f"Metering {name}": 1 for name in (
            "read response", "write response", "configure reporting response", "read reporting response",
            "discover received response", "discover generated response", "discover extended response",
            "default response",
        )}
        | {"Metering report": 3},
    ),
    Scenario(
        "keys and meters", "home 1 for an hour", keys_and_meters,
        _JOINED | _KEYED
        | {"Time read": 5, "Time read response": 5, "Keep-Alive read": 5, "Keep-Alive read response": 5}
        | {"Metering read response": 5, "Metering report": 5, "Metering to server 09": 5, "Price to server 02": 1}
        | {"Tunneling to server 00": 5, "Tunneling from server 00": 5, "Messaging to server 00": 1}
        | {"Prepayment read response": 1, "Load Control to server 01": 1},
    ),
    Scenario(
        "a day on credit", "home 1 with a pound of credit for a day", a_day_on_credit,
        {f"Prepayment {name}": 1 for name in ("to server 00", "to server 04", "from server 03", "read response")}
        | {f"Price {name}": 4 for name in ("from server 00", "to server 02")}
        | {f"Price {name}": 2 for name in ("to server 00", "to server 06", "from server 04")}
        | {f"Load Control {name}": 1 for name in ("to server 01", "from server 00")} | {"Load Control to server 00": 2}
        | {f"Messaging {name}": 2 for name in ("to server 00", "from server 00")} | {"Messaging to server 01": 1}
        | {"Metering report": 80, "Metering from server 01": 1, "Metering to server 09": 40, "Metering read": 90}
        | {"Metering read response": 90, "Time read response": 5},
    ),
    Scenario(
        "keys refused", "a certificate of an authority that the hub does not know", keys_refused,
        {"Key Establishment from server 03": 1, "status of Key Establishment 03: 01": 1, "NWK 04": 1},
    ),
    Scenario(
        "OTA options", "pages, periods, a broadcast, a specific file", optional_commands,
        _FETCHED | {f"OTA from server {n:02x}": 1 for n in (0, 9)} | {f"OTA to server {n:02x}": 1 for n in (4, 8)}
        | {"OTA to server 03": 105, "OTA from server 05": 105, "OTA read response": 1},
    ),
    Scenario(
        "OTA refused", "no room, hardware, bad image, a wait, an abort, a reboot", images_refused,
        _FETCHED
        | {"status of OTA 02: 98": 2, "status of OTA 05: 95": 1, "status of OTA 05: 97": 1, "status of OTA 06: 96": 1}
        | {"OTA default response": 2, "OTA to server 03": 105 + 188},
    ),
    Scenario(
        "OTA behind bridges", "four devices fetch, a bridge restarts", bridge_restarts,
        _JOINED | _FETCHED | {"OTA from server 00": 4, "OTA to server 03": 4 * 209, "OTA from server 05": 4 * 209},
    ),
    Scenario(
        "hub without supply", "activation of the ESME, the mains fail", hub_without_supply,
        _JOINED | _KEYED | _FETCHED
        | {"NWK 01": 10, "NWK 06": 1, "MAC 06": 1, "Tunneling to server 02": 1, "Tunneling from server 01": 2}
        | {"OTA to server 03": 171, "OTA from server 05": 171, "Time read response": 10, "Keep-Alive read response": 5},
    ),
    Scenario(
        "disturbed", "bursts, a jammer, a loss of one in ten", disturbed,
        _JOINED | _KEYED | _FETCHED | {"OTA to server 03": 171, "OTA from server 05": 171},
    ),
)  # fmt: skip
