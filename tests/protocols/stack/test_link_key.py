"""The trust-centre link key exchange of a joiner, with a trust centre that answers as foreign ones do."""

import pytest

from protocols.aps.commands import (
    ApsCommand,
    ConfirmKey,
    ConfirmStatus,
    KeyType,
    RequestedKeyType,
    RequestKey,
    TransportTrustCentreLinkKey,
    VerifyKey,
)
from protocols.aps.security import KeyId
from protocols.crypto.mmo import verify_key_hash
from protocols.interfaces import ApsData, LinkKey
from protocols.stack.running import Running
from protocols.stack.settings import NodeRole, StackSettings
from protocols.stack.state import Peer
from tests.support.han import Han, Member

NEW_KEY = LinkKey(bytes.fromhex("5a6967426565416c6c69616e63653039"))


class ForeignTrustCentre:
    """Sits on the APS layer of a coordinator and answers Request-Key and Verify-Key."""

    def __init__(self, hub: Member, *, silent: int = 0, status: ConfirmStatus = ConfirmStatus.SUCCESS) -> None:
        """silent: requests that get no answer at first."""
        running = hub.node._running
        assert running is not None
        self.running: Running = running
        self.silent, self.status = silent, status
        self.asked: list[tuple[ApsCommand, int | None]] = []
        running.aps.user = self

    def aps_data(self, peer: Peer, data: ApsData, secured: bool, lqi: int, *, broadcast: bool) -> None:
        self.running.aps_data(peer, data, secured, lqi, broadcast=broadcast)

    def aps_command(self, peer: Peer, command: ApsCommand, key_id: int | None) -> None:
        aps, state = self.running.aps, self.running.state
        if isinstance(command, RequestKey | VerifyKey):
            self.asked.append((command, key_id))
        if isinstance(command, RequestKey):
            if self.silent:
                self.silent -= 1
                return
            transport = TransportTrustCentreLinkKey(NEW_KEY, peer.eui, state.eui)
            frame = aps.command_frame(peer, transport.encode(), KeyId.KEY_LOAD)
            self.running._nwk.send(peer.short, frame)
        elif isinstance(command, VerifyKey):
            state.set_key(peer.eui, NEW_KEY)
            aps.send_command(peer, ConfirmKey(self.status, KeyType.TRUST_CENTRE_LINK, peer.eui).encode(), secured=True)
        else:
            self.running.aps_command(peer, command, key_id)


def network(role: NodeRole, *, exchange: bool = True) -> tuple[Han, Member, Member, list[str]]:
    han = Han()
    hub = han.hub()
    device = han.add("device", role, settings=StackSettings(exchange_link_key=exchange))
    notes: list[str] = []

    class Recorder:
        def note(self, actor: str, event: str, **fields: "str | int | bool | None") -> None:
            notes.append(event)

    device.node._recorder = Recorder()
    han.link(hub, device)
    return han, hub, device, notes


@pytest.mark.parametrize("role", [NodeRole.ROUTER, NodeRole.END_DEVICE, NodeRole.SLEEPY_END_DEVICE])
def test_a_joiner_asks_proves_and_uses_the_new_key(role: NodeRole) -> None:
    han, hub, device, notes = network(role)
    centre = ForeignTrustCentre(hub)
    han.join("device")
    han.run(10)
    assert centre.asked == [
        (RequestKey(RequestedKeyType.TRUST_CENTRE_LINK), KeyId.LINK),
        (VerifyKey(KeyType.TRUST_CENTRE_LINK, device.eui, verify_key_hash(NEW_KEY)), None),
    ]
    assert notes[-1] == "link-key-confirmed"
    device.send(hub, b"under the new key")
    hub.send(device, b"and back")
    han.run(10)
    assert (hub.messages, device.messages) == ([b"under the new key"], [b"and back"])


def test_a_lost_request_is_made_again() -> None:
    han, hub, _, notes = network(NodeRole.END_DEVICE)
    centre = ForeignTrustCentre(hub, silent=2)
    han.join("device")
    han.run(30)
    assert len(centre.asked) == 4
    assert notes[-1] == "link-key-confirmed"


@pytest.mark.parametrize(("silent", "status"), [(9, ConfirmStatus.SUCCESS), (0, ConfirmStatus.SECURITY_FAILURE)])
def test_without_confirmation_the_joiner_stays_and_says_so(silent: int, status: ConfirmStatus) -> None:
    han, hub, device, notes = network(NodeRole.END_DEVICE)
    asked = ForeignTrustCentre(hub, silent=silent, status=status).asked
    han.join("device")
    han.run(60)
    assert len([command for command, _ in asked if isinstance(command, RequestKey)]) == 3
    assert notes[-1] == "link-key-not-confirmed"
    assert device.node.joined


def test_a_confirmed_key_is_not_asked_for_after_a_restart() -> None:
    han, hub, device, _ = network(NodeRole.END_DEVICE)
    centre = ForeignTrustCentre(hub)
    han.join("device")
    han.run(10)
    device.node.power_off()
    device.node.power_on()
    han.run(30)
    assert len(centre.asked) == 2


def test_smart_energy_joiners_do_not_ask() -> None:
    han, hub, _, _ = network(NodeRole.END_DEVICE, exchange=False)
    centre = ForeignTrustCentre(hub)
    han.join("device")
    han.run(30)
    assert centre.asked == []
