"""What one more audited answer does to a provider's record, from each standing and at each edge."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.model import Standing
from mercato.compute.verify import Effect, Evidence, Match, Test
from mercato.compute.verify.known import Reply
from mercato.compute.verify.record import CLEAR, Judge, Record

JUDGE = Judge()
PASS, FAIL, NOISE = Match(60, 60), Match(60, 40), Match(60, 2)
RIGHT, WRONG = Reply("c", True), Reply("c", False)


def held(level: float) -> Evidence:
    """Evidence so near the bar, as one sum."""
    return Evidence(100, 5, (level * JUDGE.test.bar + math.log(2), 0.0))


def test_the_bar_is_what_the_bound_says() -> None:
    """ln(horizon / alpha), whatever beta is: that one counts for power alone."""
    assert Test(alpha=0.2, beta=0.1, horizon=200).bar == pytest.approx(math.log(1_000))
    assert Test(alpha=1e-3, beta=0.4, horizon=100_000).bar == pytest.approx(math.log(1e8))


def test_who_proved_itself_often_enough_is_still_on_probation_while_evidence_stands_against_it() -> None:
    shown = [JUDGE.after(Record(Standing.PROBATION, held(level), 29), PASS)[0].standing for level in (0.05, 0.3)]

    assert shown == [Standing.ACTIVE, Standing.PROBATION]
    assert CLEAR < 0.3


def test_a_warning_begins_the_count_of_clean_audits_anew() -> None:
    record, effects = JUDGE.after(Record(Standing.ACTIVE, held(0.39), 500), FAIL)

    assert (record.standing, record.clean, effects) == (Standing.PROBATION, 0, frozenset({Effect.AUDIT_ALL}))


def test_all_answers_are_audited_but_for_active_providers() -> None:
    shares = {each: JUDGE.share(Record(each, Evidence(), 500)) for each in Standing}

    assert {each for each, share in shares.items() if share < 1} == {Standing.ACTIVE}
    assert shares[Standing.ACTIVE] == JUDGE.rates.least


@pytest.mark.parametrize(
    ("found", "standing", "clean"),
    [
        (PASS, Standing.ACTIVE, 51), (FAIL, Standing.ACTIVE, 50), (NOISE, Standing.ACTIVE, 0),
        (RIGHT, Standing.ACTIVE, 51), (WRONG, Standing.PROBATION, 0), (Match(20, 0), Standing.ACTIVE, 50),
    ],
    ids=str,
)  # fmt: skip
def test_one_more_answer_of_an_active_provider(found: Match | Reply, standing: Standing, clean: int) -> None:
    record, _ = JUDGE.after(Record(Standing.ACTIVE, Evidence(), 50), found)

    assert (record.standing, record.clean) == (standing, clean)


@pytest.mark.parametrize(("match", "reply"), [(PASS, RIGHT), (NOISE, WRONG)])
def test_a_known_answer_is_the_same_evidence_as_a_match(match: Match, reply: Reply) -> None:
    before = Record(Standing.PROBATION, held(0.2), 3)

    assert JUDGE.after(before, match) == JUDGE.after(before, reply)


@given(
    st.lists(st.sampled_from([PASS, FAIL, NOISE, RIGHT, WRONG, Match(9, 0)]), max_size=60), st.sampled_from(Standing)
)
def test_whatever_is_found_statistics_never_slash_and_ejection_has_its_evidence(
    found: list[Match | Reply], standing: Standing
) -> None:
    record, seen = Record(standing), frozenset[Effect]()
    for each in found:
        record, effects = JUDGE.after(record, each)
        seen |= effects

    assert Effect.SLASH not in seen
    assert record.evidence.audits == sum(each.tells for each in found)
    assert record.standing is not Standing.EJECTED or standing is Standing.EJECTED or Effect.WITHHOLD in seen
    assert standing is Standing.EJECTED or (record.standing is Standing.EJECTED) <= (record.evidence.fails >= 5)
