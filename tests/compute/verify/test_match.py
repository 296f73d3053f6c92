"""Cuts are calibrated on honest answers, and bounds of shares are exact."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mercato.compute.fleet.toy import HARDWARE, QUANTISED, Toy
from mercato.compute.verify import Cut, Match
from mercato.compute.verify.match import at_most, calibrated, interval, upper

LENGTH = 60
HONEST = Toy(noise=HARDWARE, run=1)


@cache
def matches(machine: Toy, count: int, first: int = 0, length: int = LENGTH) -> list[Match]:
    """Answers of a machine, as an honest reference sees them."""
    prompts = np.arange(first, first + count, dtype=np.uint64)
    claimed = machine.answers(prompts, length)
    same = (Toy(noise=HARDWARE, run=99).preferred(prompts, claimed) == claimed).sum(axis=1)
    return [Match(length, int(each)) for each in same]


@given(st.integers(0, 40), st.integers(41, 5_000), st.floats(0.001, 0.999))
def test_binomial_chances_agree_with_scipy(count: int, tries: int, chance: float) -> None:
    assert at_most(count, tries, chance) == pytest.approx(stats.binom.cdf(count, tries, chance), rel=1e-6, abs=1e-12)


@given(st.integers(0, 30), st.integers(31, 5_000))
def test_the_upper_bound_is_clopper_and_pearsons(fails: int, audits: int) -> None:
    assert upper(fails, audits, 0.001) == pytest.approx(stats.beta.ppf(0.999, fails + 1, audits - fails), rel=1e-6)


@pytest.mark.parametrize(("fails", "audits"), [(0, 10), (1, 10), (10, 10), (3, 400)])
def test_the_interval_of_passing_answers_is_exact_at_both_ends(fails: int, audits: int) -> None:
    found = stats.binomtest(audits - fails, audits).proportion_ci(0.95, "exact")

    assert interval(fails, audits) == pytest.approx((found.low, found.high), abs=1e-9)


def test_of_a_provider_never_audited_nothing_is_known() -> None:
    assert interval(0, 0) == (0, 1)


def test_tokens_of_one_answer_are_not_independent() -> None:
    """Else answers would be as good as their tokens, and nothing here would need whole answers."""
    shares = np.array([each.share for each in matches(HONEST, 4_000)])
    alone = shares.mean() * (1 - shares.mean()) / LENGTH

    assert shares.mean() == pytest.approx(0.978, abs=0.004)
    assert shares.var() > 1.3 * alone


def test_a_calibrated_bound_holds_for_answers_that_it_has_not_seen() -> None:
    cut, bound = calibrated(matches(HONEST, 4_000))
    fresh = matches(Toy(noise=HARDWARE, run=2), 6_000, first=10_000)
    share = sum(map(cut.fails, fresh)) / len(fresh)

    assert 0 < share <= bound < 0.03


def test_the_bound_is_from_answers_that_did_not_set_the_cut() -> None:
    quiet, rough = [Match(60, 59)] * 100, [Match(60, 59)] * 80 + [Match(60, 30)] * 20
    cut, bound = calibrated([*quiet, *rough])

    assert sum(map(cut.fails, rough)) == 20
    assert bound == upper(20, 100, 1e-3)


@pytest.mark.parametrize(
    ("machine", "least"),
    [(Toy(weights=3), 1.0), (Toy(coarse=QUANTISED), 0.3), (Toy(coarse=2 * QUANTISED), 0.7)],
    ids=["another model", "quantised", "coarser"],
)
def test_cheaters_fail_far_more_often(machine: Toy, least: float) -> None:
    cut, bound = calibrated(matches(HONEST, 4_000))
    found = matches(machine, 1_000, first=50_000)

    assert sum(map(cut.fails, found)) / len(found) >= max(least, 10 * bound)


def test_quantised_weights_match_nine_tokens_in_ten() -> None:
    found = matches(Toy(coarse=QUANTISED, noise=HARDWARE, run=5), 2_000)

    assert np.mean([each.share for each in found]) == pytest.approx(0.905, abs=0.01)


def test_a_short_answer_tells_nothing_and_noise_is_never_hopeless() -> None:
    assert [Match(23, 0).tells, Match(24, 0).tells] == [False, True]
    assert [Match(60, 29).hopeless, Match(60, 30).hopeless, Match(23, 0).hopeless] == [True, False, False]


@given(st.integers(1, 500), st.integers(0, 500))
def test_more_mismatches_never_pass_where_fewer_fail(tokens: int, wrong: int) -> None:
    cut = Cut()
    wrong = min(wrong, tokens - 1)

    assert cut.fails(Match(tokens, tokens - wrong)) <= cut.fails(Match(tokens, tokens - wrong - 1))


def test_the_toys_prefill_agrees_with_what_it_wrote() -> None:
    machine = Toy(weights=4)
    prompts = np.arange(20, dtype=np.uint64)
    written = machine.answers(prompts, 30)

    assert (machine.preferred(prompts, written) == written).all()
