"""The CUSUM keeps the errors it states: by simulation with fixed seeds, at levels where breaking them would show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.verify import Evidence, Test
from tests.profiles import examples

LOOSE = Test(honest=0.05, designs=(0.15, 0.5), alpha=0.2, beta=0.1, horizon=200)


def ejected(test: Test, share: float, audits: int, runs: int, seed: int) -> float:
    """The share of providers, each failing in `share` of answers, that the test ejects within so many audits."""
    rng = np.random.default_rng(seed)
    sums = np.zeros((len(test.steps), runs))
    passed, failed = (np.array([step[which] for step in test.steps])[:, None] for which in (0, 1))
    out = np.zeros(runs, bool)
    for _ in range(audits):
        sums = np.maximum(0, sums + np.where(rng.random(runs) < share, failed, passed))
        out |= np.log(np.exp(sums).mean(axis=0)) >= test.bar
    return float(out.mean())


def test_the_arrays_above_agree_with_the_evidence_itself() -> None:
    rng = np.random.default_rng(5)
    evidence = Evidence()
    fails = rng.random(300) < 0.12
    count = next(
        n for n, failed in enumerate(fails, 1) if (evidence := evidence.after(bool(failed), LOOSE)).proven(LOOSE)
    )
    sums = np.zeros(2)
    levels = []
    for failed in fails[:count]:
        sums = np.maximum(0, sums + [step[int(failed)] for step in LOOSE.steps])
        levels.append(np.log(np.exp(sums).mean()) / LOOSE.bar)

    assert evidence.level(LOOSE) == 1 <= levels[-1]
    assert max(levels[:-1]) < 1


def test_honest_providers_are_ejected_at_most_as_often_as_alpha_states() -> None:
    """At the worst allowed honest share. The bound holds with room, as every bound for all moments at once."""
    found = ejected(LOOSE, LOOSE.honest, LOOSE.horizon, 20_000, 1)

    assert 0 < found <= LOOSE.alpha


def test_the_same_test_would_notice_a_share_above_the_honest_one() -> None:
    assert ejected(LOOSE, 2 * LOOSE.honest, LOOSE.horizon, 4_000, 2) > LOOSE.alpha


@pytest.mark.parametrize("share", [0.2, 0.3, 0.6, 0.95])
def test_cheaters_are_ejected_within_the_audits_that_are_stated(share: float) -> None:
    runs = 4_000
    found = ejected(LOOSE, share, LOOSE.needed(share), runs, 3)

    assert 1 - found <= LOOSE.beta + 3 * math.sqrt(LOOSE.beta / runs)


@pytest.mark.parametrize("share", [0.1, 0.43, 1.0])
def test_the_default_test_keeps_beta_too(share: float) -> None:
    test = Test()

    assert 1 - ejected(test, share, test.needed(share), 2_000, 4) <= test.beta + 0.015


def test_a_share_that_no_design_tells_from_honest_is_refused() -> None:
    with pytest.raises(ValueError, match=r"share was 0\.02"):
        Test().needed(0.02)


@given(st.floats(0.001, 0.05), st.lists(st.floats(0.06, 0.95), min_size=1, max_size=3), st.floats(0, 1))
def test_an_honest_answer_raises_no_sum_in_the_mean(honest: float, designs: list[float], part: float) -> None:
    """The exponential of a step has a mean of at most 1 for every share up to the honest one: a supermartingale."""
    test = Test(honest=honest, designs=tuple(designs))
    share = honest * part
    means = [share * math.exp(failed) + (1 - share) * math.exp(passed) for passed, failed in test.steps]

    assert max(means) <= 1 + 1e-9


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 59))
def test_one_more_fail_never_lowers_the_level(fails: list[bool], place: int) -> None:
    def level(outcomes: list[bool]) -> float:
        evidence = Evidence()
        for failed in outcomes:
            evidence = evidence.after(failed, LOOSE)
        return evidence.level(LOOSE)

    worse = [failed or at == place for at, failed in enumerate(fails)]

    assert level(worse) >= level(fails) - 1e-12


@pytest.mark.nightly
def test_the_stated_alpha_is_kept_at_the_default_designs() -> None:
    test = Test(alpha=0.2, horizon=2_000)

    assert 0 < ejected(test, test.honest, test.horizon, examples(5_000), 6) <= test.alpha
