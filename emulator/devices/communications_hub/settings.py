"""Settings of the hub and its table of device types. Times in ns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from emulator.parts.credential_commands import CredentialSettings
from emulator.parts.gbcs_application import RefusalAlerts
from emulator.parts.joined_devices import JoinSettings
from protocols.addresses import Eui64
from protocols.cbke.types import CbkeSettings
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from protocols.ota.server import OtaServerSettings

ESME_BLOCK, SHARED_BLOCK = "esme", "shared"
UNKNOWN_TYPE = 255
"""Not a type of CCS01: a restored log does not tell the types."""


class DeviceType(NamedTuple):
    """What the hub does for a type of its device log."""

    name: str
    counted: bool = False  # against `HubSettings.type_1_capacity`
    tunnel: bool = False  # the hub requests a tunnel for GBCS messages
    fetches: bool = False  # opens the tunnel itself and fetches its messages
    block: str | None = None  # where its images are kept; None: gets no images
    keeps_block: bool = False  # while its image is being passed on, images of other types for the block are discarded
    activates_now: bool = False  # upgrade time "now", else "wait": CS06 activates
    missed: bool = False  # a message that could not be delivered is told by 8F84
    notified: bool = False  # gets Image Notify; a sleepy meter asks by itself


# By the device type of CCS01. Source: GBCS mapping table; blocks: SECMP0007 as digested for the emulator.
DEVICE_TYPES: Mapping[int, DeviceType] = MappingProxyType(
    {
        0: DeviceType("ESME", tunnel=True, block=ESME_BLOCK, missed=True, notified=True),
        1: DeviceType("GSME", fetches=True, block=SHARED_BLOCK, keeps_block=True),
        13: DeviceType("HCALCS", counted=True, tunnel=True, block=SHARED_BLOCK, notified=True),
        128: DeviceType("IHD"),
        130: DeviceType("CAD"),
        132: DeviceType("PPMID", counted=True, tunnel=True, block=SHARED_BLOCK, activates_now=True, notified=True),
        254: DeviceType("GPF"),
    }
)


class InstalledDevice(NamedTuple):
    """A device in the hub's log before the run begins; plain tuples serve."""

    device: Eui64
    type_code: int  # of CCS01
    install_code: bytes  # without its CRC


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSettings:
    """Defaults cite their source; [I] marks an assumption."""

    firmware_version: int = 0x00000001  # 32 bits, the hub's own, answered to ECS52
    secmp0007: bool = True  # its firmware takes images for PPMID and HCALCS; without, only for meters
    endpoint: int = 1  # of the hub on the HAN, 1 to 240
    mirror_endpoint: int = 2  # of the gas meter's mirror
    # supply
    loss_report_after: int = 180 * SECOND  # without supply, until the WAN is told
    hold_up: int = 200 * SECOND  # stored energy [I]
    boot_time: int = 60 * SECOND  # [I]
    own_activation_after: int = 30 * SECOND  # from an image for the hub itself to its restart: answers leave [I]
    # trust centre
    keep_alive_base: int = 60  # minutes: three in a row missed are longer than the outages that end by themselves [I]
    kind_retry: int = MINUTE  # before a device that does not show its endpoints is asked again [I]
    # device log
    log_capacity: int = 16
    historic_capacity: int = 15
    type_1_capacity: int = 6
    installed_join_time: int = 2 * HOUR  # how long devices of `preload` may join [I]
    # tunnels: GBCS 10.2.2
    tunnel_refresh: int = 0xFFFF * SECOND  # after the last tunnel response
    tunnel_busy_wait: int = 3 * MINUTE
    tunnel_answer_wait: int = 10 * SECOND  # for a tunnel response [I]
    tunnel_backoff: int = 30 * SECOND  # first pause after a failed attempt, doubled up to `tunnel_backoff_most` [I]
    tunnel_backoff_most: int = 10 * MINUTE  # [I]
    transfer_retry: int = 30 * SECOND  # after a transfer without acknowledgement [I]
    transfer_doubt: int = 10 * SECOND  # a transfer may still be answered with NO_SUCH_TUNNEL for so long [I]
    queue_expiry: int = DAY
    key_establishment_limit: int | None = 20 * MINUTE  # then a device is removed (ZSE 5.4.7.1); None: never
    cbke: CbkeSettings = field(default_factory=CbkeSettings)
    survey_wait: int = 10 * SECOND  # how long CCS06 waits for devices to answer [I]
    credentials: CredentialSettings = field(default_factory=CredentialSettings)  # of CHF and GPF
    joins: JoinSettings = field(default_factory=JoinSettings)  # of the GPF
    refusal_alerts: RefusalAlerts = field(default_factory=RefusalAlerts)
    # firmware
    notify_repeat: int = 30 * MINUTE  # Image Notify again while a device has not begun [I]
    acknowledge_blocks: bool = False  # APS acknowledgement of each block; the client asks again anyway [I]
    upgrade_delay: int = 0  # from Upgrade End to the activation of a device that the hub activates
    ota: OtaServerSettings = field(default_factory=OtaServerSettings)
    # WAN
    resend_after: int = 60 * SECOND
