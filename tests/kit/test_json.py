"""What commands print as JSON: the fields that scripts of others read. Add to them; take none away, rename none."""

from __future__ import annotations

import pytest

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
