import pytest

from emulator.devices.communications_hub.image_blocks import Contents, ImageBlocks, Progress, Recipient
from emulator.storage import MemoryStorage
from tests.support.hub_bench import GSME_TYPE, PPMID_TYPE, eui


class PowerCut(Exception):  # noqa: N818 - what happens, not an error
    pass


def fill(blocks: ImageBlocks, image: bytes, request: str) -> Contents:
    written = blocks.write("shared", image)
    contents = Contents(written.number, request, 7, written.digest, (Recipient(eui(1), PPMID_TYPE),))
    blocks.adopt("shared", contents)
    return contents


def test_a_block_survives_a_power_cut_with_its_progress() -> None:
    storage = MemoryStorage()
    blocks = ImageBlocks(storage)
    fill(blocks, b"image", "a:b:1")
    blocks.settle(eui(1), Progress.TRANSFERRED)
    again = ImageBlocks(storage)
    contents = again.contents("shared")
    assert contents is not None
    assert (contents.request_id, contents.version) == ("a:b:1", 7)
    assert contents.recipients == (Recipient(eui(1), PPMID_TYPE, Progress.TRANSFERRED),)
    assert contents.open_recipients == ()
    assert again.image("shared") == b"image"
    assert again.open_for(eui(1)) is None


def test_each_image_is_written_once_and_the_one_before_goes() -> None:
    puts: list[str] = []
    storage = MemoryStorage(puts.append)
    blocks = ImageBlocks(storage)
    fill(blocks, b"first", "a:b:1")
    fill(blocks, b"second", "a:b:2")
    blocks.settle(eui(1), Progress.FAILED)
    assert puts == ["image/shared/0", "block/shared", "image/shared/1", "block/shared", "block/shared"]
    assert storage.cells() == ["block/shared", "image/shared/1"]


@pytest.mark.parametrize(("fatal", "left"), [("image/shared/1", b"first"), ("block/shared", b"first")])
def test_a_cut_while_an_image_is_stored_leaves_the_one_before_whole(fatal: str, left: bytes) -> None:
    def cut(cell: str) -> None:
        if cell == fatal:
            raise PowerCut

    storage = MemoryStorage()
    fill(ImageBlocks(storage), b"first", "a:b:1")
    storage.before_put = cut
    with pytest.raises(PowerCut):
        fill(ImageBlocks(storage), b"second", "a:b:2")
    storage.before_put = None
    again = ImageBlocks(storage)
    assert again.image("shared") == left
    assert storage.cells() == ["block/shared", "image/shared/0"]  # no orphan takes room


def test_a_meter_keeps_its_block_until_it_has_finished() -> None:
    meter = Contents(0, "r", 1, bytes(32), (Recipient(eui(1), GSME_TYPE),))
    display = Contents(0, "r", 1, bytes(32), (Recipient(eui(1), PPMID_TYPE),))
    done = Contents(0, "r", 1, bytes(32), (Recipient(eui(1), GSME_TYPE, Progress.TRANSFERRED),))
    assert (meter.kept, display.kept, done.kept) == (True, False, False)
