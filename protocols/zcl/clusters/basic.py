"""Basic cluster (0x0000): attribute ids with their data types. Source: ZCL 07-5123-08 3.2."""

from enum import IntEnum
from typing import Final

from protocols.zcl import data_types

CLUSTER = 0x0000


class Attribute(IntEnum):
    ZCL_VERSION = 0x0000
    APPLICATION_VERSION = 0x0001
    STACK_VERSION = 0x0002
    HARDWARE_VERSION = 0x0003
    MANUFACTURER_NAME = 0x0004
    MODEL_IDENTIFIER = 0x0005
    DATE_CODE = 0x0006
    POWER_SOURCE = 0x0007
    LOCATION_DESCRIPTION = 0x0010
    PHYSICAL_ENVIRONMENT = 0x0011  # 0x01 on a hub, GBCS 10.2.2


TYPES: Final[dict[int, int]] = {
    Attribute.ZCL_VERSION: data_types.UINT8,
    Attribute.APPLICATION_VERSION: data_types.UINT8,
    Attribute.STACK_VERSION: data_types.UINT8,
    Attribute.HARDWARE_VERSION: data_types.UINT8,
    Attribute.MANUFACTURER_NAME: data_types.CHARACTER_STRING,
    Attribute.MODEL_IDENTIFIER: data_types.CHARACTER_STRING,
    Attribute.DATE_CODE: data_types.CHARACTER_STRING,
    Attribute.POWER_SOURCE: data_types.ENUM8,
    Attribute.LOCATION_DESCRIPTION: data_types.CHARACTER_STRING,
    Attribute.PHYSICAL_ENVIRONMENT: data_types.ENUM8,
}
