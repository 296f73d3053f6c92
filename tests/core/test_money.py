"""Money adds up exactly, rounds as it is told, and never mixes tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.chain import Asset
from mercato.core.errors import InvalidInput, MixedTokens, Shortfall
from mercato.core.money import DOWN, LIMIT, UP, Amount, Bps, Delta, Ratio, Round, Token

USDC = Token(Asset.parse("eip155:8453/erc20:0x" + "a" * 40), 6, "USDC")
LAMP = Token(Asset.parse("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:LAMP"), 18, "LAMP")
units = st.integers(0, 2**128)
tokens = st.sampled_from([USDC, LAMP, Token(USDC.asset, 0, "W"), Token(USDC.asset, 77, "T")])
rounds = st.sampled_from(list(Round))


def usdc(count: int) -> Amount:
    return Amount(count, USDC)


def lamps(count: int) -> Amount:
    return Amount(count, LAMP)


@given(units, units, units)
def test_adding_is_exact_and_the_order_does_not_matter(a: int, b: int, c: int) -> None:
    assert usdc(a) + usdc(b) + usdc(c) == usdc(c) + (usdc(b) + usdc(a)) == usdc(a + b + c)


@given(units, units)
def test_what_was_added_can_be_taken_away(a: int, b: int) -> None:
    assert (usdc(a) + usdc(b)) - usdc(b) == usdc(a)


@given(units, units)
def test_a_change_leads_from_one_amount_to_the_other(a: int, b: int) -> None:
    change = usdc(b).minus(usdc(a))

    assert change.on(usdc(a)) == usdc(b)
    assert (-change).on(usdc(b)) == usdc(a)
    assert (change + -change).units == 0


@given(units, units)
def test_amounts_sort_as_their_units(a: int, b: int) -> None:
    assert (usdc(a) < usdc(b), usdc(a) <= usdc(b), usdc(a) == usdc(b)) == (a < b, a <= b, a == b)


@given(units, st.integers(1, 10**6))
def test_more_than_there_is_cannot_be_taken(a: int, more: int) -> None:
    with pytest.raises(Shortfall):
        usdc(a) - usdc(a + more)
    with pytest.raises(Shortfall):
        Delta(-a - more, USDC).on(usdc(a))


@pytest.mark.parametrize(
    "mix",
    [
        lambda: usdc(1) + lamps(1),
        lambda: usdc(1) - lamps(1),
        lambda: usdc(1) < lamps(1),
        lambda: usdc(1) >= lamps(1),
        lambda: usdc(1).minus(lamps(1)),
        lambda: usdc(1).at(Ratio(usdc(1), lamps(1)), round=UP),
        lambda: Delta(1, USDC) + Delta(1, LAMP),
        lambda: Delta(1, USDC).on(lamps(1)),
        lambda: usdc(1) + Amount(1, Token(USDC.asset, 7, "USDC")),
    ],
)
def test_unlike_tokens_never_mix(mix: object) -> None:
    with pytest.raises(MixedTokens) as caught:
        mix()  # type: ignore[operator] # what it refuses is the point

    assert isinstance(caught.value, TypeError)
    assert "USDC" in caught.value.message


def test_unlike_tokens_are_unlike_amounts() -> None:
    assert usdc(1) != lamps(1)
    assert usdc(1).__eq__(1) is NotImplemented


def test_a_symbol_identifies_nothing() -> None:
    renamed = Token(USDC.asset, 6, "USDC.e")

    assert usdc(1) + Amount(1, renamed) == usdc(2)
    assert len({usdc(1), Amount(1, renamed)}) == 1


@pytest.mark.parametrize("wrong", [-1, LIMIT, 1.0, "1", True, None])
def test_only_whole_units_that_fit_are_an_amount(wrong: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        Amount(wrong, USDC)

    assert repr(wrong) in caught.value.message


@pytest.mark.parametrize("wrong", [1, 1.0, "1"])
def test_amounts_add_to_amounts_only(wrong: Amount) -> None:
    with pytest.raises(TypeError):
        usdc(1) + wrong
    with pytest.raises(TypeError):
        usdc(1) - wrong
    with pytest.raises(TypeError):
        usdc(1) < wrong  # noqa: B015 - the comparison itself raises


def test_a_sum_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Amount(LIMIT - 1, USDC) + usdc(1)


@given(units, st.integers(0, 10_000))
def test_a_share_and_the_rest_make_the_whole_when_rounded_apart(a: int, bps: int) -> None:
    fee = usdc(a).share(Bps(bps), round=UP)
    rest = usdc(a).share(Bps(10_000 - bps), round=DOWN)

    assert fee + rest == usdc(a)


@given(units, st.integers(0, 10_000), rounds)
def test_a_share_is_off_by_less_than_one_unit(a: int, bps: int, way: Round) -> None:
    error = usdc(a).share(Bps(bps), round=way).units * 10_000 - a * bps

    assert {UP: 0 <= error < 10_000, DOWN: -10_000 < error <= 0}[way]


@pytest.mark.parametrize("wrong", [-1, 10_001, 1.5, True])
def test_basis_points_lie_between_nothing_and_everything(wrong: int) -> None:
    with pytest.raises(InvalidInput, match="basis points"):
        Bps(wrong)


@given(units, st.integers(0, 10**30), st.integers(1, 10**30))
def test_going_at_a_price_and_back_never_makes_money(a: int, num: int, den: int) -> None:
    there = lamps(a).at(Ratio(usdc(num), lamps(den)), round=DOWN)
    bounds = (there.units * den, a * num)

    assert there.token == USDC
    assert bounds[0] <= bounds[1] < bounds[0] + den


@given(units, st.integers(0, 10**30), st.integers(1, 10**30))
def test_rounding_up_is_at_most_one_unit_above_rounding_down(a: int, num: int, den: int) -> None:
    price = Ratio(usdc(num), lamps(den))

    assert lamps(a).at(price, round=UP).units - lamps(a).at(price, round=DOWN).units in {0, 1}


def test_a_price_for_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="price"):
        Ratio(usdc(1), lamps(0))


@given(units, tokens)
def test_text_comes_back_as_the_same_amount(a: int, token: Token) -> None:
    amount = Amount(a, token)

    assert Amount.parse(amount.text(), token) == amount


@pytest.mark.parametrize(
    ("text", "expected"), [("1", 1_000_000), ("1.5", 1_500_000), ("0.000001", 1), ("007.10", 7_100_000), ("0", 0)]
)
def test_a_written_amount_is_exact(text: str, expected: int) -> None:
    assert Amount.parse(text, USDC) == usdc(expected)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "1,5", ".5", "5.", "nan", "inf", "0.0000001", " 1", "1 ", "٣", "1_0", "9" * 200]
)
def test_an_unclear_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="amount of 'USDC' was"):
        Amount.parse(text, USDC)


def test_people_read_amounts_without_needless_digits() -> None:
    assert [str(usdc(count)) for count in (0, 1, 1_500_000, 10**12)] == [
        "0 USDC",
        "0.000001 USDC",
        "1.5 USDC",
        "1000000 USDC",
    ]


@pytest.mark.parametrize("wrong", [-1, 78, 1.0, True])
def test_decimals_fit_into_the_largest_amount(wrong: int) -> None:
    with pytest.raises(InvalidInput, match="decimals"):
        Token(USDC.asset, wrong, "X")


def test_only_something_counts_as_true() -> None:
    assert bool(usdc(1))
    assert not usdc(0)


@pytest.mark.parametrize("wrong", [LIMIT, -LIMIT, 1.0, True])
def test_a_change_fits_like_an_amount(wrong: int) -> None:
    with pytest.raises(InvalidInput, match="change"):
        Delta(wrong, USDC)
