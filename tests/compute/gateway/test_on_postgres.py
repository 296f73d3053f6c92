"""Two workers on one PostgreSQL: who is registered or admitted by command serves by both, and races conserve money."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from mercato.compute import roster
from mercato.compute.books.replay import replay
from mercato.compute.books.till import Till
from mercato.compute.books.words import State
from mercato.compute.commands import app
from mercato.compute.gateway.catalogue import named
from mercato.compute.model import RequestId
from mercato.compute.signing import signer
from mercato.compute.testing import stub
from mercato.core.clock import SystemClock
from tests.compute.gateway.house import QUESTION, House
from tests.postgres import Cluster
from tests.waiting import wait_for

ASK: dict[str, Any] = {"model": "toy", "messages": QUESTION, "max_tokens": 9}
ADD = ("--model", "toy", "--completion-price", "400000", "--private")
RACE = {**ASK, "provider": {"order": ["late", "quick", "flaky"], "hedge": 100}}
AT_ONCE, ROUNDS, FUNDS, DOLLAR = 12, 3, 120, 1_000_000
Run = Callable[..., str]


@pytest.fixture
def url(postgres: Cluster) -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str) -> Run:
    """Runs a command of the room on the workers' database."""
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path))
    monkeypatch.setenv("MERCATO_STORE_URL", url)
    return lambda *words: CliRunner().invoke(app, words, catch_exceptions=False).output


def costs(workers: tuple[House, ...]) -> set[str]:
    """Returns what an answer costs at each worker, or the status of its refusal."""
    answers = [each.post("/chat/completions", ASK) for each in workers]
    return {it.headers["x-cost-micro"] if it.status == 200 else str(it.status) for it in answers}


def standings(workers: tuple[House, ...]) -> set[str]:
    return {it["standing"] for each in workers for it in each.get("/providers").json["data"]}


@pytest.mark.usefixtures("look_often")
def test_who_is_registered_admitted_made_dearer_and_removed_by_commands_is_so_for_all_workers(
    tmp_path: Path, url: str, run: Run
) -> None:
    with stub() as one, House(tmp_path, {}, url=url) as first, House(tmp_path, {}, url=url) as second:
        both = first, second
        before = costs(both)
        said = [run("provider", "add", "theirs", "--url", one.url, *ADD, "--prompt-price", "200000")]
        wait_for(lambda: costs(both).isdisjoint({"404"}))
        on_probation = standings(both)
        cheap = costs(both)
        said += [run("admit", "theirs", "--why", "known since June")]
        said += [run("provider", "add", "theirs", "--url", one.url, *ADD, "--prompt-price", "90000000")]
        wait_for(lambda: standings(both) == {"active"} and costs(both).isdisjoint(cheap))
        said += [run("provider", "remove", "theirs")]
        wait_for(lambda: costs(both) == {"404"})

        with Till(url, SystemClock(), signer(tmp_path)) as till:
            found, turns = replay(till.bare, signer(tmp_path).public), roster.history(till.bare, named("theirs"))

    assert (before, on_probation) == ({"404"}, {"probation"})
    assert [text.split()[-1] for text in said] == ["probation", "active", "active", "out"]
    assert [turn.why for turn in turns] == ["registered", "admitted by operator, not audited: known since June"]
    assert found.faults == []


async def races(workers: tuple[House, ...], short: str, rich: str) -> Counter[str]:
    """Asks over all workers at once, hedged; every fourth client, the rich one, leaves halfway. Returns how often what
    came."""
    came = Counter[str]()

    async def ask(session: aiohttp.ClientSession, number: int) -> None:
        base, leaves = workers[number % len(workers)].base, number % 4 == 3
        sent, seconds = {"authorization": f"Bearer {rich if leaves else short}"}, 0.15 if leaves else 30
        timeout = aiohttp.ClientTimeout(seconds)
        try:
            async with session.post(f"{base}/chat/completions", json=RACE, headers=sent, timeout=timeout) as reply:
                await reply.read()
                came[str(reply.status)] += 1
        except TimeoutError:
            came["left"] += 1

    async with aiohttp.ClientSession() as session:
        for start in range(0, AT_ONCE * ROUNDS, AT_ONCE):
            await asyncio.gather(*(ask(session, number) for number in range(start, start + AT_ONCE)))
    return came


def test_races_over_two_workers_leave_no_micro_dollar_unaccounted(tmp_path: Path, url: str) -> None:
    late, quick, flaky = stub("slow", delay=0.4), stub(delay=0.1), stub("flaky", delay=0.05)
    with late, quick, flaky:
        upstreams = {"late": late.url, "quick": quick.url, "flaky": flaky.url}
        with House(tmp_path, upstreams, url=url) as first, House(tmp_path, upstreams, url=url) as second:
            first.deposit("ben", FUNDS)
            came = asyncio.run(races((first, second), first.key("ben"), first.ann))
            wait_for(lambda: first.balance("ben")[1] == first.balance("ann")[1] == 0)
            left = first.balance("ben")[0] + first.balance("ann")[0]
        with Till(url, SystemClock(), signer(tmp_path)) as till:
            found, balances = replay(till.bare, signer(tmp_path).public), till.balances()
            rows = till.bare.run("SELECT id, bound, attempts FROM compute_request")

    charged = [found.requests[RequestId(row[0])].charged for row in rows]
    served = [found.requests[RequestId(row[0])].state for row in rows].count(State.DONE)
    assert found.faults == []
    assert sum(balances.values()) == 0
    assert FUNDS + DOLLAR - left == sum(charged)
    assert all(0 <= it <= row[1] for it, row in zip(charged, rows, strict=True))
    assert served >= came["200"] > 0, (came, rows[:3])
    assert came["left"] == AT_ONCE * ROUNDS // 4
    assert any("outrun" in row[2] for row in rows)
    assert came["402"], came  # the short account's money was met by both
    assert set(came) <= {"200", "402", "left"}
