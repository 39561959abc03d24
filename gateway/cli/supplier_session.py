"""A supplier on its line to a served DSP: it sends, and tells what came."""

import dataclasses
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import typer

from emulator.clock import VirtualClock
from gateway.assembly.system_entropy import SystemEntropy
from gateway.cli.dsp import SOCKET
from gateway.northbound.client import LineClient
from gateway.northbound.folder import identity, repository
from gateway.users.mailbox import Delivery
from gateway.users.supplier import Activation, Supplier
from gateway.users.user import Exchange, UserRole
from protocols.addresses import Eui64
from protocols.duis.codes import RESPONSE_CODES
from protocols.duis.inventory import DspInventory, InventoryDevice
from protocols.duis.responses import DccAlertMessage, DspUpdateFirmwareWarning, DspUpdatePpmidFirmwareWarning
from protocols.errors import HanlabError
from protocols.gbcs.smki import RemotePartyRole

BAD_INPUT = 2
_LEFT_OUT = tuple(field.name for field in dataclasses.fields(DspUpdateFirmwareWarning))
_PATIENCE = 30.0  # seconds for an answer that comes at once


class Session:
    """One line, open as long as the context. Raises InputError where folder, keys or DSP are missing."""

    def __init__(self, folder: Path, socket: Path | None, user: str | None, *, as_json: bool, watch: float) -> None:
        self._as_json, self._watch = as_json, watch
        own = identity(folder, None if user is None else Eui64.parse(user), RemotePartyRole.SUPPLIER)
        broker = identity(folder, None, RemotePartyRole.ACCESS_CONTROL_BROKER).credentials.eui
        self._line = LineClient(socket or folder / SOCKET, str(own.credentials.eui), timeout=_PATIENCE)
        clock = VirtualClock(time.time_ns())  # stands: one command is one moment
        self.supplier = Supplier(
            own.credentials.eui, UserRole.IMPORT_SUPPLIER, own.credentials, self._line.send, clock,
            entropy=SystemEntropy(), certificates=repository(folder), dsp=broker, xml=own.xml,
        )  # fmt: skip

    def critical(self, activation: Activation) -> list[Exchange]:
        """Return the exchanges of a critical request."""
        return [exchange for exchange in (activation.transform, activation.command) if exchange is not None]

    def show(self, exchanges: Iterable[Exchange]) -> bool:
        """Tell what was answered, and what else comes as long as is to be watched; whether all was accepted."""
        accepted = True
        for exchange in exchanges:
            accepted = accepted and exchange.accepted
            request = f"{exchange.request.service} {exchange.request_id}"
            self._tell({"request": request, **_fields(exchange.delivery)}, exchange.delivery)
        for delivery in self._deliveries():
            accepted = accepted and not delivery.fault
            self._tell(_fields(delivery), delivery)
        return accepted

    def _deliveries(self) -> Iterator[Delivery]:
        """Take what waits, and what comes in time; each is acknowledged once it was taken."""
        ends = time.monotonic() + self._watch
        while self._watch > 0 and (left := ends - time.monotonic()) > 0:
            frame = self._line.wait_for(left)
            if frame is None:
                return
            delivery = self.supplier.receive(frame.octets)
            yield delivery
            self._line.acknowledge(frame.number)

    def _tell(self, fields: dict[str, object], delivery: Delivery) -> None:
        content = delivery.content
        devices = [_device(device) for device in content.devices] if isinstance(content, DspInventory) else []
        if self._as_json:
            print(json.dumps(fields | ({"devices": devices} if devices else {})))
            return
        print("  ".join(f"{name}: {value}" if name in _LEFT_OUT else str(value) for name, value in fields.items()))
        for device in devices:
            print("  " + "  ".join(str(value or "-") for value in device.values()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()


def _fields(delivery: Delivery) -> dict[str, object]:
    """Return what is told of an answer, response or alert."""
    content, response = delivery.content, delivery.response
    meaning = RESPONSE_CODES[delivery.code].meaning if delivery.code in RESPONSE_CODES else ""
    fields: dict[str, object] = {"code": delivery.code or "unreadable", "meaning": meaning, "fault": delivery.fault}
    if isinstance(content, DccAlertMessage):
        fields |= {"alert": content.dcc_alert_code, "payload": type(content.alert).__name__}
    elif content is not None:
        fields["content"] = type(content).__name__
    if isinstance(content, DspUpdateFirmwareWarning | DspUpdatePpmidFirmwareWarning):
        fields |= {name: ",".join(eui.hyphenated for eui in getattr(content, name)) for name in _LEFT_OUT}
    if response is not None and response.response_id is not None:
        fields["id"] = str(response.response_id)
    if delivery.gbcs is not None:
        message = delivery.gbcs.message
        fields |= {"from": str(message.originator), "message": f"{message.message_code:04X}"}
        fields |= {"signature": delivery.gbcs.signature, "mac": delivery.gbcs.mac}
    return {name: value for name, value in fields.items() if value}


def _device(device: InventoryDevice) -> dict[str, object]:
    return {
        "device": device.device_id.hyphenated,
        "type": device.device_type,
        "status": device.device_status,
        "product": f"{device.device_manufacturer} {device.device_model}",
        "version": device.device_firmware_version,
        "firmware": device.device_firmware_version_status,
        "variant": device.ppmid_variant or device.esme_variant,
    }


def failure(error: HanlabError) -> typer.Exit:
    """Say what is wrong in one line."""
    print(f"hanlab: {error}", file=sys.stderr)
    return typer.Exit(BAD_INPUT)
