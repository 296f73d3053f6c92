"""Amounts and text from outside, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.chain import Asset
from mercato.core.money import LIMIT, Amount, Token
from mercato.kit.testing import DOLLAR, ETH, USD
from mercato.kit.units import Units, dollars, exact, plain, spaced

KNOWN = Units().learn({"assets": {"USD": {"id": DOLLAR, "decimals": 6}}})
TOKEN = Asset.parse(DOLLAR)


@given(st.integers(0, LIMIT - 1), st.integers(0, 77))
def test_whole_units_are_those_of_money(units: int, places: int) -> None:
    assert exact(units, places) == Amount(units, Token(TOKEN, places, "X")).text()
    assert exact(-units, places) == ("-" if units else "") + exact(units, places)


@pytest.mark.parametrize(
    ("units", "said"),
    [
        (1_234_500_000, "1,234.5 USD"), (-1_250_000, "−1.25 USD"), (-1, "−0.000001 USD"), (0, "0 USD"),
        (LIMIT - 1, "any amount of USD"),
    ],
)  # fmt: skip
def test_an_amount_is_said_in_the_words_of_the_policy(units: int, said: str) -> None:
    assert KNOWN.amount(DOLLAR, units) == said


def test_what_no_policy_knows_is_said_in_base_units_and_coins_need_none() -> None:
    other = DOLLAR.replace("d0", "0d")

    assert KNOWN.amount(other, 1_000) == f"1,000 base units of erc20:0x{'0d' * 20}"
    assert KNOWN.amount(ETH, 10**18) == "1 ETH"
    assert KNOWN.amount(other.replace("erc20", "erc721") + "/7", 1) == f"1 erc721:0x{'0d' * 20}/7"
    assert KNOWN.amount("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501", 5 * 10**8) == "0.5 SOL"
    assert (KNOWN.contract(USD), KNOWN.contract("0x1")) == (f"{USD} (USD)", "0x1")


@pytest.mark.parametrize(
    ("micro", "said"),
    [
        (12_345_678, "$12.34"),
        (-1_234_567_890_000, "−$1,234,567.89"),
        (120, "$0.00012"),
        (0, "$0.00"),
        (None, "unknown"),
    ],
)
def test_micro_dollars_are_said_in_cents_and_never_as_nothing(micro: int | None, said: str) -> None:
    assert dollars(micro) == said


def test_a_minus_before_a_fraction_is_kept() -> None:
    assert spaced("-0.5") == "−0.5"


def test_text_from_outside_cannot_turn_or_hide_what_stands_around_it() -> None:
    assert plain("pay\u202eemit\u200b\x1b[31m\nnow") == "pay·emit··[31m now"
    assert plain("a" * 300) == "a" * 200 + "…"
