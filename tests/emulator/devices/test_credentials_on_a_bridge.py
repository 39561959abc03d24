"""CS02b on an Alt HAN bridge over the air, with the power cut before every put. MP170-R8, MP170-A13, MP170-C7."""

from collections.abc import Iterator

from emulator.devices.alt_han_bridge import AltHanBridge
from emulator.parts.gbcs_entity import TrustAnchors
from emulator.storage import MemoryStorage
from firmware_images import product
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.cells import CellIdentifier, KeyUsage
from protocols.gbcs.envelope import Cra
from protocols.gbcs.smki import Certificate, Credentials, RemotePartyRole
from protocols.gbcs.use_cases import cs02b, cs08
from protocols.gbcs.use_cases.cs02b import Mode
from protocols.interfaces import MINUTE, SECOND
from protocols.ota.image import Kind
from protocols.stack.settings import NodeRole
from tests.support.hub_side import KEY, HubSide
from tests.support.parties import BROKER
from tests.support.replacements import cells_of, replacement

DEVICE = Eui64(0x00DB1234567890B1)
ACB = RemotePartyRole.ACCESS_CONTROL_BROKER
OWN = ("journal", "gbcs/", "outbox/")  # the other cells are those of the radio's stack
CELLS = (CellIdentifier(ACB, KeyUsage.DIGITAL_SIGNATURE), CellIdentifier(ACB, KeyUsage.KEY_AGREEMENT))


class PowerCut(Exception):  # noqa: N818 - what happens, not an error
    pass


class Bridge:
    """A bridge that has joined; `old` and `new` are the broker's credentials before and after."""

    def __init__(self) -> None:
        self.hub, self.storage = HubSide(), MemoryStorage()
        parties = self.hub.parties
        self.old, self.new = parties.broker, parties.renewed().broker
        anchors = TrustAnchors.of(parties.broker, root=parties.pki.root)
        parts = self.hub.parts(DEVICE, NodeRole.ROUTER, product(Kind.BRIDGE1), storage=self.storage, anchors=anchors)
        self.device = AltHanBridge(**parts)
        self.hub.admit(DEVICE)
        self.device.start(KEY)
        self.hub.run(MINUTE)
        self.command = replacement(
            parties, parties.broker, DEVICE, Mode.ACB_BY_ACB, cells_of(self.new), counter=1300, floor=1300
        )

    def send(self, octets: bytes) -> None:
        self.hub.send(DEVICE, octets)
        self.hub.run(20 * SECOND)

    def anchors(self) -> dict[CellIdentifier, Certificate]:
        return {cell: self.device.entity.anchors.cells()[cell] for cell in CELLS}

    def outcomes(self) -> list[cs02b.Outcome | None]:
        """Return what the responses tell, each once: a cut makes the bridge send the same octets again."""
        found = list(dict.fromkeys(self.hub.of(Cra.RESPONSE, cs02b.MESSAGE_CODES[Mode.ACB_BY_ACB])))
        for message in found:
            security.verify_signature(message, self.hub.parties.pki.device(DEVICE).ds_certificate.public_key)
        return [cs02b.Response.decode(message.payload).outcome for message in found]

    def reads(self, broker: Credentials, counter: int) -> bool:
        """Return whether a CS08 under the keys of `broker` is answered."""
        before = len(self.hub.of(Cra.RESPONSE, cs08.MESSAGE_CODE))
        kept, self.hub.parties.broker = self.hub.parties.broker, broker
        self.send(
            self.hub.parties.command(
                broker, DEVICE, cs08.MESSAGE_CODE, cs08.Command().encode(), counter=counter, signed=False
            )
        )
        self.hub.parties.broker = kept
        return len(self.hub.of(Cra.RESPONSE, cs08.MESSAGE_CODE)) > before

    def restart(self) -> None:
        self.device.power_off()
        self.hub.run(10 * SECOND)
        self.device.power_on()
        self.hub.run(MINUTE)
        assert DEVICE in self.hub.tunnels


def wanted(broker: Credentials) -> dict[CellIdentifier, Certificate]:
    return dict(zip(CELLS, (broker.ds_certificate, broker.ka_certificate), strict=True))


def test_the_broker_replaces_its_credentials_on_a_bridge() -> None:
    bridge = Bridge()
    assert bridge.reads(bridge.old, 1)
    bridge.send(bridge.command)
    (outcome,) = bridge.outcomes()
    assert outcome is not None
    assert [(cell.new_entity, cell.status) for cell in outcome.cells] == [(BROKER, 0)] * 2
    assert bridge.anchors() == wanted(bridge.new)
    assert not bridge.reads(bridge.old, 2)
    assert bridge.reads(bridge.new, 3)


def test_a_power_cut_before_any_put_leaves_the_old_or_the_new_credentials() -> None:
    """Cut the power before each put that the command causes, one run a put; then boot, and send the command again."""
    cells = cells_of_a_replacement()
    assert any("anchor/" in cell for cell in cells)
    seen = []
    for fatal in range(len(cells)):
        bridge = Bridge()
        cut_at(bridge, fatal)
        bridge.restart()
        found = bridge.anchors()
        assert found in (wanted(bridge.old), wanted(bridge.new)), cells[fatal]
        new = found == wanted(bridge.new)
        seen.append(new)
        assert bridge.device.entity.anchors.floor(ACB) == (1300 if new else None), cells[fatal]
        assert len(bridge.outcomes()) == (1 if new else 0), cells[fatal]  # told exactly if it happened
        assert bridge.reads(bridge.new if new else bridge.old, 2000)
        assert not bridge.reads(bridge.old if new else bridge.new, 2001)
        bridge.send(bridge.command)
        assert (bridge.anchors(), len(bridge.outcomes())) == (wanted(bridge.new), 1), cells[fatal]
    assert seen == sorted(seen)  # old up to one put, new from there on
    assert set(seen) == {False, True}


def cut_at(bridge: Bridge, fatal: int) -> None:
    countdown = iter(range(fatal, -1, -1))

    def cut(cell: str, countdown: Iterator[int] = countdown) -> None:
        if cell.startswith(OWN) and next(countdown, -1) == 0:
            raise PowerCut(cell)

    bridge.storage.before_put = cut
    try:
        bridge.send(bridge.command)
    except PowerCut:
        bridge.storage.before_put = None
        return
    raise AssertionError("no cut")


def cells_of_a_replacement() -> list[str]:
    bridge, puts = Bridge(), list[str]()
    bridge.storage.before_put = puts.append
    bridge.send(bridge.command)
    return [cell for cell in puts if cell.startswith(OWN)]


def test_a_party_without_authority_replaces_nothing_on_a_bridge() -> None:
    bridge = Bridge()
    parties = bridge.hub.parties
    for sender, mode in ((parties.supplier, Mode.SUPPLIER_BY_SUPPLIER), (parties.recovery, Mode(8))):
        bridge.send(replacement(parties, sender, DEVICE, mode, cells_of(bridge.new), counter=1))
    forged = parties.renewed()
    bridge.send(replacement(forged, forged.broker, DEVICE, Mode.ACB_BY_ACB, cells_of(bridge.new), counter=1))
    assert (bridge.anchors(), bridge.outcomes()) == (wanted(bridge.old), [])
    assert bridge.device.entity.anchors.floor(ACB) is None
    assert len(bridge.hub.timeline.of("command-refused")) == 3
