"""Ways to plant a defect into a told run, and to see which checks find it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gateway.campaigns.verify import verify
from protocols.addresses import Eui64
from protocols.duis.alerts import DccAlert, PowerOutageEvent
from protocols.duis.inventory import DspInventory, InventoryDevice
from protocols.duis.requests import Request
from protocols.duis.responses import Content, DccAlertMessage, DeviceAlertMessage, Response, ResponseMessage
from protocols.gbcs.envelope import Message
from protocols.interfaces import SECOND
from protocols.zcl.clusters import ota, tunneling
from protocols.zcl.frame import ZclFrame
from tests.support.honest_story import Story
from tests.support.requirements import found_by_verify
from tests.support.told_run import CHF, Cell, ToldRun


def told() -> Story:
    """Return the honest story, told."""
    story = Story()
    story.tell()
    return story


def failures(story: Story, folder: Path) -> dict[str, str]:
    """Write the run and return the failed requirements with their evidence."""
    failed: dict[str, str] = {}
    for check in verify(story.run.write(folder)):
        if not check.passed:
            failed[check.requirement] = failed.get(check.requirement, "") + check.evidence + "\n"
    found_by_verify.update(failed)
    return failed


# --- the air -------------------------------------------------------------------------------------------------------


def message_of(run: ToldRun, label: str) -> Message:
    command = tunneling.decode(ZclFrame.decode(run.air[label].frame))
    assert isinstance(command, tunneling.TransferData)
    return Message.decode(command.data)


def put_octets(run: ToldRun, label: str, octets: bytes) -> None:
    """Put other GBCS octets into a tunnel frame."""
    item = run.air[label]
    item.frame = tunneling.encode(tunneling.TransferData(1, octets), 1, from_server=item.upward)


def ota_of(run: ToldRun, label: str) -> ota.OtaCommand:
    return ota.decode(ZclFrame.decode(run.air[label].frame))


def put_ota(run: ToldRun, label: str, command: ota.OtaCommand) -> None:
    run.air[label].frame = ota.encode(command, 1)


# --- mailboxes -----------------------------------------------------------------------------------------------------


def request_of(run: ToldRun, label: str) -> Request:
    document = run.sent[label].document
    assert isinstance(document, Request)
    return document


def response_of(run: ToldRun, label: str) -> Response:
    document = run.mail[label].document
    assert isinstance(document, Response)
    return document


def content_of(run: ToldRun, label: str) -> Content | None:
    body = response_of(run, label).body
    assert isinstance(body, ResponseMessage)
    return body.content


def put_content(run: ToldRun, label: str, content: Content) -> None:
    response = response_of(run, label)
    assert isinstance(response.body, ResponseMessage)
    run.mail[label].document = replace(response, body=replace(response.body, content=content))


def put_code(run: ToldRun, label: str, code: str) -> None:
    run.mail[label].document = replace(response_of(run, label), response_code=code)


def change_dcc_alert(run: ToldRun, label: str, change: Callable[[DccAlert], DccAlert]) -> None:
    response = response_of(run, label)
    assert isinstance(response.body, DccAlertMessage)
    body = replace(response.body, alert=change(response.body.alert))
    run.mail[label].document = replace(response, body=body)


def put_alert_octets(run: ToldRun, label: str, octets: bytes) -> None:
    response = response_of(run, label)
    assert isinstance(response.body, DeviceAlertMessage)
    run.mail[label].document = replace(response, body=replace(response.body, gbcs_payload=octets))


def change_entry(run: ToldRun, device: Eui64, change: Callable[[InventoryDevice], InventoryDevice]) -> None:
    """Change what the last 8.2 says of a device."""
    inventory = content_of(run, "8.2 answer")
    assert isinstance(inventory, DspInventory)
    entries = tuple(change(entry) if entry.device_id == device else entry for entry in inventory.devices)
    put_content(run, "8.2 answer", DspInventory(devices=entries))


# --- the store -----------------------------------------------------------------------------------------------------


def row(run: ToldRun, table: str, **wanted: Cell) -> dict[str, Cell]:
    """Return the one row that has these values."""
    (found,) = [r for r in run.rows[table] if all(r[name] == value for name, value in wanted.items())]
    return found


def number(cell: Cell) -> int:
    assert isinstance(cell, int)
    return cell


def deliver_outage(story: Story, audit: dict[str, Cell]) -> None:
    """Let the AD1 of an audit row reach the network operator, and the audit say so."""
    received, started = number(audit["received"]), number(audit["started"])
    alert = PowerOutageEvent(comms_hub_device_id=CHF, start_date_time=started, mpxn="1200010000011")
    story.dcc_alert("planted AD1", "network-operator", received + SECOND // 10, "AD1", alert)
    audit["decision"] = "delivered"
