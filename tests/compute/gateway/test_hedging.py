"""A second provider beside a slow one, where the request wants it: the first answer wins, and only it is paid."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import pytest

from mercato.compute.books.replay import replay
from mercato.compute.fleet.stub import Stub
from mercato.compute.testing import stub
from mercato.store.bare import Bare
from tests.compute.gateway.conftest import Open
from tests.compute.gateway.house import QUESTION, Answer, House
from tests.waiting import wait_for

ASK: dict[str, Any] = {"model": "toy", "messages": QUESTION, "max_tokens": 12}
ORDER = ["one", "two"]


def hedged(after: Any = 100, **wish: Any) -> dict[str, Any]:
    return {**ASK, "provider": {"order": ORDER, "hedge": after, **wish}}


def told(home: House, answer: Answer) -> Any:
    return home.get(f"/receipts/{answer.headers['x-request-id']}").json


def conserved(home: House) -> bool:
    """Whether the log says what the tables do, and nothing is reserved."""
    with Bare(home.url) as bare:
        return replay(bare).faults == [] and home.balance("ann")[1] == 0


@contextmanager
def pair(home: Open, first: Stub, second: Stub, **wanted: Any) -> Iterator[House]:
    with first, second:
        yield home({"one": first.url, "two": second.url}, **wanted)


@asynccontextmanager
async def racing(home: House, one: Stub, two: Stub) -> AsyncIterator[asyncio.Task[aiohttp.ClientResponse]]:
    """Gives a hedged request that both providers work at by now."""
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {home.ann}"}) as session:
        asking = asyncio.create_task(session.post(f"{home.base}/chat/completions", json=hedged()))
        await asyncio.to_thread(wait_for, lambda: one.open == 1 and two.open == 1)
        yield asking


def test_a_second_provider_answers_for_a_slow_one_which_is_told_to_stop_and_paid_nothing(house: Open) -> None:
    slow, quick = stub("slow", delay=30.0), stub()
    with pair(house, slow, quick) as home:
        answer = home.post("/chat/completions", hedged())
        wait_for(lambda: slow.left == 1)
        receipt = told(home, answer)

        assert answer.headers["x-provider"] == "two"
        assert [(it["end"], it["error"]) for it in receipt["attempts"]] == [("client-gone", "outrun"), ("done", "")]
        assert receipt["attempts"][1]["provider"] == receipt["provider"]
        assert home.balance("ann") == (1_000_000 - receipt["charged"], 0)
        assert 0 < receipt["earned"] <= receipt["charged"] <= receipt["earned"] + 1
        assert conserved(home)


def test_the_first_provider_wins_where_it_is_quicker_after_all(house: Open) -> None:
    slow, slower = stub("slow", delay=0.4), stub("slow", delay=30.0)
    with pair(house, slow, slower) as home:
        answer = home.post("/chat/completions", hedged())
        wait_for(lambda: slower.left == 1)
        receipt = told(home, answer)

    assert answer.headers["x-provider"] == "one"
    assert [it["error"] for it in receipt["attempts"]] == ["outrun", ""]


def test_nobody_else_is_asked_where_an_answer_comes_in_its_time(house: Open) -> None:
    one, two = stub(), stub()
    with pair(house, one, two) as home:
        answers = [home.post("/chat/completions", hedged(True)) for _ in range(3)]

    assert [answer.headers["x-provider"] for answer in answers] == ["one"] * 3
    assert two.asked == []


@pytest.mark.parametrize("behaviour", ["html", "flaky", "error-in-200", "truncate"])
def test_a_provider_that_fails_in_a_race_leaves_it_to_the_other(house: Open, behaviour: str) -> None:
    bad, late = stub(behaviour), stub("slow", delay=0.5)
    with pair(house, bad, late) as home:
        answer = home.post("/chat/completions", hedged())
        receipt = told(home, answer)

        assert answer.headers["x-provider"] == "two"
        assert len(receipt["attempts"]) == 2
        assert conserved(home)


def test_a_third_provider_is_asked_only_when_one_of_two_has_failed(house: Open) -> None:
    never, bad, good = stub("slow", delay=30.0), stub("flaky", delay=0.2), stub()
    with never, bad, good:
        home = house({"one": never.url, "two": bad.url, "three": good.url})
        answer = home.post("/chat/completions", hedged(100, order=["one", "two", "three"]))
        receipt = told(home, answer)

    assert answer.headers["x-provider"] == "three"
    assert sorted(it["error"] for it in receipt["attempts"]) == ["", "500", "outrun"]


def test_a_request_at_fault_ends_the_race(house: Open) -> None:
    slow, refusing = stub("slow", delay=30.0), stub("flaky", status=422)
    with pair(house, slow, refusing) as home:
        answer = home.post("/chat/completions", hedged())
        wait_for(lambda: slow.left == 1)

        assert answer.status == 422
        assert conserved(home)


def test_when_both_fail_the_client_is_told_how_and_nothing_is_charged(house: Open) -> None:
    with pair(house, stub("flaky", delay=0.3), stub("html")) as home:
        answer = home.post("/chat/completions", hedged())

        assert (answer.status, answer.error["code"]) == (502, "upstream_error")
        assert home.balance("ann") == (1_000_000, 0)
        assert conserved(home)


def test_the_reserve_of_a_race_covers_the_worst_case_of_both(house: Open) -> None:
    async def race(home: House) -> int:
        async with racing(home, slow, other) as asking:
            held = (await asyncio.to_thread(home.balance, "ann"))[1]
            (await asking).close()
            return held

    slow, other = stub("slow", delay=30.0), stub("slow", delay=1.0)
    with pair(house, slow, other) as home:
        held = asyncio.run(race(home))
        home.post("/chat/completions", {**ASK, "provider": {"only": ["two"]}})
        with Bare(home.url) as bare:
            bounds = [row[0] for row in bare.run("SELECT bound FROM compute_request ORDER BY id")]

    assert held == bounds[0] == 2 * bounds[1]


def test_when_the_client_of_a_race_leaves_both_providers_are_told_and_nothing_is_charged(house: Open) -> None:
    async def leave(home: House) -> None:
        async with racing(home, one, two) as asking:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    one, two = stub("slow", delay=30.0), stub("slow", delay=30.0)
    with pair(house, one, two) as home:
        asyncio.run(leave(home))
        wait_for(lambda: one.left == 1 and two.left == 1)
        wait_for(lambda: home.balance("ann") == (1_000_000, 0))
        assert conserved(home)


def test_an_answer_of_a_race_is_given_again_to_who_asks_again(house: Open) -> None:
    with pair(house, stub("slow", delay=30.0), stub()) as home:
        first, again = [home.post("/chat/completions", hedged(), {"idempotency-key": "a"}) for _ in range(2)]

    assert again.headers["idempotent-replayed"] == "true"
    assert again.body == first.body
    assert again.headers["x-provider"] == "two"


@pytest.mark.parametrize(("path", "body"), [
    ("/completions", {"model": "toy", "prompt": "What?", "max_tokens": 5}),
    ("/embeddings", {"model": "toy", "input": "What?"}),
    ("/responses", {"model": "toy", "input": "What?", "max_output_tokens": 5}),
])  # fmt: skip
def test_other_surfaces_are_hedged_alike(house: Open, path: str, body: Any) -> None:
    with pair(house, stub("slow", delay=30.0), stub()) as home:
        answer = home.post(path, {**body, "provider": {"order": ORDER, "hedge": 100}})

    assert (answer.status, answer.headers["x-provider"]) == (200, "two")


@pytest.mark.parametrize(
    "more",
    [
        {"stream": True},
        {"store": True},
        {"provider": {"hedge": 5}},
        {"provider": {"hedge": "soon"}},
        {"provider": {"hedge": 600_001}},
        {"provider": {"hedge": True, "allow_fallbacks": False}},
    ],
)
def test_what_cannot_be_hedged_is_refused_by_the_members_name(house: Open, more: Any) -> None:
    with stub() as one:
        answer = house({"one": one.url}).post("/chat/completions", {**hedged(), **more})

    assert (answer.status, answer.error["param"]) == (400, "provider.hedge")
    assert one.asked == []


def test_an_operator_may_have_one_provider_asked_at_a_time(house: Open) -> None:
    with stub() as one:
        home = house({"one": one.url}, hedge=False)
        answers = [home.post("/chat/completions", hedged(after)) for after in (True, False)]

    assert [answer.status for answer in answers] == [400, 200]
