from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from emulator.wan import Wan, WanSettings, wan_pair
from protocols.interfaces import SECOND


def pair(clock: VirtualClock, **settings: float) -> Wan:
    return wan_pair(
        clock, SeededEntropy(1).random("wan"), WanSettings(delay_up=2 * SECOND, delay_down=3 * SECOND, **settings)
    )


def test_octets_arrive_after_the_delay_of_their_direction() -> None:
    clock, heard = VirtualClock(), list[tuple[int, bytes]]()
    wan = pair(clock)
    wan.hub.attach(lambda octets: heard.append((clock.now(), octets)))
    wan.csp.attach(lambda octets: heard.append((clock.now(), octets)))
    wan.hub.send(b"up")
    wan.csp.send(b"down")
    clock.run_until(10 * SECOND)
    assert heard == [(2 * SECOND, b"up"), (3 * SECOND, b"down")]


def test_what_nobody_listens_to_is_lost() -> None:
    clock, heard = VirtualClock(), list[bytes]()
    wan = pair(clock)
    wan.csp.send(b"nobody attached")
    clock.run_until(10 * SECOND)
    wan.hub.attach(heard.append)
    wan.hub.listening = False
    wan.csp.send(b"no power")
    clock.run_until(20 * SECOND)
    wan.hub.listening = True
    wan.csp.send(b"heard")
    clock.run_until(30 * SECOND)
    assert heard == [b"heard"]
    assert (wan.csp.sent, wan.csp.lost) == (3, 2)


def test_loss_and_doubling_follow_the_seed() -> None:
    def run() -> list[bytes]:
        clock, heard = VirtualClock(), list[bytes]()
        wan = pair(clock, loss=0.3, doubled=0.3)
        wan.csp.attach(heard.append)
        for number in range(200):
            wan.hub.send(bytes((number,)))
        clock.run_until(10 * SECOND)
        return heard

    heard = run()
    assert heard == run()
    assert 110 < len(set(heard)) < 170
    assert len(heard) > len(set(heard)) + 20
