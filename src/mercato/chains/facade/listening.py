"""Logs, and filters that remember what a client has not seen yet."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from mercato.chains.evm.ledger import matches
from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import wire
from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.faults import LIMIT, PARAMS, SERVER, Fault
from mercato.chains.facade.limits import Limits
from mercato.chains.facade.reads import Reads, argument
from mercato.chains.facade.shapes import logs_json
from mercato.chains.facade.tail import Change
from mercato.chains.model import LogQuery

KNOWN = frozenset({"fromBlock", "toBlock", "blockHash", "address", "topics"})
FOREVER = 2**63


@dataclass
class Filter:
    """What a client waits for. `see` turns a change into what is shown of it; `given` is how it asked for logs."""

    see: Callable[[Change], list[object]]
    given: object = None
    used: float = 0
    found: list[object] = field(default_factory=list)


class Listening:
    """Answers about logs and keeps filters. `look` reads the tip, which hands every change to `take`."""

    def __init__(self, chain: LocalChain, reads: Reads, limits: Limits, look: Callable[[], None]) -> None:
        self._chain, self._reads, self._limits, self._look = chain, reads, limits, look
        self._filters: dict[str, Filter] = {}
        self._lock = threading.Lock()

    def methods(self) -> Mapping[str, Method]:
        """Returns what this answers, by its JSON-RPC name."""
        return {
            "eth_getLogs": lambda params: self.found(self.asked(argument(params, 0, "filter"))),
            "eth_newFilter": self.log_filter,
            "eth_newBlockFilter": lambda params: self.add(Filter(hashes)),
            "eth_newPendingTransactionFilter": lambda params: self.add(Filter(transactions)),
            "eth_getFilterChanges": self.changes,
            "eth_getFilterLogs": self.all_of,
            "eth_uninstallFilter": self.remove,
        }

    def take(self, change: Change) -> None:
        """Shows a change to every filter."""
        with self._lock:
            for one in self._filters.values():
                one.found = (one.found + one.see(change))[-self._limits.kept :]

    def asked(self, value: object) -> LogQuery:
        """Returns the logs that a filter object asks for; its blocks are checked."""
        given = wire.fields(value, "filter")
        if unknown := sorted(set(given) - KNOWN):
            raise Fault(PARAMS, f"invalid argument: filter names {unknown[0][:40]!r}, which is not known here")
        if given.get("blockHash") is not None:
            if {"fromBlock", "toBlock"} & set(given):
                raise Fault(PARAMS, "invalid argument: cannot specify both blockHash and fromBlock/toBlock")
            block = self._reads.find(wire.place({"blockHash": given["blockHash"]}))
            if block is None:
                raise Fault(SERVER, "unknown block")
            first = last = block.number
        else:
            first, last = self._number(given.get("fromBlock")), self._number(given.get("toBlock"))
        return criteria(given, first, last)

    def found(self, query: LogQuery) -> list[object]:
        """`eth_getLogs`: refuses ranges and answers beyond the limits."""
        if query.last < query.first:
            raise Fault(PARAMS, "invalid block range params")
        width = min(query.last, self._chain.block().number) - query.first + 1
        if width > self._limits.log_blocks:
            raise Fault(LIMIT, f"block range is too wide: {width}, at most {self._limits.log_blocks}")
        logs = self._chain.logs(query)
        if len(logs) > self._limits.logs:
            raise Fault(LIMIT, f"query returned more than {self._limits.logs} results")
        shown: list[object] = []
        for number, group in groupby(logs, key=lambda log: log.block):
            shown += logs_json(self._chain.block(number), group)
        return shown

    def log_filter(self, params: Sequence[object]) -> str:
        """`eth_newFilter`."""
        given = wire.fields(argument(params, 0, "filter"), "filter")
        asked = self.asked(given)
        last = FOREVER if given.get("toBlock") in (None, *wire.NEWEST) else asked.last
        return self.add(Filter(logs_of(replace(asked, first=0, last=last)), given))

    def add(self, made: Filter) -> str:
        """Keeps a filter and returns its id; Fault where there are too many."""
        self._look()  # what happened before is not news to it
        with self._lock:
            now = time.monotonic()
            self._filters = {
                id: one for id, one in self._filters.items() if now - one.used < self._limits.filter_seconds
            }
            if len(self._filters) >= self._limits.filters:
                raise Fault(LIMIT, f"too many filters, at most {self._limits.filters}")
            made.used = now
            id = "0x" + secrets.token_hex(16)
            self._filters[id] = made
        return id

    def changes(self, params: Sequence[object]) -> list[object]:
        """`eth_getFilterChanges`: what came since the last time."""
        self._look()
        one = self._filter(params)
        with self._lock:
            found, one.found = one.found, []
        return found

    def all_of(self, params: Sequence[object]) -> list[object]:
        """`eth_getFilterLogs`."""
        one = self._filter(params)
        if one.given is None:
            raise Fault(SERVER, "filter not found")
        return self.found(self.asked(one.given))

    def remove(self, params: Sequence[object]) -> bool:
        """`eth_uninstallFilter`: whether there was one."""
        with self._lock:
            return self._filters.pop(str(argument(params, 0, "filter id")), None) is not None

    def _filter(self, params: Sequence[object]) -> Filter:
        now = time.monotonic()
        with self._lock:
            one = self._filters.get(str(argument(params, 0, "filter id")))
            if one is None or now - one.used >= self._limits.filter_seconds:
                raise Fault(SERVER, "filter not found")
            one.used = now
            return one

    def _number(self, value: object) -> int:
        found = wire.place(value)
        return self._chain.block().number if found.number is None else found.number


def criteria(given: Mapping[str, object], first: int, last: int) -> LogQuery:
    """Returns what a filter object asks for: one or several addresses, and per place one, several or any topic."""
    named = given.get("address")
    addresses = [] if named is None else named if isinstance(named, list) else [named]
    topics = wire.items(given.get("topics") or [], "topics")
    if len(topics) > 4 or len(addresses) > 1000:
        raise Fault(PARAMS, "exceed max topics or addresses")
    return LogQuery(
        first, last, frozenset(wire.address(one) for one in addresses), tuple(_accepted(one) for one in topics)
    )


def _accepted(value: object) -> frozenset[bytes]:
    choices = [] if value is None else value if isinstance(value, list) else [value]
    if any(choice is None for choice in choices):
        return frozenset()
    return frozenset(bytes.fromhex(wire.hash32(choice, "topic")[2:]) for choice in choices)


def logs_of(query: LogQuery) -> Callable[[Change], list[object]]:
    """Returns what shows the wanted logs of a change, marked as removed where its block was."""

    def see(change: Change) -> list[object]:
        if not query.first <= change.block.number <= query.last:
            return []
        wanted = [log for log in change.logs if matches(log, query)]
        return list(logs_json(change.block, wanted, removed=change.removed))

    return see


def hashes(change: Change) -> list[object]:
    """Returns a new block's hash."""
    return [] if change.removed else [change.block.hash]


def transactions(change: Change) -> list[object]:
    """Returns the hashes of a new block's transactions: where each gets its block at once, none is seen waiting."""
    return [] if change.removed else list(change.block.transactions)
