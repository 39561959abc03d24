"""Who takes part in a run, with keys of a test SMKI: organisations of fixed identity, and the devices of the homes."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from emulator.home.description import HomeDescription
from protocols.addresses import Eui64
from protocols.gbcs import keystore
from protocols.gbcs.smki import (
    DIGITAL_SIGNING,
    KEY_AGREEMENT,
    XML_SIGNING,
    Certificate,
    Credentials,
    KeyPair,
    RemotePartyRole,
    TestPki,
)
from protocols.interfaces import Entropy

ACB = Eui64.parse("90-B3-D5-1F-30-00-00-02")
SUPPLIER = Eui64.parse("90-B3-D5-1F-30-01-00-00")
NETWORK_OPERATOR = Eui64.parse("90-B3-D5-1F-30-02-00-00")
WAN_PROVIDER = Eui64.parse("90-B3-D5-1F-30-00-00-07")  # the CSP

_ROLES = {
    ACB: RemotePartyRole.ACCESS_CONTROL_BROKER,
    SUPPLIER: RemotePartyRole.SUPPLIER,
    NETWORK_OPERATOR: RemotePartyRole.NETWORK_OPERATOR,
    WAN_PROVIDER: RemotePartyRole.WAN_PROVIDER,
}
_XML_ROLES = {
    ACB: RemotePartyRole.XML_SIGNING_DSP,
    SUPPLIER: RemotePartyRole.XML_SIGNING_USER,
    NETWORK_OPERATOR: RemotePartyRole.XML_SIGNING_USER,
}


class Parties:
    """Keys and certificates of all GBCS entities of a run, and of those who sign DUIS documents."""

    def __init__(
        self, entropy: Entropy, now: int, homes: Iterable[HomeDescription] = (), *, devices: Iterable[Eui64] = ()
    ) -> None:
        """devices: entities beside those of the homes."""
        pki = TestPki(entropy, now)
        self.root = pki.root
        self._credentials = {eui: pki.organisation(eui, role) for eui, role in _ROLES.items()}
        self._xml = {eui: pki.xml_signing(eui, role) for eui, role in _XML_ROLES.items()}
        for eui in [*(eui for home in homes for eui in _entities(home)), *devices]:
            self._credentials[eui] = pki.device(eui)

    def credentials(self, eui: Eui64) -> Credentials:
        return self._credentials[eui]

    def xml(self, eui: Eui64) -> KeyPair:
        """Return the XML signing pair of a user or of the DSP."""
        return self._xml[eui]

    def certificate(self, eui: Eui64, usage: str) -> Certificate | None:
        """Look a certificate up in the SMKI repository."""
        return self.repository.get((eui, usage))

    @cached_property
    def repository(self) -> Mapping[tuple[Eui64, str], Certificate]:
        """The SMKI repository: every certificate by entity and usage."""
        usages = (DIGITAL_SIGNING, KEY_AGREEMENT)
        entities = {
            (eui, usage): certificate
            for eui, own in self._credentials.items()
            for usage, certificate in zip(usages, (own.ds_certificate, own.ka_certificate), strict=True)
        }
        return entities | {(eui, XML_SIGNING): pair.certificate for eui, pair in self._xml.items()}

    def write(self, certificates: Path, keys: Path, *, devices: bool = True) -> None:
        """Write all certificates to the first folder, and to the second with the organisations' private keys.

        devices: whether those of devices stand in the second too.
        """
        everyone = list(self._credentials.values())
        keystore.write(certificates, everyone, private=False)
        keystore.write(keys, everyone if devices else (), private=False)
        keystore.write(keys, [self._credentials[eui] for eui in _ROLES], private=True)
        for pair in self._xml.values():
            keystore.write_pair(certificates, XML_SIGNING, pair, private=False)
            keystore.write_pair(keys, XML_SIGNING, pair, private=True)


def _entities(home: HomeDescription) -> list[Eui64]:
    """Return the GBCS entities of a home: IHD and CAD are none."""
    spare = home.replacement
    hubs = [home.hub.chf, home.hub.gpf, *(() if spare is None else (spare.chf, spare.gpf))]
    return [*hubs, *(d.eui for d in home.devices if d.kind not in ("ihd", "cad"))]
