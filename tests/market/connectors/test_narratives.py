"""The classifier: entities for certain, prototypes with doubt, and no label by a syllable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput, NotFound
from mercato.market.connectors.evaluation import evaluate, sample
from mercato.market.connectors.narratives import classifier, labels_of_flags

RULES = classifier()
FARTCOIN = "9BB6NFEcjBCtnNLFko2FqVQBq8HHM13kCyYcdQbgpump"


@given(text=st.text(max_size=400))
def test_weights_are_positive_and_never_sum_above_one(text):
    labels = RULES.labels(text)

    assert sum(labels.values()) <= 1
    assert all(weight > 0 for weight in labels.values())
    assert labels == RULES.labels(text)


@pytest.mark.parametrize(
    "text",
    [
        "We walked farther than planned, all the way to Hartford",
        "My grandfather tells fart jokes",
        "the real estate agent called",
        "$ARC",
        "VIRTUAL and TAO and COOKIE",
        "I ate a cookie in the virtual museum and saw a goat",
        "someone@virtuals_io.example wrote",
        "",
        "🦊🦊🦊",
    ],
)
def test_a_syllable_a_ticker_or_everyday_talk_gets_no_label(text):
    assert RULES.labels(text) == {}


@pytest.mark.parametrize(
    ("text", "entity", "labels"),
    [
        (f"what is {FARTCOIN}?", "fartcoin", {"meme": 1.0}),
        ("thanks @aixbt_agent.", "aixbt", {"AI": 1.0}),
        ("0X0B3E328455C4059EEB9E3F84B5543F74E24E7E1B up", "virtual", {}),
        ("0x0B3E328455C4059EEB9E3F84B5543F74E24E7E1B up", "virtual", {"AI": 1.0}),
        ("$VIRTUAL is the coin of Virtuals Protocol", "virtual", {"AI": 1.0}),
        ("$GRIFFAIN at griffain.com", "griffain", {"DeFAI": 1.0}),
    ],
)
def test_an_entity_is_named_by_address_by_account_or_by_cashtag_with_its_name(text, entity, labels):
    assert RULES.labels(text) == labels
    assert [item.id for item in RULES.named(text)] == [entity] * bool(labels)


def test_a_base58_address_in_another_case_is_another_address():
    assert RULES.named(FARTCOIN.swapcase()) == []


def test_two_entities_share_the_weight():
    assert RULES.labels(f"{FARTCOIN} or @aixbt_agent") == {"meme": 0.5, "AI": 0.5}


def test_defai_is_a_narrative_of_its_own():
    labels = RULES.labels("an ai agent that manages your defi yield and rebalances the vault by itself")

    assert labels == {"DeFAI": 1.0}


def test_flags_of_a_source_become_equal_weights_and_both_parents_one_child():
    assert labels_of_flags(["AI", "DeFi"]) == {"DeFAI": 1.0}
    assert labels_of_flags(["AI", "meme"]) == {"AI": 0.5, "meme": 0.5}
    assert labels_of_flags([]) == {}


def test_accounts_of_entities_are_official():
    assert RULES.is_official("@AIXBT_agent")
    assert not RULES.is_official("aixbt_agent_fan")


def test_an_unknown_version_is_refused():
    with pytest.raises(NotFound, match="narratives/0"):
        classifier("narratives/0")


def test_the_sample_that_ships_is_labelled_as_well_as_we_say():
    *parts, total = evaluate(RULES, sample())

    assert sum(part.right for part in parts) == total.right
    assert (total.precision or 0) >= 0.9
    assert (total.recall or 0) >= 0.85
    assert {label for example in sample() for label in example.labels} == set(RULES.narratives)


def test_precision_and_recall_are_unknown_where_nothing_was_given_or_wanted():
    scores = {score.narrative: score for score in evaluate(RULES, sample(b'{"text": "soup", "labels": ["AI"]}'))}

    assert (scores["AI"].precision, scores["AI"].recall) == (None, 0.0)
    assert (scores["meme"].precision, scores["meme"].recall) == (None, None)


def test_a_broken_sample_is_named_by_its_line():
    with pytest.raises(InvalidInput, match="line 2"):
        sample(b'{"text": "a", "labels": []}\n{"text": "b"}')
