"""What a DSP is served from: a folder with `store.db`, `keystore/` and `certificates/`, as `hanlab demo` leaves one."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.errors import InputError
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.smki import (
    DIGITAL_SIGNING,
    KEY_AGREEMENT,
    XML_SIGNING,
    Certificate,
    Credentials,
    KeyPair,
    RemotePartyRole,
)


class Identity(NamedTuple):
    """An organisation with its private keys."""

    credentials: Credentials
    xml: KeyPair  # it signs DUIS documents with


class Repository(Mapping[tuple[Eui64, str], Certificate]):
    """The SMKI repository of some folders, by entity and usage; the first that has a certificate counts."""

    def __init__(self, stores: tuple[Keystore, ...]) -> None:
        self._held = {
            key: certificate
            for store in reversed(stores)
            for key in store.entities()
            if (certificate := store.certificate(*key)) is not None
        }

    def __getitem__(self, key: tuple[Eui64, str]) -> Certificate:
        return self._held[key]

    def __iter__(self) -> Iterator[tuple[Eui64, str]]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def certificate(self, eui: Eui64, usage: str) -> Certificate | None:
        """Return the certificate of an entity for a usage, None if it is not here."""
        return self._held.get((eui, usage))


def repository(folder: Path) -> Repository:
    """Return all certificates of a folder's key stores. Raises InputError if it has none."""
    found = [Keystore.load(path) for name in ("keystore", "certificates") if (path := folder / name).is_dir()]
    if not found:
        raise InputError(f"{folder}: no keystore and no certificates in it; `hanlab dsp init` makes both")
    return Repository(tuple(found))


def identity(folder: Path, eui: Eui64 | None, role: RemotePartyRole) -> Identity:
    """Return an organisation whose private keys are in the folder's key store.

    eui: None for the only one of the role. Raises InputError if there is none, or several, or a key is missing.
    """
    store = Keystore.load(folder / "keystore")
    if eui is None:
        known = [certificate.eui for certificate in store.of_role(role, DIGITAL_SIGNING)]
        if len(known) != 1:
            raise InputError(f"{folder / 'keystore'}: {len(known)} organisations in the role {role.name}; name one")
        eui = known[0]
    ds, ka, xml = (_pair(store, folder, eui, usage) for usage in (DIGITAL_SIGNING, KEY_AGREEMENT, XML_SIGNING))
    return Identity(Credentials(eui, ds.key, ds.certificate, ka.key, ka.certificate), xml)


def _pair(store: Keystore, folder: Path, eui: Eui64, usage: str) -> KeyPair:
    key, certificate = store.private_key(eui, usage), store.certificate(eui, usage)
    if key is None or certificate is None:
        raise InputError(f"{folder / 'keystore'}: no key and certificate {eui}-{usage}")
    return KeyPair(key, certificate)


def has_test_keys(folder: Path) -> bool:
    """Tell whether the keys of a folder follow from a seed, so that anybody can make them."""
    try:
        told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        raise InputError(f"{folder / 'summary.json'}: cannot be read") from None
    return isinstance(told, dict) and "seed" in told
