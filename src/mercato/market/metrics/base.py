"""What every metric takes and gives: inputs as ibis tables, a sheet on which figures are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import ibis

from mercato.core.errors import InvalidInput
from mercato.market.model import SIMULATED, Figure, Grid, InputSet, Query, Result, figure_id
from mercato.store.analytics import Engine

Scope = Literal["panel", "documents", "commits"]


@dataclass(frozen=True, slots=True)
class Inputs:
    """The tables that metrics read, cut at the query's as-of day and knowledge time, on one engine.

    `evidence` returns the raw documents behind a scope; for `panel`, of the asset ids given (None: all of them).
    `migrations` (schema.MIGRATIONS) may be absent: then no token became another. `sector_days` and `highs` (schema) are
    carried from day to day beside the panel; where they are absent, they are computed from all of it.
    """

    engine: Engine
    panel: ibis.Table
    curated: ibis.Table
    assets: ibis.Table
    documents: ibis.Table
    labels: ibis.Table
    engagements: ibis.Table
    commits: ibis.Table
    repositories: ibis.Table
    evidence: Callable[[Scope, Sequence[str] | None], InputSet]
    migrations: ibis.Table | None = None
    sector_days: ibis.Table | None = None
    highs: ibis.Table | None = None


Metric = Callable[[Inputs, Query], Result]


class Sheet:
    """Collects the figures and grids of one metric and gives each its id."""

    def __init__(self, metric: str, definition: str, query: Query, inputs: InputSet) -> None:
        self.metric, self.definition, self.query, self.inputs = metric, definition, query, inputs
        self._figures: list[Figure] = []
        self._grids: list[Grid] = []

    def add(
        self,
        name: str,
        value: str | None,
        unit: str,
        *,
        dims: Mapping[str, str] | None = None,
        coverage: str | None = None,
        flags: Sequence[str] = (),
    ) -> Figure:
        """Writes one figure and returns it. `value` is exact text (numbers.py), None where it is unknown."""
        keys = dict(dims or {})
        item = Figure(
            id=figure_id(self.metric, name, keys, self.query, self.definition, self.inputs.hash),
            metric=self.metric,
            name=name,
            value=value,
            unit=unit,
            as_of=self.query.as_of,
            definition=self.definition,
            inputs=self.inputs.hash,
            dims=keys,
            coverage=coverage,
            flags=self._marked(flags),
        )
        self._figures.append(item)
        return item

    def grid(
        self, name: str, columns: Sequence[str], units: Sequence[str], rows: Sequence[Sequence[str | None]]
    ) -> Grid:
        """Writes a series or ranking and returns it; it has a figure id of its own."""
        key = figure_id(self.metric, f"grid:{name}", {}, self.query, self.definition, self.inputs.hash)
        item = Grid(name, key, tuple(columns), tuple(units), tuple(tuple(row) for row in rows))
        self._grids.append(item)
        return item

    def _marked(self, flags: Sequence[str]) -> tuple[str, ...]:
        """Returns the flags, with `simulated` where any input is made up: no metric can forget to say so."""
        return tuple(dict.fromkeys([*flags, *([SIMULATED] if self.inputs.simulated else [])]))

    def result(self, *, coverage: str | None = None, flags: Sequence[str] = ()) -> Result:
        """Returns everything written so far."""
        return Result(
            metric=self.metric,
            query=self.query,
            definition=self.definition,
            figures=tuple(self._figures),
            inputs=self.inputs,
            grids=tuple(self._grids),
            coverage=coverage,
            flags=self._marked(flags),
        )


def sector_filter(panel: ibis.Table, sector: str) -> ibis.ir.BooleanValue:
    """Returns the rows of a sector that count: tokens with weight 1.

    `ai` is every AI sector together (ids equal to `ai` or starting with `ai-` or `ai_`), `all` is every token.
    """
    counts = (panel.kind == "token") & (panel.weight == 1)
    return counts if sector == "all" else counts & of_sector(panel, sector)


def of_sector(rows: ibis.Table, sector: str) -> ibis.ir.BooleanValue:
    """Returns the rows whose column `sector` is of a sector (see `sector_filter`)."""
    if sector == "all":
        return ibis.literal(True)
    if sector == "ai":
        name = rows.sector.lower().replace("_", "-")
        return (name == "ai") | name.startswith("ai-")
    return rows.sector == sector


def require_sector(inputs: Inputs, sector: str) -> None:
    """Raises InvalidInput, with the sectors that exist, where no asset is in `sector`."""
    known = {
        str(row["sector"]) for row in inputs.engine.rows(inputs.assets.select("sector").distinct()) if row["sector"]
    }
    if sector not in known | {"ai", "all"}:
        raise InvalidInput(
            f"sector was {sector!r}, which no asset has",
            hint=f"known sectors: {', '.join(sorted(known | {'ai', 'all'}))}",
        )
