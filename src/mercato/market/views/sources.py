"""Where the data is from, how fresh it is, and what was refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from mercato.market import source_jobs
from mercato.market.model import SIMULATED, Segment
from mercato.market.report.notice import Simulated

if TYPE_CHECKING:
    from mercato.market.service import Market

FRESH = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Health:
    """One source: how much it gave, how much was refused, which days it covers, and when it was read last."""

    name: str
    documents: int
    rows: int
    rejected: int
    first: date | None
    last: date | None
    read: datetime
    state: str
    error: str = ""


def context(market: Market) -> Mapping[str, object]:
    """Returns the page of the sources."""
    segments = sorted(market.segments(), key=lambda item: item.observed_at, reverse=True)
    return {
        "segments": segments,
        "sources": healths(segments, market.clock.now()),
        "quarantine": market.quarantine(limit=100),
        "connectors": source_jobs.sources(market),
        "simulated": simulated_sources(segments),
    }


def simulated_sources(segments: Iterable[Segment]) -> Simulated:
    """Returns whether all, some or none of these documents are made up."""
    marks = {item.source.partition(":")[0] == SIMULATED for item in segments}
    return "" if True not in marks else "some" if False in marks else "all"


def healths(segments: Iterable[Segment], now: datetime) -> list[Health]:
    """Returns one line per source, by name."""
    by_source: dict[str, list[Segment]] = {}
    for item in segments:
        by_source.setdefault(item.source, []).append(item)
    return [_health(name, items, now) for name, items in sorted(by_source.items())]


def _health(name: str, items: list[Segment], now: datetime) -> Health:
    firsts = [item.first_day for item in items if item.first_day]
    lasts = [item.last_day for item in items if item.last_day]
    read = max(item.observed_at for item in items)
    rejected = sum(item.rejected for item in items)
    state = "fresh" if now - read <= FRESH else "not read lately"
    return Health(
        name=name,
        documents=len(items),
        rows=sum(sum(item.rows.values()) for item in items),
        rejected=rejected,
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        read=read,
        state=state,
    )
