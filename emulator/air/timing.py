"""Times of the 2.4 GHz O-QPSK PHY, 250 kbit/s, in ns. Source: IEEE 802.15.4-2015 clauses 6.2, 8.4, 12."""

SYMBOL = 16_000  # aSymbolDuration: 4 bits
OCTET = 2 * SYMBOL
SHR_PHR_OCTETS = 6  # preamble 4, start of frame 1, length 1
FCS_OCTETS = 2
MAX_PHY_PACKET = 127  # octets, FCS included
TURNAROUND = 12 * SYMBOL  # aTurnaroundTime, receive to transmit
CCA = 8 * SYMBOL
BACKOFF_PERIOD = 20 * SYMBOL  # aUnitBackoffPeriod
ACK_OCTETS = 5
SIFS = 12 * SYMBOL  # after a frame of at most MAX_SIFS_FRAME octets
LIFS = 40 * SYMBOL
MAX_SIFS_FRAME = 18  # aMaxSIFSFrameSize, octets with FCS
MIN_BE, MAX_BE = 3, 5  # backoff exponents
MAX_BACKOFFS = 4  # macMaxCSMABackoffs
ACK_WAIT = 54 * SYMBOL  # macAckWaitDuration, from the end of the frame


def airtime(octets: int) -> int:
    """Return how long a frame of `octets` (FCS included) occupies the air, its SHR and PHR included."""
    return (SHR_PHR_OCTETS + octets) * OCTET


def interframe_space(octets: int) -> int:
    """Return the space after a frame of `octets` (FCS included) before the next one."""
    return SIFS if octets <= MAX_SIFS_FRAME else LIFS


AIRTIME = tuple(airtime(octets) for octets in range(MAX_PHY_PACKET + 1))  # by octets, looked up for each frame
INTERFRAME_SPACE = tuple(interframe_space(octets) for octets in range(MAX_PHY_PACKET + 1))
ACK_AIRTIME = AIRTIME[ACK_OCTETS]
ACK_SPAN = TURNAROUND + ACK_AIRTIME  # from the end of a frame to the end of its acknowledgement
