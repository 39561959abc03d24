"""The remote parties of a test, and what they send to devices."""

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from emulator.entropy import SeededEntropy
from emulator.parts.gbcs_entity import TrustAnchors
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Credentials, KeyPair, RemotePartyRole, TestPki
from protocols.interfaces import SECOND

START = 1_772_442_000 * SECOND  # 2026-03-02T09:00:00Z

SUPPLIER = Eui64(0x90B3D51F30010000)
OTHER_SUPPLIER = Eui64(0x90B3D51F30030000)
NETWORK_OPERATOR = Eui64(0x90B3D51F30020000)
BROKER = Eui64(0x90B3D51F30000002)
RECOVERY = Eui64(0x90B3D51F30000001)
TCOS = Eui64(0x90B3D51F30000004)
WAN_PROVIDER = Eui64(0x90B3D51F30000007)
CONTINGENCY = Eui64(0x70B3D51F300017FF)
LOAD_CONTROLLER = Eui64(0x90B3D51F30010008)


class RenewedEntropy(SeededEntropy):
    """The same authorities with other keys for everybody below them: certificates issued anew."""

    def private_key(self, purpose: str) -> EllipticCurvePrivateKey:
        authority = purpose in ("smki root", "smki issuing", "smki device issuing")
        return super().private_key(purpose if authority else f"renewed {purpose}")


class Parties:
    """The organisations a device may know, under one test PKI."""

    def __init__(self, seed: int = 7, entropy: SeededEntropy | None = None) -> None:
        self.seed = seed
        self.entropy = SeededEntropy(seed) if entropy is None else entropy
        self.pki = TestPki(self.entropy, START)
        self.supplier = self.pki.organisation(SUPPLIER, RemotePartyRole.SUPPLIER)
        self.other_supplier = self.pki.organisation(OTHER_SUPPLIER, RemotePartyRole.SUPPLIER)
        self.operator = self.pki.organisation(NETWORK_OPERATOR, RemotePartyRole.NETWORK_OPERATOR)
        self.broker = self.pki.organisation(BROKER, RemotePartyRole.ACCESS_CONTROL_BROKER)
        self.recovery = self.pki.organisation(RECOVERY, RemotePartyRole.RECOVERY)
        self.tcos = self.pki.organisation(TCOS, RemotePartyRole.TRANSITIONAL_COS)
        self.wan_provider = self.pki.organisation(WAN_PROVIDER, RemotePartyRole.WAN_PROVIDER)
        self.contingency = self.pki.organisation(CONTINGENCY, RemotePartyRole.ROOT)
        self.load_controller = self.pki.organisation(LOAD_CONTROLLER, RemotePartyRole.LOAD_CONTROLLER)

    def renewed(self) -> "Parties":
        """Return the same parties with new keys and certificates of the same authorities."""
        return Parties(self.seed, RenewedEntropy(self.seed))

    @property
    def known(self) -> tuple[Credentials, ...]:
        """Every party of a role that devices can know."""
        return (
            self.supplier, self.operator, self.broker, self.recovery, self.tcos, self.wan_provider, self.contingency,
            self.load_controller,
        )  # fmt: skip

    def all_anchors(self) -> TrustAnchors:
        """Return every cell a device can have, the root included."""
        return TrustAnchors.of(*self.known, root=self.pki.root, top_up=True)

    def xml_user(self, eui: Eui64) -> KeyPair:
        """Return what a user signs its requests with."""
        return self.pki.xml_signing(eui, RemotePartyRole.XML_SIGNING_USER)

    def xml_dsp(self) -> KeyPair:
        """Return what the DSP signs with."""
        return self.pki.xml_signing(BROKER, RemotePartyRole.XML_SIGNING_DSP)

    def anchors(self) -> TrustAnchors:
        """Return what a meter holds."""
        return TrustAnchors.of(self.supplier, self.operator, self.broker)

    def command(
        self,
        sender: Credentials,
        device: Eui64,
        message_code: int,
        payload: bytes,
        *,
        counter: int,
        signed: bool,
        mac: bool = True,
        for_user: tuple[Eui64, int] | None = None,
    ) -> bytes:
        """Return a command under the broker's MAC; `for_user`: party and counter the broker speaks for."""
        message = Message(
            cra=Cra.COMMAND,
            counter=counter,
            originator=sender.eui,
            target=device,
            date_time=b"",
            message_code=message_code,
            supplementary_party=None if for_user is None else for_user[0],
            supplementary_counter=None if for_user is None else for_user[1],
            supplementary_originator_counter=None,
            certificate=b"",
            payload=payload,
            signature=b"",
            mac=None,
        )
        if signed:
            message = security.sign(message, sender.ds_key, self.entropy)
        if not mac:
            return message.encode()
        z = security.shared_secret(self.broker.ka_key, self.pki.device(device).ka_certificate.public_key)
        return security.add_mac(message, z).encode()

    def sign_image(self, octets: bytes) -> bytes:
        return self.entropy.sign(self.supplier.ds_key, octets)
