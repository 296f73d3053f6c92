"""What acts came to, from a journal's entries alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.kit.acts import Arrow, Entry
from mercato.kit.model import Effects, Move
from mercato.kit.policy import Policy
from mercato.kit.profit import Fee, Line, Price, Profit, Tally
from mercato.kit.testing import CHAIN, DOLLAR, ETH, NOON, SMALL_PAYMENTS

ODD = f"{CHAIN}/erc20:0x{'0d' * 20}"
RULED = (Arrow.RULED, "", {"hash": "", "policy": dict(Policy.parse(SMALL_PAYMENTS).source)})
ETHER, DOLLARS = 10**18, 10**6


def entries(*told: tuple[Arrow, str, Mapping[str, Any]], days: int = 0) -> Iterator[Entry]:
    at = NOON + timedelta(days=days)
    return (Entry("agent", seq, at, act, arrow, body, "") for seq, (arrow, act, body) in zip(count(1), told))


def settled(act: str, *moves: Move, fee: int = 0, succeeded: bool = True) -> list[tuple[Arrow, str, Mapping[str, Any]]]:
    effects = Effects(moves, fee_asset=ETH, fee=fee).body()
    return [
        (Arrow.CONFIRMED, act, {"succeeded": succeeded}),
        (Arrow.SETTLED, act, {"effects": effects, "reserves": []}),
    ]


def at(**prices: Fraction) -> Price:
    """Prices of a dollar and of an ether, the same on every day."""
    known = {DOLLAR: prices.get("usd"), ETH: prices.get("eth")}
    return lambda asset, day: known.get(asset)


PRICED = at(usd=Fraction(1), eth=Fraction("2500.5"))


def test_a_trade_counts_what_came_and_what_left_and_its_fee_apart() -> None:
    moves = (Move(DOLLAR, -2_500 * DOLLARS), Move(ETH, ETHER))
    found = Tally().take(entries(RULED, *settled("act_1", *moves, fee=ETHER // 1000))).profit(PRICED)

    assert found == Profit(
        lines=(
            Line(DOLLAR, 0, 2_500 * DOLLARS, 0, -2_500 * 10**6),
            Line(ETH, ETHER, 0, 0, 2_500_500_000),
        ),
        fees=(Fee(ETH, ETHER // 1000, 2_500_500),),
        total=500_000 - 2_500_500,
        unpriced=(), settled=1, failed=0,
    )  # fmt: skip


def test_without_a_price_the_value_is_unknown_and_says_of_what() -> None:
    told = entries(RULED, *settled("act_1", Move(DOLLAR, -DOLLARS), Move(ETH, ETHER)))
    found = Tally().take(told).profit(at(usd=Fraction(1)))

    assert [line.value for line in found.lines] == [-(10**6), None]
    assert (found.total, found.unpriced) == (None, (ETH,))


def test_without_decimals_there_is_no_value_even_with_a_price() -> None:
    found = Tally().take(entries(RULED, *settled("act_1", Move(ODD, 5)))).profit(lambda asset, day: Fraction(1))

    assert (found.lines[0].came, found.lines[0].value, found.unpriced) == (5, None, (ODD,))


def test_each_day_has_its_own_price() -> None:
    tally = Tally().take(entries(RULED, *settled("act_1", Move(DOLLAR, 10 * DOLLARS))))
    tally.take(entries(*settled("act_2", Move(DOLLAR, -10 * DOLLARS)), days=1))
    prices = {date(2026, 3, 2): Fraction("0.999"), date(2026, 3, 3): Fraction("1.001")}
    found = tally.profit(lambda asset, day: prices[day])

    assert (found.lines[0].net, found.total) == (0, -20_000)


def test_what_was_only_signed_is_promised_and_neither_came_nor_left() -> None:
    signed = (Arrow.PLANNED, "act_1", {"steps": [], "message": {"primaryType": "Permit"}})
    found = Tally().take(entries(RULED, signed, *settled("act_1", Move(DOLLAR, -7)))).profit(PRICED)

    assert found.lines == (Line(DOLLAR, 0, 0, 7, 0),)


def test_a_failed_act_costs_its_fee_and_is_counted() -> None:
    found = Tally().take(entries(RULED, *settled("act_1", fee=3, succeeded=False))).profit(PRICED)

    assert (found.settled, found.failed, found.lines) == (1, 1, ())
    assert found.fees == (Fee(ETH, 3, 1),)  # a fee's value is rounded up


def test_nothing_settled_comes_to_nothing() -> None:
    assert Tally().take(entries(RULED)).profit(PRICED) == Profit((), (), 0, (), 0, 0)


@given(st.lists(st.integers(-(10**24), 10**24), max_size=20), st.fractions(min_value=0, max_value=10**6))
def test_a_net_is_the_sum_of_moves_and_its_value_is_off_by_less_than_a_millionth_of_a_dollar(
    moved: list[int], price: Fraction
) -> None:
    told = [item for place, units in enumerate(moved) for item in settled(f"act_{place}", Move(ETH, units))]
    found = Tally().take(entries(*told)).profit(at(eth=price))
    exact = Fraction(sum(moved), ETHER) * price * 10**6
    values = [line.value for line in found.lines]

    assert [line.net for line in found.lines] == [sum(moved)] * len(values)
    assert all(value is not None and 0 <= exact - value < 1 for value in values)


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 4])
def test_counting_on_is_the_same_as_counting_at_once(cut: int) -> None:
    told = list(entries(RULED, *settled("act_1", Move(DOLLAR, 5), fee=1), *settled("act_2", Move(DOLLAR, -3), fee=1)))
    parts = Tally().take(told[:cut]).take(told[cut:])

    assert parts.profit(PRICED) == Tally().take(told).profit(PRICED)
    assert parts.seq == told[-1].seq
