"""What the next day starts from, so that no day has to read all days before it: facts, highs, and sums by day.

Each is a small file beside the panel, made of the one before it and the new days; making it from all days at once
gives the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cached_property, partial
from pathlib import Path

import ibis

from mercato.market.layers.newday import day_facts, day_highs
from mercato.market.layers.panel import FACTS, facts, facts_after, last_facts
from mercato.market.metrics.drawdown import highs_after
from mercato.market.metrics.level import sector_days
from mercato.market.schema import HIGHS, PANEL, SECTOR_DAYS
from mercato.store.analytics import Engine
from mercato.store.statements import Statement

#: The kinds by the name of their file and of the manifest's field.
RUNNING: Mapping[str, ibis.Schema] = {"facts": FACTS, "highs": HIGHS, "sector_days": SECTOR_DAYS}


class Running:
    """What is known at the end of a day, each kind as a table that is opened when it is first asked for."""

    def __init__(self, tables: Mapping[str, Callable[[], ibis.Table]]) -> None:
        self._tables = tables

    @cached_property
    def facts(self) -> ibis.Table:
        """Returns the FACTS."""
        return self._tables["facts"]()

    @cached_property
    def highs(self) -> ibis.Table:
        """Returns the HIGHS."""
        return self._tables["highs"]()

    @cached_property
    def sector_days(self) -> ibis.Table:
        """Returns the SECTOR_DAYS."""
        return self._tables["sector_days"]()


def kept(engine: Engine, folder: Path, names: Mapping[str, str]) -> Running:
    """Returns what the files of these names hold."""
    return Running({kind: partial(engine.read, [folder / name], RUNNING[kind]) for kind, name in names.items()})


def recounted(engine: Engine, curated: ibis.Table, panel: Sequence[Path], span: tuple[date, date]) -> Running:
    """Returns what is known at the end of a span of days, from all of its rows."""
    rows = engine.read(panel, PANEL)
    first, last = map(ibis.literal, span)
    return Running(
        {
            "facts": lambda: last_facts(facts(curated)),
            "highs": lambda: highs_after(rows, first, last),
            "sector_days": lambda: sector_days(rows, first, last),
        }
    )


def known_after(curated: ibis.Table, span: tuple[date, date], before: Running | None) -> Statement:
    """Returns the facts at the end of a span of days, from its curated rows and what was known before."""
    if before is not None and span[0] == span[1]:
        return Statement(day_facts, curated=curated, before=before.facts, day=span[0])
    return Statement(facts_after, curated=curated, **_older(before, "facts"), **_days(span))


def after(panel: ibis.Table, span: tuple[date, date], before: Running | None) -> list[Statement]:
    """Returns the highs and the sums at the end of a span of days, from its panel and what was known before."""
    if before is not None and span[0] == span[1]:
        highs = Statement(day_highs, panel=panel, before=before.highs, day=span[0])
    else:
        highs = Statement(highs_after, panel=panel, **_older(before, "highs"), **_days(span))
    return [highs, Statement(days_after, panel=panel, **_older(before, "sector_days"), **_days(span))]


def _days(span: tuple[date, date]) -> dict[str, date]:
    return dict(zip(("first", "last"), span, strict=True))


def _older(before: Running | None, kind: str) -> dict[str, ibis.Table]:
    return {} if before is None else {"before": getattr(before, kind)}


def days_after(
    panel: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue, before: ibis.Table | None = None
) -> ibis.Table:
    """Returns the SECTOR_DAYS up to `last`, from the panel since `first` and those before it."""
    found = sector_days(panel, first, last)
    return found if before is None else before.filter(before.day < first).union(found)
