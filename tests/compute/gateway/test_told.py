"""What a client is told beside an answer, on every surface: who gave it, its receipt, its cost, how it is verified."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mercato.compute.books import Signer
from mercato.compute.books.till import Till
from mercato.compute.gateway import asking
from mercato.compute.gateway.checks import Bounds
from mercato.compute.model import Offer, Price, Provider, ProviderId, Standing, Surface
from mercato.compute.routing import Candidate, Router
from mercato.compute.settings import Auditing, ComputeSettings, Listed, Upstream
from mercato.compute.testing import stub
from mercato.compute.verify.liaison import View
from mercato.compute.verifying import Verification
from mercato.core.clock import SystemClock
from tests.compute.gateway.conftest import Open
from tests.compute.gateway.house import QUESTION, Answer, House, furnished

CHAT: dict[str, Any] = {"model": "toy", "messages": QUESTION, "max_tokens": 9}
SURFACES = [
    ("/chat/completions", CHAT),
    ("/completions", {"model": "toy", "prompt": "What does it earn?", "max_tokens": 9}),
    ("/embeddings", {"model": "toy", "input": "What does it earn?"}),
    ("/responses", {"model": "toy", "input": "What does it earn?", "max_output_tokens": 9}),
]
REFERENCE = {"reference": Upstream(url="http://127.0.0.1:1/v1", private=True, models={"toy": Listed(prompt=1)})}
COST = re.compile(rb"^: x-cost-micro=(\d+)$", re.MULTILINE)


def receipt(home: House, answer: Answer) -> Any:
    return home.get(f"/receipts/{answer.headers['x-request-id']}").json


@pytest.mark.parametrize(("path", "body"), SURFACES, ids=[path for path, _ in SURFACES])
def test_every_surface_tells_who_answered_what_it_cost_and_how_it_is_verified(
    house: Open, path: str, body: Any
) -> None:
    with stub() as one:
        home = house({"alpha": one.url})
        answer = home.post(path, body)
        made = receipt(home, answer)

    assert answer.headers["x-provider"] == "alpha"
    assert int(answer.headers["x-cost-micro"]) == made["charged"] > 0
    assert answer.headers["x-verified"] == "none; standing=active"


@pytest.mark.parametrize(("path", "body"), [it for it in SURFACES if it[0] != "/embeddings"], ids=["chat", "text", "r"])
def test_a_stream_tells_what_it_cost_in_a_comment_just_before_its_end(house: Open, path: str, body: Any) -> None:
    with stub() as one:
        home = house({"alpha": one.url})
        answer = home.post(path, {**body, "stream": True})
        made = receipt(home, answer)

    assert [int(cost) for cost in COST.findall(answer.body)] == [made["charged"]]
    assert COST.split(answer.body)[-1].lstrip().startswith((b"data: [DONE]", b"event: response."))
    assert "x-cost-micro" not in answer.headers


@pytest.mark.parametrize("behaviour", ["truncate", "stall"])
def test_a_stream_that_is_cut_tells_that_it_cost_nothing(house: Open, behaviour: str) -> None:
    with stub(behaviour) as one:
        answer = house({"alpha": one.url}, idle_seconds=0.3).post("/chat/completions", {**CHAT, "stream": True})

    assert [int(cost) for cost in COST.findall(answer.body)] == [0]


def test_the_official_client_reads_a_stream_with_its_cost_in_it(house: Open) -> None:
    with stub() as one:
        home = house({"alpha": one.url})
        client = home.client()
        chunks = list(client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))
        told = list(client.responses.create(model="toy", input="What?", max_output_tokens=9, stream=True))
        with client.chat.completions.with_streaming_response.create(**CHAT, stream=True) as raw:
            costs = [line for line in raw.iter_lines() if line.startswith(": x-cost-micro=")]

    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == 9
    assert told[-1].type == "response.incomplete"
    assert len(costs) == 1


def test_what_is_refused_costs_nothing_and_an_answer_given_again_what_it_did_cost(house: Open) -> None:
    with stub() as one, stub("html") as bad:
        home = house({"alpha": one.url, "bad": bad.url})
        refused = home.post("/chat/completions", {**CHAT, "provider": {"only": ["bad"]}})
        asked = {**CHAT, "provider": {"only": ["alpha"]}}
        first, again = [home.post("/chat/completions", asked, {"idempotency-key": "a"}) for _ in range(2)]

    names = ("x-provider", "x-request-id", "x-cost-micro", "x-verified")
    assert (refused.status, refused.headers["x-cost-micro"]) == (502, "0")
    assert again.headers["idempotent-replayed"] == "true"
    assert [again.headers[name] for name in names] == [first.headers[name] for name in names]


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"temperature": 0}, "always"),  # whoever has proven nothing yet is audited each time
        ({"temperature": 0, "provider": {"verify": "always"}}, "always"),
        ({"temperature": 0, "provider": {"verify": "none"}}, "none"),
        ({"temperature": 0.7, "provider": {"verify": "always"}}, "none"),
        ({"temperature": 0, "n": 2}, "always"),
        ({}, "none"),
    ],
)
def test_a_wish_to_verify_is_told_of_as_what_will_be_done(house: Open, more: Any, word: str) -> None:
    with stub() as one, stub() as reference:
        home = house({"alpha": one.url, "reference": reference.url}, audit=Auditing(checker="reference"))
        answer = home.post("/chat/completions", {**CHAT, **more})

    assert answer.headers["x-verified"] == f"{word}; standing=active"


@pytest.mark.parametrize(("share", "word"), [(0.03, "sampled"), (1.0, "always")])
def test_a_provider_that_is_trusted_is_audited_now_and_then(
    tmp_path: Path, database: Path, share: float, word: str
) -> None:
    wanted = ComputeSettings(upstreams=REFERENCE, audit=Auditing(checker="reference"))
    url = f"sqlite:///{furnished(tmp_path, database) / 'mercato.db'}"
    checked = Verification(wanted, Till(url, SystemClock(), Signer.fresh()), url, Router(), [], lambda name: None)
    provider = Provider(ProviderId("prov_a"), "alpha", Standing.PROBATION)
    candidate = Candidate(provider, Offer(provider.id, "toy", Price(1, 1), 8192))
    checked.liaison.view = View(shares={provider.id: share})
    asked = asking.read(Surface.CHAT, json.dumps({**CHAT, "temperature": 0}).encode(), Bounds())

    assert checked.verified(asked, candidate) == f"{word}; standing=probation"
