"""How commands of this room speak: JSON for programs, tables for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")]


def show(body: Any) -> None:
    """Prints JSON."""
    typer.echo(json.dumps(body, indent=2, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a table for people; None shows as a dash."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    sheet = Table(title=title, title_justify="left")
    for column in columns:
        sheet.add_column(column, overflow="fold")
    for row in rows:
        sheet.add_row(*["—" if cell is None else escape(str(cell)) for cell in row])
    Console().print(sheet)
