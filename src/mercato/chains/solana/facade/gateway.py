"""Every method of the cluster's façade together, and who is told of what happens at the tip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mercato.chains.facade import dispatch
from mercato.chains.facade.audience import Audience
from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.limits import Limits
from mercato.chains.solana.facade import faults, wire
from mercato.chains.solana.facade.history import History
from mercato.chains.solana.facade.sends import Sends
from mercato.chains.solana.facade.sessions import News, Session
from mercato.chains.solana.facade.state import State
from mercato.chains.solana.ledger import Record
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import Block

AT_ONCE = 2048  # blocks that are told of; of more, the newest


class Gateway(Audience[Session]):
    """Answers JSON-RPC texts about one cluster. Every method may be called from any thread."""

    def __init__(self, cluster: LocalCluster, limits: Limits, *, development: bool) -> None:
        super().__init__(limits)
        self._cluster, self._last = cluster, cluster.block()
        self._state = State(cluster)
        self._methods: dict[str, Method] = {
            **self._state.methods(),
            **History(cluster, self._state).methods(),
            **Sends(cluster, self._state, self.look).methods(),
            **({"mercato_mine": self.mine} if development else {}),
        }

    @property
    def methods(self) -> Mapping[str, Method]:
        """Returns every method by its name; those of subscriptions need a session."""
        return self._methods

    def answer(self, text: bytes) -> str | None:
        """Returns the answer to a text that came over HTTP."""
        return dispatch.answer(text, self._methods, self.limits.batch, faults.of)

    def session(self, send: Callable[[str], None]) -> Session:
        """Returns a new session, which knows the methods of subscriptions too."""
        return Session(self._methods, self._cluster, self._state, self.limits, self.look, send)

    def look(self) -> None:
        """Tells subscribers what happened at the tip, in order."""
        with self._lock:
            news = [News(block, self._records(block)) for block in self._came()]
            for session in tuple(self._sessions):
                session.take(news)

    def mine(self, given: Sequence[object]) -> int:
        """`mercato_mine`: makes blocks, one where no number is given; returns the newest slot."""
        self._cluster.mine(wire.number(given[0], "blocks", AT_ONCE) if given else 1)
        self.look()
        return self._cluster.block().slot

    def _came(self) -> Sequence[Block]:
        """Returns the blocks since the last look; none where the cluster went back behind it."""
        last, newest = self._last, self._cluster.block()
        self._last = newest
        if [last] != self._cluster.blocks(last.slot, last.slot):
            return []
        return self._cluster.blocks(last.slot + 1, newest.slot)[-AT_ONCE:]

    def _records(self, block: Block) -> tuple[Record, ...]:
        return tuple(record for one in block.transactions if (record := self._cluster.record(one)))
