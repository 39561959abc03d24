"""Is a certificate good? Path to the root, validity, role, key usage; as a device checks it before it takes one."""

from collections.abc import Iterable

from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs.smki import CERTIFICATE_SIGNING, Certificate, RemotePartyRole
from protocols.gbcs.times import Instant

_LONGEST_PATH = 4  # certificates above the one checked


def check_path(
    certificate: Certificate, issuers: Iterable[Certificate], root: Certificate, at: Instant | None
) -> tuple[Certificate, ...]:
    """Return the authorities from the certificate's issuer up to `root`, each of which signed the one below.

    issuers: authorities that may stand between, in any order, e.g. the path of a CS02b command.
    root: the one authority that is trusted as it is.
    at: every certificate must be valid then; None: validity dates do not count.
    Raises IntegrityError if there is no such path.
    """
    authorities = (root, *issuers)
    path, below = list[Certificate](), certificate
    try:
        check_validity(below, at)
        while below != root:
            if len(path) == _LONGEST_PATH:
                raise IntegrityError("a certificate path that is too long", data=certificate.der)
            below = _issuer_of(below, authorities)
            check_validity(below, at)
            path.append(below)
    except IntegrityError:
        raise
    except DecodeError as error:
        raise IntegrityError(f"a certificate that cannot be read ({error.what})", data=certificate.der) from None
    return tuple(path)


def check_remote_party(certificate: Certificate, role: RemotePartyRole | int, usage: str) -> None:
    """Raise IntegrityError unless the certificate is that of an organisation in `role`, for a key used so.

    usage: `ds`, `ka` or `ca`.
    """
    try:
        found_role, found_usage = certificate.role, certificate.usage
        authority = found_usage == CERTIFICATE_SIGNING
        named = authority or bool(certificate.eui)
    except DecodeError as error:
        raise IntegrityError(f"a certificate that cannot be read ({error.what})", data=certificate.der) from None
    if found_role is None or found_role != role:
        raise IntegrityError(f"a certificate of role {_name(found_role)} instead of {_name(role)}")
    if found_usage != usage or not named or authority != certificate.is_authority:
        raise IntegrityError(f"a certificate for {found_usage} instead of {usage}")


def check_device(certificate: Certificate, eui: int, usage: str) -> None:
    """Raise IntegrityError unless the certificate is that of the device `eui`, for a key used so."""
    try:
        fits = certificate.role is None and certificate.eui == eui and certificate.usage == usage
    except DecodeError as error:
        raise IntegrityError(f"a certificate that cannot be read ({error.what})", data=certificate.der) from None
    if not fits:
        raise IntegrityError(f"not a {usage} certificate of the device {eui:016x}", data=certificate.der)


def check_validity(certificate: Certificate, at: Instant | None) -> None:
    """Raise IntegrityError unless the certificate is valid at an instant; None: at any."""
    if at is not None and not certificate.valid_from <= at < certificate.valid_until + 1_000_000_000:
        raise IntegrityError("a certificate that is not valid at the time", data=certificate.der)


def _issuer_of(certificate: Certificate, authorities: Iterable[Certificate]) -> Certificate:
    """Return the authority that signed the certificate; IntegrityError if none of them did."""
    for authority in authorities:
        if authority.subject != certificate.issuer or not authority.is_authority:
            continue
        if certificate.issuer_key_id not in (None, authority.key_id) or authority.usage != CERTIFICATE_SIGNING:
            continue
        try:
            certificate.verify_issued_by(authority)
        except IntegrityError:
            continue
        return authority
    raise IntegrityError("a certificate that none of the authorities issued", data=certificate.der)


def _name(role: RemotePartyRole | int | None) -> str:
    if role is None:
        return "none"
    return role.name if isinstance(role, RemotePartyRole) else f"{role:02X}"
