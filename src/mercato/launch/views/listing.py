"""All launches by where they stand: open first, then upcoming, live, and those that ended otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mercato.launch.clearing import Q96
from mercato.launch.model import Demand, Launch
from mercato.launch.states import State
from mercato.launch.views.book import Fact
from mercato.launch.views.states import BIDDING, Badge, Countdown, badge, countdown
from mercato.launch.words import change, dollars, price, tokens, valuation

#: Title of a group, its states, and what to say where it is empty.
GROUPS = (
    ("Open for bids", BIDDING, "No auction is open."),
    ("Upcoming", frozenset({State.SCHEDULED, State.APPROVED}), "None is scheduled."),
    ("Live", frozenset({State.LIVE, State.CLEARED_PENDING}), "No token is live yet."),
    ("Ended without a market", frozenset({State.FAILED, State.ABORTED}), ""),
)


@dataclass(frozen=True, slots=True)
class Card:
    """One launch in the list."""

    id: str
    name: str
    symbol: str
    summary: str
    badge: Badge
    countdown: Countdown | None
    facts: tuple[Fact, ...]
    reached: int | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Launches that stand at the same point."""

    title: str
    cards: tuple[Card, ...]
    empty: str


def groups(
    launches: Sequence[Launch],
    book: Callable[[Launch], Demand | None],
    quoted: Callable[[Launch], int | None],
    now: int,
) -> tuple[Group, ...]:
    """Returns the groups; `book` gives the demand of an auction under way, `quoted` a live token's price in Q96."""
    found = []
    for title, states, empty in GROUPS:
        cards = tuple(card(item, book(item), quoted(item), now) for item in launches if item.state in states)
        if cards or empty:
            found.append(Group(title, cards, empty))
    return tuple(found)


def card(launch: Launch, held: Demand | None, quoted: int | None, now: int) -> Card:
    """Returns one launch for the list."""
    application = launch.application
    minimum = application.terms.raise_min
    return Card(
        id=launch.id,
        name=application.name,
        symbol=application.symbol,
        summary=application.summary,
        badge=badge(launch.state),
        countdown=countdown(launch, now),
        facts=_facts(launch, held, quoted),
        reached=min(100, held.total * 100 // minimum) if held and minimum else None,
        simulated=launch.simulated,
    )


def _facts(launch: Launch, held: Demand | None, quoted: int | None) -> tuple[Fact, ...]:
    application, result = launch.application, launch.outcome
    if held is not None:
        now = price(held.price) if held.clears else "none yet"
        return Fact("Bid so far", dollars(held.total)), Fact("Price now", now)
    if result is not None and result.sold:
        cleared = result.raised * Q96 // result.sold
        found = Fact("Price found", price(cleared)), Fact("Raised", dollars(result.raised))
        if quoted is None:
            return *found, Fact("Supply at it", valuation(cleared, application.terms.supply))
        return Fact("Price now", price(quoted), f"{change(cleared, quoted)} since the auction"), *found
    if launch.state is State.FAILED:
        return Fact("Minimum raise", dollars(application.terms.raise_min)), Fact("Refunds", "in full")
    sale = tokens(application.terms.tokens(application.allocation.sale))
    floor = valuation(application.terms.floor_price, application.terms.supply)
    if launch.floor is not None:
        floor = dollars(launch.floor)
    return Fact("For sale", f"{sale} {application.symbol}"), Fact("Floor, whole supply", floor)
