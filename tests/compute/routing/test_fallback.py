"""Whoever is asked first and whatever goes wrong, the client gets each word once."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercato.compute.fleet import replies
from mercato.compute.fleet.toy import Toy
from tests.compute.gateway.house import House
from tests.compute.routing.conftest import BEHAVIOURS
from tests.profiles import examples


def heard(raw: bytes) -> tuple[str, bool, bool]:
    """The text of a stream, whether it told of an error, and whether it said that it was done."""
    events = [line.removeprefix("data: ") for line in raw.decode().splitlines() if line.startswith("data: ")]
    bodies: list[dict[str, Any]] = [json.loads(event) for event in events if event != "[DONE]"]
    deltas = [choice["delta"].get("content") or "" for body in bodies for choice in body.get("choices", [])]
    return "".join(deltas), any("error" in body for body in bodies), "[DONE]" in events


@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(sorted(BEHAVIOURS)), st.integers(0, 10**6))
def test_a_stream_is_the_whole_answer_once_or_its_beginning_and_an_error(
    fleet: House, order: list[str], number: int
) -> None:
    question = f"question {number}"
    whole = " ".join(replies.words(Toy(), question, 20))
    body = {"model": "toy", "messages": [{"role": "user", "content": question}], "max_tokens": 20, "stream": True}
    text, failed, done = heard(fleet.post("/chat/completions", {**body, "provider": {"order": order}}).body)

    assert whole.startswith(text)
    assert done == (text == whole) == (not failed)


@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(sorted(BEHAVIOURS)), st.integers(0, 10**6))
def test_a_whole_answer_is_the_honest_one_whoever_failed_before(fleet: House, order: list[str], number: int) -> None:
    question = f"question {number}"
    body = {"model": "toy", "messages": [{"role": "user", "content": question}], "max_tokens": 20}
    answer = fleet.post("/chat/completions", {**body, "provider": {"order": order}})

    assert answer.json["choices"][0]["message"]["content"] == " ".join(replies.words(Toy(), question, 20))
    assert answer.headers["x-provider"] == "good"
