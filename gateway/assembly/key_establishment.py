"""The certificates of key establishment of a run: one test authority for all homes."""

from functools import cache

from gateway.assembly.folder import RunFolder
from protocols.addresses import Eui64
from protocols.crypto.certificate_authority import CertificateAuthority
from protocols.crypto.ecqv import Credentials
from protocols.crypto.suites import Suite
from protocols.interfaces import Entropy

CERTIFICATES = "certificates/cbke.json"
FORMAT = 1


class NodeCertificates:
    """Issues a certificate of suite 2 to each node, once."""

    def __init__(self, entropy: Entropy, now: int) -> None:
        self._authority, self._now = CertificateAuthority(Suite.SUITE_2, entropy), now
        self.of = cache(self._issue)

    def _issue(self, eui: Eui64) -> dict[Suite, Credentials]:
        return {Suite.SUITE_2: self._authority.issue(eui, self._now)}

    def write(self, folder: RunFolder) -> None:
        """Tell whom the nodes of the run trust: what its capture can be judged by. Nothing of it is secret."""
        suite, issuer, public_key = self._authority.authority
        authority = {"suite": int(suite), "issuer": str(issuer), "public_key": public_key.hex()}
        folder.write_json(CERTIFICATES, {"format": FORMAT, "authorities": [authority]})
