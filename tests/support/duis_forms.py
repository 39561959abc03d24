"""The form of the DUIS documents of tests, and a short notation for the elements in them."""

from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.duis.bodies import RequestBody
from protocols.duis.identifiers import RequestId
from protocols.duis.responses import ResponseBody

SUPPLIER = Eui64(0x90B3D51F30010000)
DSP = Eui64(0x90B3D51F30000002)
ESME = Eui64(0x00DB1234567890A0)
CHF = Eui64(0x00DB1234567890A2)
PPMID = Eui64(0x00DB1234567890A4)
NOON = 1_772_452_800_000_000_000  # 2026-03-02T12:00:00Z

REQUEST = """<?xml version="1.0" encoding="UTF-8"?>
<sr:Request xmlns:sr="http://www.dccinterface.co.uk/ServiceUserGateway" schemaVersion="5.5">
  <sr:Header>
    <sr:RequestID>90-B3-D5-1F-30-01-00-00:{target}:1000</sr:RequestID>
    <sr:CommandVariant>{variant}</sr:CommandVariant>
    <sr:ServiceReference>{reference}</sr:ServiceReference>
    <sr:ServiceReferenceVariant>{service}</sr:ServiceReferenceVariant>
  </sr:Header>
  <sr:Body>
{body}
  </sr:Body>
</sr:Request>
"""
RESPONSE = """<?xml version="1.0" encoding="UTF-8"?>
<sr:Response xmlns:sr="http://www.dccinterface.co.uk/ServiceUserGateway" schemaVersion="5.5">
  <sr:Header>
{ids}
    <sr:ResponseCode>{code}</sr:ResponseCode>
    <sr:ResponseDateTime>2026-03-02T12:00:00.000Z</sr:ResponseDateTime>
  </sr:Header>
  <sr:Body>
{body}
  </sr:Body>
</sr:Response>
"""


class RequestCase(NamedTuple):
    target: Eui64
    variant: int
    service: str
    body: RequestBody
    text: str


def tree(*lines: str) -> str:
    """Return lines like `>>Name text` as elements: each `>` is a level, a line without text opens one."""
    written: list[str] = []
    open_names: list[str] = []
    for line in lines:
        name, _, text = line.lstrip(">").partition(" ")
        level = len(line) - len(line.lstrip(">"))
        while len(open_names) > level:
            written.append("  " * (len(open_names) + 1) + f"</sr:{open_names.pop()}>")
        indent = "  " * (level + 2)
        if text == "/":
            written.append(f"{indent}<sr:{name}></sr:{name}>")
        elif text:
            written.append(f"{indent}<sr:{name}>{text}</sr:{name}>")
        else:
            written.append(f"{indent}<sr:{name}>")
            open_names.append(name)
    while open_names:
        written.append("  " * (len(open_names) + 1) + f"</sr:{open_names.pop()}>")
    return "\n".join(written)


SOLICITED = RequestId(SUPPLIER, ESME, 1000)
REQUEST_ID = "    <sr:RequestID>90-B3-D5-1F-30-01-00-00:00-DB-12-34-56-78-90-A0:1000</sr:RequestID>"
RESPONSE_ID = "    <sr:ResponseID>00-DB-12-34-56-78-90-A0:90-B3-D5-1F-30-01-00-00:1000</sr:ResponseID>"
DCC_ALERT_ID = "    <sr:ResponseID>90-B3-D5-1F-30-00-00-02:90-B3-D5-1F-30-01-00-00:5</sr:ResponseID>"
FIRMWARE_REQUEST = RequestId(SUPPLIER, DSP, 7)
FIRMWARE_REQUEST_TEXT = "90-B3-D5-1F-30-01-00-00:90-B3-D5-1F-30-00-00-02:7"


class ResponseCase(NamedTuple):
    code: str
    body: ResponseBody
    text: str
    asked: bool = True  # RequestID is there
    from_device: bool = False  # ResponseID is there

    @property
    def is_dcc_alert(self) -> bool:
        return not self.asked and not self.from_device


def reference(service: str) -> str:
    """Return the two-part number of a service."""
    return ".".join(service.split(".")[:2])


def message(service: str, *content: str) -> str:
    lines = [f">ServiceReference {reference(service)}", f">ServiceReferenceVariant {service}"]
    return tree("ResponseMessage", *lines, *(">" + line for line in content))


def dcc_alert(code: str, *payload: str) -> str:
    return tree("DCCAlertMessage", f">DCCAlertCode {code}", ">DCCAlert", *(">>" + line for line in payload))
