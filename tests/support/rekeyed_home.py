"""A home whose broker and supplier replace their credentials on everything that holds them (CS02b)."""

from collections.abc import Iterator

from emulator.parts.gbcs_entity import GbcsEntity
from gateway.assembly.parties import ACB, SUPPLIER
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.cells import CellIdentifier
from protocols.gbcs.codes import AlertCode, CredentialStatus
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Certificate, RemotePartyRole, TestPki
from protocols.gbcs.use_cases import cs02b
from protocols.gbcs.use_cases.cs02b import Control, Mode, Replacement
from protocols.interfaces import HOUR, SECOND
from protocols.wan.envelope import GbcsCarried
from tests.support.cut_home import CutHome
from tests.support.han import START
from tests.support.replacements import cells_of

_ANSWERED = 2 * 3600  # s: a sleepy meter wakes in that time, and once more for what it could not take
_TO_COME = 3 * HOUR  # a dated replacement
_METERS = ("esme", "gsme", "hcalcs")
_BY_SUPPLIER, _BY_BROKER = Mode.SUPPLIER_BY_SUPPLIER, Mode.ACB_BY_ACB


class RekeyedHome(CutHome):
    """First the supplier replaces its own on meters and HCALCS, then the broker on all, CHF and GPF included.

    The supplier's replacement on the HCALCS is dated.
    """

    names = ("gsme", "hcalcs", "ppmid", "bridge-1", "bridge-3")
    dated = "hcalcs"

    def busy(self) -> None:
        pki = TestPki(self.home.entropy, START)
        self._new = {
            SUPPLIER: pki.organisation(SUPPLIER, RemotePartyRole.SUPPLIER, generation=1),
            ACB: pki.organisation(ACB, RemotePartyRole.ACCESS_CONTROL_BROKER, generation=1),
        }
        self._path = (pki.issuing.der,)
        self._floor = dict[str, int]()
        for name in _METERS:
            self._replace(name, _BY_SUPPLIER, SUPPLIER)
        self.home.run(_ANSWERED + _TO_COME // SECOND)
        for name in self._entities():
            self._replace(name, _BY_BROKER, ACB)
        self.home.run(_ANSWERED)

    def _entities(self) -> dict[str, GbcsEntity]:
        hub = self.home.home.hub
        assert hub.gpf is not None
        return {"chf": hub.chf, "gpf": hub.gpf} | {
            name: self.home.updatable(name).entity for name in ("esme", *self.names)
        }

    def _replace(self, name: str, mode: Mode, owner: Eui64) -> None:
        entity, old = self._entities()[name], self.home.credentials(owner)
        target, counter = entity.eui, self.broker.next_counter
        now = self.home.clock.now()
        at = now - now % SECOND + _TO_COME if (name, mode) == (self.dated, _BY_SUPPLIER) else None
        replacements = tuple(Replacement(each.der, cell) for cell, each in self._cells(entity, owner).items())
        payload = cs02b.Command(Control(mode, counter, floor=counter), replacements, self._path, at).encode()
        message = Message(Cra.COMMAND, counter, owner, target, message_code=cs02b.MESSAGE_CODES[mode], payload=payload)
        if mode is _BY_SUPPLIER or name == "chf":
            message = security.sign(message, old.ds_key, self.home.entropy)
        ka = entity.credentials.ka_certificate.public_key
        octets = security.add_mac(message, security.shared_secret(self.home.credentials(ACB).ka_key, ka)).encode()
        self._floor[f"{name} {mode.name}"] = counter
        self.broker.down(GbcsCarried(target, octets))

    def _cells(self, entity: GbcsEntity, owner: Eui64) -> dict[CellIdentifier, Certificate]:
        held = entity.anchors.cells()
        return {cell: certificate for cell, certificate in cells_of(self._new[owner]).items() if cell in held}

    # --- what must hold ----------------------------------------------------------------------------------------

    def outcome(self) -> Iterator[str]:
        for name in _METERS:
            yield from (f"{name}: {fault}" for fault in self._replaced(name, _BY_SUPPLIER, SUPPLIER))
        for name in self._entities():
            yield from (f"{name}: {fault}" for fault in self._replaced(name, _BY_BROKER, ACB))

    def _replaced(self, name: str, mode: Mode, owner: Eui64) -> Iterator[str]:
        entity = self._entities()[name]
        wanted, held = self._cells(entity, owner), entity.anchors.cells()
        wrong = [cell for cell, certificate in wanted.items() if held[cell] != certificate]
        if wrong:
            yield f"{mode.name} left {len(wrong)} of {len(wanted)} cells"
        role = RemotePartyRole.SUPPLIER if owner == SUPPLIER else RemotePartyRole.ACCESS_CONTROL_BROKER
        if (entity.anchors.floor(role) or 0) < self._floor[f"{name} {mode.name}"]:
            yield f"{mode.name} left the counter at {entity.anchors.floor(role)}"
        if [cell for cell in entity.storage.cells() if "/dated/" in cell]:
            yield "keeps a dated replacement"
        yield from self._told(entity, mode, len(wanted), dated=(name, mode) == (self.dated, _BY_SUPPLIER))

    def _told(self, entity: GbcsEntity, mode: Mode, cells: int, *, dated: bool) -> Iterator[str]:
        """Tell whether the response, and of a dated one the alert, did not come exactly once."""
        answered = self._messages(entity, cs02b.MESSAGE_CODES[mode])
        told = self._messages(entity, cs02b.alert_message_code_of(mode))
        responses = [cs02b.Response.decode(each.payload).outcome for each in answered]
        alerts = [cs02b.Alert.decode(each.payload) for each in told]
        if len(responses) != 1 or (responses[0] is None) is not dated:
            yield f"{mode.name} was answered {len(responses)} times"
        alerts = [
            cs02b.Alert.decode(each.payload) for each in self._messages(entity, cs02b.alert_message_code_of(mode))
        ]
        done = [alert for alert in alerts if alert.alert_code == AlertCode.FUTURE_DATED_COMMAND_DONE]
        if mode is _BY_SUPPLIER and (len(done), len(alerts)) != (dated, dated):
            yield f"{mode.name} was told of by {len(alerts)} alerts"
        for outcome in (*responses, *(alert.outcome for alert in alerts)):
            statuses = [each.status for each in outcome.cells] if outcome is not None else []
            if statuses not in ([], [CredentialStatus.SUCCESS] * cells):
                yield f"{mode.name} ended with {statuses}"

    def _messages(self, entity: GbcsEntity, code: int) -> list[Message]:
        """Return each message of an entity once, its signature verified."""
        found = {each.encode(): each for each in self.broker.messages(code) if each.originator == entity.eui}
        for message in found.values():
            security.verify_signature(message, entity.credentials.ds_certificate.public_key)
        return list(found.values())
