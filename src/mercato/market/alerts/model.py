"""What an alert is: a declared rule, one sample per close, and what the rule remembers of an entity. Pure values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Literal

from mercato.core.events import Event

Operator = Literal["<", "<=", ">", ">=", "=="]
Channel = Literal["page", "webhook", "log"]

_COMPARE: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison with a threshold in the unit of the figure, written as `<= 0.55`."""

    operator: Operator
    threshold: Decimal

    def holds(self, value: Decimal) -> bool:
        """Returns whether `value` satisfies the comparison."""
        return _COMPARE[self.operator](value, self.threshold)

    def __str__(self) -> str:
        return f"{self.operator} {self.threshold}"


@dataclass(frozen=True, slots=True)
class Rule:
    """When to tell somebody: a figure of a metric, when an episode starts and ends, and how long each must last.

    `enter` starts an episode and `leave` ends it; between the two lies the deadband. `closes` is how many daily closes
    in a row must agree, `cooldown_days` how long after an end nothing starts. Samples whose coverage is below
    `coverage` are not looked at. With `scan`, the rule watches many entities at once through their p-values (figure
    `p_figure`) and a false discovery rate of `fdr` is kept. With `compare_days` the value is the change of the figure
    against that many days before, as a ratio.
    """

    key: str
    title: str
    metric: str
    figure: str
    enter: Condition
    leave: Condition
    closes: int = 1
    cooldown_days: int = 0
    coverage: Decimal = Decimal("0.98")
    entity: str = ""
    sector: str = "ai"
    days: int | None = None
    compare_days: int | None = None
    dims: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    scan: bool = False
    p_figure: str = "p_value"
    fdr: Decimal = Decimal("0.10")
    tell_end: bool = True
    channels: tuple[Channel, ...] = ("page", "log")
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Sample:
    """What a rule sees of one entity at one close. `value` None, or thin coverage, makes the rule blind that day."""

    entity: str
    day: date
    value: Decimal | None
    figure_id: str
    coverage: Decimal | None = None
    p: Decimal | None = None


class Signal(StrEnum):
    """What a sample says to the state machine."""

    ENTER = "enter"  # the entry condition holds
    HOLD = "hold"  # neither entry nor exit: the deadband
    LEAVE = "leave"  # the exit condition holds
    BLIND = "blind"  # unknown value or thin coverage


class State(StrEnum):
    """Where an entity stands with a rule."""

    QUIET = "quiet"
    PENDING = "pending"  # entering, not yet for long enough
    FIRING = "firing"
    EASING = "easing"  # leaving, not yet for long enough
    COOLING = "cooling"  # ended; nothing starts until the cooldown is over


class Effect(StrEnum):
    """What a transition makes happen."""

    NONE = "none"
    FIRE = "fire"
    END = "end"
    REARM = "rearm"  # the cooldown is over: look at the same close again as if quiet


@dataclass(frozen=True, slots=True)
class Memory:
    """What a rule remembers of an entity: its state, how many closes agree, the episode and the last day seen."""

    state: State = State.QUIET
    run: int = 0
    episode: int = 0
    since: date | None = None
    seen: date | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """Something to tell: an episode of a rule began or ended for an entity."""

    rule: str
    entity: str
    episode: int
    effect: Effect
    day: date
    title: str
    value: str | None
    figure_id: str

    @property
    def key(self) -> str:
        """Returns the dedupe key: one delivery per rule, entity, episode and end of it."""
        return f"{self.rule}:{self.entity}:{self.episode}:{self.effect.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised(Event):
    """An alert was written down; `key` is its dedupe key."""

    room: ClassVar[str] = "market"

    key: str
    rule: str
    entity: str
    effect: str
    title: str
