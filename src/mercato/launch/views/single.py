"""One launch: its terms, who gets the supply, what its reviewers said, what it came to, and a visitor's bids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mercato.launch.charts import Part, Plot, allocation, unlocks
from mercato.launch.clearing import Q96
from mercato.launch.curator import VESTING, YEAR
from mercato.launch.model import RETAIL, Launch, Level, Phase, Position, Review
from mercato.launch.scorecard import CRITERIA, VETO
from mercato.launch.states import State
from mercato.launch.views.book import Fact
from mercato.launch.views.states import BIDDING
from mercato.launch.words import bps, dollars, left, moment, price, tokens, valuation

#: Part of the supply -> what it is called, and when it may move.
PARTS = {
    "sale": ("to bidders in the auction", "theirs at once, all at one price"),
    "liquidity": ("locked in the pool", "never leaves it; what the sale does not need is burnt"),
    "team": ("to the team", "nothing for 12 months, then over 36; half of it only at 1.5 to 3 times the price"),
    "partner": ("to the partner treasury", "nothing for 12 months, then over 24"),
    "grants": ("for grants", "free to move at launch"),
    "community": ("for the community", "free to move at launch"),
}


@dataclass(frozen=True, slots=True)
class PartShown:
    """A part of the supply in words."""

    name: str
    share: str
    note: str


@dataclass(frozen=True, slots=True)
class Supply:
    """Who gets the supply: one bar, its parts, and when they may move."""

    bar: Markup
    parts: tuple[PartShown, ...]
    unlocks: Plot


def supply(launch: Launch) -> Supply:
    """Returns the supply of a launch for its page."""
    shares = {name: share for name, share in launch.application.allocation.shares().items() if share}
    parts = [_part(name, share) for name, share in shares.items()]
    shown = tuple(PartShown(PARTS[name][0], bps(share), PARTS[name][1]) for name, share in shares.items())
    return Supply(allocation(parts), shown, unlocks(parts))


def _part(name: str, share: int) -> Part:
    """Returns a part as the vesting contract will treat it, the price gates of the team's left aside."""
    _, cliff, duration = VESTING.get(name, (0, 0, 0))
    return Part(PARTS[name][0], share, cliff * 12 // YEAR, duration * 12 // YEAR, locked=name == "liquidity")


def terms(launch: Launch) -> tuple[Fact, ...]:
    """Returns what everybody may know before bidding."""
    held, application = launch.application.terms, launch.application
    sale = held.tokens(application.allocation.sale)
    floor = launch.floor_valuation * Q96 // held.supply
    window = f"{left(held.open_seconds)}, then {left(held.lock_seconds)} locked"
    when = moment(launch.contracts.opens) if launch.contracts else "not scheduled yet"
    return (
        Fact("For sale", f"{tokens(sale)} {application.symbol}", f"{bps(application.allocation.sale)} of the supply"),
        Fact("Lowest price", price(floor), f"the whole supply at it: {dollars(launch.floor_valuation)}"),
        Fact("Minimum raise", dollars(held.raise_min), "below it everybody gets everything back"),
        Fact("Smallest bid", dollars(held.bid_min)),
        Fact("Steps between levels", bps(held.step_bps), "256 levels"),
        Fact("Kept for identified people", bps(held.retail_bps), "of the sale at most, at the same price"),
        Fact("Opens", when, window),
        Fact("Of what is raised", "75% into the pool", "23% to milestones, 2% to the platform"),
    )


def result(launch: Launch) -> tuple[Fact, ...]:
    """Returns what an auction came to; nothing while it is under way."""
    symbol, came = launch.application.symbol, launch.outcome
    if launch.state is State.FAILED:
        words = "Every bid is given back in full; take yours below."
        return (Fact("Raised", "nothing", words),)
    if came is None or not came.sold:
        return ()
    cleared = came.raised * Q96 // came.sold
    return (
        Fact("Price for everybody", price(cleared), f"level {came.level}"),
        Fact(
            "Raised", dollars(came.raised), f"{dollars(came.retail)} of it by identified people" if came.retail else ""
        ),
        Fact("Sold", f"{tokens(came.sold)} {symbol}"),
        Fact("Whole supply at that price", valuation(cleared, launch.application.terms.supply)),
    )


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A criterion with its median: `part` of one as text for the bar."""

    name: str
    weight: int
    score: int
    part: str
    weak: bool


@dataclass(frozen=True, slots=True)
class Scores:
    """The verdict of the last round that was decided."""

    round: int
    cards: int
    total: str
    words: str
    rows: tuple[ScoreRow, ...]


def scores(reviews: Sequence[Review]) -> Scores | None:
    """Returns the last verdict; None where none was reached."""
    decided = [review for review in reviews if review.phase is Phase.DECIDED and review.verdict]
    if not decided or not decided[-1].verdict:
        return None
    review, verdict = decided[-1], decided[-1].verdict
    rows = tuple(
        ScoreRow(name, weight, verdict.medians[name], _tenth(verdict.medians[name]), verdict.medians[name] < VETO)
        for name, weight in CRITERIA.items()
    )
    total = f"{verdict.total // 10}.{verdict.total % 10}"
    words = "It passed: 70 are needed, and no criterion below 4." if verdict.passed else "It did not pass."
    return Scores(review.round, sum(1 for seat in review.seats if seat.card), total, words, rows)


def _tenth(score: int) -> str:
    return f"{score // 10}.{score % 10}"


@dataclass(frozen=True, slots=True)
class Action:
    """What a bidder may do with a bid: a button, and the one field that it needs."""

    path: str
    words: str
    field: str = ""
    label: str = ""
    main: bool = False


@dataclass(frozen=True, slots=True)
class Bid:
    """A visitor's bid in words."""

    level: int
    limit: str
    amount: str
    tokens: str
    charge: str
    refund: str
    actions: tuple[Action, ...]
    paid: bool

    @property
    def path(self) -> str:
        """Returns the path of the first action, for a form that is sent without a button."""
        return self.actions[0].path


RAISE = Action("raise", "Raise", "amount", "Add, $", main=True)
IMPROVE = Action("improve", "Pay more", "price", "New limit, $")
CANCEL = Action("cancel", "Cancel")
CLAIM = Action("claim", "Claim", main=True)


def bids(launch: Launch, levels: Sequence[Level], held: Sequence[Position]) -> tuple[Bid, ...]:
    """Returns a bidder's positions with what may be done about each now."""
    symbol = launch.application.symbol
    return tuple(
        Bid(
            item.level,
            "the clearing price" if item.level == RETAIL else price(levels[item.level].price),
            dollars(item.amount),
            f"{tokens(item.tokens)} {symbol}",
            dollars(item.charge),
            dollars(item.refund),
            _actions(launch.state, item.level),
            item.claimed,
        )
        for item in held
    )


def _actions(state: State, level: int) -> tuple[Action, ...]:
    if state in (State.LIVE, State.FAILED):
        return (CLAIM,)
    if state not in BIDDING or level == RETAIL:
        return (CANCEL,) if state is State.OPEN else ()
    return (RAISE, IMPROVE, CANCEL) if state is State.OPEN else (RAISE, IMPROVE)


def contracts(launch: Launch) -> list[tuple[str, str]]:
    """Returns the addresses of a launch, and the transaction that made them."""
    held = launch.contracts
    if held is None:
        return []
    named = {
        "Auction": held.auction, "Token": held.token, "Pool": held.pool,
        "Team's vesting": held.vesting, "Partner's vesting": held.partner_vesting,
        "Milestone escrow": held.escrow, "Identity gate": held.gate, "Made by transaction": held.transaction,
    }  # fmt: skip
    return [(name, address) for name, address in named.items() if address]


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What needs words of its own in a team's disclosure."""

    repository_link: bool
    holders: str
    milestones: tuple[Milestone, ...]


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone and its share of the escrow."""

    title: str
    share: str


def disclosure(launch: Launch) -> Disclosure:
    """Returns a team's disclosure; only web addresses become links."""
    application = launch.application
    milestones = tuple(Milestone(item.title, bps(item.share_bps)) for item in application.milestones)
    linked = application.repository.startswith("https://")
    return Disclosure(linked, bps(application.revenue.holders_bps), milestones)
