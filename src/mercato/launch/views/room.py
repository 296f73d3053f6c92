"""What the pages ask of the launch room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from mercato.chains.model import Chain
from mercato.core.clock import Clock
from mercato.launch.application import Application
from mercato.launch.model import Change, Check, Demand, Launch, Position, Preview, Request, Review
from mercato.launch.settings import LaunchSettings
from mercato.launch.states import State


class Room(Protocol):
    """The service `Launches`, as far as pages need it."""

    settings: LaunchSettings

    @property
    def chain(self) -> Chain:
        """Returns the chain on which launches happen."""

    @property
    def clock(self) -> Clock:
        """Returns the clock of what happens off the chain."""

    def launches(self, states: Iterable[State] = (), limit: int = 500) -> Sequence[Launch]:
        """Returns the newest launches first."""

    def launch(self, id: str) -> Launch:
        """Returns a launch; NotFound where there is none of that id."""

    def history(self, id: str) -> Sequence[Change]:
        """Returns the steps that a launch took."""

    def checks(self, id: str) -> tuple[Check, ...]:
        """Returns the results of the last automatic checks."""

    def reviews(self, id: str) -> tuple[Review, ...]:
        """Returns the rounds of review."""

    def apply(self, application: Application, *, simulated: bool = False) -> Launch:
        """Writes an application down as a draft."""

    def submit(self, id: str) -> Launch:
        """Sends a draft to its first panel."""

    def appeal(self, id: str) -> Launch:
        """Opens a further round on a declined launch."""

    def commit(self, id: str, reviewer: str, commitment: str) -> Review:
        """Takes a reviewer's seal."""

    def demand(self, id: str) -> Demand:
        """Returns the book of an auction."""

    def preview(self, id: str, level: int, amount: int) -> Preview:
        """Returns what a further bid would get."""

    def positions(self, id: str, bidder: str) -> Sequence[Position]:
        """Returns what a bidder holds in an auction."""

    def prepare_bid(self, id: str, bidder: str, level: int, amount: int) -> Sequence[Request]:
        """Returns the transactions of a bid."""

    def prepare_improve(self, id: str, bidder: str, from_level: int, to_level: int, amount: int) -> Sequence[Request]:
        """Returns the transactions that move a bid to a higher level."""

    def prepare_cancel(self, id: str, bidder: str, level: int, amount: int) -> Sequence[Request]:
        """Returns the transactions that take a bid back."""

    def prepare_claim(self, id: str, bidder: str, level: int) -> Sequence[Request]:
        """Returns the transactions that claim what a bid came to."""
