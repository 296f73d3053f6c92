"""The report on a terminal. Letters over the numbers lead to the figure ids on the line below each claim."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mercato.market.model import Figure
from mercato.market.report.model import Claim, Exhibit, Report, Section
from mercato.market.report.notice import notice
from mercato.market.report.sentence import Cited, pieces
from mercato.market.words import cell

MARKS = "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"
ROWS = 12
COLUMNS = 7


def show(report: Report, console: Console) -> None:
    """Prints a report: title, every section with its claims, and the first rows of its exhibits."""
    known = f"{report.known_at:%Y-%m-%d %H:%M} UTC"
    console.print(Text(f"Crypto-AI market, close of {report.as_of}", style="bold"))
    console.print(Text(f"As known at {known}. Universe {report.universe}. Not investment advice.", style="dim"))
    if words := notice(report.figures.values()):
        console.print(Text(words, style="bold red"))
    for section in report.sections:
        console.print()
        console.rule(Text(section.title, style="bold"), align="left", style="dim")
        console.print(Text(section.question, style="italic dim"))
        console.print(_body(section, report.figures))


def _body(section: Section, figures: Mapping[str, Figure]) -> RenderableType:
    parts: list[RenderableType] = [_claim(claim, figures) for claim in section.claims]
    parts += [Text(f"To fill this: {command}", style="yellow") for command in section.needs]
    parts += [_exhibit(exhibit) for exhibit in section.exhibits if exhibit.grid.rows]
    return Group(*parts)


def _claim(claim: Claim, figures: Mapping[str, Figure]) -> RenderableType:
    sentence, marks, ids = Text("• "), cycle(MARKS), dict[str, str]()
    for part in pieces(claim.text, claim.figures, figures):
        if isinstance(part, Cited):
            mark = ids.get(part.figure.id) or next(marks)
            ids[part.figure.id] = mark
            sentence.append(part.text, style="bold cyan" if part.figure.value is not None else "bold yellow")
            sentence.append(mark, style="dim")
        else:
            sentence.append(part)
    if claim.reason:
        sentence.append(f" ({claim.reason})", style="yellow")
    notes = Text("  ".join(f"{mark} {figure}" for figure, mark in ids.items()), style="dim", overflow="fold")
    wrong = Text("Wrong if ", style="dim") + _plain(claim, figures)
    return Group(sentence, Padding(Group(notes, wrong) if ids else wrong, (0, 0, 0, 2)))


def _plain(claim: Claim, figures: Mapping[str, Figure]) -> Text:
    parts = pieces(claim.falsifier, claim.figures, figures)
    return Text("".join(part if isinstance(part, str) else part.text for part in parts), style="dim")


def _exhibit(exhibit: Exhibit) -> RenderableType:
    """Returns the last rows of a series or the first rows of a ranking, with the grid's own figure id."""
    grid = exhibit.grid
    rows = grid.rows[-ROWS:] if grid.units[0] in {"date", "month"} else grid.rows[:ROWS]
    table = Table(title=exhibit.title, title_justify="left", title_style="bold", header_style="dim", box=None,
                  caption=f"{grid.figure}, {len(rows)} of {len(grid.rows)} rows", caption_justify="left")  # fmt: skip
    shown = range(min(len(grid.columns), COLUMNS))
    for at in shown:
        table.add_column(grid.columns[at].replace("_", " "), justify="left" if _is_text(grid.units[at]) else "right")
    for row in rows:
        table.add_row(*(Text(cell(row[at], grid.units[at], grid.columns[at])) for at in shown))
    return Padding(table, (1, 0, 0, 2))


def _is_text(unit: str) -> bool:
    return unit in {"", "text", "date", "month", "name", "symbol", "asset_id"}
