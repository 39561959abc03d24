"""XML signatures at the DSP: those of users judged, its own made."""

from collections.abc import Mapping

from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis.requests import Request
from protocols.duis.responses import Response
from protocols.duis.signature import Judgement, Verdict, XmlSigner, judge
from protocols.gbcs.smki import XML_SIGNING, Certificate, KeyPair, RemotePartyRole
from protocols.interfaces import Entropy

_LENIENT = (Verdict.VALID, Verdict.ABSENT, Verdict.PLACEHOLDER)


class XmlSignatures:
    """certificates: the SMKI repository, by (entity, usage). pair: the DSP's own for XML signing."""

    def __init__(
        self,
        settings: DspSettings,
        certificates: Mapping[tuple[Eui64, str], Certificate],
        pair: KeyPair,
        entropy: Entropy,
    ) -> None:
        self._accepted = _LENIENT if settings.accept_unsigned else (Verdict.VALID,)
        self._check_answers = settings.check_answers
        self._certificates = certificates
        self._signer = XmlSigner(pair.key, pair.certificate, entropy)

    def judge(self, user: Eui64, request: Request, now: int) -> Judgement:
        """Judge a request by the certificate of the user its line is bound to."""
        certificate = self._certificates.get((user, XML_SIGNING))
        return judge(request.signature, certificate, RemotePartyRole.XML_SIGNING_USER, now)

    def accepts(self, verdict: Verdict) -> bool:
        """Whether a request with this verdict goes on."""
        return verdict in self._accepted

    def seal(self, response: Response) -> bytes:
        """Return a response or alert as signed octets."""
        return self._signer.sign(response.encode(checked=self._check_answers))
