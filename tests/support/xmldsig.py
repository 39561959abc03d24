"""XML signatures in tests: cut out, templates to be signed by others, and `xmlsec1` as a judge."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from protocols.gbcs.smki import Certificate, KeyPair
from tests.support.tools import require_tool

SIGNATURE = re.compile(rb"<(\w+:)?Signature\b.*</\1Signature>", re.DOTALL)
_VALUES = re.compile(rb"(<ds:(?:DigestValue|SignatureValue)>)[^<]*")
_KEY = re.compile(rb"<ds:X509IssuerName>.*</ds:X509SerialNumber>", re.DOTALL)

PLACEHOLDER = """  <ds:Signature xmlns="http://www.w3.org/2000/09/xmldsig#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
    <!-- values below are placeholders -->
    <ds:SignedInfo>
      <ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
      <ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>
      <ds:Reference URI="">
        <ds:Transforms>
          <ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
        </ds:Transforms>
        <ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
        <ds:DigestValue>ZGVmYXVsdA==</ds:DigestValue>
      </ds:Reference>
    </ds:SignedInfo>
    <ds:SignatureValue>ZGVmYXVsdA==</ds:SignatureValue>
    <ds:KeyInfo>
      <ds:X509Data>
        <ds:X509IssuerSerial>
          <ds:X509IssuerName>CN=U1, OU=07</ds:X509IssuerName>
          <ds:X509SerialNumber>1234567890</ds:X509SerialNumber>
        </ds:X509IssuerSerial>
      </ds:X509Data>
    </ds:KeyInfo>
  </ds:Signature>
"""
"""The dummy that published request templates carry, in their form."""


def unsigned(octets: bytes) -> bytes:
    """Return a document without its signature."""
    return SIGNATURE.sub(b"", octets)


def with_placeholder(octets: bytes) -> bytes:
    """Return an unsigned document with the placeholder of a template."""
    return inserted(octets, PLACEHOLDER.encode())


def inserted(octets: bytes, element: bytes) -> bytes:
    """Return a document with an element before the end of the root."""
    end = octets.rindex(b"</")
    return octets[:end] + element + octets[end:]


def template(octets: bytes) -> bytes:
    """Return a document with an empty signature of the profile, for `xmlsec1 --sign` to fill."""
    empty = with_placeholder(octets).replace(b"<!-- values below are placeholders -->", b"")
    return _KEY.sub(b"", _VALUES.sub(rb"\1", empty))


class Xmlsec:
    """`xmlsec1` with the certificates and keys of a folder."""

    def __init__(self, folder: Path, pair: KeyPair, authorities: Iterable[Certificate]) -> None:
        """authorities: the root first, then those it issued."""
        self._tool, self._folder = require_tool("xmlsec1"), folder
        self._key, self._own = folder / "own.key", folder / "own.pem"
        self._key.write_bytes(_pem(pair.key))
        self._own.write_bytes(pair.certificate.pem)
        self._authorities = [folder / f"authority{n}.pem" for n, _ in enumerate(authorities)]
        for file, certificate in zip(self._authorities, authorities, strict=True):
            file.write_bytes(certificate.pem)

    def verify(self, octets: bytes) -> bool:
        """Tell whether the signature verifies by the certificate its key info names, up to the root."""
        root, *issued = self._authorities
        untrusted = [part for file in (*issued, self._own) for part in ("--untrusted-pem", str(file))]
        done = self._run(
            "--verify", "--trusted-pem", str(root), *untrusted, "--verification-time", "2026-03-02 12:00:00",
            "--enabled-reference-uris", "empty", "--enabled-key-data", "x509", str(self._file("signed.xml", octets)),
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr
        return done.returncode == 0

    def sign(self, octets: bytes) -> bytes:
        """Return a template filled."""
        out = self._folder / "out.xml"
        done = self._run(
            "--sign", "--privkey-pem", f"{self._key},{self._own}", "--output", str(out),
            str(self._file("template.xml", octets)),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return out.read_bytes()

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([self._tool, *arguments], capture_output=True, text=True, check=False, timeout=60)

    def _file(self, name: str, octets: bytes) -> Path:
        file = self._folder / name
        file.write_bytes(octets)
        return file


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def xmlsec_accepts(file: Path, certificate: Path) -> bool:
    """Tell whether `xmlsec1` verifies a file by the key of a certificate."""
    command = [require_tool("xmlsec1"), "--verify", "--enabled-reference-uris", "empty"]
    command += ["--pubkey-cert-pem", str(certificate), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0
