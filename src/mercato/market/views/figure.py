"""One figure: its value, how it is made, and the raw bytes behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mercato.core.errors import NotFound
from mercato.market.metrics import METRICS
from mercato.market.report.snapshot import Snapshot
from mercato.market.words import label

if TYPE_CHECKING:
    from mercato.market.service import Market


def context(market: Market, snapshot: Snapshot | None, figure_id: str) -> Mapping[str, object]:
    """Returns the page of a figure, or of a series by its id; NotFound for any other id."""
    try:
        found = dict(market.figure(figure_id))
    except NotFound:
        found = _series(snapshot, figure_id)
        if not found:
            raise
    dims = found.get("dims") or {}
    of = ", ".join(f"{key} {label(str(value))}" for key, value in sorted(dims.items()))
    return {
        "id": figure_id,
        "name": f"{found['metric']} · {found['name']}{' · ' + of if of else ''}",
        "metric": found["metric"],
        "value": found.get("value"),
        "unit": found.get("unit", ""),
        "flags": found.get("flags", ()),
        "formula": found.get("formula") or formula(str(found["metric"])),
        "facts": _facts(found),
        "raw": [_raw(item) for item in found.get("raw", ())],
    }


def _series(snapshot: Snapshot | None, figure_id: str) -> dict[str, Any]:
    """Returns what is known of a series that the snapshot holds; nothing for another id."""
    if snapshot is None:
        return {}
    for result in snapshot.book.results.values():
        for grid in result.grids:
            if grid.figure == figure_id:
                return {
                    "metric": result.metric,
                    "name": f"series {grid.name}",
                    "value": f"{len(grid.rows)}",
                    "unit": "rows",
                    "as_of": result.query.as_of.isoformat(),
                    "definition": result.definition,
                    "inputs": {"hash": result.inputs.hash, "universe": result.inputs.universe},
                    "raw": [{"sha": sha} for sha in result.inputs.raw_shas],
                }
    return {}


def formula(metric: str) -> str:
    """Returns the formula that a metric's module states, or nothing."""
    place = METRICS.get(metric, "").partition(":")[0]
    module = import_module(f"mercato.market.metrics.{place}") if place else None
    return str(getattr(module, "FORMULA", "")) if module else ""


def _facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    inputs, question = found.get("inputs"), found.get("question")
    digest = inputs.get("hash") if isinstance(inputs, Mapping) else inputs
    universe = inputs.get("universe") if isinstance(inputs, Mapping) else None
    facts = [
        ("As of the close of", found.get("as_of")),
        ("Definition", found.get("definition")),
        ("Coverage", found.get("coverage")),
        ("Input set", digest),
        ("Universe", universe),
        ("Question", json.dumps(question, sort_keys=True) if question else None),
    ]
    return [(name, str(value)) for name, value in facts if value]


def _raw(item: object) -> dict[str, str]:
    """Returns a raw document for the table, whatever the service says of it."""
    if isinstance(item, Mapping):
        at = str(item.get("observed_at") or "")[:16].replace("T", " ")
        return {"sha": str(item.get("sha", "")), "source": str(item.get("source", "")),
                "parser": str(item.get("parser", "")), "at": at}  # fmt: skip
    return {"sha": str(item), "source": "", "parser": "", "at": ""}
