"""Every role x use case x kind of device, with real messages: the table decides, a refusal leaves no trace."""

from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.parts.gbcs_entity import AUTHORISING_ROLES, DeviceKind, GbcsRefused, Grounds
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Credentials, RemotePartyRole
from protocols.gbcs.use_cases.table import USE_CASES, UseCase
from tests.support.offline import DEVICE, Offline
from tests.support.parties import SUPPLIER, Parties

PARTIES = Parties()
COMMANDS = [row for row in USE_CASES.values() if Cra.COMMAND in row.directions]
_ALLOWED_SOMEWHERE = [row for row in COMMANDS if row.access]


def command(
    sender: Credentials, use_case: UseCase, *, on_behalf: bool, signed: bool, mac: bool, counter: int = 50
) -> bytes:
    return PARTIES.command(
        sender, DEVICE, use_case.message_code, b"\x05\x00", counter=counter, signed=signed, mac=mac,
        for_user=(SUPPLIER, 9) if on_behalf else None,
    )  # fmt: skip


def role_of(sender: Credentials) -> RemotePartyRole:
    role = sender.ds_certificate.role
    assert role is not None
    return role


@pytest.mark.parametrize("kind", list(DeviceKind))
def test_a_device_accepts_what_the_table_allows_and_nothing_else(kind: DeviceKind) -> None:
    device, allowed, refused = Offline(PARTIES, kind), 0, 0
    untouched = device.contents()
    for use_case in COMMANDS:
        for sender in PARTIES.known:
            for on_behalf in (False, True):
                row = use_case.access_of(role_of(sender), kind, on_behalf=on_behalf)
                needed = AUTHORISING_ROLES.get(use_case.message_code)
                if row is not None and needed in (None, role_of(sender)):
                    signed = bool(use_case.critical) if row.signed is None else row.signed
                    octets = command(sender, use_case, on_behalf=on_behalf, signed=signed, mac=row.mac)
                    message, rule = device.entity.accept(octets, kind)
                    assert (message.originator, rule.party.role) == (sender.eui, role_of(sender))
                    allowed += 1
                    device.storage = type(device.storage)()
                    device.restart()
                    continue
                refused += 1
                octets = command(sender, use_case, on_behalf=on_behalf, signed=True, mac=True)
                with pytest.raises(GbcsRefused) as caught:
                    device.entity.accept(octets, kind)
                served = any(kind in access.devices for access in use_case.access)
                assert caught.value.grounds is (Grounds.NO_AUTHORITY if served else Grounds.NOT_SUPPORTED)
                assert device.contents() == untouched
    assert allowed >= 5
    assert refused > len(COMMANDS)


@pytest.mark.parametrize("kind", list(DeviceKind))
def test_what_is_allowed_still_needs_its_protection_and_a_fresh_counter(kind: DeviceKind) -> None:
    """Whatever is missing or damaged, nothing changes; a repeated counter is refused where the table says so."""
    for use_case in _ALLOWED_SOMEWHERE:
        for sender in PARTIES.known:
            row = use_case.access_of(role_of(sender), kind)
            if row is None or AUTHORISING_ROLES.get(use_case.message_code) not in (None, role_of(sender)):
                continue
            device = Offline(PARTIES, kind)
            untouched = device.contents()
            signed = bool(use_case.critical) if row.signed is None else row.signed
            good = Message.decode(command(sender, use_case, on_behalf=False, signed=signed, mac=row.mac))
            for bad in damaged(good):
                with pytest.raises(GbcsRefused) as caught:
                    device.entity.accept(bad.encode(), kind)
                assert caught.value.grounds is Grounds.UNPROVEN
                assert device.contents() == untouched
            device.entity.accept(good.encode(), kind)
            after = device.contents()
            if use_case.replay_protected:
                with pytest.raises(GbcsRefused) as caught:
                    device.entity.accept(good.encode(), kind)
                assert caught.value.grounds is Grounds.REPLAYED
            else:
                device.entity.accept(good.encode(), kind)
            assert device.contents() == after


def damaged(message: Message) -> list[Message]:
    """Return versions of an authentic message that are not: each protection wrong, other counters, other keys."""
    stranger = Parties(8)
    found = [replace(message, counter=message.counter + 1), replace(message, originator=stranger.other_supplier.eui)]
    if message.mac is not None:
        found.append(replace(message, mac=bytes(12)))
        z = security.shared_secret(stranger.broker.ka_key, PARTIES.pki.device(DEVICE).ka_certificate.public_key)
        found.append(security.add_mac(replace(message, mac=None), z))
    if message.signature:
        forged = security.sign(replace(message, mac=None), stranger.supplier.ds_key, stranger.entropy)
        z = security.shared_secret(PARTIES.broker.ka_key, PARTIES.pki.device(DEVICE).ka_certificate.public_key)
        found.append(forged if message.mac is None else security.add_mac(forged, z))
    return found


class Attempt(NamedTuple):
    """A command that anybody may send."""

    use_case: UseCase
    sender: int  # index of `PARTIES.known`
    on_behalf: bool
    signed: bool
    mac: bool
    counter: int

    def octets(self) -> bytes:
        return command(
            PARTIES.known[self.sender], self.use_case, on_behalf=self.on_behalf, signed=self.signed, mac=self.mac,
            counter=self.counter,
        )  # fmt: skip

    def allowed(self, kind: DeviceKind, floors: dict[RemotePartyRole, int]) -> bool:
        """Judge by the rows of the table alone."""
        role = role_of(PARTIES.known[self.sender])
        rows = [
            row for row in self.use_case.access
            if row.originator is role and kind in row.devices and row.on_behalf is self.on_behalf
        ]  # fmt: skip
        if not rows or AUTHORISING_ROLES.get(self.use_case.message_code, role) is not role:
            return False
        wanted = (bool(self.use_case.critical) if rows[0].signed is None else rows[0].signed, rows[0].mac)
        fresh = not self.use_case.replay_protected or self.counter > floors.get(role, -1)
        return (self.signed, self.mac) == wanted and fresh


attempts = st.builds(
    Attempt, st.sampled_from(_ALLOWED_SOMEWHERE), st.integers(0, len(PARTIES.known) - 1), st.booleans(),
    st.booleans(), st.booleans(), st.integers(1, 3),
).filter(lambda attempt: attempt.signed or attempt.mac)  # fmt: skip


@settings(deadline=None, database=None, max_examples=60)
@given(st.sampled_from(DeviceKind), st.lists(attempts, min_size=1, max_size=12))
def test_whatever_comes_in_whatever_order_only_what_is_accepted_leaves_a_trace(
    kind: DeviceKind, tries: list[Attempt]
) -> None:
    device, floors = Offline(PARTIES, kind), dict[RemotePartyRole, int]()
    for attempt in tries:
        before = device.contents()
        if attempt.allowed(kind, floors):
            device.entity.accept(attempt.octets(), kind)
            if attempt.use_case.replay_protected:
                floors[role_of(PARTIES.known[attempt.sender])] = attempt.counter
            continue
        with pytest.raises(GbcsRefused):
            device.entity.accept(attempt.octets(), kind)
        assert device.contents() == before
    device.restart()
    assert {role: device.entity.anchors.floor(role) for role in floors} == floors


def test_the_matrix_knows_every_role_that_a_device_can_know() -> None:
    senders = {party.ds_certificate.role for party in PARTIES.known}
    roles = {access.originator for row in _ALLOWED_SOMEWHERE for access in row.access}
    assert roles <= senders
