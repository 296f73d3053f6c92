"""The books of one venue: who paid, got and holds what. Venues write them; everybody else reads them."""

from __future__ import annotations

from collections import defaultdict

from mercato.lab.model import Trade


class Ledger:
    """Accounts by number, fees by who took them (`protocol`, `creator`, `lp`), purchases and sales in order.

    `escrow` is what bids hold; `refunds` what came back of it; `unpaid` the wei that an account's settlement left
    between its escrow and charge + refund, 0 in a sound venue.
    """

    __slots__ = ("charged", "entries", "escrow", "exits", "fees", "received", "refunds", "tokens", "unpaid")

    def __init__(self) -> None:
        self.tokens: defaultdict[int, int] = defaultdict(int)
        self.charged: defaultdict[int, int] = defaultdict(int)
        self.received: defaultdict[int, int] = defaultdict(int)
        self.escrow: defaultdict[int, int] = defaultdict(int)
        self.refunds: defaultdict[int, int] = defaultdict(int)
        self.fees: defaultdict[str, int] = defaultdict(int)
        self.entries: list[Trade] = []
        self.exits: list[Trade] = []
        self.unpaid = 0

    def bought(self, who: int, tokens: int, spent: int, at: int) -> None:
        """Books a purchase; `spent` with its fees."""
        self.tokens[who] += tokens
        self.charged[who] += spent
        self.entries.append((who, tokens, spent, at))

    def sold(self, who: int, tokens: int, received: int, at: int) -> None:
        """Books a sale; `received` without its fees."""
        self.tokens[who] -= tokens
        self.received[who] += received
        self.exits.append((who, tokens, received, at))

    def locked(self, who: int, amount: int) -> None:
        """Books the escrow of a bid."""
        self.escrow[who] += amount

    def freed(self, who: int, amount: int) -> None:
        """Books the escrow of a bid that was taken back before the close."""
        self.escrow[who] -= amount

    def settled(self, who: int, escrow: int, charge: int, refund: int, tokens: int, at: int) -> None:
        """Books what one bid ends with: its escrow goes, a charge for tokens stays, the refund goes back."""
        self.escrow[who] -= escrow
        self.unpaid += abs(escrow - charge - refund)
        if refund:
            self.refunds[who] += refund
        if tokens or charge:
            self.bought(who, tokens, charge, at)
