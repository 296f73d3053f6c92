"""From documents to ledgers: what each author of each source contributed to each narrative in each period (M11)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mercato.market.metrics import documents
from mercato.market.metrics.base import Inputs
from mercato.market.metrics.kernels.bootstrap import Floats, Ledger, Periods
from mercato.market.metrics.kernels.pagerank import Graph, graph, pagerank, winsorised
from mercato.market.model import Query
from mercato.store.analytics import Engine

UNITS = 10**12  # trust is added up in whole units, so that no order of addition changes a digit
RAW, UNSEEDED, SEEDED = "raw-share", "unseeded", "seeded"


@dataclass(frozen=True, slots=True)
class Graphs:
    """The engagement graph of each source."""

    by_source: Mapping[str, Graph]

    def trust(self, seeds: Collection[str]) -> pa.Table:
        """Returns TRUST rows: what each account's engagement is worth, in whole units. Seeds are `source:account`."""
        columns: dict[str, list[object]] = {name: [] for name in documents.TRUST.names}
        for source, edges in sorted(self.by_source.items()):
            worth = np.rint(winsorised(pagerank(edges, own(seeds, source))) * UNITS).astype(np.int64)
            columns["source"] += [source] * len(edges.accounts)
            columns["engager"] += edges.accounts
            columns["trust"] += worth.tolist()
        return pa.table(columns, schema=documents.TRUST.to_pyarrow())

    def mode(self, source: str, seeds: Collection[str]) -> str:
        """Returns how documents of a source are weighed: seeded, unseeded, or raw where nobody engages."""
        if source not in self.by_source:
            return RAW
        return SEEDED if own(seeds, source) & set(self.by_source[source].accounts) else UNSEEDED


def own(seeds: Collection[str], source: str) -> set[str]:
    """Returns the accounts of one source that are seeds, of seeds written `source:account`."""
    return {seed[len(source) + 1 :] for seed in seeds if seed.startswith(f"{source}:")}


def graphs(inputs: Inputs, query: Query) -> Graphs:
    """Returns the graphs of all sources over the 90 days up to as_of."""
    table = inputs.engine.run(documents.edges(inputs.engagements, query.as_of))
    found = {}
    for source in sorted(set(table["source"].to_pylist())):
        rows = table.filter(pc.equal(table["source"], source))
        found[source] = graph(rows["engager"], rows["author"], rows["count"])
    return Graphs(found)


@dataclass(frozen=True, slots=True)
class Attention:
    """Documents of two periods with what they are worth: columns of one length, and the labels by document place."""

    sources: Sequence[str]
    authors: Sequence[str]
    periods: Sequence[int]
    trust: Sequence[int]
    labels: Sequence[tuple[int, str, float]]
    narratives: tuple[str, ...]


def attention(inputs: Inputs, query: Query, days: int, trust: pa.Table) -> Attention:
    """Returns the documents of the period and the one before, in a fixed order, with trust and labels."""
    engine = inputs.engine
    found = documents.in_periods(inputs.documents, query.as_of, days)
    scored = documents.engaged(found, inputs.engagements, engine.table(trust, documents.TRUST), query.as_of)
    rows = engine.run(scored.order_by("source", "doc_id"))
    keys = list(zip(rows["source"].to_pylist(), rows["doc_id"].to_pylist(), strict=True))
    place = {key: at for at, key in enumerate(keys)}
    labels = _labels(engine, documents.labelled(inputs.labels).semi_join(found, ["source", "doc_id"]), place)
    return Attention(
        sources=[source for source, _ in keys],
        authors=rows["author"].to_pylist(),
        periods=rows["period"].to_pylist(),
        trust=rows["trust"].to_pylist(),
        labels=labels,
        narratives=tuple(sorted({name for _, name, _ in labels})),
    )


def _labels(engine: Engine, table: ibis.Table, place: Mapping[tuple[str, str], int]) -> list[tuple[int, str, float]]:
    rows = engine.rows(table.select("source", "doc_id", "narrative", "weight"))
    found = [
        (place[str(row["source"]), str(row["doc_id"])], str(row["narrative"]), float(str(row["weight"])))
        for row in rows
    ]
    return sorted(found)


def ledgers(found: Attention, raw_sources: Collection[str]) -> dict[str, Periods]:
    """Returns the two ledgers of each source; every document of a raw source is worth the same."""
    return {source: _ledgers(found, source, source in raw_sources) for source in sorted(set(found.sources))}


def _ledgers(found: Attention, source: str, raw: bool) -> Periods:
    ours = [at for at, name in enumerate(found.sources) if name == source]
    authors = {name: at for at, name in enumerate(sorted({found.authors[at] for at in ours}))}
    narratives = {name: at for at, name in enumerate(found.narratives)}
    parts = np.zeros((2, len(authors), len(narratives)))
    whole = np.zeros((2, len(authors)))
    worth = {at: 1.0 if raw else float(found.trust[at]) for at in ours}
    for at in ours:
        whole[found.periods[at], authors[found.authors[at]]] += worth[at]
    for at, narrative, weight in found.labels:
        if at in worth:
            parts[found.periods[at], authors[found.authors[at]], narratives[narrative]] += weight * worth[at]
    return Ledger(parts[0], whole[0]), Ledger(parts[1], whole[1])


def contributions(sources: Mapping[str, Periods], weights: Mapping[str, float], narrative: int) -> Floats:
    """Returns what each author (of each source) added to a narrative's share in this period."""
    found = [
        weights[name] * pair[0].parts[:, narrative] / total
        for name, pair in sources.items()
        if (total := float(pair[0].whole.sum())) > 0
    ]
    return np.concatenate(found) if found else np.zeros(0)
