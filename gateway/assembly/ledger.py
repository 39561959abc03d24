"""What each device and each request went through in a run, added up from the timeline."""

from collections import Counter
from dataclasses import dataclass

from gateway.assembly.happenings import Fields


@dataclass(slots=True)
class DeviceRecord:
    """Totals over all downloads of one device. Times in ns."""

    blocks: int = 0
    retries: int = 0
    octets: int = 0
    downloading: int = 0  # ns spent in downloads
    refused: int = 0  # images
    activations: int = 0
    _began: int = 0
    _size: int = 0

    def noted(self, now: int, event: str, fields: Fields) -> None:
        if event == "download-started":
            self._began, self._size = now, int(fields["size"] or 0)
        elif event == "download-finished":
            self.blocks += int(fields["blocks"] or 0)
            self.retries += int(fields["retries"] or 0)
            self.octets += self._size
            self.downloading += now - self._began
        elif event == "image-refused":
            self.refused += 1
        elif event == "activated":
            self.activations += 1


class Ledger:
    """Listens to the timeline and keeps a record an actor."""

    def __init__(self) -> None:
        self._records: dict[str, DeviceRecord] = {}
        self.request_signatures: Counter[str] = Counter()  # by the DSP's verdict; empty: it was not looked at

    def noted(self, now: int, actor: str, event: str, fields: Fields) -> None:
        if event == "request":
            self.request_signatures[str(fields.get("signature") or "")] += 1
        self._records.setdefault(actor, DeviceRecord()).noted(now, event, fields)

    def of(self, actor: str) -> DeviceRecord:
        return self._records.get(actor, DeviceRecord())
