"""Values of the launch room: launches, demand, positions, what a wallet is asked to sign, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, NewType

from mercato.chains.model import Address, Call, Hash
from mercato.core.events import Event
from mercato.core.ids import Kind
from mercato.launch.application import Application
from mercato.launch.clearing import LEVELS as LEVELS
from mercato.launch.clearing import RETAIL as RETAIL
from mercato.launch.scorecard import Scorecard, Verdict
from mercato.launch.states import State, Step

LaunchId = NewType("LaunchId", str)
LAUNCHES = Kind("lch", LaunchId)


class Phase(StrEnum):
    """Where a round of review stands."""

    COMMIT = "commit"
    REVEAL = "reveal"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Check:
    """One automatic check: whether it passed and why."""

    name: str
    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Seat:
    """A reviewer's place in a round: the seal, and the card once it was opened."""

    reviewer: str
    commitment: str = ""
    card: Scorecard | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A round of review. Seals are taken until `commit_by`, cards are opened until `reveal_by`."""

    round: int
    phase: Phase
    commit_by: datetime
    reveal_by: datetime
    seats: tuple[Seat, ...]
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Contracts:
    """Where a launch lives on its chain, and its times in seconds of chain time. `pool` is None until it is live.

    `vesting` holds the team's tokens and `partner_vesting` the partner's, where they get any; `gate` admits retail.
    """

    token: Address
    auction: Address
    escrow: Address
    vesting: Address | None
    partner_vesting: Address | None
    gate: Address | None
    pool: Address | None
    opens: int
    locks: int
    ends: int
    block: int
    transaction: Hash


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an auction came to: the lowest filled level, money raised, tokens sold, and how much retail took part."""

    level: int
    raised: int
    sold: int
    retail: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A launch from application to market. `reason` says why it was declined; `simulated` marks made-up people."""

    id: LaunchId
    state: State
    application: Application
    created_at: datetime
    changed_at: datetime
    simulated: bool = False
    reason: str = ""
    floor: int | None = None
    contracts: Contracts | None = None
    outcome: Outcome | None = None

    @property
    def floor_valuation(self) -> int:
        """Returns the floor in force: what the panel's band made of the applicant's."""
        return self.application.terms.floor if self.floor is None else self.floor


@dataclass(frozen=True, slots=True)
class Change:
    """A step that a launch took, and when. `block` is the chain's where it was read there."""

    step: Step
    before: State
    after: State
    at: datetime
    block: int | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """The demand at one level: its price in Q96 and the quote base units that bid at most that."""

    number: int
    price: int
    demand: int


@dataclass(frozen=True, slots=True)
class Demand:
    """The book of an auction at a block. `levels` holds all 256; money in quote base units, `price` in Q96.

    `firm` may no longer be cancelled, `cancellable` still may. `level`, `price`, `raised` and `sold` are what clearing
    now would give; `clears` is False where it would fail.
    """

    levels: tuple[Level, ...]
    retail: int
    total: int
    firm: int
    cancellable: int
    clears: bool
    level: int
    price: int
    raised: int
    sold: int
    block: int
    time: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a further bid would get if the auction cleared with it and nothing else changed."""

    level: int
    amount: int
    tokens: int
    charge: int
    refund: int
    price: int
    clears: bool


@dataclass(frozen=True, slots=True)
class Position:
    """A bidder's money at one level and what it gets: final once the auction has ended, a forecast before.

    `claimed` positions were paid out already.
    """

    level: int
    amount: int
    tokens: int
    charge: int
    refund: int
    final: bool
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A transaction for a wallet to sign: what it does in words, the call, and the function with its arguments.

    `refusal` is why the chain would refuse it now, after those before it; "" where it would not.
    """

    title: str
    call: Call
    function: str
    arguments: Mapping[str, str]
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchChanged(Event):
    """A launch took a step: its state before and after."""

    room: ClassVar[str] = "launch"
    launch: str
    step: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandChanged(Event):
    """The book of an auction is not what it was: total demand in quote base units as text, at a block."""

    room: ClassVar[str] = "launch"
    launch: str
    total: str
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewChanged(Event):
    """A seal or a card arrived, or the phase of a review changed."""

    room: ClassVar[str] = "launch"
    launch: str
    round: int
    phase: str


Body = Mapping[str, Any]
