"""Pools and tokens of an EVM chain: the logs that tell of trades and supplies, as one raw document, and following them.

One document holds the logs of whole UTC days up to a block: every trade of the listed pools, and every transfer since
a token began that made, burned, locked or freed some of it. So a document explains itself: nothing is carried over
from an earlier one, and a day that was read in part is simply read again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Protocol

from mercato.chains import Address, Chain, Log, LogQuery, keccak
from mercato.chains.model import ZERO, Block, Watch
from mercato.market.model import RawDocument

PARSER = "onchain.logs/1"
SWAPPED = keccak(b"Swapped(address,bool,uint256,uint256,uint256,uint256,uint256)")
SWAP = keccak(b"Swap(address,uint256,uint256,uint256,uint256,address)")
SYNC = keccak(b"Sync(uint112,uint112)")
TRANSFER = keccak(b"Transfer(address,address,uint256)")
TRADES = frozenset({SWAPPED, SWAP, SYNC})
PAGE = 10_000
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Listing:
    """A token with its pool, and what the pool is paid in. `held` are addresses whose tokens do not circulate."""

    asset_id: str
    symbol: str
    name: str
    sector: str
    platform: str
    token: Address
    pool: Address
    quote: Address
    held: tuple[Address, ...] = ()
    active_from: date | None = None
    decimals: int = 18
    quote_decimals: int = 6


class Logs(Protocol):
    """Where logs are read: the index of a chain, or the chain itself."""

    def logs(self, query: LogQuery) -> Sequence[Log]:
        """Returns the logs in the order in which they were written."""

    def block(self, number: int | None = None) -> Block:
        """Returns a block; None asks for the newest."""


class Index(Protocol):
    """What is needed of a chain's index: `chains.service.Indexer` is one."""

    chain: Chain

    def watch(self, *wanted: Watch) -> None:
        """Keeps these logs from now on."""

    def sync(self) -> int:
        """Reads until nothing is left."""

    def logs(self, query: LogQuery, *, after: tuple[int, int], limit: int) -> Sequence[Log]:
        """Returns kept logs after a place, at most `limit`."""


@dataclass(frozen=True)
class Indexed:
    """Reads what a chain's index keeps, page by page; heads come from the chain itself."""

    index: Index

    def watch(self, listings: Sequence[Listing]) -> None:
        """Keeps the logs of listed pools and tokens, and reads what is there already."""
        for item in listings:
            trades = Watch(f"pool {item.pool}", 0, frozenset({item.pool}), (TRADES,))
            ends = frozenset(_word(address) for address in (ZERO, *item.held))
            gone = Watch(f"freed {item.token}", 0, frozenset({item.token}), (frozenset({TRANSFER}), ends))
            made = Watch(f"held {item.token}", 0, frozenset({item.token}), (frozenset({TRANSFER}), frozenset(), ends))
            self.index.watch(trades, gone, made)
        self.index.sync()

    def logs(self, query: LogQuery) -> Sequence[Log]:
        """Returns the logs in the order in which they were written."""
        found: list[Log] = []
        while page := self.index.logs(query, after=_place(found), limit=PAGE):
            found += page
        return found

    def block(self, number: int | None = None) -> Block:
        """Returns a block; None asks for the newest."""
        return self.index.chain.block(number)


def _place(found: Sequence[Log]) -> tuple[int, int]:
    return (found[-1].block, found[-1].index) if found else (-1, -1)


def document(
    logs: Logs, chain: str, listings: Sequence[Listing], first: int, last: int, *, source: str, now: datetime
) -> RawDocument:
    """Returns the logs of blocks `first` to `last` as one raw document. `chain` is the CAIP-2 name."""
    found = [*_trades(logs, listings, first, last), *_supplies(logs, listings, last)]
    unique = {(log.block, log.index): log for log in found}
    times = {number: logs.block(number).time for number in sorted({log.block for log in found})}
    content = {
        "chain": chain,
        "first": first,
        "last": last,
        "listings": [_plain(item) for item in listings],
        "times": {str(number): time for number, time in times.items()},
        "logs": [_row(unique[key]) for key in sorted(unique)],
    }
    return RawDocument(
        content=json.dumps(content, separators=(",", ":"), sort_keys=True).encode(),
        source=source,
        parser=PARSER,
        observed_at=now,
        request=f"logs of {len(listings)} pools on {chain}, blocks {first} to {last}",
        media_type="application/json",
        licence="facts of a public chain",
    )


def _trades(logs: Logs, listings: Sequence[Listing], first: int, last: int) -> Sequence[Log]:
    pools = frozenset(item.pool for item in listings)
    return logs.logs(LogQuery(first, last, pools, (TRADES,))) if pools else ()


def _supplies(logs: Logs, listings: Sequence[Listing], last: int) -> Iterator[Log]:
    """Yields the transfers that change a supply: from or to nobody, or a held address; some of them twice."""
    tokens = frozenset(item.token for item in listings)
    ends = frozenset(_word(address) for item in listings for address in (ZERO, *item.held))
    if tokens:
        yield from logs.logs(LogQuery(0, last, tokens, (frozenset({TRANSFER}), ends)))
        yield from logs.logs(LogQuery(0, last, tokens, (frozenset({TRANSFER}), frozenset(), ends)))


def _word(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])


def _plain(item: Listing) -> dict[str, Any]:
    return {**asdict(item), "active_from": item.active_from.isoformat() if item.active_from else None}


def _row(log: Log) -> dict[str, Any]:
    return {
        "address": log.address,
        "topics": [topic.hex() for topic in log.topics],
        "data": log.data.hex(),
        "block": log.block,
        "block_hash": log.block_hash,
        "transaction": log.transaction,
        "index": log.index,
    }


class Market(Protocol):
    """What following needs of the market room: its service is one."""

    def ingest(self, raw: RawDocument) -> Any:
        """Commits a raw document."""

    def load(self, name: str) -> Mapping[str, Any]:
        """Returns what was saved under a name."""

    def save(self, name: str, value: Mapping[str, Any]) -> None:
        """Replaces what is kept under a name."""


@dataclass(frozen=True)
class Follower:
    """Brings a chain's pools into the market, from where it stopped; the listings are asked for at every turn."""

    market: Market
    logs: Logs
    chain: str
    source: str
    listings: Callable[[], Sequence[Listing]]

    def follow(self, now: datetime) -> bool:
        """Commits the logs since the last turn, of whole days; returns whether there was anything new."""
        newest, listings = self.logs.block(), list(self.listings())
        mark = self.market.load(self._name)
        if not listings or mark.get("block") == newest.number:
            return False
        first = int(mark.get("day_began", 0))
        raw = document(self.logs, self.chain, listings, first, newest.number, source=self.source, now=now)
        self.market.ingest(raw)
        began = self._began(newest, first)
        self.market.save(self._name, {"block": newest.number, "hash": newest.hash, "day_began": began})
        return True

    def restart(self) -> None:
        """Begins with the chain's first block at the next turn."""
        self.market.save(self._name, {})

    @property
    def _name(self) -> str:
        return f"onchain:{self.chain}"

    def _began(self, newest: Block, low: int) -> int:
        """Returns the first block of the newest block's UTC day, found by halving."""
        start, high = newest.time // DAY * DAY, newest.number
        while low < high:
            middle = (low + high) // 2
            if self.logs.block(middle).time < start:
                low = middle + 1
            else:
                high = middle
        return low
