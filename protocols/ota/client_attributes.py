"""The attributes of the OTA Upgrade cluster, which the client serves. Source: ZCL 07-5123-08 11.10."""

from typing import Final, NamedTuple

from protocols.addresses import Eui64
from protocols.ota.client_types import ActivationPolicy, ClientState, OtaClientSettings, OtaIdentity
from protocols.ota.image import STACK_VERSION_PRO
from protocols.zcl import data_types
from protocols.zcl.clusters.ota import WILDCARD_16, WILDCARD_32, Attribute, UpgradeStatus

NO_SERVER = Eui64(0xFFFF_FFFF_FFFF_FFFF)

_STATUS: Final = {
    ClientState.DOWNLOADING: UpgradeStatus.DOWNLOAD_IN_PROGRESS,
    ClientState.VERIFYING: UpgradeStatus.DOWNLOAD_COMPLETE,
    ClientState.ENDING: UpgradeStatus.DOWNLOAD_COMPLETE,
    ClientState.WAITING: UpgradeStatus.WAITING_TO_UPGRADE,
    ClientState.COUNTDOWN: UpgradeStatus.COUNT_DOWN,
    ClientState.ACTIVATING: UpgradeStatus.COUNT_DOWN,
}
TYPES: Final = {
    Attribute.UPGRADE_SERVER_ID: data_types.EUI64,
    Attribute.FILE_OFFSET: data_types.UINT32,
    Attribute.CURRENT_FILE_VERSION: data_types.UINT32,
    Attribute.CURRENT_STACK_VERSION: data_types.UINT16,
    Attribute.DOWNLOADED_FILE_VERSION: data_types.UINT32,
    Attribute.DOWNLOADED_STACK_VERSION: data_types.UINT16,
    Attribute.IMAGE_UPGRADE_STATUS: data_types.ENUM8,
    Attribute.MANUFACTURER_ID: data_types.UINT16,
    Attribute.IMAGE_TYPE_ID: data_types.UINT16,
    Attribute.MINIMUM_BLOCK_PERIOD: data_types.UINT16,
    Attribute.IMAGE_STAMP: data_types.UINT32,
    Attribute.UPGRADE_ACTIVATION_POLICY: data_types.ENUM8,
    Attribute.UPGRADE_TIMEOUT_POLICY: data_types.ENUM8,
}


class Progress(NamedTuple):
    """Where a client stands."""

    state: ClientState
    server: Eui64 | None
    running_version: int  # 32 bits
    downloaded_version: int | None  # 32 bits, checked and not activated
    image_stamp: int | None  # 32 bits, of the image that runs
    offset: int | None  # octets, while a download runs
    block_period: int  # 16 bits


def attributes(identity: OtaIdentity, settings: OtaClientSettings, at: Progress) -> dict[Attribute, int]:
    """Return the value of every attribute; what is not there has the standard's default."""
    downloaded = at.downloaded_version
    policy = settings.activation_policy
    status = _STATUS.get(at.state, UpgradeStatus.NORMAL)
    if status is UpgradeStatus.NORMAL and downloaded is not None and policy is ActivationPolicy.OUT_OF_BAND:
        status = UpgradeStatus.WAITING_FOR_EXTERNAL_EVENT
    return {
        Attribute.UPGRADE_SERVER_ID: NO_SERVER if at.server is None else at.server,
        Attribute.FILE_OFFSET: WILDCARD_32 if at.offset is None else at.offset,
        Attribute.CURRENT_FILE_VERSION: at.running_version,
        Attribute.CURRENT_STACK_VERSION: STACK_VERSION_PRO,
        Attribute.DOWNLOADED_FILE_VERSION: WILDCARD_32 if downloaded is None else downloaded,
        Attribute.DOWNLOADED_STACK_VERSION: WILDCARD_16 if downloaded is None else STACK_VERSION_PRO,
        Attribute.IMAGE_UPGRADE_STATUS: status,
        Attribute.MANUFACTURER_ID: identity.manufacturer,
        Attribute.IMAGE_TYPE_ID: WILDCARD_16 if at.offset is None else identity.image_type,
        Attribute.MINIMUM_BLOCK_PERIOD: at.block_period,
        Attribute.IMAGE_STAMP: WILDCARD_32 if at.image_stamp is None else at.image_stamp,
        Attribute.UPGRADE_ACTIVATION_POLICY: policy,
        Attribute.UPGRADE_TIMEOUT_POLICY: settings.timeout_policy,
    }
