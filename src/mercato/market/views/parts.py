"""What templates need of a report: sentences in pieces, exhibits with their drawing, headline figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from mercato.market.model import Figure, Grid
from mercato.market.report.drawing import Spec, drawing, legend
from mercato.market.report.model import Claim, Exhibit, Report, Section
from mercato.market.report.sentence import Cited, pieces
from mercato.market.report.snapshot import Snapshot

Piece = tuple[str, Figure | None]
LIVE_LINES = frozenset({"lines", "stack"})


@dataclass(frozen=True, slots=True)
class Sentence:
    """A claim ready for a template."""

    text: tuple[Piece, ...]
    wrong: tuple[Piece, ...]
    state: str
    reason: str


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
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A section ready for a template."""

    key: str
    title: str
    question: str
    sentences: tuple[Sentence, ...]
    shown: tuple[Shown, ...]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure at the head of a page, with a change beside it and a word of context."""

    figure: Figure
    label: str
    delta: Figure | None = None
    hint: str = ""


def part(section: Section, report: Report) -> Part:
    """Returns a section ready for a template."""
    sentences = tuple(_sentence(claim, report) for claim in section.claims)
    shown = tuple(exhibit(item) for item in section.exhibits)
    return Part(section.key, section.title, section.question, sentences, shown, section.needs)


@lru_cache(maxsize=64)
def parts(snapshot: Snapshot, *keys: str) -> tuple[Part, ...]:
    """Returns the sections of these keys, in this order; without keys, all of them. Drawn once per snapshot."""
    report = snapshot.report
    wanted = [report.section(key) for key in keys] if keys else report.sections
    return tuple(part(section, report) for section in wanted)


def exhibit(item: Exhibit) -> Shown:
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
        csv=f"/api/market/grids/{item.grid.figure}.csv",
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
