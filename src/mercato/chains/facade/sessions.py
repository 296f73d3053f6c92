"""Subscriptions of one WebSocket connection."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence

from mercato.chains.facade import dispatch, wire
from mercato.chains.facade.audience import Outgoing
from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.faults import LIMIT, PARAMS, Fault
from mercato.chains.facade.limits import Limits
from mercato.chains.facade.listening import FOREVER, Listening, criteria, logs_of, transactions
from mercato.chains.facade.reads import argument, optional
from mercato.chains.facade.shapes import block_json, bloom
from mercato.chains.facade.tail import Change
from mercato.chains.model import Hash

See = Callable[[Change], list[object]]
BODY = frozenset({"transactions", "uncles", "size", "totalDifficulty"})  # which a head has not


class Session:
    """Answers the texts of one connection, and sends what it subscribed to through `send`, from any thread."""

    def __init__(
        self,
        methods: Mapping[str, Method],
        listening: Listening,
        limits: Limits,
        look: Callable[[], None],
        send: Callable[[str], None],
    ) -> None:
        own: dict[str, Method] = {"eth_subscribe": self.subscribe, "eth_unsubscribe": self.unsubscribe}
        self._methods = {**methods, **own}
        self._listening, self._limits, self._look, self._out = listening, limits, look, Outgoing(send)
        self._wanted: dict[str, See] = {}
        self._pending: set[str] = set()  # ids of subscriptions to transactions that wait
        self._announced: set[Hash] = set()
        self._lock = self._out.lock

    @property
    def listens(self) -> bool:
        """Returns whether this connection subscribed to anything."""
        return bool(self._wanted)

    def answer(self, text: str) -> None:
        """Answers one text, then sends what was held back meanwhile."""
        self._out.answer(lambda: dispatch.answer(text, self._methods, self._limits.batch))

    def subscribe(self, params: Sequence[object]) -> str:
        """`eth_subscribe`: newHeads, logs or newPendingTransactions."""
        kind = argument(params, 0, "kind")
        if len(self._wanted) >= self._limits.subscriptions:
            raise Fault(LIMIT, f"too many subscriptions, at most {self._limits.subscriptions}")
        see = self._see(kind, optional(params, 1))
        self._look()  # what happened before is not news to it
        id = "0x" + secrets.token_hex(16)
        with self._lock:
            self._wanted[id] = see
            if kind == "newPendingTransactions":
                self._pending.add(id)
        return id

    def unsubscribe(self, params: Sequence[object]) -> bool:
        """`eth_unsubscribe`: whether there was one."""
        id = str(argument(params, 0, "subscription id"))
        with self._lock:
            self._pending.discard(id)
            return self._wanted.pop(id, None) is not None

    def announce(self, hash: Hash) -> None:
        """Tells of a transaction that was sent and waits for a block."""
        with self._lock:
            if self._pending:
                self._announced.add(hash)
            for id in self._pending:
                self._tell(id, hash)

    def take(self, change: Change) -> None:
        """Tells of a change what this connection subscribed to."""
        with self._lock:
            for id, see in self._wanted.items():
                for result in see(change):
                    self._tell(id, result)
            self._announced -= set(change.block.transactions)

    def _see(self, kind: object, options: object) -> See:
        if kind == "newHeads":
            return heads
        if kind == "newPendingTransactions":
            if options:
                raise Fault(PARAMS, "whole transactions are not sent; ask for them by their hash")
            return lambda change: [hash for hash in transactions(change) if hash not in self._announced]
        if kind == "logs":
            return logs_of(criteria(wire.fields({} if options is None else options, "filter"), 0, FOREVER))
        raise Fault(PARAMS, f"no {str(kind)[:40]!r} subscription in eth namespace")

    def _tell(self, id: str, result: object) -> None:
        params = {"subscription": id, "result": result}
        self._out.tell({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})


def heads(change: Change) -> list[object]:
    """Returns a new block's head."""
    if change.removed:
        return []
    whole = block_json(change.block, (), bloom(change.logs))
    return [{name: value for name, value in whole.items() if name not in BODY}]
