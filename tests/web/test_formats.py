from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.web import formats


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("6984000000.25", "$6.98B"),
        ("-12000000", "−$12M"),
        ("999999.5", "$1.00M"),
        ("5000", "$5,000"),
        ("9996574.49", "$10.0M"),
        ("0.9996", "$1.00"),
        ("43800.5", "$43,800"),
        ("985.68", "$985.68"),
        ("5", "$5"),
        ("0.00012345", "$0.000123"),
        ("0", "$0"),
        (None, "unknown"),
        ("", "unknown"),
        ("NaN", "unknown"),
        ("Infinity", "unknown"),
        ("n/a", "unknown"),
        (True, "unknown"),
    ],
)
def test_dollars_are_short_and_never_guessed(value: object, said: str) -> None:
    assert formats.usd(value) == said


@pytest.mark.parametrize(
    ("value", "said", "direction"),
    [("0.05", "+5.0%", "up"), ("-0.051", "−5.1%", "down"), ("0", "0.0%", "even"), (None, "unknown", "even")],
)
def test_a_change_has_a_sign_and_a_direction(value: str | None, said: str, direction: str) -> None:
    assert (formats.change(value), formats.direction(value)) == (said, direction)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("1681", "count", "1,681"),
        ("1681000", "count", "1.68M"),
        ("0.31415", "ratio", "31.4%"),
        ("12", "days", "12 days"),
        ("1", "days", "1 day"),
        ("-0.00043", "ratio", "−0.043%"),
        ("-1.01", "pp", "−1.01 pp"),
        ("150", "commits", "150 commits"),
        ("5.37", "multiple", "5.37×"),
        ("2025-02-14", "date", "2025-02-14"),
        (None, "text", "unknown"),
        ("eip155:8453", "other", "eip155:8453"),
    ],
)
def test_a_figure_is_said_in_the_words_of_its_unit(value: str | None, unit: str, said: str) -> None:
    assert formats.by_unit(value, unit) == said


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("1e-9"), max_value=Decimal("1e14"), places=9)
)
def test_a_short_number_is_within_one_percent_of_the_number(number: Decimal) -> None:
    words = formats.compact(number)
    scale = {"T": 10**12, "B": 10**9, "M": 10**6, "k": 10**3}.get(words[-1], 1)
    back = Decimal(words.rstrip("TBMk").replace(",", "")) * scale

    assert abs(back - number) <= number / 100


def test_ticks_drop_their_zeros_and_keep_their_letter() -> None:
    assert [formats.axis(v, "usd") for v in ("7500000000", "10000000000", "0", "2000")] == [
        "$7.5B",
        "$10B",
        "$0",
        "$2,000",
    ]
