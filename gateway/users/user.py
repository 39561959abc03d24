"""A service user: sends requests, keeps what it sent and received, checks what devices say."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.users.checks import CheckedMessage, Checker, Repository, describe
from gateway.users.mailbox import Delivery, Mailbox, Predicate, answers
from protocols.addresses import Eui64
from protocols.duis.bodies import (
    LogToRead,
    ReadAlcsData,
    ReadEventOrSecurityLog,
    ReadFirmwareVersion,
    ReadInventory,
    ReadLogPeriod,
    ReadNetworkData,
    RequestBody,
)
from protocols.duis.errors import DuisError
from protocols.duis.identifiers import RequestId
from protocols.duis.requests import CommandVariant, Request
from protocols.duis.responses import (
    DeviceAlertMessage,
    FutureDatedDeviceAlertMessage,
    GbcsPayload,
    Response,
    ResponseMessage,
    parse_response,
)
from protocols.duis.schema import CURRENT_VERSION
from protocols.duis.signature import Judgement, Verdict, XmlSigner, judge
from protocols.errors import DecodeError
from protocols.gbcs.smki import XML_SIGNING, Credentials, KeyPair, RemotePartyRole
from protocols.interfaces import DAY, MILLISECOND, Clock, Entropy


class UserRole(StrEnum):
    """What a user may be towards the DCC."""

    IMPORT_SUPPLIER = "IS"
    EXPORT_SUPPLIER = "ES"
    GAS_SUPPLIER = "GS"
    REGISTERED_SUPPLIER_AGENT = "RSA"
    ELECTRICITY_DISTRIBUTOR = "ED"
    GAS_TRANSPORTER = "GT"
    OTHER_USER = "OU"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it went out."""

    number: int  # from 1
    time: int  # ns UTC
    octets: bytes
    request: Request


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its synchronous answer."""

    request: Request
    delivery: Delivery

    @property
    def request_id(self) -> RequestId:
        return self.request.request_id

    @property
    def code(self) -> str:
        return self.delivery.code

    @property
    def accepted(self) -> bool:
        """Success or warning."""
        return self.code[:1] in ("I", "W")


class ServiceUser:
    """One user with one EUI-64.

    send: takes a request's octets and returns those of its synchronous answer. certificates: the SMKI repository.
    xml: the pair that signs its requests. What it receives must be signed by the DSP.
    """

    def __init__(
        self,
        eui: Eui64,
        role: UserRole,
        credentials: Credentials,
        send: Callable[[bytes], bytes],
        clock: Clock,
        *,
        entropy: Entropy,
        certificates: Repository,
        dsp: Eui64,
        xml: KeyPair,
        name: str = "",
        schema_version: str = CURRENT_VERSION,
    ) -> None:
        self.eui, self.role, self.name = eui, role, name or str(eui)
        self.dsp = dsp  # target of requests that concern no device: the access control broker
        self.schema_version = schema_version
        self.sent: list[Sent] = []
        self.mailbox = Mailbox(self.name, clock)
        self._credentials, self._send, self._clock, self._entropy = credentials, send, clock, entropy
        self._checker = Checker(credentials, certificates)
        self._certificates = certificates
        self._signer = XmlSigner(xml.key, xml.certificate, entropy)
        self._counters: dict[Eui64, int] = {}

    def next_id(self, target: Eui64) -> RequestId:
        """Return the next RequestID: milliseconds since 1970 as counter, always above the last for this target."""
        counter = max(self._clock.now() // MILLISECOND, self._counters.get(target, -1) + 1)
        self._counters[target] = counter
        return RequestId(self.eui, target, counter)

    def request(
        self,
        target: Eui64,
        variant: CommandVariant,
        body: RequestBody,
        *,
        service: str = "",
        request_id: RequestId | None = None,
    ) -> Exchange:
        """Send a request and keep its synchronous answer. `request_id`: of a Transform, for its signed pre-command."""
        request = Request(
            request_id=request_id or self.next_id(target),
            command_variant=variant,
            body=body,
            service=service,
            schema_version=self.schema_version,
        )
        octets = self._signer.sign(request.encode())
        self.sent.append(Sent(len(self.sent) + 1, self._clock.now(), octets, request))
        return Exchange(request, self._keep(self._send(octets), synchronous=True))

    def receive(self, octets: bytes) -> Delivery:
        """Take a response or alert delivered later; `fault` of the delivery tells if it cannot be read or believed."""
        return self._keep(octets, synchronous=False)

    async def wait_for(
        self, predicate: Predicate, *, what: str = "a message", within: int = 7 * DAY, after: int = 0
    ) -> Delivery:
        """Wait for a delivery; see `Mailbox.wait_for`. within: ns."""
        return await self.mailbox.wait_for(predicate, what=what, within=within, after=after)

    async def answer_to(self, exchange: Exchange, *, within: int = 7 * DAY) -> Delivery:
        """Wait for what the device answers to a request that was acknowledged."""
        what = f"answer to {exchange.request.service} {exchange.request_id}"
        return await self.wait_for(answers(exchange.request_id), what=what, within=within)

    def read_inventory(self, device: Eui64) -> Exchange:
        """SR 8.2 by device."""
        return self.request(self.dsp, CommandVariant.DCC_ONLY, ReadInventory(device_id=device))

    def read_version(self, device: Eui64) -> Exchange:
        """SR 11.2."""
        return self.request(device, CommandVariant.TO_DEVICE, ReadFirmwareVersion())

    def read_network_data(self, device: Eui64, begin: int, end: int) -> Exchange:
        """SR 4.10 to an ESME: its average voltages from begin to end (ns UTC), and how many were beyond limits."""
        body = ReadNetworkData(period=ReadLogPeriod(start=begin, end=end))
        return self.request(device, CommandVariant.TO_DEVICE, body)

    def read_switches(self, esme: Eui64) -> Exchange:
        """SR 7.7: the switches an ESME controls, its own and HCALCS, their calendar and state."""
        return self.request(esme, CommandVariant.TO_DEVICE, ReadAlcsData())

    def read_log(self, device: Eui64, log: LogToRead, begin: int, end: int) -> Exchange:
        """SR 6.13 to an ESME: what one of its logs has from begin to end, ns UTC."""
        body = ReadEventOrSecurityLog(period=ReadLogPeriod(start=begin, end=end), log=log)
        return self.request(device, CommandVariant.TO_DEVICE, body)

    def _keep(self, octets: bytes, *, synchronous: bool) -> Delivery:
        response: Response | None = None
        gbcs: CheckedMessage | None = None
        signature = Judgement(Verdict.ABSENT)
        fault = ""
        try:
            read = parse_response(octets)
            signature = self._judge(read)
            if signature.verdict is Verdict.VALID:
                response = read
                gbcs = self._check(read)
            else:
                fault = f"XML signature: {signature.reason}"
        except DuisError as error:
            fault = str(error)
        except DecodeError as error:
            fault = describe(error)
        return self.mailbox.add(octets, response, gbcs, fault, signature.verdict, synchronous=synchronous)

    def _judge(self, response: Response) -> Judgement:
        certificate = self._certificates.certificate(self.dsp, XML_SIGNING)
        return judge(response.signature, certificate, RemotePartyRole.XML_SIGNING_DSP, self._clock.now())

    def _check(self, response: Response) -> CheckedMessage | None:
        payload = _device_message(response)
        if payload is None:
            return None
        checked = self._checker.check(payload)
        if response.response_id is not None and response.response_id.originator != checked.message.originator:
            raise DecodeError(f"from {checked.message.originator}, announced as from {response.response_id.originator}")
        return checked


def _device_message(response: Response) -> bytes | None:
    """Return the octets of what a device sent; None for everything the DCC made itself."""
    body = response.body
    content = body.content if isinstance(body, ResponseMessage) else body
    if isinstance(content, GbcsPayload):
        return content.octets
    if isinstance(content, FutureDatedDeviceAlertMessage | DeviceAlertMessage):
        return content.gbcs_payload
    return None
