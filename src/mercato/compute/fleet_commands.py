"""`mercato compute simulate` and `example`: routing side by side over a simulated fleet, and books that it fills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from mercato.compute.terminal import AsJson, show, table


def attach(app: typer.Typer) -> None:
    """Adds the commands to those of the room."""
    app.command()(simulate)
    app.command()(example)


def example() -> None:
    """Fill an empty installation's books with a simulated week, so that its pages show something. Simulated."""
    from mercato.compute.example import DAYS, fill
    from mercato.compute.installation import SECTIONS, prepared
    from mercato.compute.signing import signer
    from mercato.core.clock import SystemClock
    from mercato.core.settings import load

    settings = load(*SECTIONS, partial=True)
    count = fill(prepared(settings), signer(settings.home), SystemClock().now())
    typer.echo(f"Simulated: {DAYS} days of a made-up fleet, {count} requests. See /compute of `mercato up`.")


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

    rows = {name: mean([play(name, requests, seed, providers) for seed in range(1, seeds + 1)]) for name in POLICIES}
    found, spared = [detect(*kind) for kind in KINDS], spare(tokens)
    others = {about: spare(tokens, about=about) for about in ("embeddings", "commitments")}
    if as_json:
        body = {
            "simulated": True, "requests": requests, "seeds": seeds, "providers": providers, "policies": rows,
            "detection": [asdict(each) for each in found], "honest": asdict(spared),
            **{f"honest_{about}": asdict(each) for about, each in others.items()},
        }  # fmt: skip
        show(body)
        return
    fleets = f"{seeds} fleet{'s' * (seeds > 1)}"
    _policies(f"Simulated: {providers} providers, {requests:,} requests, means of {fleets}", rows)
    _audits(found, spared)
    for about, each in others.items():
        typer.echo(
            f"Honest {about}: {each.ejected} ejections in {each.answers:,} audited answers; {each.fails:.2%} of answers"
            f" failed; evidence rose to {each.highest:.0%} of the bar at most."
        )


def _policies(title: str, rows: dict[str, dict[str, Any]]) -> None:
    columns = ["policy", "bad answers", "cut", "cost", "with audits", "p95 s", "audited", "cheaters out", "honest out"]
    typer.echo(title)
    table(columns, [
        [name, f"{row['bad']:.2%}", f"{row['truncated']:.2%}", f"{row['cost']:.3f}",
         f"{row['cost'] + row['audit_cost']:.3f}", f"{row['p95']:.2f}", f"{row['audits']:.1%}",
         f"{row['ejected']:.0f} of {row['cheaters']:.0f}", f"{row['false_bans']:.0f}"]
        for name, row in rows.items()
    ])  # fmt: skip


def _audits(found: Sequence[Any], spared: Any) -> None:
    from mercato.compute.fleet import audited

    test = audited.judge().test
    title = f"Simulated: audits until ejection; alpha {test.alpha:g} within {test.horizon:,} audits, beta {test.beta:g}"
    columns = ["provider", "answers that fail", "half out by", "95 % by", "stated bound", "later than that"]
    typer.echo(f"\n{title}")
    table(columns, [
        [each.kind, f"{each.fails:.1%}", f"{each.half:.0f}", f"{each.most:.0f}", f"{each.stated}", f"{each.late:.1%}"]
        for each in found
    ])  # fmt: skip
    typer.echo(
        f"\nHonest: {spared.ejected} ejections in {spared.tokens:,} audited tokens; {spared.fails:.2%} of answers"
        f" failed, {spared.allowed:.2%} are allowed for; evidence rose to {spared.highest:.0%} of the bar at most."
    )
