"""Draws that others can draw again: the hash is fixed, the draw is fair, and cheating with the seed's luck shows."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mercato.compute.fleet.replies import drawn as written
from mercato.compute.fleet.replies import scores
from mercato.compute.fleet.toy import HARDWARE, QUANTISED, Toy
from mercato.compute.verify.synced import drawn, matching, mix, noise

SEEDS = st.integers(-(2**63), 2**63 - 1)


def test_the_hash_is_splitmix64() -> None:
    """Its first outputs for the state 1234567, as published."""
    state, found = 1234567, []
    for _ in range(3):
        found.append(mix(state))
        state += 0x9E3779B97F4A7C15

    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(SEEDS, st.integers(0, 1 << 40), st.integers(-1, 1 << 20))
def test_noise_is_a_finite_number_for_every_seed_place_and_token(seed: int, place: int, token: int) -> None:
    assert math.isfinite(noise(seed, place, token))


def test_noise_is_of_gumbels_distribution() -> None:
    found = [noise(seed, place, token) for seed in range(10) for place in range(20) for token in range(20)]

    assert stats.kstest(found, stats.gumbel_r.cdf).pvalue > 0.01


@pytest.mark.parametrize("heat", [0.5, 1.0])
def test_a_draw_is_as_fair_as_the_temperature_says(heat: float) -> None:
    chances = np.array([0.5, 0.3, 0.15, 0.05])
    told = dict(enumerate(np.log(chances).tolist()))
    counts = Counter(drawn(told, seed, seed % 7, heat) for seed in range(4_000))
    expected = chances ** (1 / heat)
    expected *= 4_000 / expected.sum()

    assert stats.chisquare([counts[token] for token in range(4)], expected).pvalue > 0.01


@given(SEEDS, st.floats(0.1, 2), st.integers(0, 10_000))
def test_what_was_drawn_matches_wholly_even_where_only_the_likeliest_are_told(
    seed: int, heat: float, prompt: int
) -> None:
    words = written(Toy(), str(prompt), 12, seed, heat)
    told = scores(Toy(), str(prompt), words)
    answer = [(next(iter(it)), dict(sorted(it.items(), key=lambda one: -one[1])[:20])) for it in told]
    answer = [(token, {token: whole[token], **few}) for (token, few), whole in zip(answer, told, strict=True)]

    assert matching(answer, seed, heat) == 12


def test_a_text_that_is_cut_into_other_tokens_loses_these_and_not_the_rest() -> None:
    words = written(Toy(), "a question", 60, 9, 0.8)
    told = scores(Toy(), "a question", words)
    answer = [(next(iter(it)), it) for it in told]
    merged = [*answer[:30], (-1, {-1: -9.0, **answer[30][1]}), *answer[32:]]  # two tokens came back as one

    assert matching(merged, 9, 0.8) >= 57


def share(machine: Toy, heat: float = 0.8) -> float:
    """The mean share of matching tokens over some questions, by a reference on other hardware."""
    reference = Toy(noise=HARDWARE, run=9)
    same = 0
    for number in range(15):
        words = written(machine, f"question {number}", 40, number, heat)
        told = scores(reference, f"question {number}", words)
        same += matching([(next(iter(it)), it) for it in told], number, heat)
    return same / (15 * 40)


def test_machines_tell_apart_as_they_do_at_temperature_0() -> None:
    honest, coarse, other = share(Toy(noise=HARDWARE, run=1)), share(Toy(coarse=QUANTISED)), share(Toy(weights=3))

    assert honest > 0.96
    assert coarse < honest - 0.02
    assert other < 0.3
