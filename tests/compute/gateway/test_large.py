"""Large bodies and answers are looked at piece by piece, with the same outcome as at once, and out of others' way."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.compute.errors import Declined, Unreached
from mercato.compute.gateway import body
from mercato.compute.gateway.tally import Tally
from mercato.compute.model import Surface
from mercato.compute.testing import stub
from tests.compute.gateway.conftest import Open
from tests.compute.gateway.house import PRICE
from tests.compute.gateway.test_asking import JSON
from tests.profiles import examples

TEXT = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
PIECES = st.integers(2, 40)


def many(raw: bytes, most: int, piece: int) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body, "PIECE", piece)
        return body.many(raw, most)


def read(raw: bytes, piece: int) -> body.Body:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body, "PIECE", piece)
        return body.read(raw)


@given(st.text('",[\\{}a:é').map(str.encode), st.integers(0, 9), PIECES)
def test_values_are_counted_alike_in_pieces_of_any_size(raw: bytes, most: int, piece: int) -> None:
    outside = TEXT.sub(b"", raw)

    assert many(raw, most, piece) == (len(raw) > most and outside.count(b",") + outside.count(b"[") > most)


@settings(max_examples=examples(25))
@given(st.dictionaries(st.text(), JSON, max_size=6), st.booleans(), PIECES)
def test_a_body_is_read_and_changed_alike_in_pieces_of_any_size(
    value: dict[str, Any], ascii_only: bool, piece: int
) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body, "PIECE", piece)
        found = body.read(raw)
        changed = found.changed({"model": "x"}, frozenset({"provider"}))

    assert found.values == value
    assert changed == body.read(raw).changed({"model": "x"}, frozenset({"provider"}))


@pytest.mark.parametrize("piece", range(2, 30, 4))
def test_half_of_a_pair_is_found_wherever_a_piece_ends(piece: int) -> None:
    assert read(b'{"model": "a\\ud83d\\ude00b"}', piece).get("model") == "a😀b"
    with pytest.raises(Declined, match="surrogate"):
        read(b'{"model": "abcd\\ud83dxyz"}', piece)


def answer(more: str) -> bytes:
    return f'{{"choices": [{{"message": {{"content": "hi"}}, "delta": {{"content": "hi"}}, "x": [{more}]}}]}}'.encode()


def test_an_answer_of_very_many_values_is_refused_before_they_are_built() -> None:
    """A few million held a worker up for a second, and took a gigabyte of it."""
    large = answer("[]," * 400_000 + "1")
    wrong = []
    for take in (Tally(Surface.CHAT).answer, Tally(Surface.CHAT).event):
        with pytest.raises(Unreached, match="more than 400000 values") as refused:
            take(large)
        wrong.append(refused.value.why)
    likely = Tally(Surface.CHAT, most=2_000_000)
    likely.answer(large)

    assert (wrong, likely.text) == (["size"] * 2, "hi")


def test_the_numbers_of_vectors_may_be_many_and_lists_of_lists_may_not() -> None:
    tally = Tally(Surface.EMBEDDINGS, most=9)
    tally.answer(b'{"data": [{"embedding": [' + b"0.5," * 99 + b"1]}]}")
    with pytest.raises(Unreached, match="more than 9 values"):
        tally.answer(b'{"data": [{"embedding": [' + b"[]," * 99 + b"1]}]}")

    with pytest.raises(Unreached, match="more than 9 values"):
        tally.answer(b'{"data": [{"embedding": [' + b'"ab",' * 4_000 + b"1]}]}")

    assert len(tally.vectors[0]["embedding"]) == 100


def test_texts_beside_each_other_are_soon_enough() -> None:
    """They are no JSON; to look at millions of them takes seconds."""
    assert body.many(b'"' + b"," * 10 + b'"' + b'""' * 4_000, 9)
    assert not body.many(b'"' + b"," * 10 + b'"' + b'""' * 900, 9)


@pytest.mark.parametrize("stream", [False, True])
def test_a_large_body_reaches_its_provider_as_it_came_but_for_what_is_ours(house: Open, stream: bool) -> None:
    question = [{"role": "user", "content": 'what, "so"? é\n' * 200_000}]
    ask = {"model": "toy", "messages": question, "max_tokens": 3, "stream": stream, "temperature": 0.50}
    with stub() as one:
        home = house({"one": one.url}, listed=PRICE.model_copy(update={"context": 10_000_000}))
        home.deposit("ann", 100_000_000)
        answered = home.post("/chat/completions", {**ask, "provider": {"only": ["one"]}})

    assert answered.status == 200, answered.body
    assert {**one.asked[0].body, "stream_options": 0} == {**ask, "stream_options": 0}
