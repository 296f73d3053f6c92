"""Shows how far a study is: a bar on a terminal, a line at every tenth anywhere else, both on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from mercato.market.terminal import progress


@contextmanager
def watching() -> Iterator[Callable[[str, int, int], None]]:
    """Gives what is told of each step: what it is, how many are done, of how many."""
    with progress(False) as bar:
        yield bar or Tenths()


class Tenths:
    """Prints a line whenever another tenth is done."""

    def __init__(self) -> None:
        self._last: tuple[str, int] = ("", -1)

    def __call__(self, what: str, done: int, total: int) -> None:
        """Prints where a tenth is full that was not."""
        reached = (what, done * 10 // total)
        if reached != self._last:
            typer.echo(f"{what}: {done} of {total}", err=True)
        self._last = reached
