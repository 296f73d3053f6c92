"""Reviews are sealed before anybody sees another's, opened honestly or not at all, and decided by arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.errors import Conflict, InvalidInput
from mercato.launch.scorecard import CRITERIA, Scorecard, judge, opened, panel, seal, sealed
from mercato.launch.testing import REVIEWERS, card

LAUNCH, SALT = "lch_one", "5a" * 32
SCORES = st.lists(st.fixed_dictionaries({name: st.integers(0, 10) for name in CRITERIA}), min_size=3, max_size=11)


def cards(scores: list[dict[str, int]]) -> list[Scorecard]:
    return [Scorecard(scores=item, floor_low=1, floor_high=2) for item in scores]


def test_the_weights_add_up_to_the_whole() -> None:
    assert len(CRITERIA) == 7
    assert sum(CRITERIA.values()) == 100


@given(scores=SCORES)
def test_a_verdict_does_not_depend_on_the_order_of_the_cards(scores: list[dict[str, int]]) -> None:
    assert judge(cards(scores), len(scores)) == judge(cards(scores[::-1]), len(scores))


@given(scores=SCORES, which=st.integers(0, 10), name=st.sampled_from(list(CRITERIA)))
def test_a_better_score_never_turns_a_pass_into_a_decline(scores: list[dict[str, int]], which: int, name: str) -> None:
    before = judge(cards(scores), len(scores))
    place = which % len(scores)
    better = [{**item, name: 10} if number == place else item for number, item in enumerate(scores)]
    after = judge(cards(better), len(scores))

    assert after.total >= before.total
    assert after.passed >= before.passed


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ([card(7)] * 5, True),
        ([card(7)] * 3 + [card(0)] * 2, True),
        ([card(7)] * 2 + [card(10)] + [card(6)] * 2, True),
        ([card(6)] * 3 + [card(10)] * 2, False),
        ([card(10, safety=3)] * 3 + [card(10)] * 2, False),
        ([card(10, safety=3)] * 2 + [card(10)] * 3, True),
        ([card(10, safety=4)] * 5, True),
        ([card(10)] * 2 + [card(6)] * 2, False),
    ],
    ids=["all 7", "two spoilers", "one friend", "median 6", "unsafe", "two see danger", "just safe", "even"],
)
def test_a_panel_passes_at_a_median_of_70_with_no_criterion_below_4(given: list[Scorecard], passed: bool) -> None:
    assert judge(given, len(given)).passed is passed


def test_a_verdict_says_why_and_sets_the_band_of_floors_by_medians() -> None:
    verdict = judge([card(6, safety=2, floor=floor) for floor in (100, 200, 4_000)], 5)

    assert verdict.reason == "the median total was 56.0, below 70; criteria below 4 were: safety 2"
    assert (verdict.floor_low, verdict.floor_high) == (100, 400)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_minority_of_a_panel_decides_nothing(count: int) -> None:
    with pytest.raises(Conflict, match=f"opened scorecards were {count} of 5"):
        judge([card()] * count, 5)


def test_a_card_opens_its_own_seal() -> None:
    assert opened(seal(LAUNCH, 1, REVIEWERS[0], card(), SALT), LAUNCH, 1, REVIEWERS[0], card(), SALT) == card()


@pytest.mark.parametrize(
    ("launch", "round", "reviewer", "shown", "salt"),
    [
        ("lch_two", 1, REVIEWERS[0], card(), SALT),
        (LAUNCH, 2, REVIEWERS[0], card(), SALT),
        (LAUNCH, 1, REVIEWERS[1], card(), SALT),
        (LAUNCH, 1, REVIEWERS[0], card(9), SALT),
        (LAUNCH, 1, REVIEWERS[0], card(), "5b" * 32),
    ],
    ids=["another launch", "another round", "a copied seal", "another card", "another salt"],
)
def test_a_seal_opens_for_nothing_else(launch: str, round: int, reviewer: str, shown: Scorecard, salt: str) -> None:
    with pytest.raises(Conflict, match="not the one that was sealed"):
        opened(seal(LAUNCH, 1, REVIEWERS[0], card(), SALT), launch, round, reviewer, shown, salt)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"scores": []}, "scores was"),
        ({"scores": {"team": 5}, "floor_low": "1", "floor_high": "2"}, "criteria were"),
        ({"scores": dict.fromkeys(CRITERIA, 11), "floor_low": "1", "floor_high": "2"}, "score of"),
        ({"scores": dict.fromkeys(CRITERIA, True), "floor_low": "1", "floor_high": "2"}, "score of"),
        ({"scores": dict.fromkeys(CRITERIA, 5), "floor_low": "1.5", "floor_high": "2"}, "floor_low was '1.5'"),
        ({"scores": dict.fromkeys(CRITERIA, 5), "floor_low": "3", "floor_high": "2"}, "floor band was"),
        ({"scores": dict.fromkeys(CRITERIA, 5), "floor_low": "1", "floor_high": "2", "comment": "x" * 2001}, "comment"),
        ({"scores": dict.fromkeys(CRITERIA, 5), "floor_low": "1", "floor_high": "2", "comment": "\ud800"}, "comment"),
    ],
)
def test_a_card_that_cannot_be_right_is_refused_by_name(body: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Scorecard.of(body)


def test_a_card_survives_json() -> None:
    assert Scorecard.of(card(7, floor=2**200).body()) == card(7, floor=2**200)


@pytest.mark.parametrize("text", ["", "5A" * 32, "5a" * 31, "zz" * 32])
def test_a_seal_or_salt_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="commitment was"):
        sealed(text)
    with pytest.raises(InvalidInput, match="salt was not"):
        seal(LAUNCH, 1, REVIEWERS[0], card(), text)


def test_panels_are_drawn_by_the_launch_and_appeals_ask_others_first() -> None:
    first = panel(LAUNCH, 1, REVIEWERS, 5, frozenset())
    again = panel(LAUNCH, 1, REVIEWERS[::-1], 5, frozenset())
    others = panel("lch_two", 1, REVIEWERS, 5, frozenset())
    appeal = panel(LAUNCH, 2, REVIEWERS, 7, frozenset(first))

    assert first == again
    assert first != others
    assert not set(first) & set(appeal)
    with pytest.raises(Conflict, match="a panel needs 13"):
        panel(LAUNCH, 1, REVIEWERS, 13, frozenset())
