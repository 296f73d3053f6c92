"""The monthly budget of an account: counted before each call, kept between runs, never overspent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from mercato.core.clock import Clock
from mercato.market.connectors.errors import Postponed
from mercato.market.connectors.state import Notebook


@dataclass(frozen=True, slots=True)
class BudgetState:
    """How much of a month is used. `limit` is None where the source sets none."""

    account: str
    month: str
    used: int
    limit: int | None
    resets_on: date

    @property
    def left(self) -> int | None:
        """Returns the calls that may still be made this month, None where there is no limit."""
        return None if self.limit is None else max(0, self.limit - self.used)


def next_month(day: datetime) -> date:
    """Returns the first day of the month after `day`."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


class Budget:
    """Counts the calls of one account in a UTC calendar month. Retries count too: sources bill them."""

    def __init__(self, account: str, limit: int | None, state: Notebook, clock: Clock) -> None:
        self.account, self.limit = account, limit
        self._state, self._clock = state, clock

    def read(self) -> BudgetState:
        """Returns how much is used; a new month starts at zero."""
        now = self._clock.now().astimezone(UTC)
        month = f"{now:%Y-%m}"
        kept = self._state.load(f"account:{self.account}").get("budget", {})
        used = int(kept.get("used", 0)) if kept.get("month") == month else 0
        return BudgetState(self.account, month, used, self.limit, next_month(now))

    def spend(self) -> BudgetState:
        """Counts one call before it is made. Raises Postponed where none is left."""
        now = self.read()
        if self.limit is not None and now.used >= self.limit:
            raise Postponed(
                f"the budget of {self.account!r} was used up: {now.used} of {self.limit} calls in {now.month}",
                hint=f"it resets on {now.resets_on.isoformat()}; raise monthly_calls if your plan allows more",
                why="budget-spent",
                account=self.account,
                retry_at=f"{now.resets_on.isoformat()}T00:00:00+00:00",
            )
        name = f"account:{self.account}"
        self._state.save(name, {**self._state.load(name), "budget": {"month": now.month, "used": now.used + 1}})
        return self.read()
