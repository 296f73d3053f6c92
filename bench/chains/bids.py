"""The same bids, by the same people, on each chain: in blocks of their own, many to a block, and signed."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests import npm

from mercato.chains import Call, Chain, Deployed, Hash
from mercato.chains.evm.anvil import Anvil
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, KEYS, local
from mercato.launch.clearing import Q96
from mercato.launch.stage import Sale, Stage, stage

DOLLAR, TOKEN = 10**6, 10**18
SALE = Sale(
    sale=400_000_000 * TOKEN, floor_q96=40_000 * DOLLAR * Q96 // (400_000_000 * TOKEN), raise_min=1, min_bid=5 * DOLLAR,
    opens=100, locks=10_000_000, closes=20_000_000,
)  # fmt: skip
GAS = 200_000
ROUNDS = 3


@dataclass(frozen=True)
class Run:
    """What one chain did with the bids: transactions per second of each way, and the books at the end."""

    own_blocks: float
    one_block: float
    signed: float
    books: int


@contextmanager
def anvil() -> Iterator[Anvil]:
    program = npm.anvil()
    assert program, "no anvil is here: install one, name it in MERCATO_ANVIL, or let Deno reach the npm registry"
    chain = Anvil(program)
    try:
        yield chain
    finally:
        chain.close()


@contextmanager
def embedded(engine: Any) -> Iterator[Any]:
    yield local(engine)


CHAINS: dict[str, Callable[[], Any]] = {
    "embedded, pyrevm": lambda: embedded("pyrevm"),
    "embedded, py-evm": lambda: embedded("py-evm"),
    "anvil, JSON-RPC": anvil,
}


def report(*, quick: bool) -> bool:
    """Prints the table and the ratios; returns whether every chain ended with the same books."""
    count = 60 if quick else 500
    found: dict[str, list[Run]] = {name: [] for name in CHAINS}
    for turn in range(1 if quick else ROUNDS):
        for name, opened in CHAINS.items():
            print(f"chains: round {turn + 1}, {name}", file=sys.stderr)
            with opened() as chain:
                found[name].append(bidden(chain, count))
    _print(found, count)
    equal = len({run.books for runs in found.values() for run in runs}) == 1
    print(f"books equal: {'yes' if equal else 'no'}")
    return equal


def bidden(chain: Any, count: int) -> Run:
    """Places `count` bids in each of three ways."""
    on = stage(chain, SALE)
    for account in ACCOUNTS:
        on.fund(account, 10**9 * DOLLAR)
    on.open()
    own = _timed(count, lambda: own_blocks(chain, on, count))
    signed = _timed(count, lambda: by_wallets(chain, on, count))
    many = _timed(count, lambda: one_block(chain, on, count))
    return Run(own, many, signed, books(on.auction))


def bid(on: Stage, number: int) -> Call:
    """Returns one bid: who and where go round, so that levels and bidders are new at first and then known."""
    data = on.auction.interface.encode("bid", number * 7 % 256, (5 + number % 50) * DOLLAR)
    return Call(ACCOUNTS[number % 10], on.auction.address, data, gas=GAS)


def own_blocks(chain: Chain, on: Stage, count: int) -> None:
    for number in range(count):
        assert chain.wait(chain.send(bid(on, number))).succeeded


def by_wallets(chain: Chain, on: Stage, count: int) -> None:
    """Signs here, as a wallet would, and sends the bytes; the nonce is known, as a wallet knows it."""
    keys = [Key(key) for key in KEYS]
    nonces = [chain.nonce(account) for account in ACCOUNTS]
    for number in range(count):
        call, who = bid(on, number), number % 10
        fields = {"chainId": 31337, "nonce": nonces[who], "gas": GAS, "maxFeePerGas": 0, "to": call.to}
        assert chain.wait(chain.send_raw(keys[who].transaction({**fields, "data": call.data}))).succeeded
        nonces[who] += 1


def one_block(chain: Any, on: Stage, count: int) -> None:
    mined_by_hand(chain, True)
    hashes: list[Hash] = []
    for first in range(0, count, 100):
        hashes += [chain.send(bid(on, number)) for number in range(first, min(first + 100, count))]
        chain.mine()
    assert all(chain.wait(hash).succeeded for hash in hashes)
    mined_by_hand(chain, False)


def mined_by_hand(chain: Any, by_hand: bool) -> None:
    if isinstance(chain, Anvil):
        chain.automine(not by_hand)
    else:
        chain.automine = not by_hand


def books(auction: Deployed) -> int:
    """Returns one number for all that the auction holds at its end."""
    return hash(tuple(auction.read("demands"))) ^ int(auction.read("total"))


def _timed(count: int, work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def _print(found: dict[str, list[Run]], count: int) -> None:
    ways = ("own_blocks", "signed", "one_block")
    middle = {
        name: [statistics.median(getattr(run, way) for run in runs) for way in ways] for name, runs in found.items()
    }
    print(f"\n# chains: bids per second, {count} bids each way\n")
    print("| chain | a block each | signed, a block each | 100 to a block |\n|---|---:|---:|---:|")
    for name, speeds in middle.items():
        print(f"| {name} | " + " | ".join(f"{speed:,.0f}" for speed in speeds) + " |")
    print()
    rival = middle["anvil, JSON-RPC"]
    for name in list(middle)[:2]:
        ratios = ", ".join(f"{ours / theirs:.2f}" for ours, theirs in zip(middle[name], rival, strict=True))
        print(f"{name} beside anvil over JSON-RPC on loopback: {ratios} times as fast")
    print(f"\nthe median of {len(found['anvil, JSON-RPC'])} rounds")
