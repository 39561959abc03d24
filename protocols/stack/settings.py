"""What a node is, and every time-out and limit of its stack. Times in ns."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from protocols.interfaces import MILLISECOND, MINUTE, SECOND

KeyLog = Callable[[str, bytes], None]  # label, key of 16 octets; what a capture needs to be read


class NodeRole(Enum):
    COORDINATOR = "coordinator"  # trust centre and PAN coordinator: the hub
    ROUTER = "router"  # relays and takes children: bridges, mains-powered devices
    END_DEVICE = "end device"  # receiver always on, no children
    SLEEPY_END_DEVICE = "sleepy end device"  # receiver off, polls its parent


@dataclass(frozen=True, slots=True)
class StackSettings:
    """Defaults follow Zigbee 05-3474-22 unless a line says otherwise."""

    express: bool = True  # ordinary messages take the short way through the layers, see `stack.express`
    # scan and association
    scan_wait: int = 140 * MILLISECOND  # listening for beacons on a channel, ScanDuration 3
    beacon_jitter: int = 40 * MILLISECOND  # before a beacon: routers that do not hear each other answer at once [I]
    response_wait: int = 500 * MILLISECOND  # macResponseWaitTime, about 32 superframes
    authentication_wait: int = 10 * SECOND  # for the network key after association [I]
    join_backoff: int = 1 * SECOND  # first pause after a failed attempt, doubled to `join_backoff_most` [I]
    join_backoff_most: int = 20 * SECOND
    confirm_wait: int = 3 * SECOND  # for the trust centre's answer after the announcement [I]
    child_wait: int = 30 * SECOND  # an associated child without the network key is forgotten [I]
    exchange_link_key: bool = False  # Zigbee 3.0's exchange after joining, for foreign trust centres
    exchange_wait: int = 5 * SECOND  # bdbcTCLinkKeyExchangeTimeout
    exchange_attempts: int = 3  # bdbTCLinkKeyExchangeAttemptsMax
    rejoin_backoff_most: int = 10 * SECOND  # between attempts of a member that has lost its parent [I]
    rejoin_polls: int = 16  # each half of `response_wait`, for the rejoin response [I]
    rejoin_key_polls: int = 40  # the same for the network key that follows an unsecured one [I]
    parent_lost_after: int = 3  # transmissions in a row that the parent did not acknowledge [I]
    end_device_timeout: int = 8  # nwkEndDeviceTimeoutDefault: 0 is 10 s, n is 2^n minutes
    key_unknown_after: int = 3  # frames under an unknown network key, then it is fetched from the trust centre [I]
    # trust centre
    trust_centre_rejoin: bool = True  # members may rejoin without the network key
    permit_seconds: int = 254  # at most, in a Mgmt_Permit_Joining broadcast (ZSE 5.4.1.2)
    permit_renewal: int = 240 * SECOND  # while joining is open (ZSE 5.4.1.2)
    key_repeat: int = 3 * SECOND  # Transport-Key again while no announcement came [I]
    key_repeats: int = 2
    key_switch_wait: int = 30 * SECOND  # between handing a new network key out and Switch-Key [I]
    key_switch_spread: int = 1 * SECOND  # between Switch-Key and the trust centre's own switch [I]
    issue_link_keys: bool = False  # to members that ask, as Zigbee 3.0 wants; Smart Energy does not
    # MAC
    mac_retries: int = 3  # macMaxFrameRetries
    indirect_wait: int = 7_680 * MILLISECOND  # macTransactionPersistenceTime
    poll_period: int = 5 * SECOND  # of a sleepy end device with nothing to expect [I]
    fast_poll_period: int = 250 * MILLISECOND  # while it expects something [I]
    fast_poll_window: int = 4 * SECOND  # after its last frame either way [I]
    receive_window: int = 20 * MILLISECOND  # macMaxFrameTotalWaitTime, after an acknowledgement with the pending bit
    backhaul_channel: int = 26  # of every radio but the first [I]
    # NWK
    radius: int = 30  # 2 * nwkMaxDepth
    unicast_retries: int = 2  # after a missing MAC acknowledgement
    unicast_retry_delay: int = 50 * MILLISECOND
    broadcast_retries: int = 2  # nwkMaxBroadcastRetries
    passive_ack_wait: int = 500 * MILLISECOND  # nwkPassiveAckTimeout
    broadcast_jitter: int = 40 * MILLISECOND  # nwkcMaxBroadcastJitter
    route_wait: int = 700 * MILLISECOND  # for replies to a route request [I]
    route_attempts: int = 3  # nwkcInitialRREQRetries
    route_pause: int = 5 * SECOND  # after a discovery in vain, until the next for the same node [I]
    link_failures: int = 2  # frames in a row that a neighbour did not acknowledge, then it is no next hop [I]
    route_repair_wait: int = 10 * SECOND  # a neighbour that failed is not tried as next hop so long [I]
    link_status_period: int = 15 * SECOND  # nwkLinkStatusPeriod; 0 sends none
    link_status_most: int = 15 * SECOND  # of the pause that doubles while the neighbours stay the same [I]
    mend_source_routes: bool = False  # a router left out at the end of a source route is made good, for foreign hosts
    concentrator_period: int = 0  # between many-to-one route requests of the coordinator; 0 sends none
    counter_jump: int = 1024  # outgoing counters are saved this far ahead [I]
    # APS
    ack_wait: int = 1_600 * MILLISECOND  # apscAckWaitDuration
    sleepy_ack_wait: int = 8 * SECOND  # where the other end polls [I]
    aps_retries: int = 3  # apscMaxFrameRetries
    fragment_limit: int = 61  # octets, largest fragment (zigbee.md 3.7) [I]
    fragment_window: int = 1  # apscMaxWindowSize, 1 to 8, the same at both ends; 1 in Smart Energy [I]
    interframe_delay: int = 50 * MILLISECOND  # apsInterframeDelay, between the fragments of a window [I]
    message_limit: int = 8 * 1024  # octets, longest fragmented message taken or sent [I]
    reassembly_wait: int = 30 * SECOND  # for the next fragment [I]
    duplicate_wait: int = 10 * SECOND  # life of an entry in the duplicate table
    established_keys_only: bool = False  # no application data under a preconfigured link key (ZSE 5.4.7.2)
    extended_nonce: bool = False  # EUI-64 in the APS auxiliary header of data frames; both are accepted
    # ZDP
    query_wait: int = 5 * SECOND  # for an answer, and again `query_retries` times [I]
    query_retries: int = 2
    sleepy_query_wait: int = 12 * SECOND
    restart_backoff_most: int = 1 * MINUTE  # between announcements of a restarted node that got no answer [I]


class NodeStatistics(NamedTuple):
    """Counts since the node was made; power cuts do not clear them."""

    sent: int  # NWK frames originated or relayed, unicast
    received: int  # NWK frames taken for this node
    relayed: int
    broadcasts: int
    retries: int  # APS retransmissions
    failures: int  # sends that ended other than OK
    replays: int  # frames refused for their counter
    refused: int  # frames refused for their MIC, key or form
    duplicates: int
