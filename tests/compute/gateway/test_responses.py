"""The Responses API over providers that only have chats, read by the official client."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from mercato.compute.errors import Declined
from mercato.compute.gateway import responses
from mercato.compute.gateway.checks import Bounds
from mercato.compute.gateway.responses import Response
from mercato.compute.testing import stub
from tests.compute.gateway.conftest import Open

BOUNDS = Bounds(messages=50)


def chat(**members: Any) -> dict[str, Any]:
    """Returns the chat that a request becomes."""
    raw = json.dumps({"model": "m", "input": "hi", **members}).encode()
    found: dict[str, Any] = json.loads(responses.ask(raw, BOUNDS).raw("m"))
    return found


def test_a_response_comes_whole_and_as_a_stream_with_the_same_words(house: Open) -> None:
    with stub() as one:
        client = house({"one": one.url}).client()
        whole = client.responses.create(model="toy", input="What does it earn?", max_output_tokens=8, store=False)
        events = list(
            client.responses.create(model="toy", input="What does it earn?", max_output_tokens=8, stream=True)
        )

    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    last = events[-1]
    assert last.type == "response.incomplete"
    assert "".join(deltas) == whole.output_text == last.response.output_text != ""
    assert (whole.status, whole.incomplete_details and whole.incomplete_details.reason) == (
        "incomplete", "max_output_tokens",
    )  # fmt: skip
    assert [one.usage and one.usage.output_tokens for one in (whole, last.response)] == [8, 8]
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_a_response_that_is_cut_raises_in_the_official_client_and_is_never_completed(house: Open) -> None:
    with stub("truncate", after=3) as one:
        client = house({"one": one.url}).client(max_retries=0)
        seen: list[str] = []
        with pytest.raises(openai.APIError, match="broke off"):
            seen += [event.type for event in client.responses.create(model="toy", input="What?", stream=True)]

    assert not any(kind.endswith(("completed", "incomplete", "done")) for kind in seen)


def test_a_conversation_becomes_messages() -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {"role": "user", "content": [{"type": "input_image", "image_url": "data:x"}]},
    ]
    function = {"name": "f", "parameters": {"type": "object"}, "strict": True}
    schema = {"name": "n", "schema": {"type": "object"}, "strict": True}
    made = chat(
        input=items, instructions="Be brief.", tools=[{"type": "function", **function}],
        text={"format": {"type": "json_schema", **schema}}, tool_choice={"type": "function", "name": "f"},
    )  # fmt: skip

    calls = [
        {"id": name, "type": "function", "function": {"name": what, "arguments": "{}"}}
        for name, what in (("c1", "f"), ("c2", "g"))
    ]
    assert made["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "ab"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x", "detail": "auto"}}]},
    ]
    assert made["tools"] == [{"type": "function", "function": function}]
    assert made["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert made["response_format"] == {"type": "json_schema", "json_schema": schema}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"store": True}, "store"),
        ({"background": True}, "background"),
        ({"input": []}, "input"),
        ({"input": [{"type": "item_reference"}]}, "input[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"role": "user", "content": [{"type": [], "text": "x"}]}]}, "input[0].content[0].type"),
        ({"input": [{"type": "function_call", "call_id": "c", "arguments": "{}"}]}, "input[0].name"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
        ({"input": [{"role": "user", "content": "x"}] * 51}, "input"),
        ({"instructions": 7}, "instructions"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"tool_choice": 7}, "tool_choice"),
        ({"max_output_tokens": -1}, "max_output_tokens"),
        ({"text": {"format": {"type": "xml"}}}, "text.format"),
        ({"temperature": "x"}, "temperature"),
    ],
)
def test_what_is_not_served_is_refused_by_its_own_name(members: dict[str, Any], param: str) -> None:
    with pytest.raises(Declined) as refused:
        chat(**members)

    assert refused.value.param == param
    assert refused.value.message.startswith(param), "it is named as it was sent"


def test_thoughts_and_calls_of_a_stream_become_items_in_their_order() -> None:
    made = Response("req_1", {"model": "m"})
    deltas: list[dict[str, Any]] = [
        {"role": "assistant"},
        {"reasoning_content": "hm"},
        {"content": "so"},
        {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": '{"a"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
        {"tool_calls": [{"index": 1, "id": "c2", "function": {"name": "g", "arguments": "{}"}}, "noise"]},
    ]
    raw = b"".join(made.event(json.dumps({"choices": [{"delta": delta}]}).encode()) for delta in deltas)
    raw += made.event(b'{"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}')
    raw += made.event(b'{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": "x"}}') + made.done()
    events = [json.loads(line[6:]) for line in raw.splitlines() if line.startswith(b"data: ")]

    output = events[-1]["response"]["output"]
    assert events[-1]["type"] == "response.completed"
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call", "function_call"]
    assert [(item["call_id"], item["name"], item["arguments"]) for item in output[2:]] == [
        ("c1", "f", '{"a":1}'), ("c2", "g", "{}"),
    ]  # fmt: skip
    assert [event["item"]["type"] for event in events if event["type"] == "response.output_item.done"] == [
        item["type"] for item in output
    ]


def test_a_refusal_and_content_in_parts_are_delivered_whole_and_as_a_stream() -> None:
    parted = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "so"}]
    whole = json.loads(
        Response("req_1", {}).whole(
            json.dumps({"choices": [{"message": {"content": parted, "refusal": "I cannot."}}]}).encode()
        )
    )
    made = Response("req_1", {})
    deltas: list[dict[str, Any]] = [{"content": parted}, {"refusal": "I can"}, {"refusal": "not."}]
    raw = b"".join(made.event(json.dumps({"choices": [{"delta": delta}]}).encode()) for delta in deltas) + made.done()
    events = [json.loads(line[6:]) for line in raw.splitlines() if line.startswith(b"data: ")]

    told = [
        {name: part[name] for name in ("text", "refusal") if name in part}
        for item in whole["output"]
        for part in item["content"]
    ]
    assert told == [{"text": "hm"}, {"text": "so"}, {"refusal": "I cannot."}]
    assert events[-1]["response"]["output"] == whole["output"]
    assert [event["delta"] for event in events if event["type"] == "response.refusal.delta"] == ["I can", "not."]
    assert [event["refusal"] for event in events if event["type"] == "response.refusal.done"] == ["I cannot."]
