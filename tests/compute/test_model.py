"""What an answer costs, and which of two counts is paid for."""

from hypothesis import given
from hypothesis import strategies as st

from mercato.compute import Price, Usage
from mercato.core.money import DOWN, UP

counts = st.integers(0, 10**7)
usages = st.builds(lambda prompt, completion, cached: Usage(prompt, completion, min(cached, prompt)), *[counts] * 3)
prices = st.builds(Price, counts, counts, st.none() | counts)


def test_a_price_counts_cached_tokens_at_their_own_price() -> None:
    price = Price(prompt=200_000, completion=600_000, cached=50_000)
    # 600 at 0.2, 400 at 0.05 and 250 at 0.6 micro-dollars each
    assert price.of(Usage(prompt=1_000, completion=250, cached=400), round=UP) == 290
    assert Price(200_000, 600_000).of(Usage(1_000, 250, 400), round=UP) == 350


def test_one_token_is_rounded_against_who_pays() -> None:
    one = Usage(prompt=1)
    assert (Price(1, 1).of(one, round=UP), Price(1, 1).of(one, round=DOWN)) == (1, 0)


@given(prices, usages)
def test_who_is_paid_never_gets_more_than_who_pays_gives(price: Price, usage: Usage) -> None:
    assert 0 <= price.of(usage, round=UP) - price.of(usage, round=DOWN) <= 1


@given(prices.filter(lambda price: price.cached is None or price.cached <= price.prompt), usages, usages)
def test_the_lesser_count_never_costs_more_than_either(price: Price, claimed: Usage, counted: Usage) -> None:
    paid = price.of(claimed.least(counted), round=UP)
    assert paid <= price.of(claimed, round=UP)
    assert paid <= price.of(counted, round=UP)
