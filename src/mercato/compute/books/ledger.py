"""The ledger's rules, pure: names of its accounts, what an answer costs, and which money an entry moves.

Each entry of the log moves money between two accounts, so that all balances together are nought at every moment:

    outside --deposit--> user --hold--> reserved --settle--> provider:held --release--> provider:due --pay--> outside
                          ^                |   |                  |
                          +----the rest----+   +--> gateway       +--withhold--> provider:withheld --refund--> user
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mercato.compute.books.words import PAID, Served
from mercato.compute.model import MILLION

OUTSIDE = "outside"
GATEWAY = "gateway"
SLASHED = "slashed"
BPS = 10_000


class Move(NamedTuple):
    """Micro-dollars that go from one account to another; never fewer than none."""

    source: str
    target: str
    micro: int


def user(account: str) -> str:
    """Returns the ledger's account of a user's money that may be spent."""
    return f"user:{account}"


def reserved(account: str) -> str:
    """Returns the account of what a user's open requests may cost."""
    return f"reserved:{account}"


def held(provider: str) -> str:
    """Returns the account of what a provider earned and does not have yet, as its answers may still be judged."""
    return f"provider:{provider}:held"


def due(provider: str) -> str:
    """Returns the account of what a provider is to be paid."""
    return f"provider:{provider}:due"


def withheld(provider: str) -> str:
    """Returns the account of earnings that a verdict stopped, until its dispute is decided."""
    return f"provider:{provider}:withheld"


def stake(provider: str) -> str:
    """Returns the account of what a provider put down, to lose it by contradicting itself in writing."""
    return f"provider:{provider}:stake"


def cost(served: Served, limit: int, fee_bps: int = 0) -> tuple[int, int]:
    """Returns what the user is charged and what the provider earns, in micro-dollars.

    Both counts of tokens bound both; the user is never charged over the reserve, and the gateway keeps `fee_bps` of
    what is charged and what is lost in rounding. An answer that was cut by its provider costs and earns nothing.
    """
    if served.end not in PAID:
        return 0, 0
    price, claimed, counted = served.price, served.claimed, served.counted
    parts = min(price.parts(claimed), price.parts(counted), price.parts(claimed.least(counted)))
    charged = min(limit, -(-parts // MILLION))
    return charged, min(charged, parts // MILLION) * (BPS - fee_bps) // BPS


def of_hold(account: str, limit: int) -> tuple[Move, ...]:
    """Returns what a reserve moves."""
    return (Move(user(account), reserved(account), limit),)


def of_release(account: str, limit: int) -> tuple[Move, ...]:
    """Returns what a release moves."""
    return (Move(reserved(account), user(account), limit),)


def of_settle(account: str, limit: int, provider: str, charged: int, earned: int) -> tuple[Move, ...]:
    """Returns what a receipt moves."""
    return (
        Move(reserved(account), user(account), limit - charged),
        Move(reserved(account), held(provider), earned),
        Move(reserved(account), GATEWAY, charged - earned),
    )


def changes(moves: Iterable[Move]) -> dict[str, int]:
    """Returns how moves change each account, without those that they leave as they were; the sum is nought."""
    found: Counter[str] = Counter()
    for move in moves:
        found[move.source] -= move.micro
        found[move.target] += move.micro
    return {account: micro for account, micro in found.items() if micro}


def written(moves: Iterable[Move]) -> list[Any]:
    """Returns moves as JSON."""
    return [[move.source, move.target, move.micro] for move in moves]


def moves_of(body: Mapping[str, Any]) -> tuple[Move, ...]:
    """Returns the moves that an entry writes out."""
    return tuple(Move(*item) for item in body["moves"])
