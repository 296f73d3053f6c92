"""The report as Markdown: every number is a link to the figures at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mercato.market.model import Figure, Grid
from mercato.market.report.model import Claim, Report, Section
from mercato.market.report.notice import notice
from mercato.market.report.sentence import Cited, pieces
from mercato.market.words import cell

ROWS = 20
_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>|#"})


def markdown(report: Report) -> str:
    """Returns the report as Markdown text; outside names are escaped."""
    lines = [
        f"# Crypto-AI market, close of {report.as_of}",
        "",
        f"As known at {report.known_at:%Y-%m-%d %H:%M} UTC. Universe `{report.universe}`. Not investment advice.",
        *(["", f"**{words}**"] if (words := notice(report.figures.values())) else []),
    ]
    for section in report.sections:
        lines += ["", *_section(section, report.figures)]
    return "\n".join([*lines, "", *_appendix(report.figures)]) + "\n"


def _section(section: Section, figures: Mapping[str, Figure]) -> Iterator[str]:
    yield f"## {section.title}"
    yield ""
    yield f"*{section.question}*"
    yield ""
    for claim in section.claims:
        reason = f" ({escaped(claim.reason)})" if claim.reason else ""
        yield f"- {_linked(claim.text, claim, figures)}{reason}"
        yield f"  Wrong if {_linked(claim.falsifier, claim, figures)}"
    for command in section.needs:
        yield f"- To fill this: `{command}`"
    for exhibit in section.exhibits:
        if exhibit.grid.rows:
            yield from ("", f"**{escaped(exhibit.title)}** (`{exhibit.grid.figure}`)", "", *_table(exhibit.grid))


def _linked(text: str, claim: Claim, figures: Mapping[str, Figure]) -> str:
    return "".join(
        _literal(part) if isinstance(part, str) else _cited(part) for part in pieces(text, claim.figures, figures)
    )


def _literal(text: str) -> str:
    """Returns words between two numbers, with the blanks that part them from both."""
    before, after = (" " if edge.isspace() else "" for edge in (text[:1], text[-1:]))
    return f"{before}{escaped(text)}{after}" if text.strip() else before


def _cited(part: Cited) -> str:
    return f"[{escaped(part.text)}](#{part.figure.id})"


def _table(grid: Grid) -> Iterator[str]:
    rows = grid.rows[-ROWS:] if grid.units[0] in {"date", "month"} else grid.rows[:ROWS]
    yield "| " + " | ".join(escaped(name.replace("_", " ")) for name in grid.columns) + " |"
    yield "|" + " --- |" * len(grid.columns)
    for row in rows:
        cells = (cell(*item) for item in zip(row, grid.units, grid.columns, strict=True))
        yield "| " + " | ".join(escaped(item) for item in cells) + " |"


def _appendix(figures: Mapping[str, Figure]) -> Iterator[str]:
    yield "## Figures"
    yield ""
    yield "`mercato market figure ID` shows the formula, the inputs and the hashes of the raw bytes behind each."
    yield ""
    for item in sorted(figures.values(), key=lambda figure: (figure.metric, figure.name, sorted(figure.dims.items()))):
        dims = "".join(f", {key} {escaped(value)}" for key, value in sorted(item.dims.items()))
        value = "unknown" if item.value is None else f"{escaped(item.value)} {item.unit}".strip()
        yield (
            f'- <a id="{item.id}"></a>`{item.id}` {item.metric}/{item.name}{dims}: {value}'
            f" (definition {item.definition}, as of {item.as_of}, inputs `{item.inputs[:16]}`)"
        )


def escaped(text: str) -> str:
    """Returns outside text that Markdown shows as it is, on one line."""
    return " ".join(text.translate(_SPECIAL).split())
