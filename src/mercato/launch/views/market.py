"""A token's market in words: price, candles, depth, trades, who holds it, and why its liquidity stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isqrt

from mercato.launch.charts import Candle, Plot, candles
from mercato.launch.clearing import Q96
from mercato.launch.market import Market, Swap
from mercato.launch.model import Launch
from mercato.launch.pool import Pool
from mercato.launch.views.book import Fact
from mercato.launch.words import TOKEN, brief, change, dollars, moment, price, share, short, tokens, valuation

COLUMNS = 60
SPANS = (60, 300, 900, 3600, 4 * 3600, 86_400, 7 * 86_400)
NAMES = {
    60: "minute",
    300: "5 minutes",
    900: "15 minutes",
    3600: "hour",
    14_400: "4 hours",
    86_400: "day",
    604_800: "week",
}
DEPTHS = (1, 2, 5, 10)
ORDERS = (100, 1000, 10_000)
TRADES, HOLDERS = 12, 10
DAY, MILLION = 86_400, 1_000_000


@dataclass(frozen=True, slots=True)
class Depth:
    """What it takes to move the price by some percent."""

    percent: int
    up: str
    down: str


@dataclass(frozen=True, slots=True)
class Order:
    """What a buy of some size would cost above the price, fee included."""

    size: str
    worse: str


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade in words, with its block and transaction."""

    side: str
    tokens: str
    quote: str
    price: str
    when: str
    block: int
    transaction: str
    trader: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds how much, and who that is where the launch knows."""

    account: str
    name: str
    amount: str
    share: str
    part: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The page of a market."""

    headline: tuple[Fact, ...]
    candles: Plot | None
    every: str
    depths: tuple[Depth, ...]
    orders: tuple[Order, ...]
    trades: tuple[Trade, ...]
    count: int
    holders: tuple[Holder, ...]
    holding: int
    proof: tuple[Fact, ...]
    ours: bool
    sinks: tuple[Fact, ...]
    source: str


def shown(launch: Launch, held: Market) -> Shown:
    """Returns a market for its page."""
    every = span(held)
    return Shown(
        headline=_headline(launch, held),
        candles=candles(bucketed(held, every)),
        every=NAMES[every],
        depths=tuple(
            Depth(percent, dollars(up(held.now, percent)), tokens(down(held.now, percent))) for percent in DEPTHS
        ),
        orders=tuple(_order(held, size * MILLION) for size in ORDERS),
        trades=tuple(_trade(item) for item in reversed(held.swaps[-TRADES:])),
        count=len(held.swaps),
        holders=_holders(launch, held),
        holding=len(held.holders),
        proof=_proof(held),
        ours=held.ours,
        sinks=_sinks(launch, held),
        source=f"Everything here is as of block {held.block}, {moment(held.time)}, read off the chain.",
    )


def _headline(launch: Launch, held: Market) -> tuple[Fact, ...]:
    cleared = held.first.price
    recent = [item for item in held.swaps if item.time > held.time - DAY]
    turnover = sum(item.turnover for item in recent)
    return (
        Fact("Price", price(held.now.price), f"{change(cleared, held.now.price)} since the auction's {price(cleared)}"),
        Fact(
            "Whole supply at it",
            valuation(held.now.price, held.supply),
            f"{tokens(held.supply)} {launch.application.symbol}",
        ),
        Fact("Traded in 24 h", dollars(turnover), f"{len(recent)} trades"),
        Fact("Locked liquidity", dollars(2 * held.now.quote), "both sides of the pool"),
        Fact("Fee now", f"{_percent(held.now.fee_ppm(held.time))}%", "5% at the opening, 1% half an hour later"),
    )


def _percent(ppm: int) -> str:
    whole, rest = divmod(ppm, 10_000)
    return f"{whole}.{rest // 100:02d}".rstrip("0").rstrip(".")


def span(held: Market) -> int:
    """Returns the seconds of a candle, so that the life of the pool fits on the page."""
    life = held.time - held.first.opened
    return next((item for item in SPANS if life <= item * COLUMNS), SPANS[-1])


def bucketed(held: Market, every: int) -> Sequence[Candle]:
    """Returns the candles of the newest spans, those without a trade flat; each opens where the one before closed."""
    traded = {start: list(swaps) for start, swaps in groupby(held.swaps, lambda item: item.time - item.time % every)}
    if not traded:
        return []
    first = max(min(traded), held.time - held.time % every - (COLUMNS - 1) * every)
    last, block, found = held.first.price, 0, []
    for start in range(min(traded), held.time + 1, every):
        prices = [item.quote * Q96 // item.token for item in traded.get(start, [])]
        block = traded[start][-1].block if start in traded else block
        volume = sum(item.turnover for item in traded.get(start, []))
        ends = (last, *prices)
        if start >= first:
            found.append(Candle(start, last, max(ends), min(ends), ends[-1], volume, block))
        last = ends[-1]
    return found


def up(pool: Pool, percent: int) -> int:
    """Returns the quote that lifts the price by so many percent, the fee aside: price grows as its square."""
    return isqrt(pool.quote * pool.quote * (100 + percent) // 100) - pool.quote


def down(pool: Pool, percent: int) -> int:
    """Returns the tokens that lower the price by so many percent, the fee aside."""
    return isqrt(pool.token * pool.token * 100 // (100 - percent)) - pool.token


def _order(held: Market, size: int) -> Order:
    trade = held.now.buy(size, held.time)
    return Order(dollars(size), f"{_percent(max(0, trade.impact_ppm(held.now)))}%")


def _trade(item: Swap) -> Trade:
    amount, quote = (item.received, item.given) if item.buys else (item.given, item.received)
    paid = quote * Q96 // amount if amount else 0
    side = "buy" if item.buys else "sell"
    return Trade(
        side, tokens(amount), dollars(quote), price(paid), brief(item.time), item.block, item.transaction,
        short(item.trader),
    )  # fmt: skip


def _holders(launch: Launch, held: Market) -> tuple[Holder, ...]:
    contracts = launch.contracts
    assert contracts is not None, "a market has contracts"
    known = {
        held.pool: "the pool, locked", contracts.auction: "the auction, unclaimed", contracts.vesting: "team's vesting",
        contracts.partner_vesting: "partner's vesting", contracts.escrow: "milestone escrow",
        launch.application.grants.lower(): "grants", launch.application.community.lower(): "community",
        launch.application.applicant: "the team",
    }  # fmt: skip
    return tuple(
        Holder(
            short(account),
            known.get(account, ""),
            tokens(amount),
            share(amount, held.supply),
            _part(amount, held.supply),
        )
        for account, amount in held.holders[:HOLDERS]
    )


def _part(amount: int, supply: int) -> str:
    """Returns a share of one as text with four digits, for a bar."""
    points = amount * 10_000 // supply if supply else 0
    return f"{points // 10_000}.{points % 10_000:04d}"


def _proof(held: Market) -> tuple[Fact, ...]:
    first, now = isqrt(held.first.token * held.first.quote), isqrt(held.now.token * held.now.quote)
    return (
        Fact("Liquidity when it opened", f"{first:,}", f"transaction {held.opened_in}"),
        Fact("Liquidity now", f"{now:,}", f"{change(first, now)}: it grows by fees and by gifts, and cannot fall"),
        Fact(
            "Who owns it",
            held.locker,
            "the pool itself" if held.locker == held.pool else "a contract without a way out",
        ),
        Fact(
            "Code behind it",
            held.behind,
            "byte for byte the pool of this release" if held.ours else "not compiled here",
        ),
    )


def _sinks(launch: Launch, held: Market) -> tuple[Fact, ...]:
    """Returns what took tokens out of the world so far."""
    symbol = launch.application.symbol
    creator, treasury = held.owed
    whole = held.burnt >= 10**TOKEN or not held.burnt
    burnt = f"{tokens(held.burnt)} {symbol}" if whole else f"less than one {symbol}"
    return (
        Fact("Burnt so far", burnt, "with what the auction did not sell or need"),
        Fact("Bought back so far", "nothing", "no buyback has run for this token yet"),
        Fact("Fees waiting for the team", dollars(creator), "paid on request, in the test dollar"),
        Fact("Fees waiting for the treasury", dollars(treasury)),
    )
