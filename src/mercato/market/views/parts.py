"""What templates need of a report: sentences in pieces, exhibits with their drawing, headline figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from markupsafe import Markup

from mercato.market.model import Figure, Grid
from mercato.market.report.book import reasons
from mercato.market.report.drawing import Spec, drawing, legend
from mercato.market.report.model import Claim, Exhibit, Report, Section
from mercato.market.report.notice import Simulated, simulated_of
from mercato.market.report.sentence import Cited, pieces
from mercato.market.report.snapshot import Snapshot
from mercato.market.views.merging import Piece, Sentence, merged, unanswered, without_simulated
from mercato.market.words import cell

LIVE_LINES = frozenset({"lines", "stack"})

#: Flags as a few words beside a number. What is not here is said as `report.book` says it.
SHORT = {
    "unknown-caps": "some caps unknown",
    "inactive": "some members inactive",
    "search-corrected-p-beside": "",
    "never-advice": "",
    "no-dilution-assumed": "no dilution assumed",
    "liquidity-unknown": "liquidity unknown",
    "lower-bound": "a lower bound",
    "upper-bound": "an upper bound",
    "self-reported-supply": "self-reported supply",
    "vendor-cap": "a vendor's cap",
    "few-constituents": "few constituents",
    "no-data": "no data on this day",
    "no-data-at-start": "no data a week before",
    "cap-unknown": "cap unknown",
    "pool-unknown": "pool depth unknown",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """An exhibit ready for a template: `svg` drawn here, or `lines` (column -> label) for the page's own chart."""

    title: str
    grid: Grid
    about: str
    svg: Markup
    lines: dict[str, str]
    x: str
    kind: str
    csv: str
    trace: str
    legend: tuple[tuple[str, str], ...] = ()

    @property
    def drawn(self) -> bool:
        """Says whether there is something to look at beside the table."""
        return bool(self.svg or self.lines)


@dataclass(frozen=True, slots=True)
class Part:
    """A section ready for a template; `blank` says why it has no answer at all."""

    key: str
    title: str
    question: str
    sentences: tuple[Sentence, ...]
    shown: tuple[Shown, ...]
    needs: tuple[str, ...]
    blank: str | None = None


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure at the head of a page, with a change beside it and a word of context."""

    figure: Figure
    label: str
    delta: Figure | None = None
    hint: str = ""

    @property
    def value(self) -> str:
        """Returns the figure as a person would say it."""
        return cell(self.figure.value, self.figure.unit, self.figure.name)

    @property
    def notes(self) -> str:
        """Returns what the reader should know of the figure, in a few words."""
        said = (SHORT.get(flag, reasons((flag,))) for flag in self.figure.flags)
        return " · ".join(dict.fromkeys(words for words in said if words))


def part(section: Section, report: Report, simulated: Simulated = "") -> Part:
    """Returns a section ready for a template."""
    said = merged(_sentence(claim, report) for claim in section.claims)
    if simulated == "all":
        said = tuple(without_simulated(item) for item in said)
    shown = tuple(exhibit(item, report.as_of) for item in section.exhibits)
    return Part(section.key, section.title, section.question, said, shown, section.needs, unanswered(said))


@lru_cache(maxsize=64)
def parts(snapshot: Snapshot, *keys: str) -> tuple[Part, ...]:
    """Returns the sections of these keys, in this order; without keys, all of them. Drawn once per snapshot."""
    report = snapshot.report
    wanted = [report.section(key) for key in keys] if keys else report.sections
    return tuple(part(section, report, simulated(snapshot)) for section in wanted)


@lru_cache(maxsize=16)
def simulated(snapshot: Snapshot) -> Simulated:
    """Returns whether all, some or none of a snapshot's figures rest on made-up data."""
    return simulated_of(item for result in snapshot.book.results.values() for item in result.figures)


def exhibit(item: Exhibit, as_of: date, csv: str = "", trace: str = "") -> Shown:
    """Returns an exhibit ready for a template; lines over time go to the page's own chart, which follows a pointer."""
    spec = Spec(item.chart)
    is_live = spec.kind in LIVE_LINES and not spec.group
    return Shown(
        title=item.title,
        grid=item.grid,
        about=item.about,
        svg=Markup("") if is_live else drawing(item),
        lines={name: name.replace("_", " ").replace("-", " ") for name in spec.ys} if is_live else {},
        x=spec.x,
        kind="stacked" if spec.kind == "stack" else "line",
        csv=csv or f"/api/market/grids/{item.grid.figure}.csv?as_of={as_of}",
        trace=trace or item.grid.figure,
        legend=tuple(legend(item)),
    )


def headlines(*wanted: tuple[Figure | None, str, Figure | None, str]) -> list[Headline]:
    """Returns the headline figures that exist."""
    return [Headline(figure, label, delta, hint) for figure, label, delta, hint in wanted if figure is not None]


def _sentence(claim: Claim, report: Report) -> Sentence:
    return Sentence(
        _pieces(claim.text, claim, report), _pieces(claim.falsifier, claim, report), claim.state, claim.reason
    )


def _pieces(text: str, claim: Claim, report: Report) -> tuple[Piece, ...]:
    found: Sequence[str | Cited] = list(pieces(text, claim.figures, report.figures))
    return tuple((item.text, item.figure) if isinstance(item, Cited) else (item, None) for item in found)
