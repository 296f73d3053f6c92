"""What a body may hold, and what is refused with the name of the member that was wrong."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.errors import Declined
from mercato.compute.gateway import asking, body
from mercato.compute.gateway.checks import Bounds
from mercato.compute.model import Offer, Price, ProviderId, Surface, Usage

BOUNDS = Bounds(messages=100, depth=16)
QUESTION = [{"role": "user", "content": "hi"}]
IMAGE = {"type": "image_url", "image_url": {"url": "data:"}}
OFFER = Offer(ProviderId("prov_x"), "m", Price(1, 1), context=1000)


def read(surface: Surface = Surface.CHAT, **members: Any) -> asking.Asked:
    return asking.read(surface, json.dumps({"model": "m", **members}).encode(), BOUNDS)


def nested(levels: int) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        made = {"type": "object", "properties": {"a": made}}
    return made


def tool(parameters: Any, name: str = "f") -> list[dict[str, Any]]:
    return [{"type": "function", "function": {"name": name, "parameters": parameters}}]


WRONG: list[tuple[bytes, str]] = [
    (b'{"model": "m\xff"}', "UTF-8"),
    (b'{"model": "m", "model": "n"}', "twice"),
    (b'{"model": "m", "messages": [{"role": "user", "role": "system"}]}', "twice"),
    (b'{"model": "m", "temperature": NaN}', "NaN"),
    (b'{"model": "m", "temperature": -Infinity}', "Infinity"),
    (b'{"model": "m", "seed": ' + b"9" * 5000 + b"}", "readable"),
    (b'{"model": "\\ud800"}', "surrogate"),
    (b"[" * 100_000, "object"),
    (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deep"),
    (b'{"model": "m"} {}', "Extra"),
    (b'{"model": "m",}', "JSON"),
    (b'{"model" "m"}', "JSON"),
    (b'{"model": "m"', "JSON"),
    (b'{"model": "m", "input": [' + b"[]," * 400_001 + b"1]}", "more than 400000 values"),
    (b'{"model": "m", "input": "' + b"[]," * 400_001, "Unterminated"),
    (b'{"input": "' + b'\\",' * 400_001, "Unterminated"),
    (b'{"a": {' + b"".join(b'"%d": 1,' % name for name in range(300_000)) + b'"299999": 2}}', "'299999' twice"),
    (b"{" + b",".join(b'"%d": 1' % name for name in range(1_001)) + b"}", "more than 1000 members"),
    (b'\xef\xbb\xbf{"model": "m"}', "object"),
    (b"null", "object"),
    (b"", "object"),
]


@pytest.mark.parametrize(("raw", "word"), WRONG, ids=[raw[:24].decode("latin-1") for raw, _ in WRONG])
def test_what_is_no_json_object_is_refused_with_what_is_wrong_with_it(raw: bytes, word: str) -> None:
    with pytest.raises(Declined, match=word) as refused:
        asking.read(Surface.CHAT, raw, BOUNDS)

    assert refused.value.word == "invalid_json"
    assert "not readable: body" not in refused.value.message, "it says once what was wrong"


def test_commas_within_a_text_are_no_values() -> None:
    said = '"\\,[' * 300_000

    assert body.read(json.dumps({"model": "m", "input": [said]}).encode()).get("input") == [said]


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": QUESTION * 101}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [7]}, "messages[0]"),
        ({"messages": [{"role": "god", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "bomb"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]}, "messages[0].content[0].text"),
        ({"messages": QUESTION, "model": ""}, "model"),
        ({"messages": QUESTION, "model": "a\nb"}, "model"),
        ({"messages": QUESTION, "model": 7}, "model"),
        ({"messages": QUESTION, "max_tokens": -1}, "max_tokens"),
        ({"messages": QUESTION, "max_tokens": 0}, "max_tokens"),
        ({"messages": QUESTION, "max_tokens": True}, "max_tokens"),
        ({"messages": QUESTION, "max_completion_tokens": 10**30}, "max_completion_tokens"),
        ({"messages": QUESTION, "n": 10**9}, "n"),
        ({"messages": QUESTION, "n": 0}, "n"),
        ({"messages": QUESTION, "temperature": "hot"}, "temperature"),
        ({"messages": QUESTION, "temperature": 10**400}, "temperature"),
        ({"messages": QUESTION, "stream": "yes"}, "stream"),
        ({"messages": QUESTION, "stream_options": 7}, "stream_options"),
        ({"messages": QUESTION, "stop": ["x"] * 17}, "stop"),
        ({"messages": QUESTION, "tools": {}}, "tools"),
        ({"messages": QUESTION, "tools": [{"type": "function"}]}, "tools[0].function"),
        ({"messages": QUESTION, "tools": tool({}, "a b")}, "tools[0].function.name"),
        ({"messages": QUESTION, "tools": tool(nested(17))}, "tools[0].function.parameters"),
        ({"messages": QUESTION, "tools": tool({"$ref": "#"})}, "tools[0].function.parameters"),
        ({"messages": QUESTION, "tools": tool({"$ref": "http://x/"})}, "tools[0].function.parameters"),
        ({"messages": QUESTION, "functions": {"name": "f"}}, "functions"),
        ({"messages": QUESTION, "functions": [{"name": "f", "parameters": {"$ref": "#"}}]}, "functions[0].parameters"),
        ({"messages": QUESTION, "functions": [{}], "tools": []}, "functions[0].name"),
        ({"messages": QUESTION, "response_format": {"type": "xml"}}, "response_format"),
        ({"messages": QUESTION, "provider": {"only": "x"}}, "provider.only"),
        ({"messages": QUESTION, "provider": {"verify": "maybe"}}, "provider.verify"),
        ({"messages": QUESTION, "provider": {"max_price": {"prompt": 0.5}}}, "provider.max_price"),
        ({"messages": QUESTION, "provider": {"sorted": "price"}}, "provider.sorted"),
        ({"messages": QUESTION, "provider": []}, "provider"),
    ],
)  # fmt: skip
def test_a_member_that_is_wrong_is_named(members: dict[str, Any], param: str) -> None:
    with pytest.raises(Declined) as refused:
        read(**members)

    assert refused.value.param == param


@pytest.mark.parametrize(
    ("surface", "members", "param"),
    [
        (Surface.COMPLETIONS, {}, "prompt"),
        (Surface.COMPLETIONS, {"prompt": [1.5]}, "prompt"),
        (Surface.COMPLETIONS, {"prompt": ["a"] * 2049}, "prompt"),
        (Surface.COMPLETIONS, {"prompt": "a", "n": 3, "best_of": 2}, "best_of"),
        (Surface.EMBEDDINGS, {"input": ""}, "input"),
        (Surface.EMBEDDINGS, {"input": [[]]}, "input"),
        (Surface.EMBEDDINGS, {"input": [-1]}, "input"),
        (Surface.EMBEDDINGS, {"input": "a", "stream": False}, "stream"),
        (Surface.EMBEDDINGS, {"input": "a", "encoding_format": "hex"}, "encoding_format"),
        (Surface.EMBEDDINGS, {"input": "a", "dimensions": 0}, "dimensions"),
    ],
)
def test_the_other_surfaces_name_what_was_wrong_too(surface: Surface, members: dict[str, Any], param: str) -> None:
    with pytest.raises(Declined) as refused:
        read(surface, **members)

    assert refused.value.param == param


def test_a_million_messages_are_refused_before_they_are_parsed() -> None:
    raw = b'{"model":"m","messages":[' + b",".join([b'{"role":"user","content":"x"}'] * 1_000_000) + b"]}"

    with pytest.raises(Declined, match="more than 100"):
        asking.read(Surface.CHAT, raw, BOUNDS)


def test_unknown_members_pass_as_they_came_or_are_refused_where_the_settings_say_so() -> None:
    raw = b'{"model":"m", "messages":[{"role":"user","content":"x"}], "top_k" : 1.50, "min_p":1e-9}'
    passed = asking.read(Surface.CHAT, raw, BOUNDS).raw("theirs")

    assert b'"top_k":1.50,"min_p":1e-9,"model":"theirs"' in passed
    with pytest.raises(Declined, match="min_p"):
        asking.read(Surface.CHAT, raw, Bounds(deny=True))


def test_the_house_takes_out_what_is_for_it_alone_and_asks_a_stream_for_its_count() -> None:
    asked = read(messages=QUESTION, stream=True, provider={"zdr": True, "order": ["a"]})
    sent = json.loads(asked.raw("theirs"))

    assert asked.need.wish.zdr
    assert sent == {
        "model": "theirs", "messages": QUESTION, "stream": True, "stream_options": {"include_usage": True}
    }  # fmt: skip


def test_a_turn_of_a_conversation_has_the_prefix_of_the_turns_before_it() -> None:
    first = read(messages=QUESTION)
    second = read(messages=[*QUESTION, {"role": "assistant", "content": "ho"}, {"role": "user", "content": "more"}])

    assert first.need.prefix == second.need.prefix
    assert first.need.prefix != read(messages=[{"role": "user", "content": "other"}]).need.prefix


@pytest.mark.parametrize(
    ("members", "bound"),
    [
        ({"messages": QUESTION}, Usage(2 + 32, 1000)),
        ({"messages": QUESTION, "max_tokens": 10}, Usage(34, 10)),
        ({"messages": QUESTION, "max_tokens": 10, "n": 3}, Usage(34, 30)),
        ({"messages": QUESTION, "n": 2}, Usage(34, 2000)),
        ({"messages": QUESTION, "max_tokens": 5_000}, Usage(34, 1000)),
        ({"messages": [{"role": "user", "content": "é" * 600}]}, Usage(1000, 1000)),
        ({"messages": QUESTION, "top_k": 5, "chat_template": "é" * 50}, Usage(34 + 100, 1000)),
        ({"messages": QUESTION, "prediction": {"content": "x" * 50}}, Usage(34 + 65, 1000)),
        ({"messages": [{**QUESTION[0], "reasoning_content": "x" * 50}]}, Usage(34 + 50, 1000)),
        ({"messages": [{**QUESTION[0], "function_call": {"arguments": "x" * 50}}]}, Usage(34 + 67, 1000)),
    ],
)
def test_what_may_be_charged_is_bounded_by_the_request_and_by_the_context(members: Any, bound: Usage) -> None:
    assert read(**members).bound(OFFER) == bound


@pytest.mark.parametrize(
    ("members", "features"),
    [
        ({"tools": tool(nested(2))}, {"tools"}),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": nested(2)}}}, {"json_schema"}),
        ({"logprobs": True}, {"logprobs"}),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, {"vision"}),
    ],
)  # fmt: skip
def test_what_a_model_must_be_able_to_do_follows_from_the_request(members: Any, features: set[str]) -> None:
    assert read(**{"messages": QUESTION, **members}).need.features == features


def test_a_model_reads_what_follows_a_gap_too() -> None:
    body = {"model": "toy", "prompt": ["a", "b"], "suffix": "é" * 50}
    asked = asking.read(Surface.COMPLETIONS, json.dumps(body).encode(), Bounds())

    assert asked.most.prompt == 2 + 200 + 32
    assert "é" * 50 in asked.words()


def test_with_a_tokenizer_what_is_called_by_another_name_is_counted_too() -> None:
    words = read(messages=[{**QUESTION[0], "reasoning_content": "so"}], documents=[{"text": "said"}]).words().split()

    assert {"so", "said"} <= set(words)


def test_thirty_megabytes_of_image_count_as_no_text() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 30_000_000}}
    asked = read(messages=[{"role": "user", "content": [part]}])

    assert asked.need.prompt < 100
    assert asked.bound(OFFER).prompt == OFFER.context


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, max_size=6), st.booleans())
def test_a_body_is_read_as_any_json_reader_does_and_changed_in_one_member_only(
    value: dict[str, Any], ascii_only: bool
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1)
    found = body.read(text.encode())

    assert found.values == value
    assert json.loads(found.changed({"model": "x"})) == {**value, "model": "x"}


@given(st.sampled_from(list(asking.KNOWN)), st.dictionaries(st.sampled_from(sorted(asking.KNOWN[Surface.CHAT])), JSON))
def test_whatever_a_body_holds_it_is_read_or_declined(surface: Surface, value: dict[str, Any]) -> None:
    with suppress(Declined):
        asked = asking.read(surface, json.dumps(value).encode(), BOUNDS)
        assert json.loads(asked.raw("m"))["model"] == "m"
