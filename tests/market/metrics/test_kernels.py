"""The numerical kernels: identities that do not depend on order, trends, walks, pools and sizes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.market.metrics.kernels import identity, kelly, walk
from mercato.market.metrics.kernels.trend import trend
from tests.profiles import examples

ANN = [
    ("Ann Example", "ann@example.org"),
    ("ann", "123+annex@users.noreply.github.com"),
    ("Ann  EXAMPLE", "annex@users.noreply.github.com"),
]


def test_one_person_is_known_by_email_login_and_name():
    assert len(set(identity.union(ANN).values())) == 1


@pytest.mark.parametrize("name", ["root", "Ann", "", "your name", "GitHub", "John Doe"])
def test_short_and_generic_names_join_nobody(name):
    assert len(set(identity.union([(name, "a@example.org"), (name, "b@example.org")]).values())) == 2


def test_an_override_joins_two_emails():
    authors = [("Ann One", "a@example.org"), ("Other Two", "b@example.org")]

    assert len(set(identity.union(authors).values())) == 2
    assert len(set(identity.union(authors, {"A@example.org": "b@example.org"}).values())) == 1


def test_an_author_without_name_and_email_is_somebody():
    assert identity.union([("", "")]) == {("", ""): "raw:"}


names = st.sampled_from(["Ann Example", "Bea Example", "root", "al", ""])
emails = st.sampled_from(["a@x.org", "A@x.org", "b@x.org", "1+ann@users.noreply.github.com", "ann@users.noreply.github.com", ""])  # fmt: skip  # noqa: E501 - one list, one line


@given(st.lists(st.tuples(names, emails), max_size=12), st.randoms(use_true_random=False))
def test_identities_do_not_depend_on_order(authors, random):
    shuffled = list(authors)
    random.shuffle(shuffled)

    assert identity.union(authors) == identity.union(shuffled)


def test_the_eliza_months_are_not_up_only():
    found = trend([100, 925, 1338, 1681, 703, 1459, 574, 945])

    assert (found.falls, found.verdict) == (2, "no trend shown")
    assert found.p == pytest.approx(0.7195, abs=1e-3)
    assert found.tau == pytest.approx(4 / 28)


def test_a_rise_without_a_fall_is_a_rise():
    assert trend([1, 2, 3, 4, 5, 9]).verdict == "up"
    assert trend([9, 5, 4, 3, 2, 1]).verdict == "down"
    assert trend([1, 2, 3, 4, 5, 9]).falls == 0


def test_a_short_or_constant_series_shows_no_trend():
    assert trend([1, 2, 3, 4]).verdict == "too short"
    assert trend([]).verdict == "too short"
    assert (trend([5] * 6).p, trend([5] * 6).slope) == (1.0, 0.0)


@given(st.lists(st.integers(0, 1000), min_size=5, max_size=14))
def test_reversing_time_reverses_the_trend(values):
    forward, backward = trend(values), trend(values[::-1])

    assert forward.slope is not None
    assert backward.slope is not None
    assert forward.slope == pytest.approx(-backward.slope)
    assert forward.p == pytest.approx(backward.p)


@pytest.mark.parametrize(("sigma", "expected"), [(0.025, 0.106), (0.03, 0.127), (0.045, 0.191), (0.06, 0.255)])
def test_the_expected_range_of_twelve_closes_is_as_published(sigma, expected):
    assert round(walk.kappa(12) * sigma, 3) == expected


@pytest.mark.parametrize(("sigma", "percent"), [(0.025, 66), (0.03, 47), (0.045, 13), (0.06, 3)])
def test_the_odds_of_a_twelve_day_range_of_12_3_percent_are_as_published(sigma, percent):
    chance = walk.narrower(math.log(1.123), sigma, 12, paths=100_000)

    assert chance * 100 == pytest.approx(percent, abs=0.6)


@pytest.mark.parametrize("closes", [2, 3, 12, 60])
def test_the_exact_mean_agrees_with_simulation(closes):
    steps = np.random.default_rng(1).standard_normal((60_000, closes - 1))
    walks = np.concatenate([np.zeros((60_000, 1)), steps.cumsum(axis=1)], axis=1)

    assert float(np.mean(np.ptp(walks, axis=1))) == pytest.approx(walk.kappa(closes), rel=0.01)


def test_searching_for_the_longest_window_makes_flat_less_rare():
    alone = walk.narrower(0.55 * walk.kappa(13), 1.0, 13)

    assert walk.lasts(13, 90, 0.55) > alone
    assert walk.lasts(13, 13, 0.55) == pytest.approx(alone, abs=1e-3)


@pytest.mark.parametrize(("budget", "multiple", "percent"), [(5000, 100, 50), (5000, 10, 91), (500, 100, 91)])
def test_exits_through_a_million_dollar_pool_are_as_published(budget, multiple, percent):
    assert round(100 * kelly.realised(budget * multiple, 1e6)) == percent


@given(st.floats(0, 1e12), st.floats(1, 1e12))
def test_a_sale_never_pays_more_than_half_the_pool(value, pool):
    part = kelly.realised(value, pool)

    assert 0 <= part <= 1
    assert part * value <= pool / 2 * (1 + 1e-9)


def test_kelly_by_hand():
    assert kelly.kelly(0.5, 1.0) == 0.0
    assert kelly.kelly(0.6, 1.0) == pytest.approx(0.2)
    assert kelly.kelly(0.02, 99.0) == pytest.approx(0.02 - 0.98 / 99)
    assert kelly.kelly(0.5, 0.0) == 0.0


def test_a_base_rate_is_pulled_towards_the_pooled_one():
    assert kelly.shrunken(0, 0, 0.02) == 0.02
    assert kelly.shrunken(5, 100, 0.02) == pytest.approx(0.035)


def test_the_tightest_bound_sets_the_size():
    assert kelly.size(500_000, 1.0, 1.0, 2000.0) == kelly.Size(2000, "pool_depth")
    assert kelly.size(500_000, 1.0, 0.01, 1e9) == kelly.Size(5000, "max_loss")
    assert kelly.size(500_000, 0.01, 1.0, None) == kelly.Size(1250, "kelly")


@settings(max_examples=examples(50))
@given(st.integers(50_000, 500_000), st.floats(0, 1), st.floats(0, 1), st.none() | st.floats(0, 1e8))
def test_a_size_never_exceeds_any_bound(budget, part, max_loss, pool):
    found = kelly.size(budget, part, max_loss, pool)

    assert 0 <= found.cents <= budget * min(max_loss, kelly.FRACTION * part) + 1e-6
    assert found.bound in {"kelly", "max_loss", "pool_depth"}


@given(st.floats(0, 5), st.floats(0, 1))
def test_a_joint_loss_is_a_part(beta, fall):
    assert 0 <= kelly.joint_loss(beta, fall) <= 1
