"""Shows how far the simulated season is: a bar on a terminal, a line at every tenth anywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as Drawn

    from mercato.launch.season.progress import Progress


class Bar:
    """Listens to the season's progress and draws it."""

    def __init__(self) -> None:
        self._drawn: Drawn | None = None
        self._tenth = -1
        self._stage = ""

    def __call__(self, progress: Progress) -> None:
        """Draws the newest progress."""
        if progress.stage == "living":
            self._advance(progress)
        elif progress.stage != self._stage and self._stage:
            self._end(progress)
        self._stage = progress.stage

    def _advance(self, progress: Progress) -> None:
        from rich.console import Console
        from rich.progress import Progress as Drawn

        console = Console(stderr=True)
        if not console.is_terminal:
            tenth = progress.done // 100
            if tenth != self._tenth:
                typer.echo(f"Simulated season: day {progress.day} of {progress.days}", err=True)
            self._tenth = tenth
            return
        if self._drawn is None:
            self._drawn = Drawn(console=console, transient=True)
            self._drawn.start()
            self._drawn.add_task("", total=1000)
        words = f"Simulated season, day {progress.day} of {progress.days}"
        self._drawn.update(self._drawn.task_ids[0], completed=progress.done, description=words)

    def _end(self, progress: Progress) -> None:
        if self._drawn:
            self._drawn.stop()
            self._drawn = None
        words = {
            "measuring": "The simulated season is over; the market is being measured.",
            "live": "The local economy is live.",
            "failed": "The local economy stopped; the log says why.",
        }
        typer.echo(words.get(progress.stage, ""), err=True)
