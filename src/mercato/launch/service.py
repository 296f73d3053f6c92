"""The launch room's verbs: take an application, review it, launch it on the chain, and show what it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mercato.chains.model import Chain
from mercato.core.clock import Clock
from mercato.launch import tables
from mercato.launch.application import Application
from mercato.launch.desk import Desk
from mercato.launch.model import Change, Check, Launch, Phase, Review
from mercato.launch.scorecard import Scorecard
from mercato.launch.settings import LaunchSettings
from mercato.launch.states import State
from mercato.store import Store


class Launches:
    """The launch room. Safe to share between threads; it never holds the key of an applicant or a bidder."""

    def __init__(self, store: Store, chain: Chain, clock: Clock, settings: LaunchSettings | None = None) -> None:
        self._store, self._chain, self._clock = store, chain, clock
        self.settings = settings or LaunchSettings()
        self._desk = Desk(store, clock, self.settings, self._paid)

    @property
    def store(self) -> Store:
        """Returns the database."""
        return self._store

    @property
    def chain(self) -> Chain:
        """Returns the chain on which launches happen."""
        return self._chain

    @property
    def clock(self) -> Clock:
        """Returns the clock of what happens off the chain."""
        return self._clock

    # What is known

    def launches(self, states: Iterable[State] = (), limit: int = 500) -> Sequence[Launch]:
        """Returns the newest launches first, in some states where any are named."""
        with self._store.read() as session:
            return tables.listing(session, states, limit)

    def launch(self, id: str) -> Launch:
        """Returns a launch; NotFound where there is none of that id."""
        with self._store.read() as session:
            return tables.get(session, id)

    def history(self, id: str) -> Sequence[Change]:
        """Returns the steps that a launch took, oldest first."""
        with self._store.read() as session:
            return tables.history(session, tables.get(session, id).id)

    def checks(self, id: str) -> tuple[Check, ...]:
        """Returns the results of the last automatic checks."""
        with self._store.read() as session:
            return tables.checks_of(session, id)

    def reviews(self, id: str) -> tuple[Review, ...]:
        """Returns the rounds of review, oldest first. A sealed card stays unknown until it is opened."""
        with self._store.read() as session:
            return tables.rounds(session, id)

    # The curator's desk

    def apply(self, application: Application, *, simulated: bool = False) -> Launch:
        """Writes an application down as a draft; Conflict where the very same one was handed in before."""
        return self._desk.apply(application, simulated=simulated)

    def check(self, id: str) -> tuple[Check, ...]:
        """Runs the automatic checks, stores and returns their results."""
        return self._desk.check(id)

    def submit(self, id: str) -> Launch:
        """Sends a draft to its first panel; Conflict with every reason where a check does not pass."""
        return self._desk.submit(id)

    def appeal(self, id: str) -> Launch:
        """Opens a round with a larger panel on a declined launch; Conflict after two appeals, or without the bond."""
        return self._desk.appeal(id)

    def commit(self, id: str, reviewer: str, commitment: str) -> Review:
        """Takes a reviewer's seal: what `scorecard.seal` returned for the card, which stays with the reviewer."""
        return self._desk.commit(id, reviewer, commitment)

    def reveal(self, id: str, reviewer: str, card: Scorecard, salt: str) -> Review:
        """Takes an opened card; Conflict where it is not the one that was sealed. The last one decides the round."""
        return self._desk.reveal(id, reviewer, card, salt)

    def advance(self, id: str) -> Phase | None:
        """Moves the present round of review on where its time is over; twice changes nothing."""
        return self._desk.advance(id)

    def advance_due(self) -> int:
        """Moves every round on whose time is over; returns how many there were."""
        return self._desk.advance_due()

    def _paid(self, launch: Launch) -> int | None:
        """Returns the deposit that the chain holds for an application; None where deposits are not set up there."""
        return None
