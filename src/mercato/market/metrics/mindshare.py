"""Who holds attention: shares of narratives by trusted engagement, with intervals, beside raw mentions (M11)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mercato.core.errors import InvalidInput
from mercato.market.metrics import attention as read
from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet
from mercato.market.metrics.kernels import bootstrap
from mercato.market.metrics.kernels.bootstrap import Floats, Interval, Periods
from mercato.market.metrics.numbers import plain
from mercato.market.model import Query, Result

METRIC, DEFINITION = "mindshare", "M11.1"
PARAMS = ("seeds", "weights", "draws")
DAYS = 7
FORMULA = (
    "documents once per (author, simhash) in 24 h, official and paid ones left out; trust = PageRank personalised on "
    "the seeds over engager -> author edges of 90 days, weight sqrt(min(count, 3)), damping 0.85, winsorised at p99; "
    "e(q) = sum of trust over the distinct engagers of q; m_k = sum of pi(q,k) e(q) / sum of e(q) per source, sources "
    "combined by published weights; 90 % interval by resampling authors 400 times; change = ln((m + 0.001) / "
    "(m_before + 0.001)), a gain or loss only where its interval excludes 0; raw share = the same with e(q) = 1"
)
#: Weights of sources, fixed and published here; a source that is not named counts 1. They are rescaled over the
#: sources that have documents, so they compare sources and nothing else.
SOURCE_WEIGHTS: Mapping[str, float] = {"rss": 0.5}


@dataclass(frozen=True, slots=True)
class Weighing:
    """The ledgers of both readings and how sources count."""

    trusted: dict[str, Periods]
    raw: dict[str, Periods]
    weights: dict[str, float]
    modes: dict[str, str]


def mindshare(inputs: Inputs, query: Query) -> Result:
    """Returns M11 over the `days` (default 7) that end on as_of, against as many days before.

    Parameters: `seeds` (comma-separated source:account, published beside the shares; without any, trust starts
    everywhere and the result is flagged), `weights` (source=number), `draws` (10-5000, default 400).
    """
    params.known(query, PARAMS)
    days, seeds = query.days or DAYS, params.words(query, "seeds")
    if strange := [seed for seed in seeds if ":" not in seed]:
        raise InvalidInput(f"seeds were {strange!r}", hint="name the source too, such as bluesky:someone.example")
    graphs = read.graphs(inputs, query)
    found = read.attention(inputs, query, days, graphs.trust(seeds))
    sheet = Sheet(METRIC, DEFINITION, query, inputs.evidence("documents", None))
    if not found.sources:
        sheet.add("share", None, "share", flags=["no-data"])
        return sheet.result(flags=["no-data"])
    modes = _modes(found, graphs, seeds)
    raw_sources = {name for name, mode in modes.items() if mode == read.RAW}
    weighing = Weighing(read.ledgers(found, raw_sources), read.ledgers(found, modes), _weights(query, modes), modes)
    flags = _flags(found, graphs, seeds, modes)
    _narratives(sheet, query, found, weighing, flags)
    if len(seeds) > 1:
        _sensitivity(sheet, inputs, query, seeds, weighing, raw_sources)
    _sources(sheet, found, weighing, seeds)
    return sheet.result(flags=flags)


def _modes(found: read.Attention, graphs: read.Graphs, seeds: Collection[str]) -> dict[str, str]:
    """Returns how each source is weighed; a source whose documents nobody trusted engaged with falls back to raw."""
    worth: dict[str, int] = {}
    for source, trust in zip(found.sources, found.trust, strict=True):
        worth[source] = worth.get(source, 0) + trust
    return {name: graphs.mode(name, seeds) if total else read.RAW for name, total in sorted(worth.items())}


def _weights(query: Query, modes: Mapping[str, str]) -> dict[str, float]:
    given = params.pairs(query, "weights", "=")
    found = {}
    for name in modes:
        one = Query(query.as_of, params={"weights": given.get(name, str(SOURCE_WEIGHTS.get(name, 1.0)))})
        found[name] = params.given(one, "weights", 1.0, 0, 1000)
    if not any(found.values()):
        raise InvalidInput(f"weights were {given!r}", hint="give at least one source a weight above 0")
    return found


def _flags(found: read.Attention, graphs: read.Graphs, seeds: Collection[str], modes: Mapping[str, str]) -> list[str]:
    accounts = {f"{source}:{name}" for source, edges in graphs.by_source.items() for name in edges.accounts}
    marks = {
        "unseeded": read.SEEDED not in modes.values(),
        "unknown-seeds": bool(set(seeds) - accounts),
        "single-source": len(modes) == 1,
        "no-labels": not found.labels,
        "no-period-before": 1 not in found.periods,
        "no-documents": 0 not in found.periods,
    }
    raw = [f"raw-share:{name}" for name, mode in modes.items() if mode == read.RAW]
    return [name for name, holds in marks.items() if holds] + raw


def _narratives(sheet: Sheet, query: Query, found: read.Attention, weighing: Weighing, flags: Sequence[str]) -> None:
    draws = int(params.given(query, "draws", bootstrap.DRAWS, 10, 5000))
    known, compared = 0 in found.periods, 0 in found.periods and 1 in found.periods
    shares, changes = bootstrap.intervals(weighing.trusted, weighing.weights, draws=draws)
    raw = bootstrap.combined(weighing.raw, weighing.weights, 0)
    grid = []
    for at, narrative in enumerate(found.narratives):
        share, change = (shares[at], changes[at]) if known else (None, None)
        change = change if compared else None
        contributions = read.contributions(weighing.trusted, weighing.weights, at)
        discount = 1 - share.value / float(raw[at]) if share and raw[at] > 0 else None
        rows = (
            *_interval("share", share, "share"),
            *_interval("change", change, "log ratio"),
            ("verdict", verdict(change), ""),
            ("raw-share", plain(float(raw[at])) if known else None, "share"),
            ("sybil-discount", plain(discount), "ratio"),
            ("effective-authors", plain(bootstrap.effective_authors(contributions)), "authors"),
        )
        for name, value, unit in rows:
            sheet.add(name, value, unit, dims={"narrative": narrative}, flags=flags)
        grid.append((narrative, *(value for _, value, _ in rows)))
    names = ("share", "share-low", "share-high", "change", "change-low", "change-high", "verdict", "raw-share",
             "sybil-discount", "effective-authors")  # fmt: skip
    units = ("", "share", "share", "share", "log ratio", "log ratio", "log ratio", "", "share", "ratio", "authors")
    sheet.grid("narratives", ("narrative", *names), units, grid)


def _interval(name: str, found: Interval | None, unit: str) -> list[tuple[str, str | None, str]]:
    low, high = (f"{name}-low", f"{name}-high")
    if found is None:
        return [(name, None, unit), (low, None, unit), (high, None, unit)]
    return [(name, plain(found.value), unit), (low, plain(found.low), unit), (high, plain(found.high), unit)]


def verdict(change: Interval | None) -> str | None:
    """Returns gain or loss where the 90 % interval of the log change excludes 0, else that no change is shown."""
    if change is None:
        return None
    if change.low > 0:
        return "gain"
    return "loss" if change.high < 0 else "no change shown"


def _sensitivity(
    sheet: Sheet, inputs: Inputs, query: Query, seeds: Sequence[str], weighing: Weighing, raw: Collection[str]
) -> None:
    """Writes how far each share moves when only one half of the seeds is used: seeds are power."""
    ordered, graphs = sorted(seeds), read.graphs(inputs, query)
    whole: Floats = bootstrap.combined(weighing.trusted, weighing.weights, 0)
    moved, names = np.zeros_like(whole), tuple[str, ...]()
    for half in (ordered[::2], ordered[1::2]):
        found = read.attention(inputs, query, query.days or DAYS, graphs.trust(half))
        shares = bootstrap.combined(read.ledgers(found, raw), weighing.weights, 0)
        moved, names = np.maximum(moved, np.abs(shares - whole)), found.narratives
    for at, narrative in enumerate(names):
        sheet.add("seed-sensitivity", plain(float(moved[at])), "share", dims={"narrative": narrative})


def _sources(sheet: Sheet, found: read.Attention, weighing: Weighing, seeds: Sequence[str]) -> None:
    """Writes what each source says alone, its weight and how it was weighed, and the seeds."""
    total, rows = sum(weighing.weights.values()), []
    for name, pair in weighing.trusted.items():
        authors = len(pair[0].whole)
        documents = sum(at == name and not old for at, old in zip(found.sources, found.periods, strict=True))
        shares = pair[0].shares(np.ones(authors))
        weight = plain(weighing.weights[name] / total)
        sheet.add("source-weight", weight, "share", dims={"source": name}, flags=[weighing.modes[name]])
        rows += [
            (name, weighing.modes[name], weight, str(documents), str(authors), narrative, plain(float(shares[at])))
            for at, narrative in enumerate(found.narratives)
        ]
    columns = ("source", "mode", "weight", "documents", "authors", "narrative", "share")
    sheet.grid("sources", columns, ("", "", "share", "documents", "authors", "", "share"), rows)
    sheet.grid("seeds", ("seed",), ("",), [(seed,) for seed in sorted(seeds)])
