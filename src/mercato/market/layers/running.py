"""What the next day starts from, so that no day has to read all days before it: facts, highs, and sums by day.

Each is a small file beside the panel, made of the one before it and the new days; making it from all days at once
gives the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import ibis

from mercato.market.layers.panel import FACTS, facts, facts_after, last_facts
from mercato.market.metrics.drawdown import highs_after
from mercato.market.metrics.level import sector_days
from mercato.market.schema import HIGHS, PANEL, SECTOR_DAYS
from mercato.store.analytics import Engine
from mercato.store.statements import Statement

#: The kinds by the name of their file and of the manifest's field.
RUNNING: Mapping[str, ibis.Schema] = {"facts": FACTS, "highs": HIGHS, "sector_days": SECTOR_DAYS}


@dataclass(frozen=True, slots=True)
class Running:
    """What is known at the end of a day, each kind as a table."""

    facts: ibis.Table
    highs: ibis.Table
    sector_days: ibis.Table


def kept(engine: Engine, folder: Path, names: Mapping[str, str]) -> Running:
    """Returns what the files of these names hold."""
    return Running(**{kind: engine.read([folder / names[kind]], columns) for kind, columns in RUNNING.items()})


def recounted(engine: Engine, curated: ibis.Table, panel: Sequence[Path], span: tuple[date, date]) -> Running:
    """Returns what is known at the end of a span of days, from all of its rows."""
    rows = engine.read(panel, PANEL)
    first, last = map(ibis.literal, span)
    return Running(last_facts(facts(curated)), highs_after(rows, first, last), sector_days(rows, first, last))


def after(curated: ibis.Table, panel: ibis.Table, span: tuple[date, date], before: Running | None) -> list[Statement]:
    """Returns what is known at the end of a span of days, by kind, from its rows and what was known before."""
    days = dict(zip(("first", "last"), span, strict=True))

    def older(kind: str) -> dict[str, ibis.Table]:
        return {} if before is None else {"before": getattr(before, kind)}

    return [
        Statement(facts_after, curated=curated, **older("facts"), **days),
        Statement(highs_after, panel=panel, **older("highs"), **days),
        Statement(days_after, panel=panel, **older("sector_days"), **days),
    ]


def days_after(
    panel: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue, before: ibis.Table | None = None
) -> ibis.Table:
    """Returns the SECTOR_DAYS up to `last`, from the panel since `first` and those before it."""
    found = sector_days(panel, first, last)
    return found if before is None else before.filter(before.day < first).union(found)
