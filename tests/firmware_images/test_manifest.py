import pytest

from firmware_images import parse_manifest, product, products
from protocols.errors import InputError
from protocols.ota.image import IMAGE_TYPES, Kind

GOOD = """format: 1
products:
  - {kind: ppmid, manufacturer: "1A04", model: "50010201", image_type: "0084", versions: ["04000000"]}
"""


def test_every_kind_has_one_product_with_the_image_type_the_builder_uses() -> None:
    assert [each.kind for each in products()] == list(Kind)
    assert {each.kind: each.image_type for each in products()} == IMAGE_TYPES


def test_versions_rise_and_are_shared_by_no_two_products() -> None:
    versions = [version for each in products() for version in each.versions]
    assert len(set(versions)) == len(versions)
    assert all(list(each.versions) == sorted(each.versions) for each in products())


def test_the_esme_has_what_the_demo_needs() -> None:
    esme = product(Kind.ESME)
    assert len(esme.versions) >= 4
    assert (esme.hardware_version, esme.model_text) == (0x0102, "E5010102")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format: 2\nproducts: []\n", "format 1 expected"),
        ("format: 1\n", "a list of products"),
        ("[", "not YAML"),
        (GOOD.replace("ppmid", "toaster"), "product 1: unknown kind 'toaster'"),
        (GOOD.replace("1A04", "0x1A"), "product 1: manufacturer: 4 hexadecimal digits"),
        (GOOD.replace('["04000000"]', "[]"), "product 1: versions: a list"),
        (GOOD.replace('"04000000"', "4000000"), "product 1: versions: 8 hexadecimal digits"),
        ("format: 1\nproducts: [1]\n", "product 1: a mapping"),
    ],
)
def test_a_wrong_manifest_names_the_product_and_field(text: str, message: str) -> None:
    assert len(parse_manifest(GOOD)) == 1
    with pytest.raises(InputError, match=message):
        parse_manifest(text)
