"""A very small DCC with real codecs and keys: transforms 11.3 and 8.7.1, checks what is signed, lets devices answer.

It decides nothing a DSP decides; it is there so that service users are tested against octets that are not their own.
"""

from collections.abc import Callable

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.duis.bodies import ActivateFirmware, JoinServiceCritical, SignedPreCommand, UnjoinServiceCritical
from protocols.duis.identifiers import RequestId
from protocols.duis.requests import CommandVariant, Request, parse_request
from protocols.duis.responses import (
    DeviceAlertMessage,
    GbcsPayload,
    PreCommand,
    Response,
    ResponseBody,
    ResponseMessage,
)
from protocols.duis.signature import Verdict, XmlSigner, judge
from protocols.duis.times import CANCELLATION_DATE_TIME
from protocols.gbcs import security
from protocols.gbcs.codes import DeviceType
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.smki import XML_SIGNING, RemotePartyRole, TestPki
from protocols.gbcs.use_cases import cs03, cs04, cs06, cs08, ecs52, fdra
from protocols.interfaces import Clock

SUPPLIER = Eui64(0x90B3D51F30010000)
OPERATOR = Eui64(0x90B3D51F30020000)
ACB = Eui64(0x90B3D51F30000002)
ESME = Eui64(0x00DB1234567890A0)
PPMID = Eui64(0x00DB1234567890A4)


class DccResponder:
    """`submit` is what a user's `send` goes to. The rest makes the octets a user receives later."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.entropy = SeededEntropy(7)
        self.pki = TestPki(self.entropy, clock.now())
        self.supplier = self.pki.organisation(SUPPLIER, RemotePartyRole.SUPPLIER)
        self.operator = self.pki.organisation(OPERATOR, RemotePartyRole.NETWORK_OPERATOR)
        self.acb = self.pki.organisation(ACB, RemotePartyRole.ACCESS_CONTROL_BROKER)
        self.repository = Keystore()
        for eui in (ESME, PPMID):
            self.repository.add(self.pki.device(eui), private=False)
        user, dsp = RemotePartyRole.XML_SIGNING_USER, RemotePartyRole.XML_SIGNING_DSP
        self.xml = {
            eui: self.pki.xml_signing(eui, role) for eui, role in ((SUPPLIER, user), (OPERATOR, user), (ACB, dsp))
        }
        for pair in self.xml.values():
            self.repository.add_certificate(XML_SIGNING, pair.certificate)
        self.signer = self.signer_of(ACB)
        self.requests: list[Request] = []
        self.signed: list[Message] = []  # pre-commands that came back with a good signature
        self.code = "I99"  # the answer to everything but a Transform; to a Transform too unless I0, I99
        self.spoil: Callable[[Message], Message] = lambda message: message  # done to each pre-command

    def submit(self, octets: bytes) -> bytes:
        """Answer a request as the DCC does on its synchronous line."""
        request = parse_request(octets)
        user = request.request_id.originator
        role = RemotePartyRole.XML_SIGNING_USER
        found = judge(request.signature, self.xml[user].certificate, role, self._clock.now())
        assert found.verdict is Verdict.VALID, found
        self.requests.append(request)
        content = None
        code = self.code
        if isinstance(request.body, SignedPreCommand):
            message = Message.decode(request.body.gbcs_payload)
            security.verify_signature(message, self.supplier.ds_certificate.public_key)
            self.signed.append(message)
        elif request.command_variant is CommandVariant.TRANSFORM and code[0] == "I":
            content = PreCommand(gbcs_version="4.3", gbcs_payload=self.pre_command(request).encode())
            code = "I0"
        return self._response(code, ResponseMessage(request.service, content), request_id=request.request_id)

    def signer_of(self, eui: Eui64) -> XmlSigner:
        pair = self.xml[eui]
        return XmlSigner(pair.key, pair.certificate, self.entropy)

    def pre_command(self, request: Request) -> Message:
        body, asked = request.body, request.request_id
        if isinstance(body, JoinServiceCritical):
            code, payload = self._join(body.other_device_id)
        elif isinstance(body, UnjoinServiceCritical):
            code, payload = cs04.MESSAGE_CODE_AC, cs04.Command(body.other_device_id).encode()
        else:
            assert isinstance(body, ActivateFirmware)
            date = body.execution_date_time
            time = cs06.CANCEL if date == CANCELLATION_DATE_TIME else date
            code, payload = cs06.MESSAGE_CODE, cs06.Command(body.firmware_hash, asked.counter, time).encode()
        message = Message(
            Cra.COMMAND, asked.counter, asked.originator, asked.target, message_code=code, payload=payload
        )
        return self.spoil(message)

    def _join(self, other: Eui64) -> tuple[int, bytes]:
        """Join with certificates, as a GSME and a PPMID do."""
        certificate = self.pki.device(other).ka_certificate.der
        command = cs03.Command(cs03.MethodAndRole.C, other, DeviceType.PPMID, certificate)
        return cs03.MESSAGE_CODE_C, command.encode()

    def cs06_response(self, request_id: RequestId, version: int) -> Message:
        """The ESME's signed answer to an activation at once."""
        outcome = cs06.Response(cs06.Outcome(cs06.OutcomeCode.SUCCESS, version))
        message = self._answer(request_id, ESME, cs06.MESSAGE_CODE, outcome.encode())
        return security.sign(message, self.pki.device(ESME).ds_key, self.entropy)

    def ecs52_response(self, request_id: RequestId, version: int) -> Message:
        """The ESME's answer to 11.2, with a MAC for the supplier."""
        payload = ecs52.Response(version, counter=request_id.counter & 0xFFFFFF).encode()
        message = self._answer(request_id, ESME, ecs52.MESSAGE_CODE, payload)
        z = security.shared_secret(self.pki.device(ESME).ka_key, self.supplier.ka_certificate.public_key)
        return security.add_mac(message, z)

    def cs08_response(self, request_id: RequestId, version: int) -> Message:
        """The PPMID's answer to 11.2: to the access control broker, with a MAC for it."""
        message = Message(
            Cra.RESPONSE,
            5,
            PPMID,
            ACB,
            message_code=cs08.MESSAGE_CODE,
            supplementary_party=request_id.originator,
            supplementary_counter=request_id.counter,
            payload=cs08.Response(version).encode(),
        )
        z = security.shared_secret(self.pki.device(PPMID).ka_key, self.acb.ka_certificate.public_key)
        return security.add_mac(message, z)

    def receipt_alert(self, image_hash: bytes, counter: int) -> Message:
        """The ESME's 8F72, signed."""
        payload = fdra.Alert(0x8F72, self._clock.now(), image_hash, counter).encode()
        message = Message(Cra.ALERT, counter, ESME, SUPPLIER, message_code=fdra.MESSAGE_CODE, payload=payload)
        return security.sign(message, self.pki.device(ESME).ds_key, self.entropy)

    def deliver(self, request_id: RequestId, service: str, message: Message) -> bytes:
        """The asynchronous response that carries a device's answer."""
        body = ResponseMessage(service, GbcsPayload(message.encode()))
        return self._response("I0", body, request_id=request_id, response_id=request_id.answered)

    def refuse(self, request_id: RequestId, service: str, code: str) -> bytes:
        """The asynchronous response of the DCC itself: E20, E21."""
        return self._response(code, ResponseMessage(service), request_id=request_id)

    def alert(self, code: int, message: Message) -> bytes:
        body = DeviceAlertMessage(alert_code=code, gbcs_payload=message.encode())
        return self._response("I0", body, response_id=RequestId(message.originator, message.target, message.counter))

    def dcc_message(self, user: Eui64, body: ResponseBody) -> bytes:
        return self._response("I0", body, response_id=RequestId(ACB, user, 1))

    def _answer(self, request_id: RequestId, device: Eui64, code: int, payload: bytes) -> Message:
        return Message(Cra.RESPONSE, request_id.counter, device, SUPPLIER, message_code=code, payload=payload)

    def _response(
        self,
        code: str,
        body: ResponseBody,
        *,
        request_id: RequestId | None = None,
        response_id: RequestId | None = None,
    ) -> bytes:
        response = Response(
            request_id=request_id,
            response_id=response_id,
            response_code=code,
            response_date_time=self._clock.now(),
            body=body,
        )
        return self.signer.sign(response.encode())
