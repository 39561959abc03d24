"""The far end of a hub's WAN with the keys of the ACB: sends commands, keeps what comes up."""

from gateway.assembly.parties import ACB, SUPPLIER
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.blocks import is_block
from protocols.gbcs.device_log import LogBackup
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Credentials
from protocols.gbcs.use_cases import ccs01, ccs02, ccs03, ccs08, cs14
from protocols.interfaces import SECOND
from protocols.wan.envelope import FirmwareImageDelivery, GbcsCarried, WanMessage
from protocols.wan.session import WanSession
from tests.support.keyed_home import KeyedHome

_RESEND = 60 * SECOND


class Broker:
    """Serves the hub that is in place; after a swap make another one."""

    def __init__(self, home: KeyedHome, counter: int = 1000) -> None:
        self._home, self._counter = home, counter
        self._session, self._link = WanSession(), home.home.wan.csp
        self.chf = home.home.chf
        self.up: list[WanMessage] = []
        self._link.attach(self._received)
        home.clock.call_at(home.clock.now() + _RESEND, self._resend)

    def _own(self) -> Credentials:
        return self._home.credentials(ACB)

    def _received(self, octets: bytes) -> None:
        arrival = self._session.received(octets)
        if arrival.message is not None:
            self.up.append(arrival.message)
        reply = self._session.accept(arrival)
        if reply is not None:
            self._link.send(reply)

    def _resend(self) -> None:
        """Send again what the hub has not acknowledged, as long as time goes on."""
        for octets in self._session.wake(self._home.clock.now()):
            self._link.send(octets)
        self._home.clock.call_at(self._home.clock.now() + _RESEND, self._resend)

    def down(self, message: WanMessage) -> None:
        _, octets = self._session.send(message, self._home.clock.now())
        self._link.send(octets)

    @property
    def next_counter(self) -> int:
        self._counter += 1
        return self._counter

    def command(self, target: Eui64, code: int, payload: bytes, counter: int) -> None:
        """Send a non-critical command on behalf of the supplier, with the ACB's MAC."""
        message = Message(
            Cra.COMMAND, counter, ACB, target, message_code=code, supplementary_party=SUPPLIER,
            supplementary_counter=counter, payload=payload,
        )  # fmt: skip
        self._send(message)

    def signed(self, target: Eui64, code: int, payload: bytes, counter: int, *, by: Eui64 = SUPPLIER) -> None:
        """Send a critical command signed by the supplier, or by the ACB on its behalf."""
        party = SUPPLIER if by == ACB else None
        message = Message(
            Cra.COMMAND, counter, by, target, message_code=code, supplementary_party=party,
            supplementary_counter=None if party is None else counter, payload=payload,
        )  # fmt: skip
        self._send(security.sign(message, self._home.credentials(by).ds_key, self._home.entropy))

    def _send(self, message: Message) -> None:
        """Add the ACB's MAC and have the hub carry the message."""
        target = message.target
        z = security.shared_secret(self._own().ka_key, self._home.credentials(target).ka_certificate.public_key)
        self.down(GbcsCarried(target, security.add_mac(message, z).encode()))

    def messages(self, code: int) -> list[Message]:
        """Return the GBCS messages of this code that came up."""
        carried = [Message.decode(message.message) for message in self.up if isinstance(message, GbcsCarried)]
        return [message for message in carried if message.message_code == code]

    def alerts(self) -> list[bytes]:
        """Return every alert that came up, as octets, repetitions included."""
        carried = [message.message for message in self.up if isinstance(message, GbcsCarried)]
        return [octets for octets in carried if not is_block(octets) and Message.decode(octets).cra is Cra.ALERT]

    def backup(self) -> LogBackup:
        """Return the device log as the last CS14 told it."""
        last = self.messages(cs14.MESSAGE_CODE)[-1]
        return cs14.Alert.decode(last.payload).log

    def restore(self, backup: LogBackup) -> None:
        """Send CCS03."""
        counter = self.next_counter
        payload = ccs03.Command(backup.extended_pan_id, backup.keys, counter).encode()
        self.command(self.chf, ccs03.MESSAGE_CODE, payload, counter)

    def add(self, device: Eui64, install_code: bytes, kind: ccs01.LogDeviceType) -> None:
        """Send CCS01."""
        counter = self.next_counter
        payload = ccs01.Command(device, install_code, kind, 3600, counter=counter).encode()
        self.command(self.chf, ccs01.MESSAGE_CODE, payload, counter)

    def remove(self, device: Eui64) -> None:
        """Send CCS02."""
        counter = self.next_counter
        self.command(self.chf, ccs02.MESSAGE_CODE, ccs02.Command(device, counter).encode(), counter)

    def deliver(self, image: bytes, device: Eui64, type_code: int = 132) -> None:
        self.down(FirmwareImageDelivery(f"image for {device} {self.next_counter}", ((device, type_code),), image))

    def transfers(self) -> list[ccs08.Alert]:
        """Return the CCS08 alerts, each with a signature of the CHF that verifies."""
        alerts = self.messages(ccs08.MESSAGE_CODE)
        for message in alerts:
            security.verify_signature(message, self._home.credentials(self.chf).ds_certificate.public_key)
        return [ccs08.Alert.decode(message.payload) for message in alerts]
