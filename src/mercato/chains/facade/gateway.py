"""Every method of the façade together, and who is told of what happens at the tip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import dispatch
from mercato.chains.facade.audience import Audience
from mercato.chains.facade.development import Development
from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.limits import Limits
from mercato.chains.facade.listening import Listening
from mercato.chains.facade.reads import Reads
from mercato.chains.facade.sends import Sends
from mercato.chains.facade.sessions import Session
from mercato.chains.facade.simulation import Simulation
from mercato.chains.facade.tail import Tail
from mercato.chains.model import Address, Hash


class Gateway(Audience[Session]):
    """Answers JSON-RPC texts about one chain. Every method may be called from any thread."""

    def __init__(self, chain: LocalChain, accounts: Sequence[Address], limits: Limits, *, development: bool) -> None:
        super().__init__(limits)
        self._chain, self._tail = chain, Tail(chain)
        self._reads = Reads(chain)
        self._listening = Listening(chain, self._reads, limits, self.look)
        self._methods: dict[str, Method] = {
            **self._reads.methods(),
            **self._listening.methods(),
            **Simulation(chain).methods(),
            **Sends(chain, accounts, self._sent).methods(),
            **(Development(chain, self.look).methods() if development else {}),
        }

    @property
    def methods(self) -> Mapping[str, Method]:
        """Returns every method by its name; those of subscriptions need a session."""
        return self._methods

    def answer(self, text: bytes) -> str | None:
        """Returns the answer to a text that came over HTTP."""
        return dispatch.answer(text, self._methods, self.limits.batch)

    def session(self, send: Callable[[str], None]) -> Session:
        """Returns a new session, which knows the methods of subscriptions too."""
        return Session(self._methods, self._listening, self.limits, self.look, send)

    def look(self) -> None:
        """Tells filters and subscriptions what happened at the tip, in order."""
        with self._lock:
            for change in self._tail.advance():
                self._listening.take(change)
                for session in self._sessions:
                    session.take(change)

    def _sent(self, hash: Hash) -> None:
        with self._lock:
            if self._chain.receipt(hash) is None:  # it waits; others are told of with their block
                for session in self._sessions:
                    session.announce(hash)
        self.look()
