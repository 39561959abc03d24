"""What an OTA client asks before a download, and which answers and announcements are for it."""

from protocols.addresses import Eui64
from protocols.interfaces import Random
from protocols.ota.client_types import OtaIdentity, Send, Sequence
from protocols.ota.image import STACK_VERSION_PRO
from protocols.zcl.clusters import ota
from protocols.zcl.frame import ZclFrame, ZclStatus


class Query:
    """The last question: an answer must have its transaction number, and is taken once, also when it comes late."""

    def __init__(self, identity: OtaIdentity, sequence: Sequence) -> None:
        self._identity, self._sequence = identity, sequence
        self._transaction: int | None = None
        self.awaiting = False  # the time for its answer runs
        self.errors = 0  # questions in a row without an answer

    def next_image(self, running_version: int) -> Send:
        """Return Query Next Image."""
        maker, kind, hardware = self._identity
        return self._ask(ota.QueryNextImageRequest(maker, kind, running_version, hardware))

    def specific_file(self, node: Eui64, version: int) -> Send:
        """Return Query Specific File, of the file `version` made for `node`."""
        maker, kind, _ = self._identity
        return self._ask(ota.QuerySpecificFileRequest(node, maker, kind, version, STACK_VERSION_PRO))

    def _ask(self, request: ota.OtaCommand) -> Send:
        self._transaction, self.awaiting = self._sequence.next(), True
        return Send(ota.encode(request, self._transaction))

    def answered_by(self, frame: ZclFrame) -> bool:
        """Return whether `frame` answers the question, which is then settled."""
        if frame.transaction != self._transaction:
            return False
        self.settle()
        return True

    def settle(self) -> None:
        """Expect no answer any more."""
        self._transaction, self.awaiting, self.errors = None, False, 0

    def missed(self) -> None:
        """The time for an answer is over."""
        self.awaiting = False
        self.errors += 1


def refused(offer: ota.QueryNextImageResponse, identity: OtaIdentity, storage_limit: int) -> ZclStatus | None:
    """Return why the client cannot take what is offered, None if it can."""
    if (offer.manufacturer_code, offer.image_type) != identity[:2] or offer.image_size == 0:
        return ZclStatus.INVALID_FIELD
    return ZclStatus.INSUFFICIENT_SPACE if offer.image_size > storage_limit else None


def concerns(notify: ota.ImageNotify, identity: OtaIdentity, versions: tuple[int | None, ...], random: Random) -> bool:
    """Tell whether a broadcast Image Notify leads to a query: it is for this device, and the draw says so.

    versions: those that the device has, which it does not want again.
    """
    wanted = (
        notify.manufacturer_code in (None, ota.WILDCARD_16, identity.manufacturer)
        and notify.image_type in (None, ota.WILDCARD_16, identity.image_type)
        and (notify.new_file_version is None or notify.new_file_version not in versions)
    )
    return wanted and random.randrange(1, 101) <= notify.query_jitter
