"""Service requests on both sides of every rule, sent to a bench, and the folder of evidence that they leave."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from firmware_images import product
from gateway.campaigns.verify.registry import SERVICES
from gateway.dsp.records import Device
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.inventory import DeviceStatus, DeviceType, PpmidVariant
from protocols.duis.requests import CommandVariant
from protocols.gbcs import keystore
from protocols.gbcs.smki import XML_SIGNING
from protocols.interfaces import SECOND
from protocols.ota.image import Kind
from tests.support.dsp_bench import (
    BRIDGE,
    ESME,
    ESME_2,
    GSME,
    HCALCS,
    HUB,
    IHD,
    MPAN,
    MPAN_2,
    OTHER_ESME,
    OTHER_HUB,
    OTHER_MPAN,
    PPMID,
    Bench,
    estate,
)
from tests.support.parties import NETWORK_OPERATOR, OTHER_SUPPLIER, SUPPLIER

NEW_BRIDGE, NEW_PPMID, NEW_CAD = (Eui64(0x00DB123456789000 | last) for last in (0xE1, 0xE2, 0xE3))
_NAMES = {SUPPLIER: "supplier", OTHER_SUPPLIER: "other-supplier", NETWORK_OPERATOR: "network-operator"}
_STATUSES = {
    ESME_2: DeviceStatus.SUSPENDED, GSME: DeviceStatus.PENDING, HCALCS: DeviceStatus.WHITELISTED,
    OTHER_HUB: DeviceStatus.PENDING, OTHER_ESME: DeviceStatus.PENDING,
}  # fmt: skip


def installed() -> list[Device]:
    return [replace(each, status=_STATUSES.get(each.device, each.status)) for each in estate()]


def notification(
    eui: Eui64, kind: Kind, variant: PpmidVariant | None, **changes: object
) -> bodies.DevicePrenotification:
    made = product(kind)
    body = bodies.DevicePrenotification(
        device_id=eui, device_manufacturer=f"{made.manufacturer:04X}", device_model=made.model_text,
        device_type=DeviceType.PPMID, smets_chts_version="5.0", firmware_version=f"{made.versions[0]:08X}",
        ppmid_variant=variant,
    )  # fmt: skip
    return replace(body, **changes)  # type: ignore[arg-type]


def recorded(folder: Path) -> Path:
    """Send everything and leave the folder."""
    folder.mkdir(parents=True)
    bench = Bench(url=f"sqlite:///{folder / 'store.db'}", devices=installed())
    send = _sender(bench)
    _read_and_notify(send)
    _update_details(send)
    _update_statuses(send)
    _update_mpxns(send)
    _join(bench)
    _unjoin(bench)
    bench.store.close()
    _write(bench, folder)
    return folder


Send = Callable[..., str]


def _sender(bench: Bench) -> Send:
    def send(body: bodies.RequestBody, user: Eui64 = SUPPLIER) -> str:
        bench.later(SECOND)
        return bench.request(body, user=user).code

    return send


def _read_and_notify(send: Send) -> None:
    for user in (SUPPLIER, OTHER_SUPPLIER, NETWORK_OPERATOR):
        for device in (HUB, ESME_2):
            send(bodies.ReadInventory(device_id=device), user)
    send(notification(NEW_BRIDGE, Kind.BRIDGE1, PpmidVariant.ALT_HAN_BRIDGE_1))
    send(notification(Eui64(0xE9), Kind.PPMID, PpmidVariant.PPMID, device_model="DEADBEEF"))
    send(notification(Eui64(0xE8), Kind.PPMID, PpmidVariant.PPMID, device_model="50:01:02:01"))
    send(notification(NEW_PPMID, Kind.PPMID, PpmidVariant.PPMID), OTHER_SUPPLIER)
    send(notification(Eui64(0xE9), Kind.PPMID, None))
    hcalcs = {"device_type": DeviceType.HCALCS}
    send(notification(Eui64(0xE9), Kind.HCALCS, PpmidVariant.PPMID, **hcalcs))
    send(notification(PPMID, Kind.PPMID, PpmidVariant.PPMID))
    send(notification(Eui64(0xE9), Kind.PPMID, None, device_type=DeviceType.GPF))
    cad = bodies.DevicePrenotification(
        device_id=NEW_CAD, device_manufacturer="Boxes Ltd", device_model="Box", device_type=DeviceType.CAD
    )
    send(cad)
    send(bodies.ReadInventory(device_id=NEW_BRIDGE))


def _update_details(send: Send) -> None:
    amended = bodies.UpdateDeviceDetails(ppmid_variant=PpmidVariant.PPMID)
    for device, user, details in (
        (NEW_PPMID, SUPPLIER, amended),
        (NEW_PPMID, OTHER_SUPPLIER, amended),
        (NEW_PPMID, OTHER_SUPPLIER, bodies.UpdateDeviceDetails()),
        (NEW_PPMID, OTHER_SUPPLIER, bodies.UpdateDeviceDetails(device_model="DEADBEEF")),
        (BRIDGE, SUPPLIER, amended),
        (NEW_CAD, SUPPLIER, bodies.UpdateDeviceDetails(device_model="Other box")),
    ):
        send(bodies.UpdateInventory(device_id=device, change=details), user)
    bridge_2 = bodies.UpdateDeviceDetails(ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_2)
    send(bodies.UpdateInventory(device_id=NEW_BRIDGE, change=bridge_2))
    for device in (NEW_BRIDGE, HUB):
        send(bodies.ReadInventory(device_id=device))
    for device, user in (
        (NEW_PPMID, SUPPLIER), (NEW_PPMID, OTHER_SUPPLIER), (BRIDGE, SUPPLIER),
        (NEW_CAD, OTHER_SUPPLIER), (NEW_CAD, SUPPLIER),
    ):  # fmt: skip
        send(bodies.UpdateInventory(device_id=device, change=bodies.DeleteDevice()), user)


def _update_statuses(send: Send) -> None:
    pending, installed_now = DeviceStatus.PENDING, DeviceStatus.INSTALLED_NOT_COMMISSIONED
    for device, status, user in (
        (GSME, installed_now, OTHER_SUPPLIER), (GSME, pending, SUPPLIER), (GSME, installed_now, SUPPLIER),
        (GSME, pending, SUPPLIER), (HCALCS, installed_now, SUPPLIER), (HCALCS, pending, SUPPLIER),
        (HUB, installed_now, SUPPLIER), (ESME, installed_now, SUPPLIER),
    ):  # fmt: skip
        send(bodies.UpdateInventory(device_id=device, change=bodies.UpdateDeviceStatusExceptCh(status)), user)
    commissioned, withdrawn = DeviceStatus.COMMISSIONED, DeviceStatus.WITHDRAWN
    for device, status, user in (
        (OTHER_HUB, installed_now, OTHER_SUPPLIER), (OTHER_HUB, withdrawn, SUPPLIER),
        (OTHER_HUB, installed_now, SUPPLIER), (OTHER_HUB, commissioned, SUPPLIER),
        (OTHER_HUB, installed_now, SUPPLIER), (OTHER_ESME, commissioned, SUPPLIER), (OTHER_HUB, withdrawn, SUPPLIER),
    ):  # fmt: skip
        send(bodies.UpdateInventory(device_id=device, change=bodies.UpdateDeviceStatusCh(status)), user)


def _update_mpxns(send: Send) -> None:
    for device, numbers, user in (
        (ESME, bodies.UpdateMpxn(import_mpxn=MPAN), SUPPLIER),
        (ESME, bodies.UpdateMpxn(import_mpxn=MPAN), OTHER_SUPPLIER),
        (PPMID, bodies.UpdateMpxn(import_mpxn=MPAN), SUPPLIER), (HCALCS, bodies.UpdateMpxn(import_mpxn=MPAN), SUPPLIER),
        (OTHER_ESME, bodies.UpdateMpxn(import_mpxn=OTHER_MPAN), SUPPLIER),
        (ESME_2, bodies.UpdateMpxn(import_mpxn=MPAN_2), SUPPLIER),
    ):  # fmt: skip
        send(bodies.UpdateInventory(device_id=device, change=numbers), user)


def _join(bench: Bench) -> None:
    for other in (HCALCS, IHD):
        bench.later(SECOND)
        bench.request(bodies.JoinServiceCritical(other_device_id=other), ESME, CommandVariant.TRANSFORM)
    for other in (PPMID, BRIDGE):
        bench.later(SECOND)
        bench.request(bodies.JoinServiceCritical(other_device_id=other), ESME, CommandVariant.TRANSFORM)
        bench.later(SECOND)
        bench.request(bodies.JoinServiceNonCritical(other_device_id=ESME), other, CommandVariant.TO_DEVICE)


def _unjoin(bench: Bench) -> None:
    bench.later(SECOND)
    bench.request(bodies.UnjoinServiceCritical(other_device_id=BRIDGE), ESME, CommandVariant.TRANSFORM)
    bench.later(SECOND)
    bench.request(bodies.UnjoinServiceNonCritical(other_device_id=ESME), BRIDGE, CommandVariant.TO_DEVICE)


def _write(bench: Bench, folder: Path) -> None:
    """Write the transcript as a run leaves it: nothing here looks at the DSP."""
    for what in ("requests", "mailboxes"):
        (folder / what).mkdir()
        for eui, name in _NAMES.items():
            mine = [(time, octets) for kind, user, time, octets in bench.transcript if (kind, user) == (what, eui)]
            lines = [json.dumps({"ns": time, "message": octets.decode()}) + "\n" for time, octets in mine]
            (folder / what / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    for name in ("timeline.jsonl", "wan.jsonl"):
        (folder / name).write_text("")
    summary = {"format": 1, "kind": SERVICES, "devices": [], "xml_signature": "valid"}
    (folder / "summary.json").write_text(json.dumps(summary))
    keystore.write(folder / "certificates", [bench.parties.broker, bench.parties.supplier], private=False)
    for pair in bench.xml.values():
        keystore.write_pair(folder / "certificates", XML_SIGNING, pair, private=False)
