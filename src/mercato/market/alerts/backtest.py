"""How often a rule would have fired: its metric asked day by day, as it would have been known at the time or now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mercato.market.alerts.machine import step
from mercato.market.alerts.model import Alert, Effect, Memory, Rule, Signal
from mercato.market.alerts.watch import Asker, hear


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a rule would have told between two days, and on how many closes it was blind."""

    rule: str
    first: date
    last: date
    alerts: tuple[Alert, ...]
    blind: int
    closes: int

    @property
    def by_month(self) -> dict[str, int]:
        """Returns how often an episode began, for every month of the span, zeros included."""
        fired = Counter(f"{item.day:%Y-%m}" for item in self.alerts if item.effect is Effect.FIRE)
        months = sorted({f"{day:%Y-%m}" for day in days(self.first, self.last)})
        return {month: fired[month] for month in months}


def days(first: date, last: date) -> Sequence[date]:
    """Returns every day from the first to the last, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def backtest(
    ask: Asker, rule: Rule, first: date, last: date, *, progress: Callable[[date], None] | None = None
) -> Backtest:
    """Returns what `rule` would have told if it had looked at every close from `first` to `last`. Stores nothing."""
    memories: dict[str, Memory] = {}
    raised: list[Alert] = []
    blind = closes = 0
    for day in days(first, last):
        if progress:
            progress(day)
        for sample, said in hear(ask, rule, day):
            after, alert = step(rule, memories.get(sample.entity, Memory()), sample, said)
            memories[sample.entity] = after
            raised += [alert] if alert else []
            blind += said is Signal.BLIND
            closes += 1
    return Backtest(rule.key, first, last, tuple(raised), blind, closes)
