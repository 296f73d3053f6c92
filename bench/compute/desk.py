"""What the books cost a request: `python -m bench.compute.desk`. Reserves and settles on a SQLite file of its own."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from mercato.compute.books import Clerk, Desk, Hold, Served, Signer, keys
from mercato.compute.books.replay import replay
from mercato.compute.books.till import Till
from mercato.compute.books.turn import Settle
from mercato.compute.model import REQUESTS, End, KeyId, Price, ProviderId, Usage
from mercato.core.clock import SystemClock
from mercato.store.testing import sqlite_store

AT_ONCE = (1, 16, 64)
FRAME = 4096 + 24  # bytes of one page in SQLite's log
REQUESTS_EACH = 4_000
FUNDS = 10**12


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of processor time for each request, and of waiting for its two commits."""

    at_once: int
    cpu: float
    wait: float


@dataclass(frozen=True, slots=True)
class Alone:
    """What one request at a time takes: microseconds of processor time, in the middle, and pages written."""

    reserve: float
    settle: float
    pages: float


def main(count: int = REQUESTS_EACH) -> None:
    """Prints a line for each number of requests at once, and whether the log agrees with the books afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        sqlite_store(Path(folder)).close()
        url, signer = f"sqlite:///{folder}/mercato.db", Signer.fresh()
        till = Till(url, SystemClock(), signer)
        till.deposit("ann", FUNDS, name="first")
        key, _ = keys.make(till.bare, till.clock, "ann")
        for cost in asyncio.run(measured(Clerk(url, SystemClock(), signer), key.id, count)):
            print(f"{cost.at_once:3} at once: {cost.cpu:.3f} ms of processor time, {cost.wait:.2f} ms in the books")
        one = alone(Clerk(url, SystemClock(), signer), key.id, count // 4)
        print(f"alone: {one.reserve:.0f} us to reserve, {one.settle:.0f} us to settle, {one.pages:.1f} pages written")
        found = replay(till.bare, signer.public)
        print(f"{found.entries} entries, {len(found.faults)} faults, sum {sum(till.balances().values())}")
        till.close()


async def measured(clerk: Clerk, key: KeyId, count: int) -> list[Cost]:
    """Returns what requests cost, at each number of them at once."""
    costs = []
    async with Desk(clerk) as desk:
        await _many(desk, key, 16, 10)  # statements are prepared once
        for at_once in AT_ONCE:
            turns = max(count // at_once, 10)
            cpu, wall = time.process_time(), time.perf_counter()
            await _many(desk, key, at_once, turns)
            done = turns * at_once
            spent = time.process_time() - cpu
            costs.append(Cost(at_once, spent / done * 1000, (time.perf_counter() - wall) / turns * 1000))
    return costs


def alone(clerk: Clerk, key: KeyId, count: int) -> Alone:
    """Returns what one request takes of the clerk, with nothing around it and nobody beside it."""
    log = Path(clerk.bare.url.removeprefix("sqlite:///") + "-wal")
    clerk.open()
    clerk.bare.run("PRAGMA wal_autocheckpoint = 0")
    clerk.bare.run("PRAGMA wal_checkpoint(TRUNCATE)")
    spent: list[tuple[int, int]] = []
    for _ in range(count):
        hold = Hold(REQUESTS.new(), key, "ann", "a" * 64, 5_000)
        settle = Settle(hold.request, _served(key))
        start = time.thread_time_ns()
        clerk.at_once([hold])
        between = time.thread_time_ns()
        clerk.at_once([settle])
        spent.append((between - start, time.thread_time_ns() - between))
    reserve, settle_ = (statistics.median(part) / 1000 for part in zip(*spent, strict=True))
    pages = log.stat().st_size / FRAME / count
    clerk.close()
    return Alone(reserve, settle_, pages)


async def _many(desk: Desk, key: KeyId, at_once: int, turns: int) -> None:
    async def one_after_another() -> None:
        for _ in range(turns):
            hold = Hold(REQUESTS.new(), key, "ann", "a" * 64, 5_000)
            await desk.reserve(hold)
            await desk.settle(hold.request, served=_served(key))

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))


def _served(key: KeyId) -> Served:
    usage, price = Usage(1_000, 250), Price(200_000, 600_000)
    return Served(key, ProviderId("prov_a"), "toy", End.DONE, "a" * 64, "b" * 64, usage, usage, price)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
