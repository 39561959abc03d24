"""Names of the COSEM classes that GBCS payloads use, and the written form of an instance (OBIS code)."""

CLASSES = {
    1: "Data",
    3: "Register",
    4: "Extended register",
    5: "Demand register",
    6: "Register activation",
    7: "Profile generic",
    8: "Clock",
    9: "Script table",
    10: "Schedule",
    11: "Special days table",
    15: "Association",
    18: "Image transfer",
    20: "Activity calendar",
    21: "Register monitor",
    22: "Single action schedule",
    30: "Data protection",
    40: "Push setup",
    64: "Security setup",
    68: "Arbitrator",
    70: "Disconnect control",
    71: "Limiter",
    101: "ZigBee SAS startup",
    102: "ZigBee SAS join",
    103: "ZigBee SAS APS fragmentation",
    104: "ZigBee network control",
    105: "ZigBee tunnel setup",
    111: "Account",
    112: "Credit",
    113: "Charge",
    115: "Token gateway",
    9000: "GBCS extended data",
}


def obis(instance: bytes) -> str:
    """Return six octets as `1-0:0.2.1.255`."""
    a, b, c, d, e, f = instance
    return f"{a}-{b}:{c}.{d}.{e}.{f}"
