"""How commands about money speak: dollars for people, micro-dollars for programs, JSON where it is asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.core.errors import InvalidInput

if TYPE_CHECKING:
    from mercato.compute.books.till import Till

_DOLLARS = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,6}))?")
MICRO = 1_000_000

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, with whole micro-dollars.")]
By = Annotated[str, typer.Option(help="Who says so.")]
Why = Annotated[str, typer.Option(help="Words for people.")]


@contextmanager
def till() -> Iterator[Till]:
    """Gives the books of this installation, and closes them afterwards."""
    from mercato.compute.books.till import Till
    from mercato.compute.installation import SECTIONS, prepared
    from mercato.compute.signing import signer
    from mercato.core.clock import SystemClock
    from mercato.core.settings import load

    settings = load(*SECTIONS, partial=True)
    opened = Till(prepared(settings), SystemClock(), signer(settings.home))
    try:
        yield opened
    finally:
        opened.close()


def micro(text: str) -> int:
    """Returns dollars that a person wrote, such as `2.50`, as micro-dollars; InvalidInput for anything else."""
    found = _DOLLARS.fullmatch(text)
    if not found:
        raise InvalidInput(f"amount was {text!r:.40}", hint="write dollars like 2.50, with six decimals at most")
    return int(found[1]) * MICRO + int((found[2] or "").ljust(6, "0"))


def dollars(micro: int) -> str:
    """Returns micro-dollars for people, exactly, such as `$2.50`."""
    whole, rest = divmod(abs(micro), MICRO)
    decimals = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micro < 0 else ''}${whole}.{decimals}"


def show(body: Any) -> None:
    """Prints JSON."""
    typer.echo(json.dumps(body, indent=2, ensure_ascii=False, default=str))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints rows below their columns, each as wide as it needs."""
    lines = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
