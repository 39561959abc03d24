"""A small recorded stream whose true causes are known."""

from gateway.campaigns.replay.stream import Activated, Event, OutageReceived, Placed
from protocols.addresses import Eui64
from protocols.interfaces import MINUTE
from tests.support.dsp_bench import ESME, ESME_2, HUB, MPAN, MPAN_2, OTHER_ESME, OTHER_HUB
from tests.support.parties import START


def outage_stream() -> list[Event]:
    """Return one activation on a hub of two meters: its own outage, then real ones inside and outside the window."""

    def outage(minutes: int, cause: str | None, hub: Eui64 = HUB) -> Event:
        now = START + minutes * MINUTE
        told = {"event": "outage", "time": now, "hub": str(hub), "started": now - 3 * MINUTE, "cause": cause}
        return OutageReceived.model_validate(told)

    return [
        *(
            Placed(event="device", time=0, esme=one, hub=HUB, mpxn=mpxn)
            for one, mpxn in ((ESME, MPAN), (ESME_2, MPAN_2))
        ),
        Placed(event="device", time=0, esme=OTHER_ESME, hub=OTHER_HUB, mpxn="3"),
        Activated(event="activation", time=START, esme=ESME, request="r1"),
        outage(4, "activation"),
        outage(8, "mains", OTHER_HUB),
        outage(25, "mains"),
        outage(40, "mains"),
    ]
