"""Where a figure is from: its definition, its inputs, and the raw documents behind them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from mercato.core.errors import NotFound
from mercato.market import tables
from mercato.market.metrics import METRICS
from mercato.market.metrics import metric as find_metric
from mercato.market.model import Segment
from mercato.store import Store


class Evidence:
    """Looks figures up."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def figure(self, figure_id: str) -> Mapping[str, Any]:
        """Returns what is known of a figure; NotFound where no metric has given it that id here."""
        with self._store.read() as session:
            body = tables.figure(session, figure_id)
            if body is None:
                raise NotFound(
                    f"figure was {figure_id!r}, which is not stored here",
                    hint="ids are stored when `mercato market metric` or a report computes them",
                )
            behind = tables.input_set(session, str(body["inputs"]))
            shas = behind.raw_shas if behind else ()
            documents = [_document(item) for item in tables.segments_of(session, shas)]
        inputs = {
            "hash": body["inputs"],
            "universe": behind.universe if behind else None,
            "rows": behind.rows if behind else None,
            "raw": documents,
        }
        return {**body, "formula": formula(str(body["metric"])), "inputs": inputs}


def formula(metric: str) -> str:
    """Returns the text that defines a metric: the docstring of its module and of its function."""
    if metric not in METRICS:
        return ""
    function = find_metric(metric)
    module = inspect.getmodule(function)
    text = getattr(module, "FORMULA", None)
    parts = (text, inspect.getdoc(module) if module else None, inspect.getdoc(function))
    return "\n\n".join(part for part in parts if part)


def _document(item: Segment) -> dict[str, Any]:
    return {
        "sha": item.sha,
        "source": item.source,
        "parser": item.parser,
        "request": item.request,
        "fetched_at": item.observed_at.isoformat(),
        "licence": item.licence,
        "size": item.size,
    }
