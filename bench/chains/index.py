"""How fast the indexer reads: a long history at once, then block after block at the tip, into SQLite and PostgreSQL.

The history is simulated and lies in memory, so that nothing but the indexer and the database is measured. The floor is
the same rows put into the same database by one statement per 5,000, with no forks, progress or events to care for.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.postgres import Cluster

from mercato.chains import tables
from mercato.chains.evm.local import LocalChain
from mercato.chains.model import Address, Block, Hash, Log, LogQuery, Watch
from mercato.chains.service import Indexer, Pace
from mercato.chains.testing import Interrupted
from mercato.store import Store
from mercato.store.testing import sqlite_store

CONTRACT = Address("0x" + "ab" * 20)
TOPIC = sha256(b"topic").digest()
CHUNK = 5_000


@dataclass(frozen=True)
class Shape:
    """How much is read: blocks of the history, of the tip after it, and logs in each block."""

    history: int
    tip: int
    logs: int


def hash_of(number: int) -> Hash:
    """Returns the simulated hash of a block."""
    return Hash("0x" + sha256(number.to_bytes(8, "big")).hexdigest())


def written(number: int, count: int) -> list[Log]:
    """Returns the logs of a simulated block."""
    at, transaction = hash_of(number), hash_of(-number % 2**63)
    return [
        Log(CONTRACT, (TOPIC, index.to_bytes(32, "big")), bytes(64), number, at, transaction, index)
        for index in range(count)
    ]


class Tape(Interrupted):
    """A simulated chain of `height` blocks that answers from memory."""

    def __init__(self, shape: Shape, chain_id: int = 31337) -> None:
        super().__init__(LocalChain(chain_id), lambda question: None)
        self.height = 0
        every = range(shape.history + shape.tip + 1)
        self._logs = [written(number, shape.logs) for number in every]
        self._blocks = [
            Block(number, hash_of(number), hash_of(number - 1 if number else 0), number, (), 0, 0) for number in every
        ]

    def block(self, number: int | None = None) -> Block:
        """Returns a block."""
        return self._blocks[self.height if number is None else number]

    def logs(self, query: LogQuery) -> tuple[Log, ...]:
        """Returns every log of the blocks."""
        return tuple(log for logs in self._logs[query.first : query.last + 1] for log in logs)


def floor(store: Store, shape: Shape, tape: Tape) -> float:
    """Returns the seconds that the rows of the history alone take."""
    logs = tape.logs(LogQuery(0, shape.history))
    start = time.perf_counter()
    for place in range(0, len(logs), CHUNK):
        with store.transaction() as tx:
            tables.add(tx, "eip155:2", [], logs[place : place + CHUNK])
    return time.perf_counter() - start


def index(store: Store, shape: Shape, tape: Tape) -> tuple[float, float]:
    """Returns the seconds of the history, and of the tip block after block."""
    indexer = Indexer(store, tape, pace=Pace())
    indexer.watch(Watch("contract", 0, frozenset({CONTRACT})))
    tape.height = shape.history
    start = time.perf_counter()
    indexer.sync()
    caught_up = time.perf_counter()
    for height in range(shape.history + 1, shape.history + shape.tip + 1):
        tape.height = height
        indexer.sync()
    return caught_up - start, time.perf_counter() - caught_up


@contextmanager
def stores() -> Iterator[dict[str, Store]]:
    """Opens an empty store of each kind."""
    cluster = Cluster()
    with tempfile.TemporaryDirectory(prefix="mercato-bench-") as folder, cluster.database() as url:
        found = {"SQLite": sqlite_store(Path(folder)), "PostgreSQL": Store(url)}
        yield found
        for store in found.values():
            store.close()
    cluster.stop()


def report(*, quick: bool) -> bool:
    """Prints the table; returns whether every store ended with exactly the chain's logs."""
    shape = Shape(200, 20, 5) if quick else Shape(10_000, 1_000, 10)
    tape, exact = Tape(shape), True
    work = f"indexer, {shape.history} blocks of {shape.logs} simulated logs, then {shape.tip} one by one"
    print(f"\n| {work} | logs/s | of the floor | blocks/s at the tip |")
    print("|---|---:|---:|---:|")
    with stores() as opened:
        for name, store in opened.items():
            index(store, Shape(20, 2, 5), Tape(Shape(20, 2, 5), chain_id=1))  # so that neither pays for the first use
            least = floor(store, shape, tape)
            history, tip = index(store, shape, tape)
            count = (shape.history + 1) * shape.logs
            print(f"| {name} | {count / history:,.0f} | {least / history:.0%} | {shape.tip / tip:,.0f} |")
            exact &= held(store, shape, tape)
    print(f"\nlogs equal to the chain's: {'yes' if exact else 'NO'}")
    return exact


def held(store: Store, shape: Shape, tape: Tape) -> bool:
    """Returns whether a store holds the chain's logs, in order."""
    indexer, after, same = Indexer(store, tape), (-1, -1), True
    everything = LogQuery(0, shape.history + shape.tip)
    for place in range(0, (shape.history + shape.tip + 1) * shape.logs, CHUNK):
        page = indexer.logs(everything, after=after, limit=CHUNK)
        same &= page == tape.logs(everything)[place : place + CHUNK]
        after = (page[-1].block, page[-1].index) if page else after
    return same
