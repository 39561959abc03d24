"""Joins a service user to the DSP; every message it sends and gets is kept in the folder of the run."""

from typing import Protocol, TypeVar

from gateway.assembly.folder import MessageLog, RunFolder
from gateway.assembly.hosts import DspHost
from gateway.assembly.parties import ACB, Parties
from gateway.users.user import ServiceUser, UserRole
from protocols.addresses import Eui64
from protocols.interfaces import Clock, Entropy

User = TypeVar("User", bound=ServiceUser)


class Log(Protocol):
    """Keeps what a user gets or sends."""

    def keep(self, octets: bytes) -> None: ...


def service_user(
    kind: type[User],
    eui: Eui64,
    role: UserRole,
    name: str,
    *,
    folder: RunFolder,
    clock: Clock,
    parties: Parties,
    entropy: Entropy,
    dsp: DspHost,
    logs: tuple[Log, Log] | None = None,
) -> User:
    """Return the user. name: of its folders under `mailboxes/` and `requests/`. logs: in place of those folders."""
    got, sent = logs or (MessageLog(folder, clock, f"mailboxes/{name}"), MessageLog(folder, clock, f"requests/{name}"))

    def send(octets: bytes) -> bytes:
        sent.keep(octets)
        reply = dsp.submit(eui, octets)
        got.keep(reply)
        return reply

    user = kind(
        eui, role, parties.credentials(eui), send, clock,
        entropy=entropy, certificates=parties, dsp=ACB, xml=parties.xml(eui), name=name,
    )  # fmt: skip

    def receive(octets: bytes) -> None:
        got.keep(octets)
        user.receive(octets)

    dsp.register(eui, receive)
    return user
