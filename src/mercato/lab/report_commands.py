"""`mercato lab report`: what a study found, as pages for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mercato.market.terminal import AsJson, show


def attach(app: typer.Typer) -> None:
    """Adds the verb to the room's command."""
    app.command("report")(report)


def report(
    folder: Annotated[Path, typer.Argument(help="The folder of a study, as `lab run --out` wrote it.", metavar="DIR")],
    as_json: AsJson = False,
) -> None:
    """Write a study's report into its folder as HTML, Markdown and SVG, and show it on the page /lab."""
    from mercato.core.settings import load
    from mercato.lab.archive import Archive
    from mercato.lab.report import write
    from mercato.lab.results import results
    from mercato.lab.service import Lab

    archive = Archive(folder)
    found = results(archive.records(), archive.manifest()["config_hash"])
    written = [str(path) for path in write(found, folder)]
    Lab(load(partial=True).home).publish(found)
    if as_json:
        show({"config_hash": found["config_hash"], "files": written, "page": "/lab"})
        return
    for path in written[:3]:
        typer.echo(path)
    typer.echo(f"{len(written) - 3} plots, and the page /lab of this installation")
