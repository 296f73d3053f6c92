"""The embedded chain's memory: blocks, receipts, transactions, and logs that are found quickly."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from mercato.chains.model import Address, Block, Hash, Log, LogQuery, Receipt
from mercato.chains.transactions import Transaction
from mercato.core.errors import NotFound


class Ledger:
    """Grows by whole blocks and is cut back by whole blocks."""

    def __init__(self, genesis: Block) -> None:
        self.blocks = [genesis]
        self.receipts: dict[Hash, Receipt] = {}
        self.transactions: dict[Hash, Transaction] = {}
        self._numbers = {genesis.hash: genesis.number}
        self._logs: list[Log] = []
        self._ends = [0]  # per block: how many logs there were when it ended
        self._by_address: dict[Address, list[int]] = {}
        self._by_topic: dict[bytes, list[int]] = {}

    def append(self, block: Block, transactions: Sequence[Transaction], receipts: Sequence[Receipt]) -> None:
        """Adds the next block."""
        self.blocks.append(block)
        self._numbers[block.hash] = block.number
        for transaction, receipt in zip(transactions, receipts, strict=True):
            self.transactions[transaction.hash], self.receipts[transaction.hash] = transaction, receipt
            for log in receipt.logs:
                self._by_address.setdefault(log.address, []).append(len(self._logs))
                for topic in log.topics[:1]:
                    self._by_topic.setdefault(topic, []).append(len(self._logs))
                self._logs.append(log)
        self._ends.append(len(self._logs))

    def cut(self, number: int) -> None:
        """Forgets every block above a number."""
        for block in self.blocks[number + 1 :]:
            del self._numbers[block.hash]
            for transaction in block.transactions:
                del self.transactions[transaction], self.receipts[transaction]
        del self.blocks[number + 1 :], self._ends[number + 1 :]
        kept = self._ends[-1]
        for log in reversed(self._logs[kept:]):
            self._by_address[log.address].pop()
            for topic in log.topics[:1]:
                self._by_topic[topic].pop()
        del self._logs[kept:]

    def block(self, name: int | Hash | None) -> Block:
        """Returns a block by its number or hash, the newest for None; NotFound where there is none."""
        number = self._numbers.get(name) if isinstance(name, str) else name
        if name is None:
            return self.blocks[-1]
        if number is None or not 0 <= number < len(self.blocks):
            raise NotFound(f"block was {name!r}", hint=f"there are the blocks 0 to {len(self.blocks) - 1}")
        return self.blocks[number]

    def logs(self, query: LogQuery) -> tuple[Log, ...]:
        """Returns the logs that a query asks for, in the order in which they were written."""
        first, last = max(query.first, 0), min(query.last, len(self.blocks) - 1)
        if first > last:
            return ()
        begin, end = self._ends[first - 1] if first else 0, self._ends[last]
        found = (self._logs[place] for place in self._places(query, begin, end))
        return tuple(log for log in found if matches(log, query))

    def _places(self, query: LogQuery, begin: int, end: int) -> Iterable[int]:
        """Returns the places between two that may hold a wanted log: by address or topic, whichever are fewer."""
        ways = []
        if query.addresses:
            ways.append([self._by_address.get(address, []) for address in query.addresses])
        if query.topics and query.topics[0]:
            ways.append([self._by_topic.get(topic, []) for topic in query.topics[0]])
        if not ways:
            return range(begin, end)
        lists = min(ways, key=lambda way: sum(map(len, way)))
        return sorted(
            place for places in lists for place in places[bisect_left(places, begin) : bisect_left(places, end)]
        )


def matches(log: Log, query: LogQuery) -> bool:
    """Returns whether a log is of a wanted address and has a wanted topic in every place; blocks are not looked at."""
    if query.addresses and log.address not in query.addresses:
        return False
    places = zip_longest(log.topics, query.topics, fillvalue=None)
    return all(not wanted or topic in wanted for topic, wanted in places)
