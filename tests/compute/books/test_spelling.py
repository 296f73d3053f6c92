"""Entries that are spelled by hand are spelled as `canonical` spells them, whatever is in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.compute.books import Hold, Served, spelling
from mercato.compute.books.receipts import START, body
from mercato.compute.model import Attempt, End, KeyId, Price, ProviderId, Receipt, RequestId, Usage, canonical
from mercato.core.events import Json
from tests.profiles import examples

moments = st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 2), max_value=datetime(2900, 1, 1))  # noqa: DTZ001  # Hypothesis wants bounds without a zone
words = st.text(max_size=20)
numbers = st.integers(0, 2**63)
usages = st.builds(Usage, numbers, numbers, numbers)
prices = st.builds(Price, numbers, numbers, st.none() | numbers)


@settings(max_examples=examples(40))
@given(words, words, words, words, words, numbers, numbers, moments)
def test_a_reserve_is_spelled_as_it_is_hashed(
    request: str, key: str, account: str, need: str, lane: str, limit: int, seq: int, at: datetime
) -> None:
    hold, moment = Hold(RequestId(request), KeyId(key), account, need, limit), at.isoformat(timespec="microseconds")
    facts: dict[str, Json] = {"request": request, "key": key, "account": account, "need": need, "limit": limit}
    place: dict[str, Json] = {"kind": "held", "lane": lane, "seq": seq, "at": moment, "previous": START}
    assert spelling.held(hold, lane, seq, moment, START).encode() == canonical(facts | place)


@settings(max_examples=examples(40))
@given(words, words, words, words, words, numbers, moments, usages, usages, prices, st.sampled_from(End))
def test_a_receipt_is_spelled_as_it_is_hashed(
    request: str, lane: str, key: str, provider: str, model: str, seq: int, at: datetime, claimed: Usage,
    counted: Usage, price: Price, end: End,
) -> None:  # fmt: skip
    served = Served(KeyId(key), ProviderId(provider), model, end, "asked", "answered", claimed, counted, price)
    receipt = Receipt(
        RequestId(request), lane, seq, at, KeyId(key), ProviderId(provider), model, end, "asked", "answered", claimed,
        counted, price, 2, 1, START,
    )  # fmt: skip
    text = spelling.settled(request, lane, seq, at.isoformat(timespec="microseconds"), key, served, 2, 1, START)
    assert text.encode() == canonical(body(receipt))


@settings(max_examples=examples(40))
@given(st.lists(st.tuples(words, moments, st.none() | numbers, numbers, st.sampled_from(End), words), max_size=3))
def test_attempts_are_spelled_as_json(drawn: list[tuple[str, datetime, int | None, int, End, str]]) -> None:
    attempts = [
        Attempt(ProviderId(who), at, first, whole, 200, end, error) for who, at, first, whole, end, error in drawn
    ]
    assert json.loads(spelling.tried(attempts)) == [
        {"provider": it.provider, "at": it.at.isoformat(), "first_ms": it.first_ms, "whole_ms": it.whole_ms,
         "status": it.status, "end": it.end.value, "error": it.error}
        for it in attempts
    ]  # fmt: skip
