"""Scenarios of questions and of answers that say no: discovery by a host, images refused, keys not established."""

from pathlib import Path

from emulator.entropy import SeededEntropy
from emulator.parts.key_establishment import SuiteCredentials
from protocols.addresses import Eui64
from protocols.crypto.certificate_authority import CertificateAuthority
from protocols.crypto.suites import Suite
from protocols.interfaces import MINUTE, SECOND
from protocols.ota.client import OtaClientSettings
from protocols.ota.server import OtaServer, OtaServerSettings
from protocols.pcapng import write_keys
from protocols.stack.settings import NodeRole
from protocols.zdp import management
from protocols.zdp import messages as zdp
from tests.support.han import PROFILE, START, Han
from tests.support.keyed_home import KeyedHome
from tests.support.ota_homes import DEVICE, NEW, NEWER, Played, image

Captured = tuple[Path, str]  # capture, key table

ROOM = 20_000  # octets that the device can keep


def discovery(folder: Path) -> Captured:
    """A host asks a router and a sleepy device all it can ask, about what is there and what is not."""
    han = Han(3)
    hub, router, sleepy = han.hub(), han.add("router", NodeRole.ROUTER), han.add("sleepy", NodeRole.SLEEPY_END_DEVICE)
    han.link(hub, router)
    han.link(router, sleepy)
    han.join("router")
    han.join("sleepy")
    for device in (router, sleepy):
        short = device.node.short
        own: list[zdp.ZdpMessage] = [
            zdp.NwkAddressRequest(device.eui, 1), zdp.IeeeAddressRequest(short, 1), zdp.NodeDescriptorRequest(short),
            management.PowerDescriptorRequest(short), zdp.ActiveEndpointsRequest(short),
            zdp.SimpleDescriptorRequest(short, 1), zdp.SimpleDescriptorRequest(short, 9),
            zdp.MatchDescriptorRequest(short, PROFILE, (0x0704,)),
            zdp.MatchDescriptorRequest(short, PROFILE, (0x0777,)),
        ]  # fmt: skip
        row = management.Binding(device.eui, 1, 0x0704, hub.eui, 1)
        for message in (*own, management.BindRequest(row), management.UnbindRequest(row)):
            hub.node.query(device.eui, message, lambda answer: answer)
            han.run(9)
    for request in (
        management.ManagementLqiRequest(0), management.ManagementRoutingRequest(0), management.ManagementBindRequest(0),
        zdp.ManagementPermitJoiningRequest(60), management.ManagementNwkUpdateRequest(0x07FFF800, 1),
    ):  # fmt: skip
        hub.node.query(router.eui, request, lambda answer: answer)
        han.run(9)
    return han.capture(folder)


def spoilt(version: int) -> bytes:
    """Return an image of which one octet is altered."""
    octets = bytearray(image(version))
    octets[1_000] ^= 1
    return bytes(octets)


def images_refused(folder: Path) -> Captured:
    """Nothing to fetch, a wait, an abort, a bad image, one for other hardware, one too large, a reboot, a late time."""
    client = OtaClientSettings(start_delay=5 * SECOND, checkpoint=960, storage_limit=ROOM)
    hub = Played(client, server=OtaServer(OtaServerSettings(minimum_block_period=40)))
    hub.offer(DEVICE, image(size=ROOM + 1), activate_now=True)
    hub.run(5 * SECOND)
    hub.offer(DEVICE, other_hardware(image()), activate_now=True)
    hub.run(5 * SECOND)
    hub.offer(DEVICE, spoilt(NEWER), activate_now=True)
    hub.run(MINUTE)
    hub.server.offer(image(), [DEVICE], activate_now=True)
    hub.server.hold(DEVICE, hub.clock.now() + 20 * SECOND)
    hub._ota(hub.server.notify(DEVICE))
    hub.run(21 * SECOND)
    hub.server.withdraw(DEVICE)
    hub.run(10 * SECOND)
    hub.server.offer(image(size=9_000), [DEVICE], activate_now=True, upgrade_delay=MINUTE)
    hub._ota(hub.server.notify(DEVICE))
    hub.run(2 * SECOND)
    hub.device.power_off()
    hub.run(5 * SECOND)
    hub.device.power_on()
    hub.run_until(NEW, within=600)
    hub.run(MINUTE)
    return hub.log.write(folder), write_keys(hub.keys())


def other_hardware(file: bytes) -> bytes:
    """Return an image file whose header admits hardware of versions that nobody has."""
    return file[:56] + b"\xfe\xff\xff\xff" + file[60:]


def keys_refused(folder: Path) -> Captured:
    """A PPMID with a certificate of an authority unknown to the hub, beside three devices that get theirs."""
    ppmid, stranger = Eui64(0x00DB1234567811A4), Eui64(0xDEADBEEF)

    def certificates(eui: Eui64, own: SuiteCredentials) -> SuiteCredentials:
        if eui != ppmid:
            return own
        authority = CertificateAuthority(Suite.SUITE_2, SeededEntropy(1), stranger)
        return {Suite.SUITE_2: authority.issue(eui, START)}

    home = KeyedHome("ppmid", "ihd", "bridge-1", certificates=certificates)
    home.run(600)
    return home.write(folder)
