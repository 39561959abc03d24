"""What goes into the machines of key establishment (settings) and what comes out of them (effects)."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.crypto.suites import Suite
from protocols.errors import UsageError
from protocols.interfaces import MINUTE, SECOND, LinkKey
from protocols.zcl.clusters.key_establishment import LONGEST_TIME

SHORTEST_ALLOWANCE = 2 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class CbkeSettings:
    """Generate and wait times are s, as they are sent; all others ns. [I]: the standard names no value."""

    ephemeral_data_generate_time: int = 3  # s, told to the partner; as in the examples of annex C.5
    confirm_key_generate_time: int = 6  # s, told to the partner
    ephemeral_duration: int = 0  # what this device really takes to make an ephemeral key
    confirm_duration: int = 0  # and to compute or check a confirmation
    allowance: int = 8 * SECOND  # for transmission with all APS retries, on top of the partner's times [I]
    wait_time: int = 10  # s, told to a partner refused for want of resources [I]
    sessions: int = 4  # a responder serves at once [I]
    retry_after: int = 10 * SECOND  # an initiator, after its first failure; doubled each time [I]
    retry_most: int = 5 * MINUTE  # [I]
    attempts: int | None = None  # an initiator makes; None: until it succeeds [I]

    def __post_init__(self) -> None:
        told = (self.ephemeral_data_generate_time, self.confirm_key_generate_time, self.wait_time)
        if not all(0 <= seconds <= LONGEST_TIME for seconds in told):
            raise UsageError(f"generate and wait times are 0 to {LONGEST_TIME} s, not {told}")
        if self.allowance < SHORTEST_ALLOWANCE:
            raise UsageError("the allowance for transmission is at least 2 s")


class Cause(Enum):
    """Who or what ended an exchange."""

    REFUSED = "refused"  # by us, with a Terminate
    TERMINATED = "terminated"  # by the partner
    UNSUPPORTED = "unsupported"  # the partner's Default Response says it has no such cluster or command
    TIMED_OUT = "timed out"
    NOT_DELIVERED = "not delivered"  # no APS acknowledgement came
    SUPERSEDED = "superseded"  # the partner began anew


# --- effects -------------------------------------------------------------------------------------------------------


class Send(NamedTuple):
    """Send a ZCL frame of the cluster: APS acknowledgement, no APS encryption. Report its fate to `delivered`."""

    partner: Eui64
    endpoint: int  # of the partner
    frame: bytes
    token: int  # for `delivered`


class Established(NamedTuple):
    """`key` is the link key with `partner` from now on, for all endpoints.

    At a responder the partner may have missed the last message: hold the older key beside this one until a frame under
    this one arrives.
    """

    partner: Eui64
    key: LinkKey
    suite: Suite

    def __repr__(self) -> str:
        return f"Established({self.partner}, {self.suite.name})"


class Failed(NamedTuple):
    """An exchange ended without a key.

    At a responder it can follow `Established`: the last message was not acknowledged, or not believed.
    """

    partner: Eui64
    suite: Suite | None  # None: none both sides know
    cause: Cause
    status: int | None = None  # TerminateStatus, of REFUSED and TERMINATED
    retry_at: int | None = None  # ns; None: not again, or not by this side


Effect = Send | Established | Failed
