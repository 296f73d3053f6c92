"""Builders for tests and examples: a policy, intents and effects on the embedded chain's development id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mercato.kit.model import ACTS, Effects, Intent, Move, Origin, Payment
from mercato.kit.profit import Price

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
CHAIN = "eip155:31337"
ETH = f"{CHAIN}/slip44:60"
USD = f"0x{'d0' * 20}"
DOLLAR = f"{CHAIN}/erc20:{USD}"
OWNER, FRIEND, STRANGER, POOL = (f"0x{digit * 40}" for digit in "1234")
ACCOUNT = f"{CHAIN}:{OWNER}"

SMALL_PAYMENTS = f"""
version = 1
name = "small payments"

[assets.USD]
id = "{DOLLAR}"
decimals = 6

[assets.ETH]
id = "{ETH}"
decimals = 18

[[rules]]
name = "never strangers"
verdict = "deny"
recipients = ["{STRANGER}"]

[[rules]]
name = "small"
verdict = "allow"
actions = ["transfer"]
spend = {{ USD = "100", ETH = "0.01" }}
recipients = ["{FRIEND}"]
contracts = ["{USD}"]

[[rules]]
name = "large"
verdict = "ask"
approvers = ["treasurer"]
actions = ["transfer"]
spend = {{ USD = "1000", ETH = "0.01" }}
recipients = ["{FRIEND}"]
contracts = ["{USD}"]

[[budgets]]
name = "day"
asset = "USD"
cap = "500"
seconds = 86400
"""


def intent(action: str = "transfer", *, origin: Origin = Origin.AGENT, book: str = "agent", **changes: Any) -> Intent:
    """Returns an intent of the test account."""
    values: dict[str, Any] = {"arguments": {}, "at": NOON, "note": "", **changes}
    return Intent(ACTS.new(), book, ACCOUNT, action, origin=origin, **values)


def payment(units: int, to: str = FRIEND, *, asset: str = DOLLAR, **changes: Any) -> Effects:
    """Returns the effects of paying somebody in test dollars."""
    moves, payments = (Move(asset, -units),), (Payment(asset, to, units),)
    return replace(Effects(moves, payments, contracts=(USD,)), **changes)


def nobody_knows(assets: Iterable[str]) -> Price:
    """Returns prices where there is no market: none."""
    return lambda asset, day: None
