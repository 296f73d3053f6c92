"""The curator's desk: applications come in, are checked, reviewed by sealed scorecards, and approved or declined.

Nobody approves by hand: a round ends when all cards are open or its time is over, and the verdict is arithmetic. A
phase in which fewer than a majority of the panel took part is lengthened by its own time instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from mercato.core.clock import Clock
from mercato.core.errors import Conflict, InvalidInput
from mercato.launch import tables
from mercato.launch.application import Application
from mercato.launch.checks import Facts, carries, check, passed
from mercato.launch.model import LAUNCHES, Change, Check, Launch, LaunchChanged, Phase, Review, ReviewChanged, Seat
from mercato.launch.scorecard import ROUNDS, Scorecard, judge, opened, panel, sealed, seats
from mercato.launch.settings import LaunchSettings
from mercato.launch.states import State, Step, move
from mercato.store import Read, Store, Transaction, emit

#: How long a draft is kept without a step; anybody may write one.
DRAFT_TIME = timedelta(days=30)
Paid = Callable[[Launch], int | None]
Asked = Callable[[], int]


class Desk:
    """Takes applications and carries them to approved or declined.

    `paid` says what deposit the chain holds for one, None where it holds none for anybody; `asked` what it should be.
    """

    def __init__(self, store: Store, clock: Clock, settings: LaunchSettings, paid: Paid, asked: Asked) -> None:
        self._store, self._clock, self._settings, self._paid, self._asked = store, clock, settings, paid, asked

    def apply(self, application: Application, *, simulated: bool = False) -> Launch:
        """Writes an application down as a draft; Conflict where the very same one was handed in before."""
        now = self._clock.now()
        launch = Launch(
            id=LAUNCHES.new(), state=State.DRAFT, application=application, created_at=now, changed_at=now,
            simulated=simulated,
        )  # fmt: skip
        with self._store.transaction() as tx:
            tables.add(tx, launch)
            tables.save_checks(tx, launch.id, check(application, self._facts(tx, launch, None)))
        return launch

    def check(self, id: str) -> tuple[Check, ...]:
        """Runs the automatic checks, stores and returns their results."""
        launch = self._launch(id)
        paid = self._paid(launch)
        with self._store.transaction() as tx:
            results = check(launch.application, self._facts(tx, launch, paid))
            tables.save_checks(tx, launch.id, results)
        return results

    def submit(self, id: str) -> Launch:
        """Sends a draft to its first panel; Conflict with every reason where a check does not pass."""
        launch = self._launch(id)
        move(launch.state, Step.SUBMIT)
        if not passed(results := self.check(id)):
            reasons = [f"{item.name}: {item.reason}" for item in results if not item.passed]
            raise Conflict(f"application did not pass its checks: {'; '.join(reasons)}", hint="change it, apply again")
        with self._store.transaction() as tx:
            self._step(tx, launch, Step.SUBMIT)
            self._convene(tx, launch, 1, frozenset())
        return self._launch(id)

    def bond(self, round: int) -> int:
        """Returns the deposit that a round asks for in all, in quote base units: each appeal adds 1.5 times the first.

        The deposit contract rounds the same way, down.
        """
        deposit = self._asked()
        return deposit + (round - 1) * (deposit * 3 // 2)

    def appeal(self, id: str) -> Launch:
        """Opens a round with a larger panel on a declined launch; Conflict after two appeals, or without the bond."""
        launch = self._launch(id)
        move(launch.state, Step.APPEAL)
        paid = self._paid(launch)
        with self._store.transaction() as tx:
            tables.hold(tx, id)
            held = tables.rounds(tx, id)
            number = len(held) + 1
            if number > ROUNDS:
                raise Conflict(f"appeals were {len(held) - 1}, at most {ROUNDS - 1}", hint="the decision is final")
            owed = self.bond(number)
            if paid is not None and paid < owed:
                raise Conflict(f"deposit was {paid} base units", hint=f"an appeal needs {owed} in all")
            self._step(tx, launch, Step.APPEAL, reason="")
            self._convene(tx, launch, number, frozenset(seat.reviewer for item in held for seat in item.seats))
        return self._launch(id)

    def commit(self, id: str, reviewer: str, commitment: str) -> Review:
        """Takes a reviewer's seal. The panel opens its cards once all are sealed or the time to seal is over."""
        self.advance(id)
        with self._store.transaction() as tx:
            review = self._in(tx, id, Phase.COMMIT)
            tables.commit(tx, id, review.round, reviewer.lower(), sealed(commitment))
            self._told(tx, id, review)
        self.advance(id)
        return self._review(id)

    def reveal(self, id: str, reviewer: str, card: Scorecard, salt: str) -> Review:
        """Takes an opened card; Conflict where it is not the one that was sealed. The last one decides the round."""
        self.advance(id)
        reviewer = reviewer.lower()
        with self._store.transaction() as tx:
            review = self._in(tx, id, Phase.REVEAL)
            seal = next((seat.commitment for seat in review.seats if seat.reviewer == reviewer), "")
            if seal:
                opened(seal, id, review.round, reviewer, card, salt)
            self._carried(tables.get(tx, id), card)
            tables.reveal(tx, id, review.round, reviewer, card)
            self._told(tx, id, review)
        self.advance(id)
        return self._review(id)

    def advance(self, id: str) -> Phase | None:
        """Moves the present round on where all have done their part or its time is over; returns its phase.

        None where there is no round. Doing it twice changes nothing.
        """
        with self._store.transaction() as tx:
            tables.hold(tx, id)
            launch, held = tables.get(tx, id), tables.rounds(tx, id)
            if not held:
                return None
            return self._advanced(tx, launch, held[-1])

    def advance_due(self) -> int:
        """Moves every round on whose time is over; returns how many there were."""
        with self._store.read() as session:
            late = tables.due(session, self._clock.now())
        for id in late:
            self.advance(id)
        return len(late)

    def forget_drafts(self) -> int:
        """Removes drafts of which nothing became in a month; returns how many."""
        with self._store.transaction() as tx:
            return tables.forget_drafts(tx, self._clock.now() - DRAFT_TIME)

    def _advanced(self, tx: Transaction, launch: Launch, review: Review) -> Phase:
        if review.phase is Phase.DECIDED:
            return review.phase
        commits = review.phase is Phase.COMMIT
        done = [seat for seat in review.seats if (seat.commitment if commits else seat.card)]
        waiting = [seat for seat in review.seats if commits or seat.commitment]
        over = self._clock.now() >= (review.commit_by if commits else review.reveal_by)
        if len(done) < len(waiting) and not over:
            return review.phase
        if 2 * len(done) <= len(review.seats):
            tables.put_off(tx, launch.id, review.round, *self._times(None if commits else review.commit_by))
            return review.phase
        if commits:
            return self._enter(tx, launch, review, Phase.REVEAL)
        self._decide(tx, launch, review)
        return Phase.DECIDED

    def _enter(self, tx: Transaction, launch: Launch, review: Review, phase: Phase) -> Phase:
        now = self._clock.now()
        tables.set_phase(tx, launch.id, review.round, phase)
        tables.put_off(tx, launch.id, review.round, *self._times(min(now, review.commit_by)))
        self._told(tx, launch.id, review, phase)
        return phase

    def _decide(self, tx: Transaction, launch: Launch, review: Review) -> None:
        verdict = judge([seat.card for seat in review.seats if seat.card], len(review.seats))
        tables.set_phase(tx, launch.id, review.round, Phase.DECIDED, verdict)
        self._told(tx, launch.id, review, Phase.DECIDED)
        if verdict.passed:
            floor = min(max(launch.application.terms.floor, verdict.floor_low), verdict.floor_high)
            self._step(tx, launch, Step.APPROVE, floor=floor, reason=verdict.reason)
        else:
            self._step(tx, launch, Step.DECLINE, reason=verdict.reason)

    def _carried(self, launch: Launch, card: Scorecard) -> None:
        """Refuses a card whose floors the launch's grid of prices cannot carry: approved, it could not be scheduled."""
        for floor in (card.floor_low, card.floor_high):
            if not carries(replace(launch.application.terms, floor=floor)):
                raise InvalidInput(
                    f"floor was {floor}, whose price the grid of levels cannot carry", hint="seal sensible floors"
                )

    def _convene(self, tx: Transaction, launch: Launch, number: int, before: frozenset[str]) -> None:
        members = panel(launch.id, number, self._settings.reviewers, seats(number), before)
        review = Review(number, Phase.COMMIT, *self._times(None), tuple(Seat(name) for name in members))
        tables.add_review(tx, launch.id, review)
        self._told(tx, launch.id, review)

    def _times(self, sealed_by: datetime | None) -> tuple[datetime, datetime]:
        """Returns until when to seal and until when to open, from now on; sealing may be over already."""
        now, settings = self._clock.now(), self._settings
        commit_by = sealed_by or now + timedelta(hours=settings.commit_hours)
        return commit_by, max(now, commit_by) + timedelta(hours=settings.reveal_hours)

    def _in(self, tx: Transaction, id: str, phase: Phase) -> Review:
        tables.hold(tx, id)
        held = tables.rounds(tx, id)
        was = held[-1].phase.value if held else "not begun"
        if was != phase.value:
            raise Conflict(
                f"review was {was!r}", hint=f"cards are sealed and opened in turn; this needs {phase.value!r}"
            )
        return held[-1]

    def _step(self, tx: Transaction, launch: Launch, step: Step, **values: object) -> None:
        now = self._clock.now()
        change = Change(step, launch.state, move(launch.state, step), now)
        tables.move(tx, launch.id, change, **values)
        emit(tx, LaunchChanged(time=now, launch=launch.id, step=step, before=change.before, after=change.after))

    def _told(self, tx: Transaction, id: str, review: Review, phase: Phase | None = None) -> None:
        shown = (phase or review.phase).value
        emit(tx, ReviewChanged(time=self._clock.now(), launch=id, round=review.round, phase=shown))

    def _facts(self, session: Read, launch: Launch, paid: int | None) -> Facts:
        reserved = frozenset(self._settings.reserved)
        return Facts(tables.symbols(session, launch.id), reserved, self._asked(), paid)

    def _launch(self, id: str) -> Launch:
        with self._store.read() as session:
            return tables.get(session, id)

    def _review(self, id: str) -> Review:
        with self._store.read() as session:
            return tables.rounds(session, id)[-1]
