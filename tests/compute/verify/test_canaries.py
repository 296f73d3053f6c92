"""Canaries: drawn by a committed secret, asked over the gateway as a user's questions, paid for, and never a slash."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from mercato.compute import audits, roster
from mercato.compute.books import disputes, epochs, keys
from mercato.compute.books.till import Till
from mercato.compute.canaries import Canaries
from mercato.compute.fleet import replies
from mercato.compute.fleet.toy import Toy
from mercato.compute.gateway.catalogue import Catalogue, Source, named
from mercato.compute.model import Offer, Price, Provider, Standing
from mercato.compute.settings import Auditing
from mercato.compute.signing import signer
from mercato.compute.testing import stub
from mercato.compute.verify import Secret, canary, synced
from mercato.compute.verify.canary import Draw, asked, due
from mercato.compute.verify.known import Canary, Known
from mercato.core.clock import HandClock, SystemClock
from mercato.core.settings import Secret as Word
from mercato.store.bare import Bare
from tests.compute.gateway.house import House, furnished
from tests.waiting import wait_for

HOUR = 493_000
SECRET = Secret.draw(HOUR, lambda count: bytes(range(count)))
PAIRS = [("prov_a", "m"), ("prov_b", "m"), ("prov_b", "n")]
START = HOUR * 3600


def ready(number: int, model: str = "toy") -> Canary:
    """A question with what the toy model answers to it."""
    text = f"ready {number}"
    messages = [{"role": "user", "content": text}]
    return Canary(f"c{number}", model, messages, 10, [" ".join(replies.words(Toy(), text, 10))])


def all_of(hourly: int, pairs: list[tuple[str, str]] = PAIRS) -> list[Draw]:
    return list(due(SECRET, pairs, 0, START * 2, hourly))


def test_each_pair_is_asked_about_as_often_as_wanted_and_only_in_the_secrets_hour() -> None:
    counts = Counter((draw.provider, draw.model) for draw in all_of(360))

    assert set(counts) == set(PAIRS)
    assert all(300 <= count <= 420 for count in counts.values())
    assert list(due(SECRET, PAIRS, START - 600, START, 3600)) == []
    assert len(list(due(SECRET, PAIRS, START, START + 10, 3600))) == 30


@pytest.mark.parametrize(("cut", "pair"), [(0, PAIRS[0]), (1_234, PAIRS[1]), (3_600, PAIRS[2])])
def test_a_draw_hangs_on_nobody_else_and_on_no_worker(cut: int, pair: tuple[str, str]) -> None:
    """However the hour is cut, and whoever else is there, the same moments and the same questions come out."""
    parts = [*due(SECRET, [pair], 0, START + cut, 60), *due(SECRET, [pair], START + cut, START * 2, 60)]

    assert parts == [draw for draw in all_of(60) if (draw.provider, draw.model) == pair]


def test_providers_are_asked_at_moments_of_their_own() -> None:
    """Else who is asked at the same second could tell each other, and know what it was."""
    moments = [
        {second for second in range(3_600) if list(due(SECRET, [pair], START + second, START + second + 1, 60))}
        for pair in PAIRS
    ]

    assert all(len(one & other) <= 6 for one, other in combinations(moments, 2))
    assert min(map(len, moments)) > 30


def test_another_secret_draws_other_moments() -> None:
    other = Secret.draw(HOUR, lambda count: bytes(count))

    assert {draw.seed for draw in due(other, PAIRS, 0, START * 2, 60)}.isdisjoint(draw.seed for draw in all_of(60))


def test_questions_are_new_each_time_and_name_nothing_but_their_provider() -> None:
    found = [canary.question(Random(number), "m", "prov_a") for number in range(300)]

    assert len({body["messages"][0]["content"] for body in found}) > 280
    assert {body["temperature"] for body in found} == {0}
    assert not any("canary" in json.dumps(body) or "audit" in json.dumps(body) for body in found)


def test_who_draws_as_others_can_is_asked_at_higher_temperatures_too() -> None:
    found = [canary.question(Random(number), "m", "prov_a", synced=True) for number in range(300)]
    warm = [body for body in found if body["temperature"]]

    assert 100 < len(warm) < 200
    assert len({body["seed"] for body in warm}) == len(warm)


@pytest.mark.parametrize(
    ("known", "judged", "least", "most"), [(True, True, 0.4, 0.6), (True, False, 1, 1), (False, True, 0, 0)]
)
def test_known_answers_are_half_of_what_is_asked_where_a_reference_judges_the_rest(
    known: bool, judged: bool, least: float, most: float
) -> None:
    ours = [ready(number, "m") for number in range(3)] if known else []
    bodies = [asked(draw, ours, judged=judged) for draw in all_of(600)[:300]]
    texts = [str(body and body["messages"][0]["content"]) for body in bodies]

    assert least <= sum(text.startswith("ready") for text in texts) / len(texts) <= most


def test_with_neither_reference_nor_known_answers_nothing_is_asked() -> None:
    assert asked(all_of(600)[0], [], judged=False) is None


def asking(base: str, key: str, *, known: Known | None = None, features: frozenset[str] = frozenset()) -> Canaries:
    provider = Provider(named("bad"), "bad", Standing.ACTIVE)
    offer = Offer(provider.id, "toy", Price(1, 1), 8192, features=features)
    catalogue = Catalogue([Source(lambda: [(provider, offer)], lambda name: None)])
    catalogue.look(0.0)
    wanted = Auditing(canaries=3600, canary_key=Word(key), checker="reference")
    clock = HandClock(datetime.fromtimestamp(START, UTC))
    return Canaries(base, wanted, catalogue, clock, lambda: {HOUR: SECRET}, known, before=lambda provider: {"c0"})


def test_no_provider_is_asked_a_known_question_twice() -> None:
    """It could remember the answer, once the revealed secret told which questions those were."""
    made = asking("", "k", known=Known([ready(0), ready(1)]))
    bodies = [made.body(draw, frozenset({"c0"})) for draw in made.due(START, START + 200)]
    texts = Counter(str(body and body["messages"][0]["content"])[:7] for body in bodies)

    assert texts["ready 0"] == 0
    assert texts["ready 1"] > 50


def test_questions_on_their_way_to_a_provider_are_not_asked_again_before_they_are_judged(
    tmp_path: Path, audited_database: Path
) -> None:
    with stub() as server, House(furnished(tmp_path, audited_database), {"bad": server.url}) as home:

        async def ask() -> None:
            made = asking(home.base, home.ann, known=Known([ready(number) for number in range(9)]))
            sent = {"authorization": f"Bearer {home.ann}"}
            async with aiohttp.ClientSession(headers=sent) as session:
                await asyncio.gather(*(made.ask(session, draw) for draw in made.due(START, START + 20)))

        asyncio.run(ask())
        texts = [str(it.body["messages"][0]["content"])[:7] for it in server.asked]

    assert {count for text, count in Counter(texts).items() if text.startswith("ready")} == {1}


def test_an_offer_with_the_feature_is_asked_with_seeds() -> None:
    made = asking("", "k", features=frozenset({synced.FEATURE}))
    bodies = [made.body(draw) for draw in made.due(START, START + 50)]

    assert any(body and body.get("seed") for body in bodies)


Home = Callable[..., House]
COUNT = 40


@pytest.fixture
def watched(tmp_path: Path, audited_database: Path) -> Iterator[Home]:
    """Opens a gateway that asks its providers a known question every second, paid by the account `watch`."""
    with ExitStack() as opened:

        def start(behaviours: Mapping[str, str], **more: Any) -> House:
            home = furnished(tmp_path / "home", audited_database)
            (home / "ready.jsonl").write_text("\n".join(ready(number).line() for number in range(COUNT)))
            with Till(f"sqlite:///{home / 'mercato.db'}", SystemClock(), signer(home)) as till:
                till.deposit("watch", 100_000, name="watch")
                secret = keys.make(till.bare, SystemClock(), "watch")[1]
                for name in behaviours:
                    epochs.stake(till, named(name), 500, name=name)
            urls = {name: opened.enter_context(stub(each)).url for name, each in behaviours.items()}
            wanted = {"canaries": 3600, "canary_key": Word(secret), "canary_file": "ready.jsonl", "horizon": 1_000}
            return opened.enter_context(House(home, urls, audit=Auditing(**{**wanted, **more})))

        yield start


def test_wrong_answers_to_known_questions_put_on_probation_then_eject_and_slash_nothing(watched: Home) -> None:
    home = watched({"good": "honest", "bad": "wrong-model"})
    with Bare(home.url) as bare:
        wait_for(lambda: roster.history(bare, named("bad"))[-1].standing is Standing.EJECTED, 30)
        way = roster.history(bare, named("bad"))
        good, found = roster.one(bare, named("good")), audits.latest(bare, named("good"))
        kinds = {it.kind for it in disputes.listed(bare, named("bad"))}
        stakes = {name: roster.one(bare, named(name)) for name in ("good", "bad")}
        methods = {it.method for it in audits.judged(bare, named("bad"))}
        paid = {str(row[0]) for row in bare.run("SELECT DISTINCT account FROM compute_receipt WHERE charged > 0")}
        held = roster.unsettled(bare, named("good"))

    assert [turn.standing for turn in way[1:]] == [Standing.PROBATION, Standing.EJECTED]
    assert "was answered wrongly; 1 of 1 audited answers failed" in way[1].why
    assert good is not None
    assert good.standing is Standing.ACTIVE
    assert {it.verdict for it in found} - {""} == {"pass"}
    assert len({str(it.statistic.get("canary")) for it in found if it.verdict}) == sum(bool(it.verdict) for it in found)
    assert (methods, kinds) == ({"known-answer"}, {disputes.Kind.STATISTICAL})
    assert {it and it.stake for it in stakes.values()} == {500}
    assert (paid, held > 0, home.balance("watch")[0] < 100_000) == ({"watch"}, True, True)


def test_without_a_reference_what_users_ask_is_not_drawn_and_a_wish_to_verify_is_void(watched: Home) -> None:
    home = watched({"good": "honest"}, canaries=0)
    body = {"model": "toy", "messages": [{"role": "user", "content": "ready 1"}], "max_tokens": 10, "temperature": 0}
    home.post("/chat/completions", body)
    wished = home.post("/chat/completions", {**body, "provider": {"verify": "always"}}).headers["x-request-id"]
    with Bare(home.url) as bare:
        wait_for(lambda: bool(audits.latest(bare)[0].verdict))
        found = audits.latest(bare)

    assert [(it.request, it.verdict) for it in found] == [(wished, "void")]  # a question like a canary's is none


def test_a_provider_cannot_tell_a_canary_from_a_users_question(tmp_path: Path, audited_database: Path) -> None:
    with stub() as server, House(furnished(tmp_path, audited_database), {"bad": server.url}) as home:

        async def ask() -> int:
            made = asking(home.base, home.ann, known=Known([ready(1)]))
            sent = {"authorization": f"Bearer {home.ann}"}
            async with aiohttp.ClientSession(headers=sent) as session:
                return max([await made.ask(session, draw) for draw in made.due(START, START + 12)])

        status = asyncio.run(ask())
        usual = {"model": "toy", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 9, "temperature": 0}
        for stream in (True, False):
            home.post("/chat/completions", {**usual, "stream": stream}, {"idempotency-key": f"mine {stream}"})
        canaries, users = server.asked[:-2], server.asked[-2:]

    def shapes(requests: list[replies.Asked]) -> set[tuple[frozenset[str], frozenset[str]]]:
        return {(frozenset(it.headers), frozenset(it.body)) for it in requests}

    def values(requests: list[replies.Asked], *names: str) -> set[tuple[str | None, ...]]:
        return {tuple(it.headers.get(name) for name in names) for it in requests}

    assert status == 200
    assert len(canaries) == 12
    assert shapes(canaries) == {(headers, names | {"stream"}) for headers, names in shapes(users)}
    assert values(canaries, "User-Agent", "Accept") == values(users, "User-Agent", "Accept")


def test_workers_that_draw_the_same_question_ask_it_once(tmp_path: Path, audited_database: Path) -> None:
    with stub() as server, House(furnished(tmp_path, audited_database), {"bad": server.url}) as home:

        async def ask() -> list[int]:
            made = [asking(home.base, home.ann) for _ in range(3)]
            draw = made[0].due(START, START + 1)[0]
            async with aiohttp.ClientSession(headers={"authorization": f"Bearer {home.ann}"}) as session:
                first = await made[0].ask(session, draw)
                return [first, *await asyncio.gather(*(each.ask(session, draw) for each in made))]

        statuses = asyncio.run(ask())
        count = len(server.asked)

    assert (statuses, count) == ([200] * 4, 1)
