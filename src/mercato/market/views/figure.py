"""One figure: its value, how it is made, and the raw bytes behind it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mercato.core.errors import NotFound
from mercato.market.metrics import METRICS
from mercato.market.model import SIMULATED
from mercato.market.report.book import reasons
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
    of = ", ".join(label(str(value)) for _, value in sorted(dims.items()))
    inputs = found.get("inputs")
    raw = inputs.get("raw", ()) if isinstance(inputs, Mapping) else ()
    flags = tuple(found.get("flags", ()))
    return {
        "id": figure_id,
        "name": _words(f"{found['metric']} · {found['name']}") + (f" · {of}" if of else ""),
        "metric": _words(str(found["metric"])),
        "value": found.get("value"),
        "unit": found.get("unit", ""),
        "flags": flags,
        "notes": reasons(flags),
        "simulated": "all" if SIMULATED in flags else "",
        "formula": found.get("formula") or formula(str(found["metric"])),
        "facts": _facts(found),
        "raw": [_raw(item) for item in raw],
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
                    "flags": result.flags,
                    "inputs": {
                        "hash": result.inputs.hash,
                        "universe": result.inputs.universe,
                        "raw": [{"sha": sha} for sha in result.inputs.raw_shas],
                    },
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
        ("Asked", _asked(question) if question else None),
    ]
    return [(name, str(value)) for name, value in facts if value]


def _asked(question: Mapping[str, Any]) -> str:
    """Returns the question as its command, which anybody can run again."""
    words = [f"mercato market metric {question['metric']} --as-of {question['as_of']} --sector {question['sector']}"]
    words += [f"--days {question['days']}"] if question.get("days") else []
    words += [f"--param {key}={value}" for key, value in sorted((question.get("params") or {}).items())]
    return " ".join(words)


def _words(name: str) -> str:
    """Returns a name of the code as words."""
    text = name.replace("-", " ").replace("_", " ")
    return text[:1].upper() + text[1:]


def _raw(item: object) -> dict[str, str]:
    """Returns a raw document for the table, whatever the service says of it."""
    if isinstance(item, Mapping):
        at = str(item.get("fetched_at") or "")[:16].replace("T", " ")
        return {"sha": str(item.get("sha", "")), "source": str(item.get("source", "")),
                "parser": str(item.get("parser", "")), "at": at,
                "request": str(item.get("request", "")), "licence": str(item.get("licence", ""))}  # fmt: skip
    return {"sha": str(item), "source": "", "parser": "", "at": "", "request": "", "licence": ""}
