"""What commands print as JSON: the fields that scripts of others read. Add to them; take none away, rename none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from mercato.kit.commands import app
from tests.kit.conftest import Run
from tests.kit.ground import DIME, FRIEND, Town, town

INTENT = {"id", "book", "account", "action", "arguments", "origin", "at", "note"}
EFFECTS = {
    "moves", "payments", "grants", "authorities", "creations", "contracts", "fee_asset", "fee", "impact_bps", "gaps",
    "logs",
}  # fmt: skip
DECISION = {"verdict", "rule", "why", "policy", "reserves", "approvers"}


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


def test_the_fields_that_commands_print_stay_there(ruled: Run, town: Town) -> None:
    pay = ["transfer", f"token={town.dollar.address}", f"to={FRIEND}", f"amount={5 * DIME}"]
    tried, act = ruled("dry-run", *pay)[1], ruled("act", *pay)[1]
    waits = ruled("act", *pay[:-1], f"amount={80 * DIME}")[1]

    assert {"name", "says", "effects", "reads", "arguments"} <= set(ruled("list")[1][0])
    assert {"title", "to", "value", "data"} <= set(ruled("plan", *pay)[1]["steps"][0])
    assert {"intent", "plan", "effects", "decision", "rules", "unsigned"} <= set(tried)
    assert set(ruled("explain", *pay)[1]) >= {"decision", "rules"}
    assert {"rule", "why_not"} <= set(tried["rules"][0])
    assert {"id", "state", "intent", "effects", "decision", "signatures", "transactions"} <= set(act)
    assert (set(act["intent"]) >= INTENT, set(act["effects"]) >= EFFECTS, set(act["decision"]) >= DECISION) == (
        True, True, True,
    )  # fmt: skip
    assert {"asset", "to", "units"} <= set(act["effects"]["payments"][0])
    assert set(ruled("approvals")[1][0]) >= set(waits) >= set(act)
    assert {"book", "seq", "at", "act", "arrow", "body", "hash"} <= set(ruled("journal")[1][0])
    assert {"head", "acts", "balances", "budgets"} <= set(ruled("replay")[1])
    assert {"lines", "fees", "settled", "failed", "total_micro_usd", "unpriced"} <= set(ruled("profit")[1])
    assert {"name", "hash", "rules", "budgets"} <= set(ruled("policy", "show")[1])
    assert ruled("freeze", "--by", "operator")[1] == {"book": "agent", "frozen": True}
    assert ruled("thaw", "--by", "operator")[1] == {"book": "agent", "frozen": False}


def test_every_command_that_answers_can_print_json() -> None:
    """All but `serve`, which speaks a protocol of its own."""
    takes = {
        name: any("--json" in option.opts for option in command.params) for name, command in _commands(get_command(app))
    }

    assert {name for name, json in takes.items() if not json} == {"serve"}


def _commands(group: Any, head: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{head}{name} ")
        else:
            yield head + name, command
