"""`mercato lab report | mine`: what a study found, and what a team's own launch risks, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mercato.market.terminal import AsJson, progress, show, table


def attach(app: typer.Typer) -> None:
    """Adds the verbs to the room's command."""
    for verb in (report, mine):
        app.command(verb.__name__)(verb)


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


def mine(
    application: Annotated[Path, typer.Option(help="The application's file, TOML or JSON.")],
    seeds: Annotated[int, typer.Option(help="Launches to draw for each crowd and attack.", min=1, max=10_000)] = 20,
    config: Annotated[Path | None, typer.Option(help="A study's TOML file [default: the registered one].")] = None,
    workers: Annotated[int, typer.Option(help="Processes that share the work.", min=1, max=256)] = 1,
    as_json: AsJson = False,
) -> None:
    """Try your own launch before you apply: price, raise, holders and the worst attack for its floor, split, window."""
    from mercato.lab.own import mine as tried
    from mercato.lab.study import load
    from mercato.lab.workers import processes
    from mercato.launch.application import Application
    from mercato.launch.handed import read

    handed = Application.of(read(application))
    with progress(as_json) as watch, processes(workers) as spread:
        found = tried(load(config), handed, seeds, spread, watch)
    if as_json:
        show(found)
    else:
        _tell(found)


def _tell(found: dict[str, Any]) -> None:
    from mercato.lab.prospects import attack, crowds

    typer.echo("Simulated: nobody knows who will come. Three crowds, by their money beside the study's.")
    table(f"{found['name']}: the middle of {found['seeds']} launches, and what nine of ten lie between", *crowds(found))
    typer.echo(attack(found))
