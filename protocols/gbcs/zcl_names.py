"""Names of the Zigbee clusters that GBCS payloads use, of their commands and attributes, for people who read a tree.

Commands by direction: to the server of the cluster, and from it. Source: the ZCL and the public GBCS mapping table 3.1.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

SUCCESS = 0x00

GENERAL_COMMANDS = {
    0x00: "Read Attributes",
    0x01: "Read Attributes Response",
    0x02: "Write Attributes",
    0x03: "Write Attributes Undivided",
    0x04: "Write Attributes Response",
    0x05: "Write Attributes No Response",
    0x06: "Configure Reporting",
    0x07: "Configure Reporting Response",
    0x08: "Read Reporting Configuration",
    0x09: "Read Reporting Configuration Response",
    0x0A: "Report Attributes",
    0x0B: "Default Response",
    0x0C: "Discover Attributes",
    0x0D: "Discover Attributes Response",
}

STATUSES = {
    SUCCESS: "success",
    0x01: "failure",
    0x7E: "not authorised",
    0x80: "malformed command",
    0x81: "unsupported cluster command",
    0x82: "unsupported general command",
    0x83: "unsupported manufacturer cluster command",
    0x84: "unsupported manufacturer general command",
    0x85: "invalid field",
    0x86: "unsupported attribute",
    0x87: "invalid value",
    0x88: "read only",
    0x89: "insufficient space",
    0x8A: "duplicate exists",
    0x8B: "not found",
    0x8C: "unreportable attribute",
    0x8D: "invalid data type",
    0x8F: "write only",
    0x93: "action denied",
    0x94: "time-out",
    0x95: "abort",
    0x96: "invalid image",
    0x97: "wait for data",
    0x98: "no image available",
    0x99: "require more image",
    0xC0: "hardware failure",
    0xC1: "software failure",
    0xC2: "calibration error",
}


_NONE: Mapping[int, str] = MappingProxyType({})


class Cluster(NamedTuple):
    name: str
    to_server: Mapping[int, str] = _NONE
    from_server: Mapping[int, str] = _NONE
    attributes: Mapping[int, str] = _NONE


_PRICE = Cluster(
    "Price",
    {
        0x00: "Get Current Price", 0x01: "Get Scheduled Prices", 0x02: "Price Acknowledgement",
        0x03: "Get Block Period", 0x04: "Get Conversion Factor", 0x05: "Get Calorific Value",
        0x06: "Get Tariff Information", 0x07: "Get Price Matrix", 0x08: "Get Block Thresholds",
        0x0B: "Get Billing Period", 0x0C: "Get Consolidated Bill",
    },
    {
        0x00: "Publish Price", 0x01: "Publish Block Period", 0x02: "Publish Conversion Factor",
        0x03: "Publish Calorific Value", 0x04: "Publish Tariff Information", 0x05: "Publish Price Matrix",
        0x06: "Publish Block Thresholds", 0x09: "Publish Billing Period", 0x0A: "Publish Consolidated Bill",
        0x0E: "Cancel Tariff",
    },
    {
        **{0x0100 + number: f"Block {number + 1} Threshold" for number in range(3)},
        0x0202: "Threshold Multiplier", 0x0203: "Threshold Divisor", 0x0301: "Standing Charge",
        0x0302: "Conversion Factor", 0x0303: "Conversion Factor Trailing Digit", 0x0304: "Calorific Value",
        0x0305: "Calorific Value Unit", 0x0306: "Calorific Value Trailing Digit",
        **{0x0400 + number: f"No Tier Block {number + 1} Price" for number in range(4)},
        **{0x0400 + 16 * tier: f"Tier {tier} Block 1 Price" for tier in range(1, 5)},
        0x0615: "Unit of Measure", 0x0616: "Currency", 0x0617: "Price Trailing Digit",
    },
)  # fmt: skip
_METERING = Cluster(
    "Metering",
    {
        0x00: "Get Profile", 0x04: "Schedule Snapshot", 0x05: "Take Snapshot", 0x06: "Get Snapshot",
        0x07: "Start Sampling", 0x08: "Get Sampled Data", 0x09: "Mirror Report Attribute Response",
        0x0A: "Reset Load Limit Counter", 0x0B: "Change Supply", 0x0C: "Local Change Supply",
        0x0D: "Set Supply Status", 0x0E: "Set Uncontrolled Flow Threshold",
    },
    {
        0x00: "Get Profile Response", 0x04: "Schedule Snapshot Response", 0x05: "Take Snapshot Response",
        0x06: "Publish Snapshot", 0x07: "Get Sampled Data Response", 0x08: "Configure Mirror",
        0x0B: "Get Notified Message", 0x0C: "Supply Status Response", 0x0D: "Start Sampling Response",
    },
    {
        0x0000: "Current Summation Delivered", 0x0014: "Supply Status",
        **{0x0100 + 2 * tier: f"Current Tier {tier + 1} Summation Delivered" for tier in range(4)},
        0x0205: "Remaining Battery Life in Days", 0x0206: "Current Meter ID (firmware version)",
        0x0300: "Unit of Measure", 0x0301: "Multiplier", 0x0302: "Divisor", 0x0307: "Site ID",
        0x0607: "Supply Tamper State", 0x0608: "Supply Depletion State",
        **{0x0700 + block: f"Current No Tier Block {block + 1} Summation Delivered" for block in range(4)},
        0x0A00: "Bill to Date Delivered", 0x0B10: "Uncontrolled Flow Threshold",
        0x0B11: "Uncontrolled Flow Threshold Unit of Measure", 0x0B12: "Uncontrolled Flow Multiplier",
        0x0B13: "Uncontrolled Flow Divisor", 0x0B14: "Flow Stabilisation Period", 0x0B15: "Flow Measurement Period",
    },
)  # fmt: skip
_PREPAYMENT = Cluster(
    "Prepayment",
    {
        0x00: "Select Available Emergency Credit", 0x02: "Change Debt", 0x03: "Emergency Credit Setup",
        0x04: "Consumer Top Up", 0x05: "Credit Adjustment", 0x06: "Change Payment Mode",
        0x07: "Get Prepay Snapshot", 0x08: "Get Top Up Log", 0x09: "Set Low Credit Warning Level",
        0x0A: "Get Debt Repayment Log", 0x0B: "Set Maximum Credit Limit", 0x0C: "Set Overall Debt Cap",
    },
    {
        0x01: "Publish Prepay Snapshot", 0x02: "Change Payment Mode Response", 0x03: "Consumer Top Up Response",
        0x05: "Publish Top Up Log", 0x06: "Publish Debt Log",
    },
    {
        0x0000: "Payment Control Configuration", 0x0001: "Credit Remaining", 0x0002: "Emergency Credit Remaining",
        0x0003: "Credit Status", 0x0005: "Accumulated Debt", 0x0006: "Overall Debt Cap",
        0x0010: "Emergency Credit Limit", 0x0011: "Emergency Credit Threshold", 0x0021: "Maximum Credit Limit",
        0x0022: "Maximum Credit per Top Up", 0x0031: "Low Credit Warning Level", 0x0040: "Cut Off Value",
        **{0x0201 + 16 * debt: f"Debt Amount {debt}" for debt in range(1, 4)},
        **{0x0206 + 16 * debt: f"Debt Recovery Frequency {debt}" for debt in range(1, 4)},
        **{0x0207 + 16 * debt: f"Debt Recovery Amount {debt}" for debt in range(1, 4)},
        0x0239: "Debt Recovery Top Up Percentage 3",
    },
)  # fmt: skip
_DEVICE_MANAGEMENT = Cluster(
    "Device Management",
    {
        0x00: "Get Change of Tenancy", 0x01: "Get Change of Supplier", 0x02: "Request New Password",
        0x03: "Get Site ID", 0x04: "Report Event Configuration", 0x05: "Get CIN",
    },
    {
        0x00: "Publish Change of Tenancy", 0x01: "Publish Change of Supplier", 0x02: "Request New Password Response",
        0x03: "Update Site ID", 0x04: "Set Event Configuration", 0x05: "Get Event Configuration", 0x06: "Update CIN",
    },
)  # fmt: skip

CLUSTERS = {
    0x0000: Cluster(
        "Basic", attributes={0x0003: "HW Version", 0x0004: "Manufacturer Name", 0x0005: "Model Identifier"}
    ),
    0x000A: Cluster("Time", attributes={0x0000: "Time", 0x0001: "Time Status"}),
    0x0019: Cluster("OTA Upgrade"),
    0x0700: _PRICE,
    0x0701: Cluster("Demand Response and Load Control"),
    0x0702: _METERING,
    0x0703: Cluster(
        "Messaging",
        {0x00: "Get Last Message", 0x01: "Message Confirmation", 0x02: "Get Message Cancellation"},
        {0x00: "Display Message", 0x01: "Cancel Message", 0x02: "Display Protected Message", 0x03: "Cancel All"},
    ),
    0x0704: Cluster("Tunneling"),
    0x0705: _PREPAYMENT,
    0x0706: Cluster("Energy Management"),
    0x0707: Cluster(
        "Calendar",
        {
            0x00: "Get Calendar", 0x01: "Get Day Profiles", 0x02: "Get Week Profiles", 0x03: "Get Seasons",
            0x04: "Get Special Days", 0x05: "Get Calendar Cancellation",
        },
        {
            0x00: "Publish Calendar", 0x01: "Publish Day Profile", 0x02: "Publish Week Profile",
            0x03: "Publish Seasons", 0x04: "Publish Special Days", 0x05: "Cancel Calendar",
        },
    ),
    0x0708: _DEVICE_MANAGEMENT,
    0x0709: Cluster(
        "Events",
        {0x00: "Get Event Log", 0x01: "Clear Event Log Request"},
        {0x00: "Publish Event", 0x01: "Publish Event Log", 0x02: "Clear Event Log Response"},
    ),
    0x070A: Cluster("MDU Pairing"),
    0x070B: Cluster("Sub-GHz"),
    0x0800: Cluster("Key Establishment"),
}  # fmt: skip
