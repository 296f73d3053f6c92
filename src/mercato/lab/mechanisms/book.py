"""What the makers of an auction call by many names: a book takes bids until it closes, and settles them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mercato.lab.model import Q96


@dataclass(frozen=True, slots=True)
class Left:
    """What a bid ended with: of its escrow the charge stays for the tokens, the rest goes back."""

    who: int
    escrow: int
    charge: int
    tokens: int

    @property
    def refund(self) -> int:
        """What goes back."""
        return self.escrow - self.charge


@dataclass(frozen=True, slots=True)
class Settled:
    """How an auction came out: raise, tokens sold, what every open bid ends with.

    `price` (Q96) is the one that its pool opens at, where that is not the mean one.
    """

    raised: int
    sold: int
    bids: tuple[Left, ...]
    price: int | None = None

    def lp_tokens(self, quote: int) -> int:
        """Returns the tokens that `quote` of the raise stands beside in the pool."""
        return quote * self.sold // self.raised if self.price is None else quote * Q96 // self.price


class Book(Protocol):
    """The bids of one auction, in whole numbers and without I/O.

    What the rules do not allow at that time is refused with None or False and changes nothing.
    """

    @property
    def closes(self) -> int:
        """When it ends, as it stands; milliseconds since the launch opened."""

    def bid(self, at: int, who: int, amount: int, limit: int | None, retail: bool) -> int | None:
        """Returns the ticket of a bid that pays `limit` (Q96) per token at most, None for any price."""

    def raise_bid(self, at: int, ticket: int, amount: int, limit: int | None) -> bool:
        """Adds `amount` (or 0) to a bid and raises its limit; None leaves the limit where it is."""

    def cancel(self, at: int, ticket: int) -> Left | None:
        """Takes a bid out, with what it was charged until now."""

    def whose(self, ticket: int) -> int | None:
        """Returns who holds a ticket; None where nobody does."""

    def indicative(self, at: int) -> tuple[int, int]:
        """Returns the price, Q96, and the raise if nothing more were bid."""

    def settle(self) -> Settled:
        """Returns how the auction came out; asked once, after it closed."""
