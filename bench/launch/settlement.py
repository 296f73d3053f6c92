"""Settlement: bids a second on the model, and the contract's gas as bidders become more.

The contract is played with bids in transactions of their own; at most ten thousand bidders place them, each on as many
levels as it takes. Its clearing reads 256 levels and no bid, so its gas must not change. It is played on the fast
engine, and the gas of clearing is what the exact one counts on the state that came of it.
"""

from __future__ import annotations

from time import perf_counter

from mercato.chains import Address
from mercato.chains.evm.local import LocalChain
from mercato.launch.case import Bid, Case
from mercato.launch.clearing import Clearing, aggregate, clear, settle
from mercato.launch.stage import OPERATOR, Sale, stage

SALE = 400_000_000 * 10**18
FLOOR = 40_000 * 10**6 * 2**96 // SALE
LEVELS = 100  # on which bids lie; the same demand by level however many bids make it up
BLOCK = 50  # bids a block
BIDDERS = 10_000
COUNTS = (100, 10_000, 1_000_000)


def report(*, quick: bool) -> bool:
    """Prints both tables; returns whether the contract cleared as the model and at the same gas each time."""
    print("\nSettlement by the model, seconds: all bids added up, cleared, each bid settled")
    for count in COUNTS[:2] if quick else COUNTS:
        print(by_model(case(count)))
    print("\nSettlement by the contract, gas as a real node counts it")
    rows = [by_contract(case(count)) for count in (COUNTS[:1] if quick else COUNTS)]
    return all(agreed for agreed, _ in rows) and len({gas for _, gas in rows}) == 1


def case(count: int) -> Case:
    """Returns an auction of so many equal bids that sells out, no two of one bidder on one level."""
    each, people = 120_000 * 10**6 // count, min(count, BIDDERS)
    bids = (Bid(n, n % people, (n + n // people) % LEVELS, each) for n in range(count))
    return Case(SALE, 0, 1, FLOOR, 200, 256, tuple(bids))


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


def by_contract(sale: Case) -> tuple[bool, int]:
    """Plays one auction and prints its line; returns whether the model agrees, and clear's gas."""
    start = perf_counter()
    on = stage(LocalChain(), Sale(sale=SALE, floor_q96=FLOOR, raise_min=1, locks=1_000_000, closes=1_000_001))
    on.open()
    on.chain.automine = False
    people = {item.bidder: Address(f"0x{2**100 + int(item.bidder):040x}") for item in sale.bids}
    for person in people.values():
        on.chain.send(on.quote.call("faucet", person, 120_000 * 10**6, sender=person))
        on.chain.send(on.quote.call("approve", on.auction.address, 2**256 - 1, sender=person))
    for number, item in enumerate(sale.bids):
        on.chain.send(on.auction.call("bid", item.level, item.amount, sender=people[item.bidder]))
        if number % BLOCK == 0:
            on.chain.mine()
    on.chain.mine()
    on.chain.automine = True
    on.over()
    gas = on.chain.measure(on.auction.call("clear", sender=OPERATOR)).gas_used
    on.auction.send("clear", sender=OPERATOR)
    found = Clearing(*on.auction.read("result"))
    expected = clear(aggregate([item.level for item in sale.bids], [item.amount for item in sale.bids]), sale.terms)
    print(
        f"  {len(sale.bids):>9,} bids of {len(people):>6,} bidders: clear {gas:,} gas, "
        f"played in {perf_counter() - start:.1f} s"
    )
    return found == expected, gas
