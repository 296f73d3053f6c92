"""What a report is written from: the results of the metrics, looked up by name, and why some are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mercato.market.model import Figure, Grid, Result
from mercato.market.report.model import Claim, Exhibit
from mercato.market.report.sentence import require_cited, slots

#: What a flag of a figure means to a reader.
REASONS: Mapping[str, str] = {
    "no-data": "no data covers this day",
    "no_data": "no data covers this day",
    "no-data-at-start": "no data covers the first day of the span",
    "provisional": "less than the required share of the caps is fresh",
    "unknown": "the company states no such split, and an estimate would be an invented number",
    "no-common-session": "there is no session on which all of them closed",
    "not-five-companies": "not all of the giants are in the universe",
    "cap-unknown": "its cap is not known",
    "shares-unknown": "the number of shares is not known",
    "carried": "carried from an earlier day",
    "pool-unknown": "the depth of its pools is not known",
    "pool-assumed": "with the pool that you assumed",
    "attribution-unavailable": "supplies by deployment and volumes by venue are not imported",
    "one-source": "only one source",
    "never-advice": "never advice",
    "no-dilution-assumed": "without dilution",
    "unknown-caps": "the cap of some members is unknown",
    "lower-bound": "a lower bound, because some parts are unknown",
    "upper-bound": "an upper bound, because some parts of the other side are unknown",
    "self-reported-supply": "rests on supplies that projects report themselves",
    "vendor-cap": "rests on a vendor's cap, without price and supply apart",
    "partial_month": "the month is not over",
    "gaps": "some days or months are missing",
    "too-many-gaps": "too many days are missing for a verdict",
    "volatility-unknown": "too little history for its volatility",
    "nothing-to-compare": "no earlier report is stored to compare with",
    "no-documents": "no document falls in this week",
    "no-period-before": "no document falls in the week before",
    "too-few": "too few values",
    "too-short": "too few closes to look for breaks in",
    "repaints": "a later look may move or drop a break, so nothing may be started by one",
}


@dataclass(frozen=True, slots=True)
class Book:
    """Results by the name under which the plan asked for them, and the reason for each one that failed."""

    results: Mapping[str, Result]
    failures: Mapping[str, str] = field(default_factory=dict)

    def figure(self, key: str, name: str, /, **dims: str) -> Figure | None:
        """Returns the figure of that name with exactly these dimensions, None where there is none."""
        found = (item for item in self.figures(key, name) if dict(item.dims) == dims)
        return next(found, None)

    def figures(self, key: str, name: str, /, **dims: str) -> tuple[Figure, ...]:
        """Returns every figure of that name whose dimensions include these, in the metric's order."""
        result = self.results.get(key)
        wanted = dims.items()
        return tuple(
            item
            for item in (result.figures if result else ())
            if item.name == name and wanted <= dict(item.dims).items()
        )

    def grid(self, key: str, name: str) -> Grid | None:
        """Returns a grid of a result, None where there is none."""
        result = self.results.get(key)
        return next((grid for grid in (result.grids if result else ()) if grid.name == name), None)

    def exhibit(self, key: str, name: str, title: str, chart: str = "table", about: str = "") -> tuple[Exhibit, ...]:
        """Returns a grid as an exhibit; nothing where it is absent, or holds no row."""
        grid = self.grid(key, name)
        return (Exhibit(grid, title, chart, about),) if grid and grid.rows else ()

    def why(self, key: str) -> str:
        """Returns why a result is missing or thin, in words."""
        if key in self.failures:
            return self.failures[key]
        result = self.results.get(key)
        return reasons(result.flags) if result and result.flags else "no data covers this day"


def reasons(flags: tuple[str, ...]) -> str:
    """Returns flags in words, each once."""
    words = (REASONS.get(flag, flag.replace("-", " ").replace("_", " ")) for flag in flags)
    return "; ".join(dict.fromkeys(words))


def claim(
    key: str, text: str, falsifier: str, /, *, otherwise: str, why: str, **figures: Figure | None
) -> tuple[Claim, tuple[Figure, ...]]:
    """Returns a claim and the figures that it cites.

    Where one of `figures` is absent or has no value, the claim is unknown: its text is `otherwise`, which may still
    cite the figures there are, and its reason is what their flags say, or `why`. InvalidInput where a template holds a
    number of its own: such a report cannot be composed.
    """
    present = {slot: item for slot, item in figures.items() if item is not None}
    unknown = len(present) < len(figures) or any(item.value is None for item in present.values())
    said = otherwise if unknown else text
    if unknown and not set(slots(otherwise)) <= set(present):
        said = "The answer is unknown."
    require_cited(said, present)
    used = set(slots(said))
    has_value = {slot for slot, item in present.items() if item.value is not None}
    fallen = falsifier if set(slots(falsifier)) <= has_value else "the data that answers it is imported already"
    require_cited(fallen, present)
    used |= set(slots(fallen))
    cited = {slot: item for slot, item in present.items() if slot in used}
    blank = tuple(flag for item in present.values() if item.value is None for flag in item.flags if flag in BLANKING)
    made = Claim(
        key=key,
        text=said,
        falsifier=fallen,
        figures={slot: item.id for slot, item in cited.items()},
        state="unknown" if unknown else "stated",
        reason=(reasons(blank) or why) if unknown else _caveat(tuple(cited.values())),
    )
    return made, tuple(cited.values())


#: Flags that say why a figure has no value; others of its flags would only distract.
BLANKING = frozenset(
    {"no-data", "no_data", "no-data-at-start", "no-common-session", "cap-unknown", "shares-unknown", "pool-unknown",
     "attribution-unavailable", "unknown", "too-many-gaps", "volatility-unknown", "one-source", "nothing-to-compare",
     "lower-bound", "no-documents", "no-period-before", "ended", "too-short"}
)  # fmt: skip

#: Flags that a reader must see beside a claim although it is stated.
CAVEATS = frozenset({"provisional", "lower-bound", "upper-bound", "simulated", "partial_month", "gaps", "repaints"})


def _caveat(cited: tuple[Figure, ...]) -> str:
    return reasons(tuple(flag for item in cited for flag in item.flags if flag in CAVEATS))
