"""Shares of requests: monotone in price, scale-free in currency, by quality and speed, never all to one."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.model import Standing, Wish
from mercato.compute.routing import Candidate, Router, Rules
from mercato.compute.routing.score import score
from tests.compute.routing.fixtures import NOON, candidate, firsts, live, need, proven
from tests.profiles import examples

GRID = 16
LOADS = st.lists(st.integers(0, 3), min_size=5, max_size=5)
PRICES = st.lists(st.integers(1, 10_000), min_size=2, max_size=5)


class Grid(Random):
    """Gives the midpoints of a grid over the unit square, so that shares are areas and not luck."""

    def __init__(self) -> None:
        super().__init__(0)
        self.points = [v for y in range(GRID) for x in range(GRID) for v in ((x + 0.5) / GRID, (y + 0.5) / GRID)]
        self.place = 0

    def random(self) -> float:
        self.place += 1
        return self.points[(self.place - 1) % len(self.points)]


def share(prices: Sequence[int], place: int, speeds: Sequence[int], loads: Sequence[int]) -> float:
    """The share of requests without a conversation that one provider gets."""
    many = [candidate(f"p{number}", price) for number, price in enumerate(prices)]
    router = Router(rng=Grid())
    for each, speed, load in zip(many, speeds, loads, strict=False):
        live(router, each.provider.id, 40, whole_ms=200 + speed)
        for _ in range(load):
            router.began(each.provider.id, 0.0)
    chosen = Counter(firsts(router, need(), many, GRID * GRID))
    return chosen[f"p{place}"] / GRID / GRID


@given(PRICES, st.lists(st.integers(0, 9000), min_size=5, max_size=5), LOADS, st.integers(2, 50))
def test_raising_a_price_never_raises_a_share(
    prices: list[int], speeds: list[int], loads: list[int], more: int
) -> None:
    dearer = [prices[0] * more // 2 + 1, *prices[1:]]
    edge = 2 / GRID  # areas are known to about a line of the grid

    assert share(dearer, 0, speeds, loads) <= share(prices, 0, speeds, loads) + edge


@given(PRICES, st.integers(2, 50))
def test_raising_a_price_never_wins_a_conversation(prices: list[int], more: int) -> None:
    many = [candidate(f"p{number}", price) for number, price in enumerate(prices)]
    dearer = [candidate("p0", prices[0] * more), *many[1:]]
    router = proven(many)
    asked = [need(prefix=f"conversation {number}") for number in range(examples(20))]
    before = [router.order(each, many, 0.0, NOON)[0].provider.name for each in asked]
    after = [router.order(each, dearer, 0.0, NOON)[0].provider.name for each in asked]
    won = [b for a, b in zip(before, after, strict=True) if b == "p0" and a != "p0"]

    assert won == []


@given(PRICES, st.integers(2, 10**6), st.integers(0, 10**6))
def test_another_currency_changes_no_choice(prices: list[int], factor: int, seed: int) -> None:
    asked = [need(), need(prefix="a"), need(prefix="b"), need(wish=Wish(sort="price"))]

    def orders(scale: int) -> list[list[str]]:
        many = [candidate(f"p{number}", price * scale) for number, price in enumerate(prices)]
        router = proven(many, Random(seed))
        return [[each.provider.name for each in router.order(one, many, 0.0, NOON)] for one in asked]

    assert orders(1) == orders(factor)


def test_a_conversation_stays_and_moves_only_off_a_provider_that_fails() -> None:
    many = [candidate(f"p{number}") for number in range(6)]
    router = proven(many)
    asked = [need(prefix=f"{number}") for number in range(300)]

    def places() -> list[str]:
        return [router.order(each, many, 0.0, NOON)[0].provider.name for each in asked]

    before = places()
    live(router, "p3", 5, error="connect")
    after = places()
    moved = {a for a, b in zip(before, after, strict=True) if a != b}

    assert moved == {"p3"}
    assert len(Counter(before)) == 6


def test_a_conversation_leaves_a_provider_that_is_loaded_far_above_the_mean() -> None:
    many = [candidate(f"p{number}") for number in range(4)]
    router = proven(many)
    asked = need(prefix="x")
    own = router.order(asked, many, 0.0, NOON)[0].provider
    for _ in range(7):
        router.began(own.id, 0.0)

    assert router.order(asked, many, 0.0, NOON)[0].provider != own


@pytest.mark.parametrize(
    "change",
    [{"error": "500"}, {"whole_ms": 60_000}, {"first_ms": 20_000, "whole_ms": 21_000}],
    ids=["fails", "slow", "late"],
)
def test_who_fails_or_is_slow_gets_less(change: dict[str, Any]) -> None:
    many = [candidate("a"), candidate("b")]
    router = proven(many, Random(2))
    live(router, "a", 4, **change)
    chosen = Counter(firsts(router, need(), many, 400))

    assert chosen["a"] < 100 < chosen["b"]


def test_of_equal_providers_the_less_loaded_is_asked() -> None:
    many = [candidate(f"p{number}", concurrency=64) for number in range(8)]
    router = proven(many, Random(3))
    for _ in range(160):
        first = router.order(need(), many, 0.0, NOON)[0]
        router.began(first.provider.id, 0.0)
    held = [router.health(each.provider.id).inflight for each in many]

    assert max(held) - min(held) <= 6


def test_the_score_is_the_price_of_a_good_answer_with_what_waiting_and_harm_cost() -> None:
    """500 tokens read at 1000 and 100 written at 2000; first byte 0.2 s, 10 ms a token; .954 * .95 of answers good."""
    each = candidate("a", 1000)
    health = proven([each]).health(each.provider.id)
    good = health.success() * health.quality()

    assert (round(health.success(), 3), health.quality()) == (0.954, 0.95)
    assert score(each.offer, health, need(), Rules()) == pytest.approx(700_000 / good * (1 + 0.12 + 10 * (1 - good)))


def test_newcomers_get_the_share_that_is_set_aside_for_them() -> None:
    many: list[Candidate] = [candidate("old", 1000), candidate("new", 1, standing=Standing.PROBATION)]
    router = proven(many[:1], Random(4))
    chosen = Counter(firsts(router, need(), many, 10_000))

    assert 22 <= chosen["new"] <= 78  # 0.5 % of 10,000 within four standard deviations


def test_however_many_newcomers_there_are_a_fifth_of_requests_is_all_they_get() -> None:
    old = candidate("old", 1000)
    many = [old, *(candidate(f"new-{number}", 1, standing=Standing.PROBATION) for number in range(100))]
    chosen = Counter(firsts(proven([old], Random(4)), need(prefix="x"), many, 2_000))

    assert 1_530 <= chosen["old"] <= 1_670  # 80 % of 2,000 within four standard deviations


@pytest.mark.parametrize(("price", "tried"), [(3000, True), (3001, False)])
def test_a_newcomer_is_not_tried_at_any_price(price: int, tried: bool) -> None:
    many = [candidate("old", 1000), candidate("new", price, standing=Standing.PROBATION)]
    router = proven(many[:1], Random(4))

    assert ("new" in firsts(router, need(), many, 3_000)) is tried


def test_the_requests_own_order_comes_first_then_the_others_by_score() -> None:
    many = [candidate("a", 3), candidate("b", 2), candidate("c", 1), candidate("d", 4)]
    router = proven(many)
    orders = [
        [each.provider.name for each in router.order(need(wish=Wish(order=("d", "b"))), many, 0.0, NOON)],
        [each.provider.name for each in router.order(need(wish=Wish(sort="price")), many, 0.0, NOON)],
    ]

    assert orders == [["d", "b", "c", "a"], ["c", "b", "a", "d"]]
