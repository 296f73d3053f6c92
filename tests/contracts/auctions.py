"""Auctions for tests: cases drawn at random, played on an embedded chain."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from mercato.chains import Address, keccak
from mercato.chains.evm.local import LocalChain
from mercato.launch.case import Bid, Case
from mercato.launch.clearing import BPS, PRICE_LIMIT, Q96, RETAIL, Fill, grid
from mercato.launch.credentials import AllowList
from mercato.launch.stage import OPERATOR, Sale, Stage, bid, stage

DOLLAR, TOKEN = 10**6, 10**18
#: Sells 400 million tokens from 40,000 dollars upwards; a quarter of them to retail at most.
ORDINARY = Sale(
    sale=400_000_000 * TOKEN,
    floor_q96=40_000 * DOLLAR * Q96 // (400_000_000 * TOKEN),
    retail_cap=100_000_000 * TOKEN,
    raise_min=1,
    min_bid=5 * DOLLAR,
)


def who(number: int) -> Address:
    """Returns one of any number of accounts."""
    return Address("0x" + keccak(b"person %d" % number)[12:].hex())


@st.composite
def cases(draw: st.DrawFn, most: int = 10) -> Case:
    """Draws an auction: 1 to 256 levels, amounts from one unit to 1e27, both tranches, many near a level's cost."""
    levels = draw(st.sampled_from((1, 2, 3, 17, 256)) | st.integers(1, 256))
    step = draw(st.sampled_from((1, 200, 1000)))
    highest = PRICE_LIMIT * BPS**levels // (BPS + step + 1) ** levels - levels
    floor = draw(
        st.integers(1, min(highest, 2**100)) | st.sampled_from((1, 2**40, 2**90)).filter(lambda p: p < highest)
    )
    sale = draw(st.integers(1, 10**27) | st.sampled_from((1, 10**18, 4 * 10**26)))
    cap = draw(st.sampled_from((0, sale // 4, sale)) | st.integers(0, sale))
    prices = grid(floor, step, levels)
    costs = st.integers(0, levels - 1).map(lambda level: sale * prices[level] // Q96)
    near = st.builds(lambda cost, share, off: cost // share + off, costs, st.integers(1, 6), st.integers(-2, 2))
    amount = (near | near | st.integers(1, 10**27)).map(lambda found: min(max(found, 1), 10**27))
    level = st.integers(0, levels - 1) | st.integers(0, levels - 1) | st.just(RETAIL)
    bids = draw(st.lists(st.tuples(level, amount), min_size=draw(st.sampled_from((0, 1, 4))), max_size=most))
    least = draw(st.sampled_from((0, 0, 1, 1, 1, 10**18)))
    listed = tuple(Bid(f"b{n}", f"p{n}", where, much) for n, (where, much) in enumerate(bids))
    return Case(sale, cap, least, floor, step, levels, listed)


@dataclass(frozen=True)
class Played:
    """A case after it was played: the stage, and what each bid's account really held in the end."""

    on: Stage
    fills: tuple[Fill, ...]


def sale_of(case: Case) -> Sale:
    return Sale(
        sale=case.sale, floor_q96=case.floor_q96, retail_cap=case.retail_cap, raise_min=case.raise_min,
        step_bps=case.step_bps, levels=case.levels,
    )  # fmt: skip


def prepared(chain: LocalChain, case: Case) -> Stage:
    """Returns a stage in its window with every bidder funded."""
    retail = [who(place) for place, item in enumerate(case.bids) if item.level == RETAIL]
    on = stage(chain, sale_of(case), retail=retail)
    for place, item in enumerate(case.bids):
        on.fund(who(place), item.amount)
    on.open()
    return on


def place(on: Stage, case: Case, order: list[int]) -> None:
    """Places the bids in an order."""
    retail = [who(number) for number, item in enumerate(case.bids) if item.level == RETAIL]
    listed = AllowList.of(retail or [OPERATOR])
    for number in order:
        item = case.bids[number]
        bid(on, who(number), item.level, item.amount, listed.credential(who(number)) if item.level == RETAIL else b"")


def finish(on: Stage, case: Case, order: list[int]) -> Played:
    """Clears, claims in an order, and says what everybody holds."""
    on.over()
    on.auction.send("clear", sender=OPERATOR)
    for number in order:
        on.auction.send("claim", who(number), case.bids[number].level, sender=OPERATOR)
    return Played(on, tuple(held(on, who(number), item.amount) for number, item in enumerate(case.bids)))


def held(on: Stage, account: Address, amount: int) -> Fill:
    """Returns what an account holds that had only this amount, all of which it bid."""
    back = on.quote.read("balanceOf", account)
    return Fill(on.token.read("balanceOf", account), amount - back, back)


def play(chain: LocalChain, case: Case, order: list[int] | None = None, claims: list[int] | None = None) -> Played:
    """Plays a case from the bids to the last claim."""
    order = list(range(len(case.bids))) if order is None else order
    on = prepared(chain, case)
    place(on, case, order)
    return finish(on, case, order if claims is None else claims)
