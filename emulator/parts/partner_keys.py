"""The link keys of a device with others of its HAN, the hub apart: how they come and who hears of them.

Methods of a join [I: the public text of GBCS gives codes and messages, not the steps on the HAN]:

* A: the initiator asks the trust centre for a partner link key (Request-Key, type 0x02), which the trust centre sends
  to both; then it runs certificate-based key establishment with the other, whose key takes that one's place.
* B: the partner link key of the trust centre is the key.

The other side takes a key only if `wanted` says so, and lets itself be begun with only if `responds` says so and the
trust centre's key is there. Source: ZSE 07-5356 5.4.7.4.
"""

from collections.abc import Callable

from emulator.parts.han_application import KEY_ESTABLISHMENT, HanApplication
from emulator.parts.key_establishment import KeyEstablishment
from protocols.addresses import Eui64
from protocols.cbke.types import Failed
from protocols.gbcs.codes import JoinCode
from protocols.interfaces import Discovered, MatchDescriptor
from protocols.stack.node import Node
from protocols.zcl.clusters.key_establishment import TerminateStatus
from protocols.zcl.protection import SMART_ENERGY

Done = Callable[[JoinCode], object]

CODES: dict[int, JoinCode] = {
    TerminateStatus.UNKNOWN_ISSUER: JoinCode.UNKNOWN_ISSUER,
    TerminateStatus.BAD_KEY_CONFIRM: JoinCode.BAD_KEY_CONFIRM,
    TerminateStatus.BAD_MESSAGE: JoinCode.BAD_MESSAGE,
    TerminateStatus.NO_RESOURCES: JoinCode.NO_RESOURCES,
    TerminateStatus.UNSUPPORTED_SUITE: JoinCode.UNSUPPORTED_SUITE,
    TerminateStatus.INVALID_CERTIFICATE: JoinCode.INVALID_OR_MISSING_CERTIFICATE,
}
"""What a join comes to when its key establishment ends with a Terminate, whoever sent it."""


class PartnerKeys:
    """`ready` listeners hear of each partner that may be spoken to, `gone` ones of each whose key is dropped."""

    def __init__(self, node: Node, application: HanApplication, keys: KeyEstablishment | None) -> None:
        """keys: None for a device without certificates, whose method A is that of B."""
        self._node, self._application = node, application
        self._exchanges = None if keys is None else keys.partners
        self.wanted: Callable[[Eui64], bool] = lambda partner: True
        self.responds: Callable[[Eui64], bool] = lambda partner: False
        self._ready: list[Callable[[Eui64], object]] = []
        self._gone: list[Callable[[Eui64], object]] = []
        self._queue: list[tuple[Eui64, bool, Done]] = []  # partner, by certificates, done; the first is under way
        node.watch_partner_keys(self)
        if self._exchanges is not None:
            self._exchanges.admits = lambda who: self.responds(who) and self.has(who)
            self._exchanges.agreed = self._tell_ready

    def listen(self, ready: Callable[[Eui64], object], gone: Callable[[Eui64], object]) -> None:
        self._ready.append(ready)
        self._gone.append(gone)

    def joined(self) -> None:
        """There is (again) a network: drop keys that nobody wants, tell of the others, begin again what was begun."""
        for partner in self._node.partners:
            if not self.wanted(partner):
                self.drop(partner)
            elif self._complete(partner):
                self._tell_ready(partner)
        self._next()

    def stop(self) -> None:
        """Forget what is under way: the power went, or the network is left."""
        self._queue.clear()

    # --- beginning ---------------------------------------------------------------------------------------------

    def establish(self, partner: Eui64, done: Done, *, certificates: bool) -> None:
        """Get a link key with `partner`, one after another; `done` hears the code. certificates: method A."""
        self._queue.append((partner, certificates, done))
        if len(self._queue) == 1:
            self._next()

    def _next(self) -> None:
        if self._queue:
            self._node.request_partner_key(self._queue[0][0], self._requested)

    def _requested(self, came: bool) -> None:
        if not self._queue or not self._node.powered:
            return
        partner, certificates, _ = self._queue[0]
        if not came:
            self._end(JoinCode.NO_PARTNER_LINK_KEY)
        elif certificates and self._exchanges is not None:
            query = MatchDescriptor(SMART_ENERGY, (KEY_ESTABLISHMENT,))
            self._application.discover(partner, query, self._found)
        else:
            self._end(JoinCode.SUCCESS)

    def _found(self, event: Discovered) -> None:
        if not self._queue or event.who != self._queue[0][0] or self._exchanges is None:
            return
        if event.answered and event.endpoints:
            self._exchanges.agree(event.who, event.endpoints[0], self._agreed)
        else:
            self._end(JoinCode.NO_CBKE_RESPONSE)

    def _agreed(self, failed: Failed | None) -> None:
        if failed is None:
            self._end(JoinCode.SUCCESS)
        else:
            self._end(code_of(failed))

    def _end(self, code: JoinCode) -> None:
        partner, _, done = self._queue.pop(0)
        done(code)
        if code is JoinCode.SUCCESS and self.has(partner):
            self._tell_ready(partner)
        self._next()

    # --- keys --------------------------------------------------------------------------------------------------

    def has(self, partner: Eui64) -> bool:
        return partner in self._node.partners

    def drop(self, partner: Eui64) -> None:
        """Forget the key with `partner`: it is not understood any more, nor does it understand."""
        if self._node.powered and self.has(partner):
            self._node.drop_link_key(partner)
        for gone in self._gone:
            gone(partner)

    def admits(self, partner: Eui64) -> bool:
        return self.wanted(partner)

    def keyed(self, partner: Eui64) -> None:
        """Hear that the trust centre has sent a key, which somebody else asked for: by method B that is all."""
        if not (self._queue and self._queue[0][0] == partner) and self._complete(partner):
            self._tell_ready(partner)

    def _complete(self, partner: Eui64) -> bool:
        """Return whether nothing is missing: where this device responds, key establishment follows."""
        return self._exchanges is None or not self.responds(partner) or self._node.agreed_with(partner)

    def _tell_ready(self, partner: Eui64) -> None:
        for ready in self._ready:
            ready(partner)


def code_of(failed: Failed) -> JoinCode:
    """Return the code of CS03 for a key establishment that failed; without an answer in time NO_CBKE_RESPONSE."""
    if failed.status is None:
        return JoinCode.NO_CBKE_RESPONSE
    return CODES.get(failed.status, JoinCode.BAD_MESSAGE)
