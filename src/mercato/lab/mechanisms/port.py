"""The port that every launch mechanism stands behind: one deterministic state machine in whole numbers, without I/O.

A venue begins before its launch at time 0. The world calls `advance` with times that never decrease, and then acts.
An action that cannot be done is refused with 0, None or False and changes nothing; nothing here raises for a
participant's mistake. Claims and refunds are made by the venue itself at its close.

What holds at any time, and is a property test of every venue, with `held()` what lies in the venue:

- quote: charged + escrow = received + fees + held
- tokens: supply = tokens of accounts + held
"""

from __future__ import annotations

from typing import Literal, Protocol

from mercato.lab.mechanisms.ledger import Ledger
from mercato.lab.model import Phase

Kind = Literal["trade", "auction"]


class Venue(Protocol):
    """A launch from its first block to the last trade in its pool. Inherit from it; defaults refuse.

    `kind` is how the primary sale is used: by trades, or by bids until `closes`, after which all venues trade.
    `block_ms` is the block time of the chain that its makers run on. `closes` is when bids end as it stands, and may
    move later by a soft close; None for a venue without auction. `raised` is the quote that the primary sale brought,
    without fees: final once closed or graduated, until then as it stands. `seller_bps` is the part of it that the
    seller may take at once. `retail_most` is the most quote that one identity may bid into a part of the sale that is
    kept for people, 0 where there is none; `retail_limited` says that such a bid keeps its limit.
    """

    kind: Kind
    block_ms: int
    ledger: Ledger
    now: int
    closes: int | None
    raised: int
    seller_bps: int = 0
    retail_most: int = 0
    retail_limited: bool = False

    def advance(self, at: int) -> None:
        """Moves time: fees fall, epochs pass, auctions close and are settled, curves graduate."""

    def phase(self) -> Phase:
        """Returns what can be done now: nothing yet, the primary sale, trades in the pool, nothing any more."""

    def price(self) -> int:
        """Returns the marginal price now, Q96, without fees; of an auction the price if it closed now."""

    def quote(self, spend: int) -> int:
        """Returns the tokens that a purchase would give now, fees in; 0 when nothing can be bought."""

    def worth(self, tokens: int) -> int:
        """Returns the quote that a sale would give now, fees out; 0 when nothing can be sold."""

    def buy(self, who: int, spend: int, least: int = 0) -> int:
        """Returns the tokens bought for at most `spend`; 0 and nothing charged where less than `least` or not open."""

    def sell(self, who: int, tokens: int, least: int = 0) -> int:
        """Returns the quote that a sale brought; 0 and nothing taken where less than `least` or not open."""

    def reserves(self) -> tuple[int, int] | None:
        """Returns quote and tokens of the constant product with the same price and slope as trades have now."""

    def held(self) -> tuple[int, int]:
        """Returns quote and tokens in the venue: reserves, escrow, the team's part, unsold and burnt tokens."""

    def bid(self, who: int, amount: int, limit: int | None, retail: bool = False) -> int | None:
        """Returns the ticket of a bid of `amount` quote; None where refused.

        `limit` is the highest price per token, Q96, None for any; `retail` bids into the part of the sale that
        is kept for people, with a proven identity; where there is none, or above `retail_most`, that is refused.
        """
        return None

    def raise_bid(self, ticket: int, amount: int, limit: int | None) -> bool:
        """Adds `amount` (or 0) to a bid and raises its limit; says whether that was allowed."""
        return False

    def cancel(self, ticket: int) -> bool:
        """Takes a bid back whole; says whether that was allowed."""
        return False

    def tip(self, who: int, amount: int) -> bool:
        """Offers `amount` for a place in the present block, where places are sold; False where they are not."""
        return False

    def join(self, who: int, quote: int) -> bool:
        """Adds liquidity at the pool's price from `quote` and the account's tokens; False where nobody may."""
        return False

    def leave(self, who: int) -> bool:
        """Takes an account's liquidity out; False where it has none."""
        return False
