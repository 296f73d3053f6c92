"""The words of the lab: the economy every mechanism is given, the tape that is replayed into it, and what came out.

Money is ints: quote in base units of the dollar (6 decimals), tokens in wei (18 decimals), prices Q96 (quote per token
times 2**96). A valuation is the quote that the whole supply is worth. Times are milliseconds since the launch opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Q96 = 1 << 96
BPS = 10_000
DOLLAR = 10**6
MINUTE, HOUR = 60_000, 3_600_000

#: The first entity that is no person of the tape. Every account of an adversary belongs to the one entity `ADVERSARY`.
ADVERSARY = 1_000_000

Phase = Literal["before", "primary", "pool", "failed"]
Trade = tuple[int, int, int, int]
"""Account, tokens, quote (fees in), time: a purchase in `entries`, a sale in `exits`."""


@dataclass(frozen=True, slots=True)
class Economy:
    """What is the same for every mechanism: the supply, the announced range of valuations, the window, the horizon.

    `low` and `high` are what was announced before the launch. The common value stays secret: no mechanism sees it.
    """

    low: int
    high: int
    supply: int = 10**27
    sale_bps: int = 4_000
    window_ms: int = 24 * HOUR
    horizon_ms: int = 50 * HOUR
    retail_most: int = 500 * DOLLAR
    bid_least: int = 5 * DOLLAR

    @property
    def floor_q96(self) -> int:
        """The reviewed floor: the low end of the announced range, as a price."""
        return self.low * Q96 // self.supply

    @property
    def raise_target(self) -> int:
        """The quote that the sale brings at the floor; absolute sums of makers' settings are scaled to it."""
        return self.low * self.sale_bps // BPS


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Everything that people bring to a launch, in columns by person 0 to n-1, in order of arrival. Drawn from a seed.

    `arrives` when somebody learns of the launch (0 where before it opens); `values` the valuation that somebody
    believes in; `budgets` quote; `delays` milliseconds between look and act; `checks` the times of the later looks;
    `market` whether somebody buys at any price; `verified` whether an identity was proven; `exits` when somebody needs
    the money back, -1 for never; `momentum` by how many bps belief follows the last hour's rise.
    """

    seed: int
    value: int
    economy: Economy
    arrives: tuple[int, ...]
    values: tuple[int, ...]
    budgets: tuple[int, ...]
    delays: tuple[int, ...]
    checks: tuple[tuple[int, ...], ...]
    market: tuple[bool, ...]
    verified: tuple[bool, ...]
    exits: tuple[int, ...]
    momentum: tuple[int, ...]

    def __len__(self) -> int:
        """The number of people."""
        return len(self.arrives)


@dataclass(frozen=True, slots=True)
class Reserves:
    """The reserves that price a trade at a time: of a constant product with the same price and slope, 0 without one."""

    at: int
    quote: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run came out. Accounts at or above `ADVERSARY` are all one entity.

    `path` samples the price every ten minutes from 0 on, `depths` the reserves at T, T + 1 h and T + 24 h, where T is
    the end of the auction's window or its later close, the same time for mechanisms without auction. `impacts` are
    spend and tokens for purchases of 0.5 % and of 1 % of the raise at T + 1 h.
    `costs` is what the adversary paid aside (identities), less what a seller gains who attacks the own sale. `rent` is
    the part of its profit that a race with rivals hands to block builders, counted apart and not subtracted.
    `actions` counts transactions by kind for gas: `buy`, `sell`, `bid`, `claim` of people; those of the adversary have
    `adversary-` before them, `adversary-refused` the refused ones.
    """

    mechanism: str
    adversary: str
    seed: int
    entries: tuple[Trade, ...]
    exits: tuple[Trade, ...]
    path: tuple[int, ...]
    opened: int
    closed: int
    depths: tuple[Reserves, Reserves, Reserves]
    impacts: tuple[tuple[int, int], ...]
    tokens: dict[int, int]
    charged: dict[int, int]
    received: dict[int, int]
    fees: dict[str, int]
    raised: int
    failed: bool
    refunds: dict[int, int] = field(default_factory=dict)
    refund_error: int = 0
    costs: int = 0
    rent: int = 0
    actions: dict[str, int] = field(default_factory=dict)

    @property
    def profit(self) -> int:
        """What the adversary gained: received - charged - costs. It holds nothing at the end that could be sold."""
        out = sum(quote for who, quote in self.received.items() if who >= ADVERSARY)
        return out - sum(quote for who, quote in self.charged.items() if who >= ADVERSARY) - self.costs

    @property
    def retail_spend(self) -> int:
        """What people were charged in all."""
        return sum(quote for who, quote in self.charged.items() if who < ADVERSARY)
