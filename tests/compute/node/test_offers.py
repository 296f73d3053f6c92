"""Offers hold what their node signed, for one gateway, once, and for minutes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.model import Offer, Price, ProviderId
from mercato.compute.node.offers import LONGEST, SKEW
from mercato.core.errors import InvalidInput
from tests.compute.node.documents import GATEWAY, KEY, ME, NOW, OTHER, check, document, offer

offers = st.builds(
    Offer,
    provider=st.just(ProviderId("")),
    model=st.text("abcXYZ019.:/@+-_", min_size=1, max_size=200),
    price=st.builds(Price, st.integers(0, 10**12), st.integers(0, 10**12), st.none() | st.integers(0, 10**12)),
    context=st.integers(1, 10**8),
    upstream=st.text("abc/-", min_size=1, max_size=20),
    features=st.frozensets(st.sampled_from(["tools", "json_schema", "embeddings", "logprobs", "seed"])),
    quant=st.sampled_from(["", "fp8", "q4_k_m"]),
    weights=st.sampled_from(["", "0" * 64, "ab" * 32]),
    concurrency=st.integers(1, 4096),
    tokenizer=st.sampled_from(["", "1" * 64]),
    template=st.sampled_from(["", "2" * 64]),
    engine=st.dictionaries(st.sampled_from(["dtype", "kv_cache_dtype"]), st.just("fp8")).map(
        lambda told: tuple(sorted(told.items()))
    ),
)


@given(st.lists(offers, max_size=4, unique_by=lambda item: item.model))
def test_what_was_signed_is_read_as_it_was_after_any_way_of_writing_its_json(wanted: list[Offer]) -> None:
    body = json.loads(json.dumps(document(*wanted) if wanted else document() | _withdrawn(), indent=3))

    found = check(body)

    assert [replace(one, provider=ProviderId(""), until=None, signature="") for one in found.offers] == wanted
    assert {(one.provider, one.until) for one in found.offers} <= {(ME, NOW + timedelta(minutes=1))}


def test_an_offer_of_before_has_the_fields_that_it_had_and_tells_nothing_else() -> None:
    body = document(offer(weights="a" * 64))

    assert set(body["offers"][0]) == {
        "model", "upstream", "price", "context", "features", "quant", "weights", "concurrency"
    }  # fmt: skip
    assert check(body).offers[0].parts == {"weights": "a" * 64}


def _withdrawn() -> dict[str, Any]:
    from mercato.compute.node.offers import signed

    return signed((), KEY, gateway=GATEWAY, seq=1, issued=NOW, until=NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("field", "value"),
    [("seq", 2), ("until", 1_772_366_500_000), ("gateway", "gw2.example"), ("issued", 1_772_366_399_999)],
)
def test_a_document_that_was_changed_after_signing_is_refused(field: str, value: Any) -> None:
    body = document() | {field: value}

    with pytest.raises(InvalidInput, match="not signed by their key"):
        check(body, gateways=frozenset({GATEWAY, "gw2.example"}))


def test_a_price_that_was_changed_after_signing_is_refused() -> None:
    body = document()
    body["offers"][0]["price"]["prompt"] = 1

    with pytest.raises(InvalidInput, match="not signed by their key"):
        check(body)


def test_offers_of_anothers_key_are_refused_even_where_they_are_genuine() -> None:
    with pytest.raises(InvalidInput, match="own key only"):
        check(document(key=OTHER))


def test_offers_signed_with_a_key_that_they_do_not_name_are_refused() -> None:
    body = document(key=OTHER) | {"key": KEY.public}

    with pytest.raises(InvalidInput, match="not signed by their key"):
        check(body)


def test_offers_for_another_gateway_are_refused() -> None:
    with pytest.raises(InvalidInput, match="were for 'elsewhere'"):
        check(document(gateway="elsewhere"))


def test_an_old_document_is_refused_once_a_newer_one_came() -> None:
    with pytest.raises(InvalidInput, match="replayed"):
        check(document(seq=7), after=7)


@pytest.mark.parametrize(
    ("times", "wrong"),
    [
        ({"issued": NOW + SKEW + timedelta(milliseconds=1), "until": NOW + SKEW * 2}, "in the future"),
        ({"until": NOW}, "which is over"),
        ({"until": NOW + LONGEST + timedelta(milliseconds=1)}, "at most"),
        ({"issued": datetime(2025, 1, 1, tzinfo=UTC)}, "at most"),
    ],
)
def test_offers_hold_from_now_and_for_minutes_only(times: dict[str, Any], wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        check(document(**times))


@pytest.mark.parametrize(
    "change",
    [
        {"context": 0},
        {"context": True},
        {"context": 4096.0},
        {"concurrency": 10**9},
        {"price": {"prompt": -1, "completion": 0}},
        {"price": {"prompt": 10**13, "completion": 0}},
        {"price": {"prompt": "1", "completion": 0}},
        {"price": {"prompt": 1, "completion": 0, "more": 1}},
        {"features": ["Tools!"]},
        {"features": ["a"] * 17},
        {"weights": "12"},
        {"tokenizer": "12"},
        {"template": None},
        {"engine": {"dtype": 16}},
        {"engine": {"Dtype!": "fp8"}},
        {"engine": {str(at): "on" for at in range(17)}},
        {"engine": []},
        {"model": "a b"},
        {"model": "../\n"},
        {"model": ""},
        {"quant": "\x1b[31m"},
        {"free": "beer"},
    ],
)
def test_an_offer_outside_its_bounds_is_refused(change: dict[str, Any]) -> None:
    body = document()
    body["offers"][0] |= change

    with pytest.raises(InvalidInput):
        check(body)


@pytest.mark.parametrize("name", ["kind", "gateway", "key", "seq", "issued", "until", "offers", "signature"])
def test_a_document_that_lacks_a_field_is_refused(name: str) -> None:
    body = document()
    del body[name]

    with pytest.raises(InvalidInput):
        check(body)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_no_value_in_the_place_of_offers_is_more_than_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        check(document() | {"offers": value if isinstance(value, list) and value else [value]})


def test_a_model_is_offered_once_and_models_are_few() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        check(document(offer(), offer()))
    with pytest.raises(InvalidInput, match="at most 64"):
        check(document(*(offer(f"m{number}") for number in range(65))))
