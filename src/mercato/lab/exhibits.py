"""What a report shows of a study: pictures and the tables behind them, the same for pages, HTML and Markdown.

Everything is read from the study's results; nothing is computed here but which row stands where.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from mercato.core.numerals import UNKNOWN, percent
from mercato.core.numerals import by_unit as worded
from mercato.lab import words
from mercato.lab.plots import Bar, Path, intervals, paths

OURS = "lca"
_DIGITS = 5  # after the point: what lies below is rounding of base units, no difference
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawn chart; `about` says it in words, `key` names its file."""

    key: str
    caption: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A part of the report: a question, pictures and a table of words. `marks` has a class for each row, or "" ."""

    key: str
    title: str
    question: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    pictures: tuple[Picture, ...] = ()
    marks: tuple[str, ...] = ()


def exhibits(found: Body) -> tuple[Exhibit, ...]:
    """Returns the exhibits of a study's results, in the order that they are read."""
    makers = (summary, scoreboard, extraction, entry_prices, fill, depth, speed, price_paths)
    return tuple(make(found) for make in makers) if found["mechanisms"] else ()


def summary(found: Body) -> Exhibit:
    """Returns every mechanism beside every other, under its best attack."""
    names = ("extraction_of_retail", "gini", "p90_p10", "buyers_filled", "impact_1h", "depth_2pct")
    rows = [
        (words.mechanism(name), _attack(body), *(_mean(body, metric) for metric in names))
        for name, body in _ordered(found)
    ]
    return Exhibit(
        "summary", "Every mechanism under its best attack",
        "Which mechanism keeps bots from taking money, and what does that cost? Means over all seeds.",
        ("Mechanism", "Best attack found", *(words.METRICS[name].label for name in names)), tuple(rows),
    )  # fmt: skip


def scoreboard(found: Body) -> Exhibit:
    """Returns where our auction wins and loses, metric by metric, against the best rival on that metric."""
    rows, marks = [], []
    for name, metric in words.METRICS.items():
        row = _duel(found, name, metric)
        if row:
            rows.append(row)
            marks.append(row[-1])
    return Exhibit(
        "scoreboard", "Where our auction loses, and where it wins",
        "Against the best other mechanism on each metric, our own variants aside; even where the 95 % intervals touch.",
        ("Metric", "Ours", "Best rival", "Rival", "Ours beside it"), tuple(rows), marks=tuple(marks),
    )  # fmt: skip


def extraction(found: Body) -> Exhibit:
    """Returns what each adversary takes on each mechanism."""
    attacks = sorted({name for _, body in _ordered(found) for name in body["attacks"]})
    rows = [
        (words.mechanism(name), *(_said(body["attacks"].get(one), "extraction_of_retail", "ratio") for one in attacks))
        for name, body in _ordered(found)
    ]
    return Exhibit(
        "extraction", "What each adversary takes",
        "Profit of the adversary over what people paid, tuned for each mechanism on training seeds, scored on others.",
        ("Mechanism", *(words.adversary(name) for name in attacks)), tuple(rows),
        (_bars(found, "extraction_of_retail", "Taken by the best attack, of what people paid, with 95 % intervals"),),
    )  # fmt: skip


def entry_prices(found: Body) -> Exhibit:
    """Returns how entry prices are spread on each mechanism, with and without the best attack."""
    bars, rows = [], []
    for name, body in _ordered(found):
        spread = [_middle(place) for place in body["prices"]["attacked"]]
        low, half, high = (spread[2], spread[10], spread[18]) if len(spread) == 21 else (None, None, None)
        bars.append(Bar(words.mechanism(name), half, low, high))
        rows.append(
            (words.mechanism(name), *(by_unit(value, "usd") for value in (low, half, high)),
             *(_mean(body, metric) for metric in ("gini", "p90_p10", "theil", "top10_share")),
             _said(body["baseline"], "gini", ""))
        )  # fmt: skip
    about = "Valuation at which people entered, 10th to 90th percentile of people, median seed, under the best attack"
    return Exhibit(
        "entry-prices", "At what price people entered",
        "Does everybody pay the same? Prices are shown as what the whole supply is worth at them.",
        ("Mechanism", "10th percentile", "Median", "90th percentile", "Gini", "90th over 10th", "Theil",
         "Ten largest hold", "Gini without an adversary"),
        tuple(rows), (Picture("entry-prices", about, intervals(bars, "usd", about)),),
    )  # fmt: skip


def fill(found: Body) -> Exhibit:
    """Returns how many people got tokens, and the question whether an auction fills as many as a curve."""
    asked = found["retail_fill"] or {"auctions": {}, "curve": ""}
    rows = [
        (words.mechanism(name), _mean(body, "buyers_filled"), _mean(body, "fill_rate"), _mean(body, "half_filled"),
         _mean(body, "late_buyers"), _said(body["baseline"], "buyers_filled", "count"), *_beside(asked, name))
        for name, body in _ordered(found)
    ]  # fmt: skip
    curve = f" The best curve is {words.mechanism(asked['curve'])}." if asked["curve"] else ""
    return Exhibit(
        "fill", "How many people got tokens",
        f"Does an auction fill 90 % as many as the best curve while its best attack takes 0.5 % at most?{curve}",
        ("Mechanism", "Buyers filled", "Of all who came", "Placed half their money", "More after the close",
         "Without an adversary", "Of the best curve's", "Goal met"),
        tuple(rows), (_bars(found, "buyers_filled", "Buyers filled under the best attack, with 95 % intervals"),),
    )  # fmt: skip


def depth(found: Body) -> Exhibit:
    """Returns how much can be traded afterwards."""
    names = ("depth_2pct_0h", "depth_2pct", "depth_2pct_24h", "impact_1h_half", "impact_1h", "lp_to_fdv")
    units = ("usd", "usd", "usd", "ratio", "ratio", "ratio")
    rows = [
        (words.mechanism(name), *(_said(body, metric, unit) for metric, unit in zip(names, units, strict=True)))
        for name, body in _ordered(found)
    ]
    return Exhibit(
        "depth", "How deep the market is afterwards",
        "T is the end of the auctions' window, 24 hours after the opening, or a later close.",
        ("Mechanism", "±2 % at T", "±2 % at T + 1 h", "±2 % at T + 24 h", "Extra cost of 0.5 % of the raise",
         "Extra cost of 1 %", "Quote in the pool over valuation"),
        tuple(rows), (_bars(found, "depth_2pct", "Dollars that move the price 2 % up and down, at T + 1 h"),),
    )  # fmt: skip


def speed(found: Body) -> Exhibit:
    """Returns what being first and having many accounts is worth, and what is left of it to others."""
    names = ("latency_value", "sybil_gain", "cost_to_grief", "rent_of_retail", "discovery_error", "value_error",
             "take_rate", "transactions_each", "gas_each", "refund_hours", "refund_error_wei", "failed")  # fmt: skip
    rows = [(words.mechanism(name), *(_mean(body, metric) for metric in names)) for name, body in _ordered(found)]
    return Exhibit(
        "speed", "What speed and many accounts are worth, and the rest",
        "The same money sent in the first block or later, by one account or by many.",
        ("Mechanism", *(words.METRICS[name].label for name in names)), tuple(rows),
    )  # fmt: skip


def price_paths(found: Body) -> Exhibit:
    """Returns the price over time, one picture for each mechanism: with the best attack, and without any."""
    pictures, rows = [], []
    for name, body in _ordered(found):
        attacked, calm = body["paths"]["attacked"], body["paths"]["baseline"]
        lines = [
            Path("under the best attack", tuple(_middle(at) for at in attacked), *_edges(attacked)),
            Path("without an adversary", tuple(_middle(at) for at in calm)),
        ]
        about = f"{words.mechanism(name)}: valuation over hours since the opening, median and 10th to 90th percentile"
        pictures.append(Picture(f"path-{name}", words.mechanism(name), paths(lines, "usd", about, marks=(24,))))
        rows.append((words.mechanism(name), *(_at(attacked, hour) for hour in (2, 12, 24, 36, 48))))
    return Exhibit(
        "paths", "How the price went",
        "Median over seeds, shaded from the 10th to the 90th percentile. Blue: under the best attack; orange: without.",
        ("Mechanism", "2 h", "12 h", "24 h", "36 h", "48 h"), tuple(rows), tuple(pictures),
    )  # fmt: skip


def by_unit(value: float | None, unit: str) -> str:
    """Returns a mean as words: shares to a thousandth of a percent, counts whole, "unknown" for None."""
    if value is None:
        return UNKNOWN
    if unit == "ratio" and 0 < abs(value) < 0.01:
        return percent(round(value, _DIGITS), 2)
    return worded(round(value, _DIGITS) if unit in {"ratio", ""} else round(value) if unit == "count" else value, unit)


def _ordered(found: Body) -> list[tuple[str, Body]]:
    """Returns the mechanisms in the order of `words`, others after them."""
    known = list(words.MECHANISMS)
    place = {name: known.index(name) if name in known else len(known) for name in found["mechanisms"]}
    return [(name, found["mechanisms"][name]) for name in sorted(place, key=lambda name: (place[name], name))]


def _duel(found: Body, name: str, metric: words.Metric) -> tuple[str, ...] | None:
    """Returns how ours stands beside the best rival on a metric; None where either is unknown."""
    kept = {
        other: body[name]
        for other, body in found["mechanisms"].items()
        if name in body and body[name]["mean"] is not None and (other == OURS or not other.startswith(OURS))
    }
    if OURS not in kept or len(kept) < 2:
        return None
    bad = {other: round(metric.badness(body["mean"]), _DIGITS) for other, body in kept.items()}
    rival = min((other for other in sorted(kept) if other != OURS), key=lambda other: bad[other])
    ours, theirs = kept[OURS], kept[rival]
    (low, high), (from_, to) = ours["ci95"], theirs["ci95"]
    even = (low <= to and from_ <= high) or bad[OURS] == bad[rival]
    verdict = "even" if even else "wins" if bad[OURS] < bad[rival] else "loses"
    return (
        metric.label,
        _estimated(ours, metric.unit),
        words.mechanism(rival),
        _estimated(theirs, metric.unit),
        verdict,
    )


def _bars(found: Body, name: str, about: str) -> Picture:
    bars = []
    for other, body in _ordered(found):
        kept = body.get(name) or {"mean": None, "ci95": [None, None]}
        bars.append(Bar(words.mechanism(other), kept["mean"], *kept["ci95"]))
    return Picture(name.replace("_", "-"), about, intervals(bars, words.METRICS[name].unit, about))


def _beside(asked: Body, name: str) -> tuple[str, str]:
    kept = asked["auctions"].get(name)
    return (_estimated(kept, "ratio"), "yes" if kept["met"] else "no") if kept else ("", "")


def _attack(body: Body) -> str:
    """Returns the best attack's name, and that there is none where not even that one gains on average."""
    name, mean = body["best_attack"]["adversary"], body["extraction_of_retail"]["mean"]
    return words.adversary(name) if name is None or mean is None or mean > 0 else "none that pays"


def _mean(body: Body, name: str) -> str:
    return _said(body, name, words.METRICS[name].unit if name in words.METRICS else "count")


def _said(body: Body | None, name: str, unit: str) -> str:
    """Returns a metric's mean as words, "unknown" where it was not measured."""
    kept = (body or {}).get(name)
    return by_unit(None if kept is None else kept["mean"], unit)


def _estimated(kept: Body, unit: str) -> str:
    """Returns an estimate with its interval as words."""
    if kept["mean"] is None:
        return UNKNOWN
    low, high = kept["ci95"]
    return f"{by_unit(kept['mean'], unit)} ({by_unit(low, unit)} to {by_unit(high, unit)})"


def _middle(place: Sequence[float | None]) -> float | None:
    return place[1]


def _edges(places: Iterable[Sequence[float | None]]) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    kept = list(places)
    return tuple(place[0] for place in kept), tuple(place[2] for place in kept)


def _at(places: Sequence[Sequence[float | None]], hour: int) -> str:
    at = hour // 2
    return by_unit(_middle(places[at]) if at < len(places) else None, "usd")


def headlines(found: Body) -> tuple[tuple[str, str, str], ...]:
    """Returns what is read first: a label, a number and what it is held against; nothing without our auction."""
    ours = found["mechanisms"].get(OURS)
    if ours is None:
        return ()
    worst = max(
        (other for other, body in found["mechanisms"].items() if body["extraction_of_retail"]["mean"] is not None),
        key=lambda other: found["mechanisms"][other]["extraction_of_retail"]["mean"],
        default=OURS,
    )
    beside = (found["retail_fill"] or {"auctions": {}})["auctions"].get(OURS)
    curve = words.mechanism(found["retail_fill"]["curve"]) if beside else "no curve"
    return (
        ("Taken by the best attack on ours", _mean(ours, "extraction_of_retail"),
         f"{_attack(ours)}, of what people paid"),
        ("Taken where most was", _mean(found["mechanisms"][worst], "extraction_of_retail"), words.mechanism(worst)),
        ("Buyers filled by ours", _mean(ours, "buyers_filled"),
         f"{by_unit(beside['mean'], 'ratio') if beside else UNKNOWN} of {curve}"),
        ("Depth at ±2 % of ours", _mean(ours, "depth_2pct"), "an hour after the close"),
    )  # fmt: skip
