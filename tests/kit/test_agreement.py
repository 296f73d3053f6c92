"""An act that somebody approved may do what was shown to them, and no more."""

from __future__ import annotations

import pytest

from mercato.kit import Authority, Effects, Grant, Move, Payment, Power
from mercato.kit.model import within
from mercato.kit.testing import DOLLAR, ETH, FRIEND, POOL, STRANGER, USD, payment

AGREED = payment(100)
TRADE = Effects((Move(DOLLAR, -100), Move(ETH, 1_000)))


@pytest.mark.parametrize(
    ("fresh", "excess"),
    [
        (payment(100), ""),
        (payment(99), ""),
        (payment(101), "spend 101"),
        (payment(100, STRANGER), f"pay 100 of {DOLLAR} to {STRANGER}, agreed were 0"),
        (payment(100, grants=(Grant(DOLLAR, POOL, 0, 1),)), "allowance"),
        (payment(100, grants=(Grant(DOLLAR, POOL, 1, 0),)), ""),
        (payment(100, authorities=(Authority(Power.OWNER, USD, POOL, True),)), "authority"),
        (payment(100, contracts=(USD, POOL)), "contract"),
        (payment(100, creations=(FRIEND,)), "creation"),
        (payment(100, gaps=("nobody knows",)), "nobody knows"),
    ],
)
def test_what_exceeds_the_agreement_is_named(fresh: Effects, excess: str) -> None:
    found = within(fresh, AGREED)

    assert excess in found
    assert bool(found) is bool(excess)


SHARED = Effects((Move(DOLLAR, -100),), (Payment(DOLLAR, FRIEND, 1), Payment(DOLLAR, POOL, 99)), contracts=(POOL,))


@pytest.mark.parametrize(
    ("friend", "pool", "excess"), [(1, 99, ""), (0, 100, ""), (2, 98, f"pay 2 of {DOLLAR} to {FRIEND}, agreed were 1")]
)
def test_nobody_gets_more_than_was_shown_but_a_contract_that_is_called(friend: int, pool: int, excess: str) -> None:
    paid = (Payment(DOLLAR, FRIEND, friend), Payment(DOLLAR, POOL, pool))

    found = within(Effects((Move(DOLLAR, -100),), paid, contracts=(POOL,)), SHARED)

    assert excess in found
    assert bool(found) is bool(excess)


def test_a_trade_may_bring_one_percent_less_than_was_shown_at_most() -> None:
    assert within(Effects((Move(DOLLAR, -100), Move(ETH, 990))), TRADE) == ""
    assert "bring 989" in within(Effects((Move(DOLLAR, -100), Move(ETH, 989))), TRADE)
