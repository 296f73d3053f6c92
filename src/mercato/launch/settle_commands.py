"""`mercato launch settle`: what an auction would come to, by the model or by the contract."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mercato.launch.settle import Settlement


class Engine(StrEnum):
    """What computes: the model in Python, or the contract on an embedded chain."""

    MODEL = "model"
    EVM = "evm"


def attach(app: typer.Typer) -> None:
    """Adds the verb to the room's command."""
    app.command("settle")(settle)


def settle(
    case: Annotated[Path, typer.Argument(help="An auction with its bids, as JSON.", metavar="CASE.json")],
    engine: Annotated[Engine, typer.Option(help="Model, or the contract on an exact EVM.")] = Engine.MODEL,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")] = False,
) -> None:
    """Settle an auction: the price, and what each bid gets."""
    from mercato.launch.case import load
    from mercato.launch.settle import by_contract, by_model

    found = (by_model if engine is Engine.MODEL else by_contract)(load(case))
    if as_json:
        typer.echo(json.dumps(found.body()))
    else:
        _show(found)


def _show(found: Settlement) -> None:
    body = found.body()
    typer.echo(f"{body['status']}: {body['raised']} raised for {body['sold']} tokens, level {body['k']}")
    for bid in body["bids"]:
        typer.echo(f"  {bid['id']}: {bid['tokens']} tokens for {bid['charge']}, {bid['refund']} back")
    for what, gas in body.get("gas", {}).items():
        typer.echo(f"gas of {what}: {gas}")
