"""A request's whole way, through real sockets: asked, reserved, passed on, counted, settled, told."""

from __future__ import annotations

from pathlib import Path

import openai
import pytest

from mercato.compute.testing import stub
from tests.compute.gateway.conftest import Open
from tests.compute.gateway.house import QUESTION, House
from tests.postgres import Cluster


def test_an_answer_comes_with_its_provider_its_cost_and_a_receipt(house: Open) -> None:
    with stub() as one:
        home = house({"alpha": one.url})
        raw = home.client().chat.completions.with_raw_response.create(model="toy", messages=QUESTION, max_tokens=20)
        receipt = home.get(f"/receipts/{raw.headers['x-request-id']}").json

    assert raw.headers["x-provider"] == "alpha"
    assert raw.parse().choices[0].finish_reason == "length"
    assert receipt["counted"]["completion"] == 20
    assert int(raw.headers["x-cost-micro"]) == receipt["charged"] == -(-(5 * 200_000 + 20 * 400_000) // 1_000_000)
    assert home.balance("ann") == (1_000_000 - receipt["charged"], 0)


def test_a_stream_reaches_the_client_event_by_event_as_the_provider_sent_it(house: Open) -> None:
    with stub() as one:
        home = house({"alpha": one.url})
        body = {"model": "toy", "messages": QUESTION, "max_tokens": 9, "stream": True}
        there = {**body, "stream_options": {"include_usage": True}}
        through = home.post("/chat/completions", there)
        plain = home.post("/chat/completions", body)

    events = through.body.split(b"\n\n")
    assert events[-2:] == [b"data: [DONE]", b""]
    assert b'"usage":{' in events[-4]
    assert [one for one in events if b'"usage":{' not in one] == plain.body.split(b"\n\n")


def test_every_choice_of_a_stream_with_several_is_passed_on_and_paid(house: Open) -> None:
    with stub() as one:
        home = house({"alpha": one.url})
        asked = {"model": "toy", "messages": QUESTION, "max_tokens": 9, "n": 3}
        answers = [home.post("/chat/completions", {**asked, "stream": stream}) for stream in (True, False)]
        chunks = list(home.client().chat.completions.create(**asked, stream=True))
        receipts = [home.get(f"/receipts/{each.headers['x-request-id']}").json for each in answers]

    assert {chunk.choices[0].index for chunk in chunks} == {0, 1, 2}
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices].count("length") == 3
    assert [receipt["claimed"]["completion"] for receipt in receipts] == [27, 27]
    assert receipts[0]["charged"] == receipts[1]["charged"] > 0


def test_a_budget_that_does_not_cover_the_worst_case_is_refused_before_anything_is_sent(house: Open) -> None:
    with stub() as one:
        home = house({"alpha": one.url})
        with pytest.raises(openai.APIStatusError) as refused:
            home.client(home.key("poor")).chat.completions.create(model="toy", messages=QUESTION)

    assert refused.value.status_code == 402
    assert one.asked == []


def test_a_request_that_only_differs_in_its_idempotency_key_is_charged_again_and_a_repeated_one_is_not(
    house: Open,
) -> None:
    with stub() as one:
        home = house({"alpha": one.url})
        body = {"model": "toy", "messages": QUESTION, "max_tokens": 9, "stream": True}
        answers = [home.post("/chat/completions", body, {"idempotency-key": key}) for key in ("a", "a", "b")]
        other = home.post("/chat/completions", {**body, "max_tokens": 8}, {"idempotency-key": "a"})

    assert len(one.asked) == 2
    told = f": x-cost-micro={answers[1].headers['x-cost-micro']}\n\n".encode()
    assert answers[0].body.replace(told, b"") == answers[1].body
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert answers[1].headers["x-request-id"] == answers[0].headers["x-request-id"]
    assert other.status in (409, 422)


def test_equal_bodies_with_one_request_id_are_one_request_and_others_are_not(house: Open) -> None:
    with stub() as one:
        home = house({"alpha": one.url})
        body = {"model": "toy", "messages": QUESTION, "max_tokens": 9}
        trace = {"x-request-id": "trace-1"}
        first, again = (home.post("/chat/completions", body, trace) for _ in range(2))
        other = home.post("/chat/completions", {**body, "max_tokens": 8}, trace)
        named = home.post("/chat/completions", body, {**trace, "idempotency-key": "b"})

    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-request-id"] == first.headers["x-request-id"]
    assert [other.status, named.status, len(one.asked)] == [200, 200, 3]


@pytest.mark.parametrize("stream", [False, True])
def test_on_postgresql_a_request_goes_the_same_way(tmp_path: Path, postgres: Cluster, stream: bool) -> None:
    with postgres.database() as url, stub() as one, House(tmp_path, {"one": one.url}, url=url) as home:
        answer = home.post(
            "/chat/completions", {"model": "toy", "messages": QUESTION, "max_tokens": 5, "stream": stream}
        )
        receipt = home.get(f"/receipts/{answer.headers['x-request-id']}").json
        balance = home.balance("ann")

    assert answer.status == 200
    assert receipt["end"] == "done"
    assert balance == (1_000_000 - receipt["charged"], 0)
