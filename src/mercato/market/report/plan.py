"""The questions of a weekly report: which metric is asked what, under which name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from mercato.market.model import Query

WEEK = 7
SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Question:
    """One metric with its span and parameters; `sector` None means the sector of the report."""

    metric: str
    days: int | None = None
    sector: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


#: The name by which sections look results up -> what is asked.
QUESTIONS: Mapping[str, Question] = {
    "sector-level": Question("sector-level", days=180),
    "agents": Question("sector-level", days=180, sector="ai-agents"),
    "infrastructure": Question("sector-level", days=180, sector="ai-infrastructure"),
    "sector-index": Question("sector-index", days=90),
    "decompose": Question("decompose", days=WEEK),
    "giants": Question("giants"),
    "flat-range": Question("flat-range"),
    "regime": Question("regime"),
    "drawdown": Question("drawdown"),
    "dominance": Question("dominance", days=WEEK),
    "deployed": Question("dominance", days=WEEK, params={"mode": "deployed"}),
    "traded": Question("dominance", days=WEEK, params={"mode": "traded"}),
    "platform-share": Question("platform-share"),
    "mindshare": Question("mindshare", days=WEEK),
    "rebounds": Question("rebounds", days=WEEK),
    "developers": Question("developers"),
    "scenario-low": Question("scenario", params={"budget": "500", "multiple": "10"}),
    "scenario-high": Question("scenario", params={"budget": "5000", "multiple": "100"}),
    "quality": Question("quality"),
}


def queries(as_of: date, sector: str = "ai", known_at: datetime | None = None) -> dict[str, tuple[str, Query]]:
    """Returns the metric and the query of every question of the report."""
    return {
        key: (item.metric, Query(as_of, item.sector or sector, item.days, known_at, dict(item.params)))
        for key, item in QUESTIONS.items()
    }


def last_sunday(now: datetime) -> date:
    """Returns the last Sunday whose close, 24:00 UTC, has passed."""
    today = now.date()
    return today - timedelta(days=(today.weekday() - SUNDAY) % 7 or 7)
