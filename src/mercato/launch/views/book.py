"""The book of an auction in words: how much is bid, how firm it is, and what clearing now would give."""

from __future__ import annotations

from dataclasses import dataclass

from mercato.launch.charts import Plot, curves, demand
from mercato.launch.clearing import BPS
from mercato.launch.model import Demand, Launch, Preview
from mercato.launch.views.states import BIDDING
from mercato.launch.words import dollars, moment, price, share, tokens, valuation


@dataclass(frozen=True, slots=True)
class Fact:
    """A number with its name and, where it helps, what it means."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A level that holds demand."""

    level: int
    price: str
    demand: str
    share: str


@dataclass(frozen=True, slots=True)
class Book:
    """What the page shows of a book. `reached` is the part of the minimum raise that is bid, 0 to 100."""

    launch: str
    headline: tuple[Fact, ...]
    firmness: str
    reached: int
    minimum: str
    demand: Plot
    curves: Plot
    rows: tuple[Row, ...]
    source: str
    clears: bool


def book(launch: Launch, held: Demand) -> Book:
    """Returns the book of a launch for its page."""
    terms = launch.application.terms
    sale = terms.tokens(launch.application.allocation.sale)
    reached = min(100, held.total * 100 // terms.raise_min) if terms.raise_min else 100
    return Book(
        launch=launch.id,
        headline=_headline(launch, held, sale) if launch.state in BIDDING else (),
        firmness=_firmness(held) if launch.state in BIDDING else _ended(held),
        reached=reached,
        minimum=dollars(terms.raise_min),
        demand=demand(held),
        curves=curves(held, sale, sale * terms.retail_bps // BPS),
        rows=_rows(held),
        source=f"Block {held.block}, {moment(held.time)}",
        clears=held.clears,
    )


def _headline(launch: Launch, held: Demand, sale: int) -> tuple[Fact, ...]:
    now = price(held.price) if held.clears else "none yet"
    worth = valuation(held.price, launch.application.terms.supply) if held.clears else "unknown"
    over = share(held.total, held.raised) if held.clears else share(held.total, launch.application.terms.raise_min)
    note = f"for {tokens(held.sold)} {launch.application.symbol}" if held.clears else f"{over} of the minimum raise"
    return (
        Fact("Bid so far", dollars(held.total), f"{dollars(held.retail)} of it at any price" if held.retail else ""),
        Fact("Price if it ended now", now, "the same for everybody"),
        Fact("Raised at that price", dollars(held.raised) if held.clears else "none yet", note),
        Fact("Whole supply at that price", worth, f"{tokens(sale)} of it are for sale"),
    )


def _firmness(held: Demand) -> str:
    if not held.total:
        return "Nothing is bid yet."
    if not held.cancellable:
        return f"All of it is firm: {dollars(held.firm)} may be raised and not cancelled any more."
    if not held.firm:
        return f"None of it is firm yet: {dollars(held.cancellable)} may still be cancelled until the lock."
    return f"{dollars(held.firm)} of it is firm, {dollars(held.cancellable)} may still be cancelled until the lock."


def _ended(held: Demand) -> str:
    levels = sum(1 for level in held.levels if level.demand)
    many = f"{levels} level{'' if levels == 1 else 's'}"
    return f"{dollars(held.total)} was bid in all, on {many}." if held.total else "Nobody bid."


def _rows(held: Demand) -> tuple[Row, ...]:
    return tuple(
        Row(level.number, price(level.price), dollars(level.demand), share(level.demand, held.total))
        for level in reversed(held.levels)
        if level.demand
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a bid would get now, in a sentence."""

    words: str
    note: str
    kind: str


def answer(launch: Launch, seen: Preview, limit: int) -> Answer:
    """Returns a preview as a sentence; `limit` is the price of the level that was bid, in Q96."""
    symbol, bid = launch.application.symbol, dollars(seen.amount)
    at = f"Level {seen.level}: you pay at most {price(limit)} for one {symbol}."
    if not seen.clears:
        return Answer(
            f"With your {bid} the auction would still not reach its minimum.", f"{at} You would get all back.", "warn"
        )
    if not seen.tokens:
        words = f"The price would be {price(seen.price)}, above your limit: you would get your {bid} back."
        return Answer(words, at, "warn")
    words = f"You would get {tokens(seen.tokens)} {symbol} for {dollars(seen.charge)}, at {price(seen.price)} each"
    words += f", and {dollars(seen.refund)} back." if seen.refund else "."
    return Answer(words, f"{at} If nothing else changes until the end.", "info")
