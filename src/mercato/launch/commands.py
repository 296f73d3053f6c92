"""`mercato launch …`: from an application to a market. `--json` prints JSON; errors go to standard error.

What moves a bidder's or an applicant's money is printed as an unsigned transaction; `--send` sends it where this
installation may sign for that account: by `MERCATO_CHAINS_KEY`, or at a development node that holds it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.core.errors import InvalidInput
from mercato.launch import bid_commands, chain_commands, pool_commands, review_commands, settle_commands
from mercato.launch.handed import read
from mercato.market.terminal import AsJson, show, table

if TYPE_CHECKING:
    from mercato.launch.model import Launch

app = typer.Typer(
    help="Launch an agent's token through a fair auction.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Id = Annotated[str, typer.Argument(help="A launch's id, such as lch_….", metavar="LAUNCH")]


@app.callback()
def launch() -> None:
    """Launch an agent's token through a fair auction."""


@app.command("list")
def list_(
    state: Annotated[list[str] | None, typer.Option(help="Only launches in this state; may be given again.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 100,
    as_json: AsJson = False,
) -> None:
    """List the launches, newest first."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened
    from mercato.launch.states import State

    known = {item.value for item in State}
    if wrong := [item for item in state or () if item not in known]:
        raise InvalidInput(f"--state was {wrong[0]!r}", hint=f"known: {', '.join(sorted(known))}")
    with opened() as found:
        bodies = [shapes.summary(item) for item in found.room.launches([State(item) for item in state or ()], limit)]
    if as_json:
        show(bodies)
        return
    rows = [[item["id"], item["symbol"], item["name"], item["state"], _marked(item)] for item in bodies]
    table("Launches", ["launch", "symbol", "name", "state", ""], rows)


@app.command("show")
def show_(id: Id, as_json: AsJson = False) -> None:
    """Show a launch: its state, its steps, its checks, its contracts."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    with opened() as found:
        item = found.room.launch(id)
        body = shapes.launch(item)
        steps = [shapes.change(step) for step in found.room.history(id)]
        results = [shapes.check(check) for check in found.room.checks(id)]
    if as_json:
        show({**body, "history": steps, "checks": results})
        return
    _told(item)
    table("Steps", ["at", "step", "to", "block"], [[s["at"], s["step"], s["after"], s["block"]] for s in steps])
    _tell_checks(results)
    if body["contracts"]:
        table("On the chain", ["what", "where"], [[name, value] for name, value in body["contracts"].items()])


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="An application as TOML or JSON.", metavar="APPLICATION")],
    as_json: AsJson = False,
) -> None:
    """Hand an application in as a draft, and run its checks."""
    from mercato.launch import shapes
    from mercato.launch.application import Application
    from mercato.launch.opening import opened

    wanted = Application.of(read(file))
    with opened() as found:
        item = found.room.apply(wanted)
        results = [shapes.check(check) for check in found.room.checks(item.id)]
    if as_json:
        show({**shapes.launch(item), "checks": results})
        return
    _told(item)
    _tell_checks(results)


@app.command()
def check(id: Id, as_json: AsJson = False) -> None:
    """Run the automatic checks again; exits with 1 where one does not pass."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    with opened() as found:
        results = [shapes.check(item) for item in found.room.check(id)]
    if as_json:
        show(results)
    else:
        _tell_checks(results)
    if not all(item["passed"] for item in results):
        raise typer.Exit(1)


@app.command()
def submit(id: Id, as_json: AsJson = False) -> None:
    """Send a draft to its panel of reviewers; every check must pass."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    with opened() as found:
        item = found.room.submit(id)
    _answer(shapes.launch(item), item, as_json)


@app.command()
def appeal(id: Id, as_json: AsJson = False) -> None:
    """Appeal a declined application: a panel of eleven, at most twice."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    with opened() as found:
        item = found.room.appeal(id)
    _answer(shapes.launch(item), item, as_json)


def _answer(body: dict[str, Any], item: Launch, as_json: bool) -> None:
    if as_json:
        show(body)
    else:
        _told(item)


def _told(item: Launch) -> None:
    application = item.application
    mark = "  (simulated)" if item.simulated else ""
    typer.echo(f"{item.id}  {application.symbol}  {application.name}  {item.state.value}{mark}")
    if item.reason:
        typer.echo(f"  {item.reason}")


def _tell_checks(results: list[dict[str, Any]]) -> None:
    rows = [["passed" if item["passed"] else "FAILED", item["name"], item["reason"]] for item in results]
    table("Checks", ["", "check", "reason"], rows)


def _marked(item: dict[str, Any]) -> str:
    return "simulated" if item["simulated"] else ""


app.add_typer(review_commands.app, name="review")
bid_commands.attach(app)
pool_commands.attach(app)
chain_commands.attach(app)
settle_commands.attach(app)
