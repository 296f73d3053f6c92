from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.launch import clearing
from mercato.launch.clearing import Q96
from mercato.launch.words import (
    bps,
    change,
    decimal_price,
    dollars,
    exact_dollars,
    left,
    moment,
    price,
    q96_of,
    quote_units,
    share,
    short,
    tokens,
    valuation,
)  # fmt: skip

UNITS = st.integers(0, 2**112 - 1)


@pytest.mark.parametrize(
    ("units", "said"),
    [(0, "$0"), (1_500_000, "$1.50"), (1_234_500_000, "$1,234.50"), (2_010_000_000_000, "$2.01M"), (500_000, "$0.500")],
)
def test_base_units_are_said_in_dollars(units: int, said: str) -> None:
    assert dollars(units) == said


@pytest.mark.parametrize(("units", "said"), [(10**18, "1"), (15 * 10**23, "1.50M"), (0, "0")])
def test_base_units_are_said_in_tokens(units: int, said: str) -> None:
    assert tokens(units) == said


@pytest.mark.parametrize(("text", "said"), [("0.002", "$0.002"), ("0.00201", "$0.00201"), ("1.5", "$1.50")])
def test_a_price_is_said_with_the_digits_that_count(text: str, said: str) -> None:
    assert price(q96_of(text) + 2) == said


@given(UNITS)
def test_what_is_written_exactly_is_read_back_exactly(units: int) -> None:
    assert quote_units(exact_dollars(units)) == units


@given(st.integers(1, 2**100))
def test_a_price_that_is_read_is_never_above_what_was_written(units: int) -> None:
    text = f"{Decimal(units).scaleb(-24):f}"
    found = q96_of(text)

    assert decimal_price(found) <= Decimal(text)
    assert (found + 1) * 10**36 > units * Q96


@given(st.text(max_size=80))
def test_an_amount_is_read_or_refused_and_never_guessed(text: str) -> None:
    plain = text.strip().removeprefix("$").replace(",", "").replace(" ", "")
    try:
        units = quote_units(text)
    except InvalidInput:
        return
    assert Decimal(units).scaleb(-6) == Decimal(plain)


@pytest.mark.parametrize(
    "text", ["", ".", "1.", "-1", "+1", "1e3", "٣", "1_000", "0x10", "1.0000001", "NaN", "1 1 .. 2"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        quote_units(text)


@given(st.integers(2**40, 2**80), st.integers(1, 500))
def test_the_price_of_a_level_as_shown_leads_back_to_that_level(floor: int, step: int) -> None:
    prices = clearing.grid(floor, step, 40)
    shown = [q96_of(price(item).removeprefix("$").replace(",", "")) for item in prices if decimal_price(item) < 1]

    assert all(abs(got - want) * 1000 <= want + 1000 * Q96 // 10**20 for got, want in zip(shown, prices, strict=False))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3600 * 3 + 1200, "3 h 20 min"), (86_400 * 2 + 3600, "2 d 1 h")],
)
def test_what_is_left_is_said_in_two_units(seconds: int, said: str) -> None:
    assert left(seconds) == said


@given(UNITS, st.integers(1, 2**112))
def test_a_share_is_cut_to_a_tenth_of_a_percent(part: int, whole: int) -> None:
    said = Decimal(share(part, whole).removesuffix("%"))

    assert said <= Decimal(part) * 100 / whole + Decimal("0.0000001")
    assert said + Decimal("0.1") > Decimal(part) * 100 / whole - Decimal("0.0000001")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [(100, 105, "+5.0%"), (1000, 999, "−0.1%"), (5, 5, "0.0%"), (0, 7, "0.0%"), (100_000, 99_999, "0.0%")],
)
def test_a_change_is_said_with_its_sign(before: int, after: int, said: str) -> None:
    assert change(before, after) == said


def test_small_words() -> None:
    assert bps(1250) == "12.5%"
    assert share(1, 0) == "0%"
    assert short("0x" + "ab" * 20) == "0xabab…abab"
    assert moment(0) == "1 Jan 1970, 00:00 UTC"
    assert valuation(Q96, 5_000_000) == "$5"
