"""CS02b commands with real keys, for any mode."""

from collections.abc import Sequence

from emulator.parts.trust_anchors import TrustAnchors, cell_of
from protocols.addresses import Eui64
from protocols.gbcs.cells import CellIdentifier, CellUsage
from protocols.gbcs.smki import Certificate, Credentials, RemotePartyRole
from protocols.gbcs.use_cases import cs02b
from protocols.gbcs.use_cases.cs02b import Control, CounterChange, Mode, Replacement, TimeChecks
from tests.support.parties import Parties

_MAC_ONLY = (Mode.ACB_BY_ACB,)
_NO_MAC = (Mode.ANY_EXCEPT_ABNORMAL_ROOT_BY_RECOVERY, Mode.ANY_BY_CONTINGENCY)


def cells_of(*parties: Credentials) -> dict[CellIdentifier, Certificate]:
    """Return both certificates of each party by cell, a supplier's for top-ups too."""
    cells = dict(TrustAnchors.of(*parties).cells)
    for party in parties:
        if party.ka_certificate.role is RemotePartyRole.SUPPLIER:
            cells[cell_of(party.ka_certificate, CellUsage.PREPAYMENT_TOP_UP)] = party.ka_certificate
    return cells


def replacement(
    parties: Parties,
    sender: Credentials,
    device: Eui64,
    mode: Mode,
    cells: dict[CellIdentifier, Certificate],
    *,
    counter: int,
    when: int | None = None,
    floor: int | None = 0,
    changes: tuple[CounterChange, ...] | None = None,
    path: Sequence[Certificate] | None = None,
    time_checks: TimeChecks = TimeChecks.APPLY,
    authorising_cell: CellIdentifier | None = None,
    control_counter: int | None = None,
) -> bytes:
    """Return the command of `sender`, protected as the mode wants it."""
    control = Control(
        mode, counter if control_counter is None else control_counter, authorising_cell,
        floor=floor, other_changes=changes, time_checks=time_checks,
    )  # fmt: skip
    replacements = tuple(Replacement(certificate.der, cell) for cell, certificate in cells.items())
    authorities = (parties.pki.issuing,) if path is None else path
    payload = cs02b.Command(control, replacements, tuple(each.der for each in authorities), when).encode()
    return parties.command(
        sender, device, cs02b.MESSAGE_CODES[mode], payload,
        counter=counter, signed=mode not in _MAC_ONLY, mac=mode not in _NO_MAC,
    )  # fmt: skip
