"""The cryptographic suites of Smart Energy. Source: ZSE 07-5356 annex C.4."""

from enum import IntEnum
from typing import Final

from protocols.crypto.curves import SECT163K1, SECT283K1, Curve


class Suite(IntEnum):
    """A suite by its bit in KeyEstablishmentSuite; the higher bit wins where both sides offer both."""

    SUITE_1 = 0x0001
    SUITE_2 = 0x0002

    @property
    def curve(self) -> Curve:
        return _CURVES[self]

    @property
    def certificate_octets(self) -> int:
        return _CERTIFICATE_OCTETS[self]


_CURVES: Final = {Suite.SUITE_1: SECT163K1, Suite.SUITE_2: SECT283K1}
_CERTIFICATE_OCTETS: Final = {Suite.SUITE_1: 48, Suite.SUITE_2: 74}
