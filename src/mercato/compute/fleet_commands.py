"""`mercato compute simulate`: policies of routing side by side over a simulated fleet, and what audits find there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables for people.")]


def attach(app: typer.Typer) -> None:
    """Adds the command to those of the room."""
    app.command()(simulate)


def simulate(
    requests: Annotated[int, typer.Option(help="Requests of each run.", min=100, max=10_000_000)] = 40_000,
    seeds: Annotated[int, typer.Option(help="Fleets, each with every policy.", min=1, max=1_000)] = 3,
    providers: Annotated[int, typer.Option(help="Providers of a fleet.", min=10, max=200)] = 30,
    tokens: Annotated[int, typer.Option(help="Audited tokens of an honest provider.", min=600, max=10**9)] = 1_000_000,
    as_json: AsJson = False,
) -> None:
    """Set routing policies beside each other over a fleet with cheaters, and count what audits find. Simulated."""
    from dataclasses import asdict

    from mercato.compute.fleet.detection import KINDS, detect, spare
    from mercato.compute.fleet.policies import POLICIES
    from mercato.compute.fleet.simulation import mean, play

    rows = {name: mean([play(name, requests, seed, providers) for seed in range(seeds)]) for name in POLICIES}
    found, spared = [detect(*kind) for kind in KINDS], spare(tokens)
    if as_json:
        body = {
            "simulated": True, "requests": requests, "seeds": seeds, "providers": providers, "policies": rows,
            "detection": [asdict(each) for each in found], "honest": asdict(spared),
        }  # fmt: skip
        typer.echo(json.dumps(body, indent=2))
        return
    _policies(f"Simulated: {providers} providers, {requests:,} requests, means of {seeds} fleets", rows)
    _audits(found, spared)


def _policies(title: str, rows: dict[str, dict[str, Any]]) -> None:
    columns = ["policy", "bad", "cut", "cost", "+audits", "p95 s", "audited", "cheats out", "honest out"]
    _table(title, columns, [
        [name, f"{row['bad']:.2%}", f"{row['truncated']:.2%}", f"{row['cost']:.3f}",
         f"{row['cost'] + row['audit_cost']:.3f}", f"{row['p95']:.2f}", f"{row['audits']:.1%}",
         f"{row['ejected']:.0f} of {row['cheaters']:.0f}", f"{row['false_bans']:.0f}"]
        for name, row in rows.items()
    ])  # fmt: skip


def _audits(found: Sequence[Any], spared: Any) -> None:
    from mercato.compute.fleet import audited

    test = audited.judge().test
    title = f"Simulated: audits until ejection; alpha {test.alpha:g} within {test.horizon:,} audits, beta {test.beta:g}"
    columns = ["provider", "fails", "half out by", "95 % by", "bound", "later"]
    _table(title, columns, [
        [each.kind, f"{each.fails:.1%}", f"{each.half:.0f}", f"{each.most:.0f}", f"{each.stated}", f"{each.late:.1%}"]
        for each in found
    ])  # fmt: skip
    typer.echo(
        f"Honest: {spared.ejected} ejections in {spared.tokens:,} audited tokens; {spared.fails:.2%} of answers failed,"
        f" {spared.allowed:.2%} are allowed for; evidence rose to {spared.highest:.0%} of the bar at most."
    )


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    sheet = Table()
    for place, column in enumerate(columns):
        sheet.add_column(column, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        sheet.add_row(*row)
    console = Console()
    console.print(title, style="italic", soft_wrap=True)
    console.print(sheet)
