"""What an answer said is told choice by choice, as it came in one piece or in a stream; its count stays the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.gateway.tally import Said, Tally
from mercato.compute.model import Surface


def call(name: str, arguments: str, index: int | None = None) -> dict[str, Any]:
    numbered = {} if index is None else {"index": index}
    return {**numbered, "function": {"name": name, "arguments": arguments}}


def told(*choices: dict[str, Any], surface: Surface = Surface.CHAT) -> Tally:
    found = Tally(surface)
    found.answer(json.dumps({"choices": list(choices)}).encode())
    return found


def streamed(*choices: dict[str, Any]) -> Tally:
    found = Tally(Surface.CHAT)
    for choice in choices:
        found.event(json.dumps({"choices": [choice]}).encode())
    return found


def test_each_choice_is_told_with_its_thoughts_calls_and_end() -> None:
    first = {"index": 1, "message": {"content": "late"}, "finish_reason": "length"}
    message = {"content": "so", "reasoning": "hm", "refusal": "no", "tool_calls": [call("look", "{}"), call("go", "1")]}
    second = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    found = told(first, second)

    calls = (("look", "{}"), ("go", "1"))
    assert found.said() == [Said("so", "hm", "no", "tool_calls", calls), Said("late", end="length")]
    assert (found.calls, found.octets) == (2, len("latesohmnolook{}go1"))


def test_pieces_of_interleaved_choices_and_calls_come_together() -> None:
    found = streamed(
        {"index": 0, "delta": {"role": "assistant", "content": ""}},
        {"index": 0, "delta": {"content": "on"}},
        {"index": 1, "delta": {"tool_calls": [call("look", "", 0)]}},
        {"index": 0, "delta": {"content": "e"}},
        {"index": 1, "delta": {"tool_calls": [call("", '{"a"', 0), call("go", "[]", 1)]}},
        {"index": 1, "delta": {"tool_calls": [call("", ":1}", 0)]}, "finish_reason": "tool_calls"},
        {"index": 0, "delta": {}, "finish_reason": "stop"},
    )

    calls = (("look", '{"a":1}'), ("go", "[]"))
    assert found.said() == [Said("one", end="stop"), Said("", end="tool_calls", calls=calls)]


def test_texts_and_answers_without_a_word_are_told() -> None:
    texts = told(
        {"index": 0, "text": "on", "finish_reason": "stop"}, {"index": 1, "text": ""}, surface=Surface.COMPLETIONS
    )

    assert texts.said() == [Said("on", end="stop"), Said("")]
    assert Tally(Surface.CHAT).said() == []


@given(
    st.lists(st.tuples(st.integers(0, 3), st.text(st.characters(exclude_categories=["Cs"]), max_size=4)), max_size=30)
)
def test_what_is_told_is_what_is_counted(pieces: list[tuple[int, str]]) -> None:
    found = streamed(*({"index": index, "delta": {"content": words}} for index, words in pieces))
    by_choice = ["".join(words for at, words in pieces if at == index) for index in sorted({at for at, _ in pieces})]

    assert [it.text for it in found.said()] == by_choice
    assert sum(len(it.text.encode()) for it in found.said()) == found.octets


PARTED = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}, "noise"]},
    {"type": "text", "text": "so"},
    7,
]


def test_content_in_parts_a_call_by_its_old_name_and_what_was_spoken_are_told_and_counted() -> None:
    message = {
        "content": PARTED,
        "function_call": {"name": "look", "arguments": "{}"},
        "audio": {"transcript": " aloud"},
    }
    whole = told({"message": message, "finish_reason": "function_call"})
    pieces = streamed(
        {"delta": {"content": PARTED}},
        {"delta": {"content": [{"type": "thinking", "thinking": "", "text": " aloud"}]}},
        {"delta": {"function_call": {"name": "look", "arguments": ""}}},
        {"delta": {"function_call": {"arguments": "{}"}}, "finish_reason": "function_call"},
    )

    assert whole.said() == pieces.said() == [Said("so aloud", "hm", "", "function_call", (("look", "{}"),))]
    assert (whole.octets, whole.calls) == (pieces.octets, pieces.calls) == (len("hmso aloudlook{}"), 1)
