"""Finds the key that opens a captured frame."""

import re
from collections.abc import Callable, Iterable

from protocols.addresses import Eui64
from protocols.aps import security as aps
from protocols.errors import IntegrityError
from protocols.nwk import security as nwk
from protocols.pcapng import CaptureKey

_LINK_LABEL = re.compile(r"^link\b.*\b([0-9a-fA-F]{16})$")


class KeyRing:
    """All keys of a capture. A label `link ... <eui>` tells whose frames to try a key on first; none must be there."""

    def __init__(self, keys: Iterable[CaptureKey]) -> None:
        self._keys: dict[bytes, None] = {}
        self._labelled: dict[Eui64, list[bytes]] = {}
        self._network: dict[tuple[bytes, int], nwk.NwkSecurity] = {}
        self._link: dict[bytes, aps.ApsSecurity] = {}
        self._last_link: dict[tuple[Eui64 | None, Eui64 | None], tuple[bytes, aps.ApsSecurity]] = {}
        for key, label in keys:
            self.add(key)
            if found := _LINK_LABEL.search(label):
                self._labelled.setdefault(Eui64.parse(found[1]), []).append(key)

    def add(self, key: bytes) -> None:
        """Take one more key, e.g. a network key read from a Transport-Key command."""
        self._keys.setdefault(key)

    def find_network_key(self, frame: bytes, header_length: int) -> tuple[bytes, nwk.NwkSecurity]:
        """Return key and security that open a NWK frame; IntegrityError if none does."""
        sequence = nwk.read_auxiliary(frame, header_length).key_sequence
        for key in self._keys:
            candidate = self._network.get((key, sequence))
            if candidate is None:
                candidate = self._network[key, sequence] = nwk.NwkSecurity(key, sequence)
            try:
                candidate.unprotect(frame, header_length)
            except IntegrityError:
                continue
            return key, candidate
        raise IntegrityError("no key opens the NWK frame", offset=header_length, data=frame)

    def open_link(
        self,
        frame: bytes,
        header_length: int,
        source: Eui64 | None,
        destination: Eui64 | None,
        others: Callable[[], list[Eui64]],
    ) -> tuple[bytes, Eui64, bytes]:
        """Return payload, originator and link key of an APS frame; IntegrityError if no key opens it.

        source, destination: who they are as far as known. others: gives EUI-64s to try as originator if
        `source` does not do.
        """
        last = self._last_link.get((source, destination))
        if last is not None:
            try:
                plain, named, _ = last[1].unprotect(frame, header_length, source)
            except IntegrityError:
                pass
            else:
                return plain, named, last[0]
        in_frame = aps.read_auxiliary(frame, header_length).source
        originators = [in_frame] if in_frame is not None else [*([source] if source is not None else []), *others()]
        for originator in originators:
            for key in self._likely(originator, destination):
                candidate = self._link.get(key)
                if candidate is None:
                    candidate = self._link[key] = aps.ApsSecurity(key)
                try:
                    plain, named, _ = candidate.unprotect(frame, header_length, originator)
                except IntegrityError:
                    continue
                self._last_link[source, destination] = key, candidate
                return plain, named, key
        raise IntegrityError("no key opens the APS frame", offset=header_length, data=frame)

    def _likely(self, source: Eui64, destination: Eui64 | None) -> dict[bytes, None]:
        """Return all keys, those labelled with either end first."""
        ends = self._labelled.get(source, []) + ([] if destination is None else self._labelled.get(destination, []))
        return dict.fromkeys(ends) | self._keys
