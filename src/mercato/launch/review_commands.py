"""`mercato launch review …`: seal a scorecard, open it, see where a review stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mercato.market.terminal import AsJson, show, table

app = typer.Typer(
    help="Review applications by sealed scorecards.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Id = Annotated[str, typer.Argument(help="A launch's id, such as lch_….", metavar="LAUNCH")]
Reviewer = Annotated[str, typer.Option(help="The reviewer's account, 0x and 40 digits.")]
Card = Annotated[Path, typer.Option(help="The scorecard as TOML or JSON: scores, floor_low, floor_high, comment.")]


@app.callback()
def review() -> None:
    """Review applications by sealed scorecards."""


@app.command("show")
def show_(id: Id, as_json: AsJson = False) -> None:
    """Show the rounds of review: who sealed, who opened, and what was decided."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    with opened() as found:
        found.room.launch(id)
        bodies = [shapes.review(item) for item in found.room.reviews(id)]
    if as_json:
        show(bodies)
        return
    if not bodies:
        typer.echo("no review has begun")
    for body in bodies:
        _tell(body)


@app.command()
def commit(
    id: Id,
    reviewer: Reviewer,
    card: Card,
    salt: Annotated[str, typer.Option(help="64 hexadecimal digits; made where none is given.")] = "",
    as_json: AsJson = False,
) -> None:
    """Seal a scorecard. Keep the card and the salt that this prints: both open it later, and nothing else does."""
    import secrets

    from mercato.launch.handed import read
    from mercato.launch.opening import opened
    from mercato.launch.scorecard import Scorecard, seal

    salt = salt or secrets.token_hex(32)
    with opened() as found:
        found.room.advance(id)
        held = found.room.reviews(id)
        round = held[-1].round if held else 1
        commitment = seal(id, round, reviewer.lower(), Scorecard.of(read(card)), salt)
        found.room.commit(id, reviewer, commitment)
    if as_json:
        show({"launch": id, "round": round, "reviewer": reviewer.lower(), "commitment": commitment, "salt": salt})
    else:
        typer.echo(f"sealed {commitment}\nsalt   {salt}")


@app.command()
def reveal(
    id: Id,
    reviewer: Reviewer,
    card: Card,
    salt: Annotated[str, typer.Option(help="The salt that the card was sealed with.")],
    as_json: AsJson = False,
) -> None:
    """Open a sealed scorecard. The last one of the panel decides the round."""
    from mercato.launch import shapes
    from mercato.launch.handed import read
    from mercato.launch.opening import opened
    from mercato.launch.scorecard import Scorecard

    with opened() as found:
        body = shapes.review(found.room.reveal(id, reviewer, Scorecard.of(read(card)), salt))
    if as_json:
        show(body)
    else:
        _tell(body)


@app.command()
def advance(id: Id, as_json: AsJson = False) -> None:
    """Move a round on whose time is over; the keeper does it too."""
    from mercato.launch.opening import opened

    with opened() as found:
        found.room.launch(id)
        phase = found.room.advance(id)
    if as_json:
        show({"launch": id, "phase": phase.value if phase else None})
    else:
        typer.echo(phase.value if phase else "no review has begun")


def _tell(body: dict[str, Any]) -> None:
    typer.echo(f"round {body['round']}: {body['phase']}, sealing until {body['commit_by']}, to {body['reveal_by']}")
    rows = [
        [seat["reviewer"], "yes" if seat["sealed"] else "", "yes" if seat["opened"] else "", _scores(seat["card"])]
        for seat in body["seats"]
    ]
    table(f"Round {body['round']}", ["reviewer", "sealed", "opened", "scores"], rows)
    if verdict := body["verdict"]:
        typer.echo(f"{'passed' if verdict['passed'] else 'declined'}: {verdict['reason']}")


def _scores(card: dict[str, Any] | None) -> str:
    return ", ".join(f"{name} {score}" for name, score in card["scores"].items()) if card else ""
