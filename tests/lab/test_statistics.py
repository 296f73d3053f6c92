import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.lab.statistics import NOTHING, estimate, quantiles, ratio

RUNS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


def test_mean_and_median_by_hand() -> None:
    found = estimate([1.0, None, 2.0, 6.0])

    assert (found.mean, found.median, found.n) == (3.0, 2.0, 3)


def test_nothing_known_says_so() -> None:
    assert estimate([None, None]) == NOTHING
    assert NOTHING.body() == {"mean": None, "median": None, "ci95": [None, None], "n": 0}
    assert quantiles([None], (0.5,)) == [None]


@given(RUNS)
def test_the_interval_holds_the_mean_and_lies_within_the_values(values: list[float]) -> None:
    found = estimate(values)
    assert found.low is not None
    assert found.high is not None
    assert found.mean is not None
    slack = 1e-6 + max(map(abs, values)) * 1e-8

    assert min(values) - slack <= found.low <= found.high <= max(values) + slack
    assert found.low - slack <= found.high


@given(RUNS)
def test_the_same_runs_give_the_same_estimate(values: list[float]) -> None:
    assert estimate(values) == estimate(tuple(values))


def test_the_interval_is_near_the_textbook_one() -> None:
    values = np.random.default_rng(5).normal(10, 2, size=400)
    found = estimate(float(value) for value in values)
    half = 1.96 * values.std(ddof=1) / 20
    assert found.low is not None
    assert found.high is not None

    assert found.low == pytest.approx(values.mean() - half, abs=half * 0.12)
    assert found.high == pytest.approx(values.mean() + half, abs=half * 0.12)


def test_a_ratio_of_pairs_is_surer_than_of_strangers() -> None:
    sizes = [float(size) for size in range(1, 60)]
    halves = [size / 2 for size in sizes]
    paired, stranger = ratio(halves, sizes), ratio(halves, sizes[::-1])

    assert (paired.mean, paired.median, paired.low, paired.high, paired.n) == (0.5, 0.5, 0.5, 0.5, 59)
    assert stranger.mean == 0.5
    assert stranger.low is not None
    assert stranger.low < 0.45


def test_a_ratio_to_nothing_is_unknown() -> None:
    assert ratio([1.0, 2.0], [0.0, 0.0]).mean is None
    assert ratio([1.0, None], [2.0, 3.0]).n == 1


def test_quantiles_lie_between_neighbours() -> None:
    assert quantiles([10.0, None, 20.0], (0.0, 0.25, 1.0)) == [10.0, 12.5, 20.0]
