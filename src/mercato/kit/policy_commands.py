"""`mercato kit policy check | set | show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.core.errors import InvalidInput
from mercato.market.terminal import AsJson, show, table

if TYPE_CHECKING:
    from mercato.kit.policy import Policy

app = typer.Typer(help="What the agent may do, as data.", no_args_is_help=True, add_completion=False)
File = Annotated[Path, typer.Argument(help="A policy as TOML or JSON.", metavar="POLICY")]


@app.callback()
def policy() -> None:
    """What the agent may do, as data."""


@app.command()
def check(file: File, as_json: AsJson = False) -> None:
    """Read a policy and print its rules and hash; an error says what is wrong in it."""
    _tell(_read(file), as_json)


@app.command("set")
def set_(
    file: File, by: Annotated[str, typer.Option(help="Who says so.")] = "operator", as_json: AsJson = False
) -> None:
    """Put a policy in force; opens the book where there is none."""
    from mercato.kit.opening import opened

    wanted = _read(file)
    with opened() as found:
        found.ledger.open(found.book, wanted, by)
    _tell(wanted, as_json)


@app.command("show")
def show_(as_json: AsJson = False) -> None:
    """Print the policy that is in force."""
    from mercato.kit.opening import opened

    with opened() as found:
        held = found.ledger.policy(found.book)
    _tell(held, as_json)


def _read(file: Path) -> Policy:
    from mercato.kit.policy import OCTETS, Policy

    try:
        with file.open("rb") as text:
            return Policy.parse(text.read(OCTETS + 1).decode())
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"policy {str(file)!r} was not readable: {error}", hint="name a TOML or JSON file") from None


def _tell(policy: Policy, as_json: bool) -> None:
    body: dict[str, Any] = {
        "name": policy.name, "hash": policy.hash, "rules": [rule.name for rule in policy.rules],
        "budgets": [budget.name for budget in policy.budgets], "policy": policy.source,
    }  # fmt: skip
    if as_json:
        show(body)
        return
    table("Rules", ["rule", "says"], [[rule.name, rule.verdict.value] for rule in policy.rules])
    rows = [[item.name, item.asset, item.cap, item.seconds, item.per] for item in policy.budgets]
    table("Budgets", ["budget", "asset", "cap", "seconds", "per"], rows)
    typer.echo(f"hash: {policy.hash}")
