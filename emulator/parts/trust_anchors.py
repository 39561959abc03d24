"""The trust anchors of a device: whose certificates it believes, a cell each, and the counters of those parties.

A cell is named by role, key usage and cell usage. What a device is made with is its factory set; it is written to the
cells at the first start and never looked at again.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from emulator.parts.journal import Journal
from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.gbcs.cells import USAGES, CellIdentifier, CellUsage, KeyUsage
from protocols.gbcs.smki import Certificate, Credentials, RemotePartyRole

_COUNTER_OCTETS = 8
_NOBODY = Eui64(0)  # how an authority, which has no identifier, is reported

Cells = Mapping[CellIdentifier, Certificate]


def cell_of(certificate: Certificate, cell_usage: CellUsage = CellUsage.MANAGEMENT) -> CellIdentifier:
    """Return the cell a certificate belongs into by itself. Raises UsageError for one of a device."""
    if certificate.role is None:
        raise UsageError(f"a device certificate is no trust anchor: {certificate.eui}")
    return CellIdentifier(certificate.role, USAGES[certificate.usage], cell_usage)


def named_by(certificate: Certificate) -> Eui64:
    """Return the entity a certificate names, zero for an authority."""
    try:
        return certificate.eui
    except DecodeError:
        return _NOBODY


class TrustAnchors:
    """A factory set: certificates by cell. Never changes, so devices may share one."""

    def __init__(self, certificates: Iterable[Certificate] = (), cells: Cells | None = None) -> None:
        """certificates: each in its own cell. cells: further ones, in the cells said, e.g. of top-ups."""
        found = {cell_of(certificate): certificate for certificate in certificates}
        self.cells: Cells = MappingProxyType(found | dict(cells or {}))

    @classmethod
    def of(cls, *parties: Credentials, root: Certificate | None = None, top_up: bool = False) -> "TrustAnchors":
        """Return the set made of both certificates of each party.

        root: the root authority's. top_up: suppliers' key agreement certificates serve for prepayment top-ups too.
        """
        certificates = [c for party in parties for c in (party.ds_certificate, party.ka_certificate)]
        cells = {
            cell_of(party.ka_certificate, CellUsage.PREPAYMENT_TOP_UP): party.ka_certificate
            for party in parties
            if top_up and party.ka_certificate.role is RemotePartyRole.SUPPLIER
        }
        return cls([*([] if root is None else [root]), *certificates], cells)

    def with_party(self, party: Credentials) -> "TrustAnchors":
        """Return this set and both certificates of one more party."""
        added = (party.ds_certificate, party.ka_certificate)
        return TrustAnchors(cells={**self.cells, **{cell_of(certificate): certificate for certificate in added}})

    @classmethod
    def before_handover(cls, broker: Credentials, root: Certificate | None = None) -> "TrustAnchors":
        """Return a new GPF's set: the access control broker stands in for supplier and network operator."""
        ds, ka = broker.ds_certificate, broker.ka_certificate
        supplier, operator = RemotePartyRole.SUPPLIER, RemotePartyRole.NETWORK_OPERATOR
        cells = {
            CellIdentifier(supplier, KeyUsage.DIGITAL_SIGNATURE): ds,
            CellIdentifier(supplier, KeyUsage.KEY_AGREEMENT): ka,
            CellIdentifier(supplier, KeyUsage.KEY_AGREEMENT, CellUsage.PREPAYMENT_TOP_UP): ka,
            CellIdentifier(operator, KeyUsage.DIGITAL_SIGNATURE): ds,
            CellIdentifier(operator, KeyUsage.KEY_AGREEMENT): ka,
        }
        return cls([*([] if root is None else [root]), ds, ka], cells)


class Party(NamedTuple):
    """A remote party that a device knows."""

    cell_role: RemotePartyRole  # of the cells it is in; its counter is that of the role
    role: RemotePartyRole  # of its certificates; another one before a handover


class CredentialStore:
    """The cells of one entity in storage. Reads see the storage as it is, also after a power cut."""

    def __init__(self, storage: Journal, prefix: str, factory: TrustAnchors) -> None:
        self._storage, self._prefix = storage, prefix
        self._parsed: dict[bytes, Certificate] = {}
        self._cells: dict[CellIdentifier, Certificate] | None = None
        if storage.get(f"{prefix}anchors") is None:
            with storage.transaction():
                self._write(factory.cells)

    # --- who ---------------------------------------------------------------------------------------------------

    def cells(self) -> Cells:
        """Return what is held, in order of the cells."""
        if self._cells is not None:
            return self._cells
        cells = self._read()
        if not self._storage.open:  # what is read inside a transaction may be dropped yet
            self._cells = cells
        return cells

    def certificate(self, cell: CellIdentifier) -> Certificate | None:
        return self.cells().get(cell)

    def parties(self, eui: Eui64) -> tuple[Party, ...]:
        """Return as what the device knows `eui`: once for each role whose cells name it."""
        found = {
            Party(RemotePartyRole(cell.role), certificate.role or RemotePartyRole(cell.role)): None
            for cell, certificate in self.cells().items()
            if cell.key_usage != KeyUsage.KEY_CERT_SIGN and named_by(certificate) == eui
        }
        return tuple(found)

    def role_of(self, eui: Eui64) -> RemotePartyRole | None:
        """Return the role of the party `eui`, None for an unknown one."""
        parties = self.parties(eui)
        return parties[0].role if parties else None

    def holds(self, role: RemotePartyRole) -> bool:
        """Return whether there is a cell of `role`."""
        return any(cell.role == role for cell in self.cells())

    def eui(self, role: RemotePartyRole) -> Eui64:
        """Return who holds `role`; UsageError if the device has no such anchor."""
        for cell, certificate in self.cells().items():
            if cell.role == role:
                return named_by(certificate)
        raise UsageError(f"no trust anchor for role {role.name}")

    def public_key(self, role: RemotePartyRole, usage: str) -> EllipticCurvePublicKey | None:
        """Return the key of `role` for "ds" (signatures) or "ka" (MACs), None if there is no such anchor."""
        certificate = self.certificate(CellIdentifier(role, USAGES[usage]))
        return None if certificate is None else certificate.public_key

    @property
    def root(self) -> Certificate | None:
        return self.certificate(CellIdentifier(RemotePartyRole.ROOT, KeyUsage.KEY_CERT_SIGN))

    # --- counters ----------------------------------------------------------------------------------------------

    def floor(self, role: RemotePartyRole | int) -> int | None:
        """Return the highest counter accepted from a role, or the floor set for it; None if there is neither."""
        return self._counter(self._floor_cell(role))

    def set_floor(self, role: RemotePartyRole | int, counter: int) -> None:
        self._storage.put(self._floor_cell(role), counter.to_bytes(_COUNTER_OCTETS, "big"))

    def specialist_floor(self, role: RemotePartyRole | int, usage: int) -> int | None:
        return self._counter(f"{self._floor_cell(role)}/{usage}")

    def set_specialist_floor(self, role: RemotePartyRole | int, usage: int, counter: int) -> None:
        self._storage.put(f"{self._floor_cell(role)}/{usage}", counter.to_bytes(_COUNTER_OCTETS, "big"))

    def _counter(self, cell: str) -> int | None:
        held = self._storage.get(cell)
        return None if held is None else int.from_bytes(held, "big")

    def _floor_cell(self, role: RemotePartyRole | int) -> str:
        return f"{self._prefix}floor/{RemotePartyRole(role).name.lower()}"

    # --- change ------------------------------------------------------------------------------------------------

    def replace(self, changes: Cells) -> None:
        """Put certificates into cells, all or none of them."""
        with self._storage.transaction():
            self._write({**self.cells(), **changes})

    def _write(self, cells: Cells) -> None:
        """Write every cell, and the list of their names."""
        self._cells = None
        names = {cell: f"{self._prefix}anchor/{_name(cell)}" for cell in cells}
        for cell, certificate in cells.items():
            if self._storage.get(names[cell]) != certificate.der:
                self._storage.put(names[cell], certificate.der)
        listed = b"".join(bytes((cell.role, cell.key_usage, cell.cell_usage)) for cell in sorted(cells, key=_name))
        if self._storage.get(f"{self._prefix}anchors") != listed:
            self._storage.put(f"{self._prefix}anchors", listed)

    def _read(self) -> dict[CellIdentifier, Certificate]:
        listed = self._storage.get(f"{self._prefix}anchors") or b""
        cells = {}
        for at in range(0, len(listed), 3):
            role, usage, cell_usage = listed[at : at + 3]
            cell = CellIdentifier(RemotePartyRole(role), KeyUsage(usage), CellUsage(cell_usage))
            der = self._storage.get(f"{self._prefix}anchor/{_name(cell)}")
            if der is not None:
                cells[cell] = self._certificate(der)
        return cells

    def _certificate(self, der: bytes) -> Certificate:
        """Return the certificate, the same object for the same octets, so that shared secrets are found again."""
        held = self._parsed.get(der)
        if held is None:
            held = self._parsed[der] = Certificate(der)
        return held


def _name(cell: CellIdentifier) -> str:
    return f"{cell.role:02x}-{cell.key_usage:02x}-{cell.cell_usage:02x}"
