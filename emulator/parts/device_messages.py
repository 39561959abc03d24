"""GBCS messages between two devices joined by method C: each has the other's key agreement certificate in its log.

They go through the tunnels of both to the hub, which hands them on. What is not proven to come from the other device is
dropped without a word.
"""

from collections.abc import Callable

from emulator.parts.gbcs_application import GbcsApplication
from emulator.parts.joined_devices import JoinedLog
from protocols.addresses import Eui64
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Certificate
from protocols.interfaces import Storage

Obey = Callable[[Message], bytes]
"""Carries out a command and returns the payload of the answer. Raises DecodeError for a bad one."""

Answered = Callable[[Message], object]


class DeviceMessages:
    """send(octets): queues a message for the hub."""

    def __init__(self, application: GbcsApplication, log: JoinedLog, send: Callable[[bytes], None]) -> None:
        self._application, self._log, self._send = application, log, send
        self._entity, self._storage = application.entity, application.storage
        self._commands: dict[int, Obey] = {}
        self._answers: dict[int, Answered] = {}

    def on(self, message_code: int, obey: Obey) -> None:
        self._commands[message_code] = obey

    def on_answer(self, message_code: int, answered: Answered) -> None:
        self._answers[message_code] = answered

    def command(self, message_code: int, target: Eui64, payload: bytes) -> bool:
        """Send a command to a joined device; False if there is none of that name with a certificate."""
        if self._log.certificate(target) is None:
            return False
        with self._storage.transaction():
            self._put(Cra.COMMAND, self._entity.next_counter(), target, message_code, payload)
        return True

    def concerns(self, octets: bytes) -> bool:
        """Tell whether a message names a joined device as its originator."""
        try:
            return self._log.certificate(Message.decode(octets).originator) is not None
        except DecodeError:
            return False

    def take(self, octets: bytes) -> None:
        """Take a message of a joined device."""
        message = Message.decode(octets)
        reason = self._unproven(message)
        try:
            if reason is None:
                with self._storage.transaction():
                    reason = self._serve(message)
        except DecodeError as error:
            reason = f"malformed payload: {error.what}"
        if reason is not None:
            self._application.note("device-message-refused", originator=str(message.originator), reason=reason)

    def _unproven(self, message: Message) -> str | None:
        certificate = self._log.certificate(message.originator)
        if message.target != self._entity.eui or message.signature != b"" or certificate is None:
            return "not of a joined device for this one"
        try:
            security.check_mac(message, self._secret(certificate))
        except IntegrityError:
            return "MAC invalid"
        return None

    def _serve(self, message: Message) -> str | None:
        code = message.message_code
        if message.cra is Cra.RESPONSE:
            answered = self._answers.get(code)
            if answered is not None:
                answered(message)
            return None
        obey = self._commands.get(code)
        if message.cra is not Cra.COMMAND or obey is None:
            return f"use case {code:04X} not supported"
        if message.counter <= _counter(self._storage, cell := f"heard-from/{self._entity.eui}/{message.originator}"):
            return "counter not above the last one"
        self._storage.put(cell, message.counter.to_bytes(8, "big"))
        self._put(Cra.RESPONSE, message.counter, message.originator, code, obey(message))
        return None

    def _put(self, cra: Cra, counter: int, target: Eui64, message_code: int, payload: bytes) -> None:
        """Queue a message under the MAC of both devices' keys."""
        certificate, own = self._log.certificate(target), self._entity.eui
        if certificate is not None:
            message = Message(cra, counter, own, target, message_code=message_code, payload=payload, signature=b"")
            self._send(security.add_mac(message, self._secret(certificate)).encode())

    def _secret(self, certificate: bytes) -> bytes:
        return security.shared_secret(self._entity.credentials.ka_key, Certificate(certificate).public_key)


def _counter(storage: Storage, cell: str) -> int:
    return int.from_bytes(storage.get(cell) or b"", "big")
