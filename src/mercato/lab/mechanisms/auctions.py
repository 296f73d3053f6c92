"""The auctions by name, at their makers' settings in the economy of a study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from mercato.lab.mechanisms.auction import LIQUIDITY_BPS, Auction, own_pool, v2_pool
from mercato.lab.mechanisms.book import Book
from mercato.lab.mechanisms.cca import Continuous, Schedule, backloaded, linear
from mercato.lab.mechanisms.discount import Discounted
from mercato.lab.mechanisms.easyauction import Batch
from mercato.lab.mechanisms.lca import Levels, Rules
from mercato.lab.mechanisms.variants import Elastic, EqualShare
from mercato.lab.model import BPS, DOLLAR, Economy

ETHEREUM_MS, BASE_MS = 12_000, 2_000
RETAIL_BPS = 2_500
#: Of the raise, which our creator may take at once; the rest of the team's part waits for milestones.
SELLER_BPS = 60
#: Of the raise into the pool, where 70 % of the supply is sold and 30 % goes beside it.
WHOLE_BPS = 30_000 // 7
CHEAPER = partial(Discounted, off_bps=2_800)


def sale_of(economy: Economy) -> int:
    """Returns the tokens that an auction sells."""
    return economy.supply * economy.sale_bps // BPS


def easyauction(economy: Economy) -> Auction:
    """Returns an EasyAuction-like batch."""
    book = Batch(sale_of(economy), economy.floor_q96, economy.bid_least, economy.window_ms)
    return Auction(economy, book, ETHEREUM_MS, v2_pool)


def cca(economy: Economy, *, back: bool) -> Auction:
    """Returns a CCA-like auction with its linear or its back-loaded schedule."""
    blocks = economy.window_ms // ETHEREUM_MS
    schedule: Schedule = backloaded(blocks) if back else linear(blocks)
    floor = economy.floor_q96
    book: Book = Continuous(sale_of(economy), floor, max(floor // 100, 2), ETHEREUM_MS, schedule)
    return Auction(economy, book, ETHEREUM_MS, v2_pool)


def rules_of(economy: Economy) -> Rules:
    """Returns the terms of the house's auction: open for three quarters of the window, firm for the last one."""
    sale, closes = sale_of(economy), economy.window_ms // 1_000
    return Rules(
        sale, economy.floor_q96, sale * RETAIL_BPS // BPS, economy.retail_most, least=economy.bid_least,
        locks=closes * 3 // 4, closes=closes,
    )  # fmt: skip


def lca(
    economy: Economy,
    vary: Callable[[Rules], Rules] = lambda rules: rules,
    book: Callable[[Rules], Levels] = Levels,
    liquidity_bps: int = LIQUIDITY_BPS,
) -> Auction:
    """Returns the house's auction, or one with other rules or another book."""
    rules = vary(rules_of(economy))
    made = Auction(economy, book(rules), BASE_MS, own_pool, liquidity_bps=liquidity_bps)
    made.seller_bps, made.retail_most = SELLER_BPS, rules.each if rules.retail_cap else 0
    made.retail_limited = isinstance(made.book, Discounted)
    return made


def identities(dollars: int) -> Callable[[Rules], Rules]:
    """Returns rules under which one identity gets so many dollars into retail's part, instead of $500."""
    return lambda rules: replace(rules, each=dollars * DOLLAR)


def selling(bps: int) -> Callable[[Rules], Rules]:
    """Returns rules that sell another part of the supply than 40 %, with retail's part in proportion."""
    return lambda rules: replace(rules, sale=rules.sale * bps // 4_000, retail_cap=rules.retail_cap * bps // 4_000)


def tranche(bps: int) -> Callable[[Rules], Rules]:
    """Returns rules with another part of the sale for retail."""
    return lambda rules: replace(rules, retail_cap=rules.sale * bps // BPS)


AUCTIONS: dict[str, Callable[[Economy], Auction]] = {
    "easyauction": easyauction,
    "cca-linear": lambda economy: cca(economy, back=False),
    "cca-backloaded": lambda economy: cca(economy, back=True),
    "lca": lca,
    "lca-no-retail": lambda economy: lca(economy, tranche(0)),
    "lca-elastic": lambda economy: lca(economy, book=Elastic),
    "lca-no-soft-close": lambda economy: lca(economy, lambda rules: replace(rules, soft_close=False)),
    "lca-half-retail": lambda economy: lca(economy, tranche(5_000)),
    "lca-equal-share": lambda economy: lca(economy, book=EqualShare),
    "lca-wide-sale": lambda economy: lca(economy, selling(6_000), liquidity_bps=5_000),
    "lca-whole-supply": lambda economy: lca(economy, selling(7_000), liquidity_bps=WHOLE_BPS),
    "lca-discount": lambda economy: lca(economy, identities(100), Discounted),
    "lca-wide-discount": lambda economy: lca(
        economy, lambda rules: identities(50)(selling(6_000)(rules)), CHEAPER, 5_000
    ),
    "lca-whole-discount": lambda economy: lca(
        economy, lambda rules: identities(50)(selling(7_000)(rules)), CHEAPER, WHOLE_BPS
    ),
}
"""Name -> a fresh launch. The three after `lca` are ours with one part changed. From `lca-half-retail` on it is
what was tried to fill more people: half of the sale for retail; equal share in its part; 60 % of the supply sold, half
of the raise in the pool; 70 % sold and all else in the pool, as on bonding curves; 15 % off for identities, $100 each;
60 % sold and 28 % off, $50 each; 70 % sold and as much off."""
