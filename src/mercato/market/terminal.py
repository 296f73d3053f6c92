"""How commands of this room speak: JSON for programs, tables for people."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

#: What is copied whole: ids, accounts and hashes are not cut at the end of a narrow column.
_WHOLE = re.compile(r"[a-z]{2,5}_[0-9a-z]{26}|0x[0-9a-f]{40}")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")]


def show(body: Any) -> None:
    """Prints JSON."""
    typer.echo(json.dumps(body, indent=2, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a table for people; None shows as a dash."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    sheet = Table()
    for at, column in enumerate(columns):
        cells = [str(row[at]) for row in rows]
        whole = max((len(cell) for cell in cells if _WHOLE.fullmatch(cell)), default=None)
        width = max((len(cell) for cell in cells), default=0)
        sheet.add_column(column, overflow="fold", min_width=whole, no_wrap=whole == width)
    for row in rows:
        sheet.add_row(*["—" if cell is None else escape(str(cell)) for cell in row])
    console = Console()
    console.print(escape(title), style="italic", soft_wrap=True)
    console.print(sheet)


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """Gives a progress bar on the terminal, or None where nobody watches."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total or None)
            bars.update(tasks[what], completed=done)

        yield report
