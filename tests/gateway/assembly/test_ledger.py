"""What the table of devices is added up from."""

from gateway.assembly.ledger import Ledger
from protocols.interfaces import SECOND


def test_downloads_of_a_device_add_up_and_those_of_others_do_not() -> None:
    ledger = Ledger()
    for begun, size, blocks, retries in ((10, 4_800, 100, 1), (50, 96, 2, 0)):
        ledger.noted(begun * SECOND, "home-1/esme", "download-started", {"version": "01000100", "size": size})
        finished: dict[str, str | int | bool | None] = {"blocks": blocks, "retries": retries}
        ledger.noted((begun + 7) * SECOND, "home-1/esme", "download-finished", finished)
    ledger.noted(60 * SECOND, "home-1/esme", "image-refused", {"reason": "signature"})
    ledger.noted(70 * SECOND, "home-1/esme", "activated", {})
    ledger.noted(71 * SECOND, "home-2/esme", "activated", {})
    record = ledger.of("home-1/esme")
    assert (record.blocks, record.retries, record.octets, record.downloading) == (102, 1, 4_896, 14 * SECOND)
    assert (record.refused, record.activations) == (1, 1)


def test_a_download_that_was_begun_twice_counts_once() -> None:
    """As after a power cut in the middle of it."""
    ledger = Ledger()
    for begun in (10, 40):
        ledger.noted(begun * SECOND, "home-1/esme", "download-started", {"size": 4_800})
    ledger.noted(45 * SECOND, "home-1/esme", "download-finished", {"blocks": 100, "retries": 0})
    record = ledger.of("home-1/esme")
    assert (record.octets, record.downloading) == (4_800, 5 * SECOND)


def test_verdicts_on_requests_are_counted() -> None:
    ledger = Ledger()
    for fields in ({"signature": "valid"}, {"signature": "valid"}, {"signature": "absent"}, {"code": "E40"}):
        ledger.noted(0, "dsp", "request", fields)
    assert ledger.request_signatures == {"valid": 2, "absent": 1, "": 1}


def test_nobody_has_an_empty_record() -> None:
    record = Ledger().of("home-9/esme")
    assert (record.blocks, record.octets, record.activations) == (0, 0, 0)
