"""Bucket, budget and breaker: how often a source is asked, and when it is left alone."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.clock import HandClock
from mercato.market.connectors.breaker import TRANSITIONS, Breaker
from mercato.market.connectors.bucket import TokenBucket
from mercato.market.connectors.budget import Budget
from mercato.market.connectors.errors import Postponed
from mercato.market.connectors.retry import Retries
from mercato.market.connectors.state import MemoryNotebook
from tests.market.connectors.conftest import NOON


@given(
    calls=st.lists(st.floats(0, 90), min_size=1, max_size=60),
    per_minute=st.integers(1, 600),
    burst=st.integers(1, 10),
)
def test_a_bucket_never_lets_more_through_than_burst_and_rate(calls: list[float], per_minute: int, burst: int) -> None:
    clock = HandClock(NOON)
    bucket = TokenBucket(per_minute, burst, clock)
    taken = []
    for pause in calls:
        clock.move(timedelta(seconds=pause))
        bucket.take()
        taken.append((clock.now() - NOON).total_seconds())

    for first in range(len(taken)):
        for last in range(first, len(taken)):
            allowed = burst + (taken[last] - taken[first]) * per_minute / 60
            assert last - first + 1 <= allowed + 1e-3


def test_an_idle_bucket_lets_a_burst_through_at_once() -> None:
    clock = HandClock(NOON)
    bucket = TokenBucket(60, 3, clock)

    assert [bucket.take() for _ in range(4)] == pytest.approx([0, 0, 0, 1])


@pytest.mark.parametrize(("per_minute", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_bucket_that_lets_nothing_through_is_refused(per_minute: float, burst: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        TokenBucket(per_minute, burst, HandClock(NOON))


def test_a_budget_refuses_before_it_is_overspent_and_says_when_it_resets() -> None:
    budget = Budget("made-up", 2, MemoryNotebook(), HandClock(NOON))
    assert [budget.spend().used, budget.spend().left] == [1, 0]

    with pytest.raises(Postponed, match=r"2 of 2 calls in 2026-11.*resets on 2026-12-01"):
        budget.spend()

    assert budget.read().used == 2


def test_a_budget_survives_the_process_and_starts_anew_each_month() -> None:
    notebook, clock = MemoryNotebook(), HandClock(NOON)
    Budget("made-up", 10, notebook, clock).spend()
    again = Budget("made-up", 10, notebook, clock)
    assert again.read().used == 1

    clock.move(timedelta(days=20))

    assert (again.read().used, again.read().resets_on.isoformat()) == (0, "2027-01-01")


def test_a_budget_without_limit_only_counts() -> None:
    budget = Budget("made-up", None, MemoryNotebook(), HandClock(NOON))
    for _ in range(5):
        budget.spend()

    assert (budget.read().used, budget.read().left) == (5, None)


def make_breaker() -> tuple[Breaker, HandClock]:
    clock = HandClock(NOON)
    return Breaker("made-up", MemoryNotebook(), clock, threshold=3, cool_down=60), clock


def test_a_circuit_opens_after_failures_in_a_row() -> None:
    breaker, _ = make_breaker()
    for _ in range(3):
        breaker.allow()
        breaker.failed()

    with pytest.raises(Postponed, match=r"3 times in a row.*2026-11-15T12:01:00") as caught:
        breaker.allow()

    assert caught.value.facts["retry_at"] == "2026-11-15T12:01:00+00:00"


def test_an_answer_in_between_starts_the_count_anew() -> None:
    breaker, _ = make_breaker()
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()

    assert breaker.read().state == "closed"


def test_after_the_cool_down_one_probe_closes_the_circuit() -> None:
    breaker, clock = make_breaker()
    for _ in range(3):
        breaker.failed()
    clock.move(timedelta(seconds=60))

    breaker.allow()
    assert breaker.read().state == "half-open"
    breaker.succeeded()

    assert (breaker.read().state, breaker.read().failures) == ("closed", 0)


def test_a_failed_probe_opens_the_circuit_for_twice_as_long() -> None:
    breaker, clock = make_breaker()
    for _ in range(3):
        breaker.failed()
    clock.move(timedelta(seconds=60))
    breaker.allow()
    breaker.failed()

    assert breaker.read().open_until == "2026-11-15T12:03:00+00:00"


def test_the_cool_down_never_passes_an_hour() -> None:
    breaker, clock = make_breaker()
    for _ in range(3):
        breaker.failed()
    for _ in range(10):
        clock.move(timedelta(hours=1))
        breaker.allow()
        breaker.failed()

    assert breaker.read().cool_down == 3600


def test_impossible_transitions_are_not_in_the_table() -> None:
    pairs = set(product(("closed", "open", "half-open"), ("success", "failure", "tripped", "cooled")))

    impossible = pairs - set(TRANSITIONS)

    assert impossible == {
        ("closed", "cooled"),
        ("open", "success"),
        ("open", "failure"),
        ("open", "tripped"),
        ("half-open", "tripped"),
        ("half-open", "cooled"),
    }


@given(attempt=st.integers(0, 60), seed=st.integers(0, 1000))
def test_waits_stay_between_half_and_all_of_the_growing_bound(attempt: int, seed: int) -> None:
    import random

    bound = min(60.0, 2.0**attempt)

    assert bound / 2 <= Retries().delay(attempt, random.Random(seed)) <= bound
