"""The access control broker: what the DSP does with keys.

It makes pre-commands, protects commands with its MAC, fronts users whom a device does not know, and judges what devices
send against the certificates of the SMKI repository.
"""

from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.dsp.records import Signature
from protocols.addresses import Eui64
from protocols.duis.identifiers import RequestId
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Certificate, Credentials
from protocols.interfaces import Entropy

# Responses with a MAC and no signature: CCS01 to CCS03, CS03B, CS04B, ECS17b, ECS52, GCS13a, GCS38, CS08.
_NON_CRITICAL_RESPONSES = frozenset(
    {
        0x0001, 0x0002, 0x0003, 0x000E, 0x0010, 0x0027, 0x0039, 0x0048, 0x0049, 0x0059, 0x0074, 0x0084, 0x00B9,
        0x00BB, 0x00BC, 0x0129,
    }
)  # fmt: skip
_NON_CRITICAL_ALERTS = frozenset({0x0018, 0x00B2, 0x00F0, 0x00F2, 0x1001})  # CS14, GCS62, integrity, generic


class Acb:
    """Keys and certificates; no state.

    certificates: the SMKI repository, by (entity, "ds" or "ka").
    """

    def __init__(
        self, credentials: Credentials, certificates: Mapping[tuple[Eui64, str], Certificate], entropy: Entropy
    ) -> None:
        self._credentials, self._certificates, self._entropy = credentials, certificates, entropy
        self._secrets = security.SharedSecrets(credentials.ka_key)

    @property
    def eui(self) -> Eui64:
        return self._credentials.eui

    def reaches(self, device: Eui64) -> bool:
        """Whether the repository has the key a command to the device is protected with."""
        return (device, "ka") in self._certificates

    # --- commands ---

    def pre_command(self, request_id: RequestId, code: int, payload: bytes) -> bytes:
        """Return the pre-command of a critical use case for the user to sign (Transform)."""
        user, device, counter = request_id
        return Message(Cra.COMMAND, counter, user, device, message_code=code, payload=payload).encode()

    def key_agreement_certificate(self, device: Eui64) -> bytes | None:
        """Return the certificate in use of a device, DER; None where the repository has none."""
        certificate = self._certificates.get((device, "ka"))
        return None if certificate is None else certificate.der

    def command(self, message: Message) -> bytes:
        """Return a command with the broker's MAC, whoever its originator is. Raises IntegrityError without a key."""
        z = self._secrets.with_(self._certificate(message.target, "ka").public_key)
        return security.add_mac(message, z).encode()

    def on_behalf(self, device: Eui64, counter: int, user: tuple[Eui64, int], code: int, payload: bytes) -> Message:
        """Return a command of the broker for a user the device does not know.

        counter: the broker's own. user: the user and the counter of its request, which travel in other information.
        """
        party, party_counter = user
        return Message(
            Cra.COMMAND, counter, self.eui, device, message_code=code, supplementary_party=party,
            supplementary_counter=party_counter, payload=payload,
        )  # fmt: skip

    def signed(self, message: Message) -> Message:
        """Return a critical command of the broker with its signature."""
        return security.sign(message, self._credentials.ds_key, self._entropy)

    # --- judging ---

    def verify_user_signature(self, message: Message) -> None:
        """Raise IntegrityError unless the originator's certificate verifies the signature."""
        security.verify_signature(message, self._certificate(message.originator, "ds").public_key)

    def verify_image_signature(self, user: Eui64, image: bytes, signature: bytes) -> None:
        """Raise IntegrityError unless `user` signed the manufacturer image (64 octets r then s)."""
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            key = self._certificate(user, "ds").public_key
            key.verify(encode_dss_signature(r, s), image, ECDSA(SHA256()))
        except InvalidSignature:
            raise IntegrityError(f"signature of the image is not that of {user}") from None

    def judge(self, message: Message) -> Signature:
        """Return what the signature, or the MAC, of a response or alert is worth.

        NONE: there is no signature by rule, and the MAC lies between the device and somebody else.
        """
        try:
            if not self._may_be_unsigned(message):
                if not message.signature:
                    return Signature.ABSENT
                self.verify_user_signature(message)
                return Signature.VALID
            if message.target != self.eui:
                return Signature.NONE
            z = self._secrets.with_(self._certificate(message.originator, "ka").public_key)
            security.check_mac(message, z)
        except (IntegrityError, DecodeError):
            return Signature.INVALID
        return Signature.VALID

    @staticmethod
    def _may_be_unsigned(message: Message) -> bool:
        table = _NON_CRITICAL_ALERTS if message.cra is Cra.ALERT else _NON_CRITICAL_RESPONSES
        return message.message_code in table

    def _certificate(self, entity: Eui64, usage: str) -> Certificate:
        certificate = self._certificates.get((entity, usage))
        if certificate is None:
            raise IntegrityError(f"no {usage} certificate of {entity} in the repository")
        return certificate
