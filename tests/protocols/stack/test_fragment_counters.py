"""An 8-bit counter tells the fragmented messages of a sender apart, so none of the last 64 is used again."""

from emulator.storage import MemoryStorage
from protocols.addresses import Eui64
from protocols.stack.state import NodeState

EUI = Eui64(0x00DB1234567811B3)


def test_a_counter_of_a_recent_fragmented_message_is_not_free() -> None:
    state = NodeState(EUI, MemoryStorage(), 1024, None)
    assert state.claim_for_fragments(246)
    assert not state.claim_for_fragments(246)
    assert state.claim_for_fragments(247)


def test_it_stays_taken_over_a_power_cut_and_is_free_after_64_others() -> None:
    storage = MemoryStorage()
    assert NodeState(EUI, storage, 1024, None).claim_for_fragments(246)
    state = NodeState(EUI, storage, 1024, None)
    assert not state.claim_for_fragments(246)
    assert all(state.claim_for_fragments(counter) for counter in range(64))
    assert state.claim_for_fragments(246)
