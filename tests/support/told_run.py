"""An output folder written without a run: what was on the air, in the mailboxes and in the store, told item by item.

Every octet is made by the real codecs. Items have labels, so that a test can take one out or change it and see which
check notices. Devices hang on the hub directly; blocks and GBCS messages travel in one hop.
"""

import hashlib
import io
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path

from emulator.entropy import SeededEntropy
from protocols.addresses import COORDINATOR, Eui64, ShortAddress
from protocols.aps.commands import TransportNetworkKey
from protocols.aps.frame import ApsHeader, Fragmentation, FrameType, data_header
from protocols.aps.security import ApsSecurity, KeyId
from protocols.crypto import ecmqv
from protocols.crypto.certificate_authority import TEST_ISSUER, CertificateAuthority
from protocols.crypto.suites import Suite
from protocols.duis.requests import Request
from protocols.duis.responses import Response
from protocols.duis.signature import XmlSigner
from protocols.gbcs import keystore, security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import XML_SIGNING, Credentials, RemotePartyRole, TestPki
from protocols.interfaces import MICROSECOND, SECOND
from protocols.mac.commands import Capability
from protocols.mac.frame import data_frame, fcs
from protocols.nwk.frame import NwkHeader
from protocols.nwk.security import NwkSecurity
from protocols.pcapng import PcapngWriter, key_row
from protocols.zcl.clusters import key_establishment, ota, tunneling
from protocols.zcl.clusters.key_establishment import (
    ConfirmKey,
    EphemeralData,
    InitiateKeyEstablishment,
    KeyEstablishmentCommand,
)
from protocols.zdp import messages as zdp

Cell = str | int | bool | None

START = 1_772_442_000 * SECOND  # 2026-03-02T09:00:00Z
ACB = Eui64(0x90B3D51F30000002)
SUPPLIER = Eui64(0x90B3D51F30010000)
OPERATOR = Eui64(0x90B3D51F30020000)
CHF = Eui64(0x00DB1234567811A2)
HUB_NODE = Eui64(0x00DB1234567811A3)  # the GPF, whose identifier is the node's

_PAN, _SE, _FRAGMENT = 0x1A62, 0x0109, 61
_NETWORK_KEY = bytes(range(0x40, 0x50))


@dataclass
class OnAir:
    """A ZCL frame of a cluster, an APS command, or a broken frame."""

    time: int
    device: Eui64
    upward: bool
    cluster: int
    frame: bytes
    good_fcs: bool = True
    key: bytes | None = None  # another network key than the one that is told
    secured: bool = True  # under the device's link key
    link_key: bytes | None = None  # another than the established one
    partner: Eui64 | None = None  # the other end, by default the hub
    command: KeyId | None = None  # `frame` is an APS command under this key


@dataclass
class Posted:
    """A message in a mailbox, or a request."""

    user: str
    time: int
    document: Response | Request
    signer: Eui64 | None = None  # by default the DSP or the user that the request names
    spoil: Callable[[bytes], bytes] = bytes  # done to the signed octets


@dataclass
class ToldRun:
    """Collects what a run left behind; `write` makes the folder. Labels name items, any order of telling will do."""

    air: dict[str, OnAir] = field(default_factory=dict)
    mail: dict[str, Posted] = field(default_factory=dict)
    sent: dict[str, Posted] = field(default_factory=dict)
    timeline: list[dict[str, Cell]] = field(default_factory=list)
    rows: dict[str, list[dict[str, Cell]]] = field(default_factory=dict)
    devices: list[dict[str, Cell]] = field(default_factory=list)  # of summary.json
    extra_files: dict[str, bytes] = field(default_factory=dict)
    stray_keys: list[bytes] = field(default_factory=list)  # link keys without an owner, in the table all the same
    without: tuple[str, ...] = ()  # files left out
    xml_signature: str = "valid"  # of summary.json

    def __post_init__(self) -> None:
        self.entropy = SeededEntropy(7)
        pki = TestPki(self.entropy, START)
        roles = {
            ACB: RemotePartyRole.ACCESS_CONTROL_BROKER,
            SUPPLIER: RemotePartyRole.SUPPLIER,
            OPERATOR: RemotePartyRole.NETWORK_OPERATOR,
        }
        self.organisations = {eui: pki.organisation(eui, role) for eui, role in roles.items()}
        self.parties: dict[Eui64, Credentials] = self.organisations | {HUB_NODE: pki.device(HUB_NODE)}
        user, dsp = RemotePartyRole.XML_SIGNING_USER, RemotePartyRole.XML_SIGNING_DSP
        self.xml = {eui: pki.xml_signing(eui, dsp if eui == ACB else user) for eui in roles}
        self._pki = pki
        self._transactions = count(1)

    # --- telling -----------------------------------------------------------------------------------------------

    def add_device(self, eui: Eui64, **summary: Cell) -> None:
        self.parties[eui] = self._pki.device(eui)
        self.establish(eui, START)
        self.devices.append({"eui": str(eui), **summary})

    def note(self, time: int, actor: str, event: str, **fields: Cell) -> None:
        line: dict[str, Cell] = {"time": "", "ns": time, "actor": actor, "event": event}
        self.timeline.append(line | fields)

    def row(self, table: str, **values: Cell) -> dict[str, Cell]:
        self.rows.setdefault(table, []).append(values)
        return values

    def carry_ota(self, label: str, time: int, device: Eui64, command: ota.OtaCommand, *, upward: bool) -> None:
        frame = ota.encode(command, next(self._transactions) & 0xFF)
        self.air[label] = OnAir(time, device, upward, ota.CLUSTER, frame)

    def establish(self, eui: Eui64, time: int, label: str = "keys") -> None:
        """Let a device and the hub agree on a link key."""
        for number, (upward, command) in enumerate(key_exchange(eui, label)):
            frame = key_establishment.encode(command, number // 2, from_server=not upward)
            item = OnAir(time, eui, upward, key_establishment.CLUSTER, frame, secured=False)
            self.air[f"{label} {eui} {number}"] = item

    def agree(self, eui: Eui64, partner: Eui64, time: int, label: str) -> None:
        """Let two devices agree on a link key, `eui` beginning."""
        for number, (ours, command) in enumerate(key_exchange(eui, label, partner)):
            frame = key_establishment.encode(command, number // 2, from_server=not ours)
            cluster = key_establishment.CLUSTER
            self.air[f"{label} {number}"] = OnAir(time, eui, ours, cluster, frame, secured=False, partner=partner)

    def carry(self, label: str, time: int, device: Eui64, octets: bytes, *, upward: bool) -> None:
        """Put a GBCS message into the tunnel of a device."""
        data = tunneling.TransferData(1, octets)
        frame = tunneling.encode(data, next(self._transactions) & 0xFF, from_server=upward)
        self.air[label] = OnAir(time, device, upward, tunneling.CLUSTER, frame)

    def receive(self, label: str, user: str, time: int, response: Response) -> None:
        self.mail[label] = Posted(user, time, response)

    def request(self, label: str, user: str, time: int, request: Request) -> None:
        self.sent[label] = Posted(user, time, request)

    # --- GBCS --------------------------------------------------------------------------------------------------

    def signed(self, message: Message, by: Eui64 | None = None) -> Message:
        """Sign with the key of `by`, by default of the originator."""
        return security.sign(message, self.parties[by or message.originator].ds_key, self.entropy)

    def with_mac(self, message: Message) -> Message:
        """Add the MAC between the ACB and the device, or for a read of the supplier between supplier and device."""
        if message.cra is Cra.COMMAND:
            private, public = self.parties[ACB], self.parties[message.target]
        else:
            private, public = self.parties[message.originator], self.parties[message.target]
        return security.add_mac(message, security.shared_secret(private.ka_key, public.ka_certificate.public_key))

    # --- writing -----------------------------------------------------------------------------------------------

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        summary = {"format": 1, "seed": 7, "devices": self.devices, "xml_signature": self.xml_signature}
        (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
        lines = sorted(self.timeline, key=lambda line: int(line["ns"] or 0))
        (folder / "timeline.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        self._write_posted(folder / "mailboxes", self.mail)
        self._write_posted(folder / "requests", self.sent)
        keystore.write(folder / "certificates", self.parties.values(), private=False)
        keystore.write(folder / "keystore", self.parties.values(), private=False)
        keystore.write(folder / "keystore", self.organisations.values(), private=True)
        for pair in self.xml.values():
            keystore.write_pair(folder / "certificates", XML_SIGNING, pair, private=False)
        self._write_capture(folder)
        self._write_store(folder / "store.db")
        for name, octets in self.extra_files.items():
            (folder / name).write_bytes(octets)
        for name in self.without:
            (folder / name).unlink()
        return folder

    def _write_posted(self, folder: Path, posted: dict[str, Posted]) -> None:
        for user in ("supplier", "network-operator"):
            (folder / user).mkdir(parents=True, exist_ok=True)
            mine = sorted((item for item in posted.values() if item.user == user), key=lambda item: item.time)
            for number, item in enumerate(mine, 1):
                (folder / user / f"{number:06d}-{item.time}.xml").write_bytes(self._signed(item))

    def _signed(self, item: Posted) -> bytes:
        named = item.document.request_id.originator if isinstance(item.document, Request) else ACB
        pair = self.xml[item.signer or named]
        return item.spoil(XmlSigner(pair.key, pair.certificate, self.entropy).sign(item.document.encode()))

    def _write_store(self, path: Path) -> None:
        connection = sqlite3.connect(path)
        for table, rows in self.rows.items():
            columns = list(dict.fromkeys(name for row in rows for name in row))
            connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            marks = ", ".join("?" for _ in columns)
            for row in rows:
                connection.execute(f"INSERT INTO {table} VALUES ({marks})", [row.get(name) for name in columns])
        connection.commit()
        connection.close()

    def _write_capture(self, folder: Path) -> None:
        file = io.BytesIO()
        air = _AirWriter(file, [eui for eui in self.parties if eui not in (*self.organisations, HUB_NODE)])
        for item in sorted(self.air.values(), key=lambda item: item.time):
            air.put(item)
        suite, issuer, public_key = certificate_authority().authority
        told = {"suite": int(suite), "issuer": str(issuer), "public_key": public_key.hex()}
        (folder / "certificates" / "cbke.json").write_text(json.dumps({"format": 1, "authorities": [told]}))
        (folder / "capture.pcapng").write_bytes(file.getvalue())
        rows = air.keys + "".join(key_row(key, "link") for key in self.stray_keys)
        (folder / "keys.txt").write_text(rows, encoding="utf-8")


@cache
def certificate_authority(issuer: Eui64 = TEST_ISSUER) -> CertificateAuthority:
    """Return who issues the certificates for key establishment."""
    return CertificateAuthority(Suite.SUITE_2, SeededEntropy(7), issuer)


@cache
def node_certificate(eui: Eui64, issuer: Eui64 = TEST_ISSUER) -> bytes:
    return certificate_authority(issuer).issue(eui, START).certificate.encode()


@cache
def key_exchange(eui: Eui64, label: str, partner: Eui64 = HUB_NODE) -> tuple[tuple[bool, KeyEstablishmentCommand], ...]:
    """Return the six messages, each with whether it is the device's. Nobody can tell whether the MACs are right."""
    random = SeededEntropy(7).random(f"{label} {eui}")
    commands: list[tuple[bool, KeyEstablishmentCommand]] = []
    for upward, who in ((True, eui), (False, partner)):
        commands.append((upward, InitiateKeyEstablishment(Suite.SUITE_2, 3, 6, node_certificate(who))))
    for upward in (True, False):
        point = ecmqv.draw_ephemeral_key(Suite.SUITE_2.curve, random).octets
        commands.append((upward, EphemeralData(point)))
    return (*commands, (True, ConfirmKey(random.randbytes(16))), (False, ConfirmKey(random.randbytes(16))))


def install_code_key(eui: Eui64) -> bytes:
    """Return the link key a device joins with."""
    return hashlib.sha256(b"install code" + eui.big).digest()[:16]


class _AirWriter:
    """Writes frames between the hub and its devices, one hop each, under NWK and link key."""

    def __init__(self, file: io.BytesIO, devices: list[Eui64]) -> None:
        self._writer = PcapngWriter(file)
        self._interface = self._writer.interface("home-1 2.4 GHz")
        self._short = {HUB_NODE: COORDINATOR} | {e: ShortAddress(0x1001 + i) for i, e in enumerate(devices)}
        self._links = {eui: hashlib.sha256(b"link" + eui.big).digest()[:16] for eui in devices}
        self._sequence, self._counter, self._aps = count(1), count(1), count(1)
        self._time = 0
        for eui in devices:
            self._transport_key(eui)
        for eui in (HUB_NODE, *devices):
            self._announce(eui)
        rows = [key_row(_NETWORK_KEY, "nwk home-1")]
        rows += [key_row(install_code_key(eui), f"link {eui}") for eui in devices]
        self.keys = "".join(rows + [key_row(key, f"link {eui}") for eui, key in self._links.items()])

    def _transport_key(self, eui: Eui64) -> None:
        """Bring a device the network key under the key of its install code; only this goes without NWK security."""
        header = ApsHeader(FrameType.COMMAND, 0, 0, 0, 0, next(self._aps) & 0xFF, security=True).encode()
        command = TransportNetworkKey(_NETWORK_KEY, 0, eui, HUB_NODE).encode()
        sealed = ApsSecurity(install_code_key(eui)).protect(
            header, HUB_NODE, next(self._counter), command, key_id=KeyId.KEY_TRANSPORT, extended_nonce=True
        )
        sequence = next(self._sequence) & 0xFF
        nwk = NwkHeader(0, self._short[eui], self._short[HUB_NODE], 1, sequence, security=False).encode()
        octets = data_frame(sequence, _PAN, self._short[eui], self._short[HUB_NODE], nwk + sealed, ack_request=False)
        self._time = max(self._time + MICROSECOND, START)
        self._writer.frame(self._interface, self._time, octets + fcs(octets))

    def _announce(self, eui: Eui64) -> None:
        cluster, payload = zdp.encode(zdp.DeviceAnnounce(self._short[eui], eui, Capability(True)), 1)
        header = ApsHeader(0, 0, cluster, 0, 0, next(self._aps) & 0xFF).encode()
        self._hop(START, eui, eui, header + payload, source_ieee=eui)

    def put(self, item: OnAir) -> None:
        other = item.partner or HUB_NODE
        source, target = (item.device, other) if item.upward else (other, item.device)
        counter = next(self._aps) & 0xFF
        if item.command is not None:
            header = ApsHeader(FrameType.COMMAND, 0, 0, 0, 0, counter, security=True).encode()
            sealed = ApsSecurity(self._links[item.device]).protect(
                header, source, next(self._counter), item.frame, key_id=item.command, extended_nonce=True
            )
            self._hop(item.time, source, target, sealed)
            return
        if not item.secured:
            header = data_header(1, item.cluster, _SE, 1, counter, security=False, ack_request=False)
            self._hop(item.time, source, target, header + item.frame, good_fcs=item.good_fcs, key=item.key)
            return
        blocks = [item.frame[at : at + _FRAGMENT] for at in range(0, len(item.frame), _FRAGMENT)]
        if len(blocks) == 1:
            headers = [data_header(1, item.cluster, _SE, 1, counter, security=True, ack_request=False)]
        else:
            headers = [
                ApsHeader(
                    0, 1, item.cluster, _SE, 1, counter, True, False, 0, False,
                    Fragmentation.OTHER if index else Fragmentation.FIRST, index or len(blocks),
                ).encode()
                for index in range(len(blocks))
            ]  # fmt: skip
        link = ApsSecurity(item.link_key or self._links[item.device])
        for header, block in zip(headers, blocks, strict=True):
            sealed = link.protect(header, source, next(self._counter), block)
            self._hop(item.time, source, target, sealed, good_fcs=item.good_fcs, key=item.key)

    def _hop(
        self,
        time: int,
        source: Eui64,
        target: Eui64,
        payload: bytes,
        *,
        source_ieee: Eui64 | None = None,
        good_fcs: bool = True,
        key: bytes | None = None,
    ) -> None:
        self._time = max(self._time + MICROSECOND, time)
        header = NwkHeader(
            0, self._short[target], self._short[source], 30, next(self._sequence) & 0xFF, source_ieee=source_ieee
        ).encode()
        sealed = NwkSecurity(key or _NETWORK_KEY, 0).protect(header, source, next(self._counter), payload)
        octets = data_frame(
            next(self._sequence) & 0xFF, _PAN, self._short[target], self._short[source], sealed, ack_request=False
        )
        check = fcs(octets) if good_fcs else bytes(value ^ 0xFF for value in fcs(octets))
        self._writer.frame(self._interface, self._time, octets + check)
