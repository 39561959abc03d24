"""Drivers of the machines without I/O: they carry out what a turn of the CSP or the DSP asks for."""

from collections.abc import Callable, Mapping

from gateway.csp.machine import Csp
from gateway.csp.settings import Effect as CspEffect
from gateway.csp.settings import ToDsp, ToHub
from gateway.csp.settings import WakeAt as CspWakeAt
from gateway.dsp.effects import Note, Reply, ToCsp, ToUser, Turn, WakeAt
from gateway.dsp.machine import Dsp
from gateway.store.store import Store
from protocols.addresses import Eui64
from protocols.errors import UsageError
from protocols.interfaces import Clock, Recorder, Timer, WanLink


class DspHost:
    """Commits what a turn writes, and only then releases its answer and its messages.

    to_csp: takes octets for the CSP. user_delay: ns until an asynchronous message reaches its user.
    """

    def __init__(self, dsp: Dsp, store: Store, clock: Clock, recorder: Recorder, *, user_delay: int) -> None:
        self._dsp, self._store, self._clock, self._recorder = dsp, store, clock, recorder
        self._user_delay = user_delay
        self._users: dict[Eui64, Callable[[bytes], None]] = {}
        self._wake: Timer | None = None
        self.to_csp: Callable[[bytes], None] | None = None

    def register(self, user: Eui64, receive: Callable[[bytes], None]) -> None:
        """Deliver asynchronous messages for `user` to `receive`."""
        self._users[user] = receive

    def begin(self, turn: Turn) -> None:
        """Carry out a turn the DSP made before anything came in."""
        self._carry_out(turn)

    def submit(self, user: Eui64, octets: bytes) -> bytes:
        """Hand in a request of `user` and return the synchronous answer."""
        reply = self._carry_out(self._dsp.submit(user, octets, self._clock.now()))
        if reply is None:
            raise UsageError("the DSP gave a request no answer")
        return reply

    def from_csp(self, octets: bytes) -> None:
        self._carry_out(self._dsp.from_csp(octets, self._clock.now()))

    def _woken(self) -> None:
        self._carry_out(self._dsp.wake(self._clock.now()))

    def _carry_out(self, turn: Turn) -> bytes | None:
        if turn.rows:
            self._store.commit(turn.rows)
        reply = None
        for effect in turn.effects:
            if isinstance(effect, Reply):
                reply = effect.octets
            elif isinstance(effect, ToUser):
                self._deliver(effect)
            elif isinstance(effect, ToCsp) and self.to_csp is not None:
                self.to_csp(effect.octets)
            elif isinstance(effect, WakeAt):
                self._wake_at(effect.when)
            elif isinstance(effect, Note):
                self._recorder.note("dsp", effect.event, **effect.fields)
        return reply

    def _deliver(self, message: ToUser) -> None:
        receive = self._users.get(message.user)
        if receive is not None:
            self._clock.call_at(self._clock.now() + self._user_delay, receive, message.octets)

    def _wake_at(self, when: int) -> None:
        if self._wake is not None:
            self._wake.cancel()
        self._wake = self._clock.call_at(when, self._woken)


class CspHost:
    """Joins the CSP to its hubs' WAN links and to the DSP."""

    def __init__(self, csp: Csp, clock: Clock, to_dsp: Callable[[bytes], None], links: Mapping[Eui64, WanLink]) -> None:
        self._csp, self._clock, self._to_dsp, self._links = csp, clock, to_dsp, dict(links)
        self._wake: Timer | None = None
        for hub, link in links.items():
            link.attach(self._receiver(hub))

    def connect(self, hub: Eui64, link: WanLink) -> None:
        """Serve one more hub."""
        self._links[hub] = link
        link.attach(self._receiver(hub))

    def from_dsp(self, octets: bytes) -> None:
        self._carry_out(self._csp.from_dsp(octets, self._clock.now()))

    def update_hub(self, hub: Eui64, image: bytes) -> None:
        """Have the CSP bring a hub firmware of its own."""
        self._carry_out(self._csp.update_hub(hub, image, self._clock.now()))

    def _receiver(self, hub: Eui64) -> Callable[[bytes], None]:
        return lambda octets: self._carry_out(self._csp.from_hub(hub, octets, self._clock.now()))

    def _woken(self) -> None:
        self._carry_out(self._csp.wake(self._clock.now()))

    def _carry_out(self, effects: list[CspEffect]) -> None:
        for effect in effects:
            if isinstance(effect, ToHub):
                self._clock.call_at(effect.at, self._links[effect.hub].send, effect.octets)
            elif isinstance(effect, ToDsp):
                self._clock.call_at(effect.at, self._to_dsp, effect.octets)
            elif isinstance(effect, CspWakeAt):
                if self._wake is not None:
                    self._wake.cancel()
                self._wake = self._clock.call_at(effect.when, self._woken)
