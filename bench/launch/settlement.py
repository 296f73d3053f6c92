"""Settlement: bids a second on the model, and the contract's gas as bidders become more.

The contract is played with bidders who mint, allow and bid in transactions of their own. Its clearing reads 256 levels
and no bid, so its gas must not change. The exact engine takes seconds for a hundred bidders; ten thousand are played
on the fast one, whose gas is too low, and a million on neither.
"""

from __future__ import annotations

from time import perf_counter

from mercato.chains import Address
from mercato.chains.evm.local import EngineName, LocalChain
from mercato.launch.case import Bid, Case
from mercato.launch.clearing import Clearing, aggregate, clear, settle
from mercato.launch.stage import OPERATOR, Sale, stage

SALE = 400_000_000 * 10**18
FLOOR = 40_000 * 10**6 * 2**96 // SALE
LEVELS = 100  # on which bids lie; the same demand by level however many bids make it up
BLOCK = 50  # bidders a block
MODEL = (100, 10_000, 1_000_000)
CONTRACT: dict[EngineName, tuple[int, ...]] = {"py-evm": (100, 400), "pyrevm": (100, 1_000, 10_000)}


def report(*, quick: bool) -> bool:
    """Prints both tables; returns whether the contract cleared as the model and at the same gas each time."""
    print("\nSettlement by the model, seconds: all bids added up, cleared, each bid settled")
    for count in MODEL[:2] if quick else MODEL:
        print(by_model(case(count)))
    print("\nSettlement by the contract")
    agreed = [flat(engine, counts[:1] if quick else counts) for engine, counts in CONTRACT.items()]
    return all(agreed)


def case(count: int) -> Case:
    """Returns an auction of so many equal bids that sells out."""
    each = 120_000 * 10**6 // count
    return Case(SALE, 0, 1, FLOOR, 200, 256, tuple(Bid(n, n, n % LEVELS, each) for n in range(count)))


def by_model(sale: Case) -> str:
    """Returns the line of one auction."""
    levels, amounts = [item.level for item in sale.bids], [item.amount for item in sale.bids]
    start = perf_counter()
    demand = aggregate(levels, amounts)
    added = perf_counter()
    found = clear(demand, sale.terms)
    cleared = perf_counter()
    fills = [settle(level, amount, found) for level, amount in zip(levels, amounts, strict=True)]
    settled = perf_counter()
    assert sum(fill.charge for fill in fills) >= found.raised
    count = len(levels)
    return (
        f"  {count:>9,} bids: added up {added - start:.5f} ({count / (added - start):,.0f} bids/s), "
        f"cleared {cleared - added:.5f}, settled {settled - cleared:.5f} ({count / (settled - cleared):,.0f} bids/s)"
    )


def flat(engine: EngineName, counts: tuple[int, ...]) -> bool:
    """Plays an auction with each number of bidders; returns whether model and gas agreed every time."""
    rows = [by_contract(case(count), engine) for count in counts]
    return all(agreed for agreed, _ in rows) and len({gas for _, gas in rows}) == 1


def by_contract(sale: Case, engine: EngineName) -> tuple[bool, int]:
    """Plays one auction and prints its line; returns whether the model agrees, and clear's gas."""
    start = perf_counter()
    on = stage(LocalChain(engine=engine), Sale(sale=SALE, floor_q96=FLOOR, raise_min=1, locks=10_000, closes=10_001))
    on.open()
    on.chain.automine = False
    for number, item in enumerate(sale.bids):
        person = Address(f"0x{2**100 + number:040x}")
        on.chain.send(on.quote.call("faucet", person, item.amount, sender=person))
        on.chain.send(on.quote.call("approve", on.auction.address, item.amount, sender=person))
        on.chain.send(on.auction.call("bid", item.level, item.amount, sender=person))
        if number % BLOCK == 0:
            on.chain.mine()
    on.chain.mine()
    on.chain.automine = True
    on.over()
    gas = on.auction.send("clear", sender=OPERATOR).gas_used
    found = Clearing(*on.auction.read("result"))
    expected = clear(aggregate([item.level for item in sale.bids], [item.amount for item in sale.bids]), sale.terms)
    print(f"  {len(sale.bids):>9,} bidders: clear {gas:,} gas ({engine}), played in {perf_counter() - start:.1f} s")
    return found == expected, gas
