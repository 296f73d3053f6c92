"""The curator's desk: applications by where they stand, and one application with its checks, rounds and cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mercato.core.errors import InvalidInput
from mercato.launch.model import Check, Launch, Phase, Review, Seat
from mercato.launch.scorecard import CRITERIA, VETO
from mercato.launch.states import State
from mercato.launch.views.states import WORDS, Badge, badge
from mercato.launch.words import dollars, moment, short

#: The order of the desk: what waits for someone first.
ORDER = (
    State.REVIEW, State.DRAFT, State.APPROVED, State.SCHEDULED, State.OPEN, State.LOCKED, State.EXTENDED,
    State.CLEARED_PENDING, State.LIVE, State.DECLINED, State.FAILED, State.ABORTED,
)  # fmt: skip
PHASES = {
    Phase.COMMIT: "cards are being sealed",
    Phase.REVEAL: "sealed cards are being opened",
    Phase.DECIDED: "decided",
}


@dataclass(frozen=True, slots=True)
class Line:
    """An application on the desk."""

    id: str
    name: str
    symbol: str
    badge: Badge
    applicant: str
    changed: str
    reason: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """All applications, and how many stand where."""

    counts: tuple[tuple[str, int], ...]
    lines: tuple[Line, ...]


def desk(launches: Sequence[Launch]) -> Desk:
    """Returns the desk: what waits for someone first, the newest first within."""
    counted = Counter(item.state for item in launches)
    placed = sorted(launches, key=lambda item: ORDER.index(item.state))
    lines = tuple(
        Line(
            item.id, item.application.name, item.application.symbol, badge(item.state),
            short(item.application.applicant), said(item.changed_at), item.reason, item.simulated,
        )
        for item in placed
    )  # fmt: skip
    return Desk(tuple((WORDS[state][0], counted[state]) for state in ORDER if counted[state]), lines)


@dataclass(frozen=True, slots=True)
class CardShown:
    """A seat of the panel: whether its card is sealed or open, and then its scores in the order of the criteria."""

    reviewer: str
    state: str
    scores: tuple[tuple[int, bool], ...]
    total: str
    floor: str
    comment: str


@dataclass(frozen=True, slots=True)
class Round:
    """A round of review in words."""

    number: int
    phase: str
    until: str
    seats: tuple[CardShown, ...]
    verdict: str
    passed: bool | None


def rounds(reviews: Sequence[Review]) -> tuple[Round, ...]:
    """Returns the rounds, the newest first."""
    return tuple(_round(review) for review in reversed(reviews))


def _round(review: Review) -> Round:
    until = {
        Phase.COMMIT: f"until {said(review.commit_by)}",
        Phase.REVEAL: f"until {said(review.reveal_by)}",
        Phase.DECIDED: "",
    }[review.phase]
    verdict = review.verdict
    return Round(
        review.round, PHASES[review.phase], until, tuple(_seat(seat) for seat in review.seats),
        verdict.reason if verdict else "", verdict.passed if verdict else None,
    )  # fmt: skip


def _seat(seat: Seat) -> CardShown:
    card = seat.card
    if card is None:
        return CardShown(short(seat.reviewer), "sealed" if seat.commitment else "waited for", (), "", "", "")
    scores = tuple((card.scores[name], card.scores[name] < VETO) for name in CRITERIA)
    band = f"{dollars(card.floor_low)} to {dollars(card.floor_high)}"
    return CardShown(short(seat.reviewer), "open", scores, f"{card.total // 10}.{card.total % 10}", band, card.comment)


@dataclass(frozen=True, slots=True)
class Checked:
    """The automatic checks, and whether all passed."""

    checks: tuple[Check, ...]
    passed: bool


def checked(results: tuple[Check, ...]) -> Checked:
    """Returns the checks, those that did not pass first."""
    return Checked(tuple(sorted(results, key=lambda item: item.passed)), all(item.passed for item in results))


def part(reviews: Sequence[Review], account: str) -> str:
    """Returns what the review waits for from an account: `commit`, `reveal` or nothing."""
    if not reviews or not account:
        return ""
    review = reviews[-1]
    seat = next((item for item in review.seats if item.reviewer == account), None)
    if seat is None or review.phase is Phase.DECIDED:
        return ""
    if review.phase is Phase.COMMIT:
        return "" if seat.commitment else "commit"
    return "reveal" if seat.commitment and seat.card is None else ""


def said(at: datetime) -> str:
    """Returns a moment of the calendar in words."""
    return moment(int(at.timestamp()))


def written(second: int) -> str:
    """Returns a second of chain time as a field for date and time holds it, in UTC."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M")


def second(text: str) -> int:
    """Returns the second that such a field names, read as UTC; InvalidInput for another text."""
    try:
        return int(datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise InvalidInput(f"time was {text[:40]!r}", hint="write it as 2026-01-31T12:00, in UTC") from None
