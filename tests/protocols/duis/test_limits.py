"""What must not reach the XML parser, or must not be believed: size, document types, encodings, foreign schemas."""

import base64

import pytest

from protocols.duis.binding import MAX_IMAGE
from protocols.duis.bodies import UpdateFirmware, UpdatePpmidFirmware
from protocols.duis.document import MAX_DOCUMENT
from protocols.duis.errors import DuisError
from protocols.duis.requests import CommandVariant, Request, parse_request
from protocols.errors import UsageError
from tests.support.duis_documents import ESME, REQUEST_DOCUMENTS, request_of

GOOD = REQUEST_DOCUMENTS["11.1"]


def with_image(text: bytes) -> bytes:
    return GOOD.replace(b"aW1hZ2U=", text)


def image_of(request: Request) -> bytes:
    assert isinstance(request.body, UpdateFirmware | UpdatePpmidFirmware)
    return request.body.firmware_image


def test_the_largest_image_is_read_and_written() -> None:
    image = bytes(range(250)) * (MAX_IMAGE // 250)
    assert len(image) == 10_240_000
    octets = with_image(base64.b64encode(image))
    request = parse_request(octets)
    assert image_of(request) == image
    assert request.encode() == octets


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"&#13;\n"])
def test_the_largest_image_in_lines_is_read(ending: bytes) -> None:
    text = base64.b64encode(bytes(MAX_IMAGE))
    lines = ending.join(text[i : i + 76] for i in range(0, len(text), 76))
    assert len(image_of(parse_request(with_image(lines)))) == MAX_IMAGE


def test_one_octet_more_is_refused_before_the_xml_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = with_image(base64.b64encode(bytes(MAX_IMAGE + 1)))
    monkeypatch.setattr("protocols.duis.document._tree", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(DuisError, match=r"image of 10,240,001 octets, at most 10,240,000") as caught:
        parse_request(octets)
    assert (caught.value.line, caught.value.element) == (11, "FirmwareImage")


@pytest.mark.parametrize(
    "opening", [b"<FirmwareImage>", b"<x:FirmwareImage >", b'<sr:FirmwareImage\n a="1">', b"<\xc3\xa4:FirmwareImage>"]
)
def test_no_spelling_of_the_element_evades_the_limit(opening: bytes) -> None:
    octets = GOOD.replace(b"<sr:FirmwareImage>aW1hZ2U=", opening + b"A" * (MAX_IMAGE // 3 * 4 + 8))
    with pytest.raises(DuisError, match="at most 10,240,000"):
        parse_request(octets)


def test_an_image_hidden_from_the_search_is_refused_by_its_decoded_size() -> None:
    text = base64.b64encode(bytes(MAX_IMAGE + 1))
    octets = with_image(b"<![CDATA[" + text + b"]]>")
    with pytest.raises(DuisError, match=r"at most 10,240,000") as caught:
        parse_request(octets)
    assert caught.value.element == "FirmwareImage"


def test_our_own_side_cannot_send_a_larger_image() -> None:
    body = UpdateFirmware(firmware_image=bytes(MAX_IMAGE + 1), firmware_version="00000001", device_ids=(ESME,))
    request = Request(request_id=request_of("11.1").request_id, command_variant=CommandVariant.DCC_ONLY, body=body)
    with pytest.raises(UsageError, match="10,240,000"):
        request.encode()


def test_a_document_above_the_limit_is_refused_whatever_it_holds() -> None:
    octets = GOOD + b" " * (MAX_DOCUMENT - len(GOOD))
    assert parse_request(octets) == request_of("11.1")
    with pytest.raises(DuisError, match=r"20,000,001 octets"):
        parse_request(octets + b" ")


LAUGHS = b"".join(b'<!ENTITY e%d "%s">' % (n, (b"&e%d;" % (n - 1)) * 10 if n else b"ha") for n in range(10))


@pytest.mark.parametrize(
    "declaration",
    [
        b"<!DOCTYPE sr:Request>",
        b'<!DOCTYPE sr:Request SYSTEM "file:///etc/passwd">',
        b'<!DOCTYPE sr:Request [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE sr:Request [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]>',
        b"<!DOCTYPE sr:Request [" + LAUGHS + b"]>",
        b"<!-- first --><?and this?>\n <!DOCTYPE sr:Request>",
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_document_type_is_refused(declaration: bytes, mark: bytes) -> None:
    octets = mark + GOOD.replace(b"<sr:Request", declaration + b"\n<sr:Request", 1)
    octets = octets.replace(b"0002012F", b"&x;").replace(b'Version="5.5"', b'Version="&e9;"')
    with pytest.raises(DuisError, match="a document type is not allowed"):
        parse_request(octets)


def test_an_entity_without_document_type_is_refused() -> None:
    with pytest.raises(DuisError) as caught:
        parse_request(GOOD.replace(b"0002012F", b"&secret;"))
    assert caught.value.line == 12


def test_the_word_in_a_comment_is_no_document_type() -> None:
    octets = GOOD.replace(b"<sr:Request", b"<!-- <!DOCTYPE a> -->\n<sr:Request", 1)
    assert parse_request(octets) == request_of("11.1")


@pytest.mark.parametrize("encoding", ["UTF-16", "ISO-8859-1", "windows-1252", "UTF-7"])
def test_another_encoding_is_refused(encoding: str) -> None:
    octets = GOOD.replace(b'encoding="UTF-8"', f'encoding="{encoding}"'.encode())
    with pytest.raises(DuisError, match="encoding UTF-8 expected"):
        parse_request(octets)


def test_utf_16_octets_are_refused() -> None:
    with pytest.raises(DuisError):
        parse_request(GOOD.decode().replace("UTF-8", "UTF-16").encode("utf-16"))


def test_a_byte_order_mark_is_read_over() -> None:
    assert parse_request(b"\xef\xbb\xbf" + GOOD) == request_of("11.1")


def test_a_hint_at_a_schema_is_read_over() -> None:
    """Clients send it; the validator was given its schema and follows no hint (libxml2 does so only without one)."""
    hint = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:own file:///no/such.xsd"'
    octets = GOOD.replace(b"<sr:UpdateFirmware>", f"<sr:UpdateFirmware{hint}>".encode())
    assert parse_request(octets) == request_of("11.1")


def test_text_around_a_comment_is_one_text() -> None:
    octets = GOOD.replace(b"0002012F", b"0002<!-- here -->01<?and?>2F")
    assert parse_request(octets) == request_of("11.1")
