"""Commitments come with an answer, are kept with its evidence, and are opened by a reference over real HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner

from mercato.compute import audits
from mercato.compute.books.till import Till
from mercato.compute.commands import app
from mercato.compute.errors import Unreached
from mercato.compute.fleet import replies
from mercato.compute.fleet.toy import Toy
from mercato.compute.gateway.tally import COMMITMENTS, MOST_PROOFS, Said, Tally
from mercato.compute.gateway.upstream import Connections, HttpLine
from mercato.compute.model import Need, ProviderId, Surface, Wish
from mercato.compute.node.probe import probed
from mercato.compute.node.upstream import Upstream
from mercato.compute.settings import Auditing, ComputeSettings
from mercato.compute.testing import ToyChecker, stub
from mercato.compute.verify import exhibit, toploc
from mercato.compute.verify.activations import stretches
from mercato.compute.verify.auditor import Auditor
from mercato.compute.verify.drift import drift
from mercato.compute.verify.exhibit import Exhibit
from mercato.compute.verify.record import Judge
from mercato.compute.verify.states import LONGEST, States
from mercato.compute.verify.toploc import FEATURE, Errors, Opened
from mercato.core.settings import Secret
from tests.compute.books.conftest import migrated, sqlite
from tests.compute.books.counter import ACME, SIGNER, Counter
from tests.compute.gateway.house import PRICE, House, furnished
from tests.compute.node.world import served
from tests.compute.verify.books import listed, settled
from tests.compute.verify.test_auditing import judged

__all__ = ["migrated", "sqlite"]  # fixtures of the books

HOT: dict[str, Any] = {"model": "toy", "messages": [{"role": "user", "content": "tell me more"}], "temperature": 1.3}
NEED = Need(Surface.CHAT, "toy", 10, 90)
CHAT = "/v1/chat/completions"


def answered(body: dict[str, Any] = HOT, serves: Toy = Toy(), commits: Toy = Toy(), length: int = 70) -> Exhibit:  # noqa: B008  # frozen
    """An answer by one model, with the commitments of the same or of another."""
    asked = replies.Asked(CHAT if "messages" in body else "/v1/completions", {}, body)
    words = replies.words(serves, asked.text(), length)
    surface = Surface.CHAT if asked.chat else Surface.COMPLETIONS
    text = " ".join(words) if asked.chat else " " + " ".join(words)
    return Exhibit(surface, body, text, matched=False, proofs=tuple(replies.proofs(commits, asked, words)))


def opened(url: str, shown: Exhibit, model: str = "toy") -> Opened | None:
    async def run() -> Opened | None:
        async with Connections(private=True) as connections:
            line = HttpLine(url, Secret(""), connections=connections, most=1 << 24)
            return await States("states", ProviderId("prov_s"), line, {"toy": "toy"}).check(shown, model)

    return asyncio.run(run())


def root(url: str) -> str:
    return url.removesuffix("/v1")


TEXT = {"model": "toy", "prompt": "tell me more", "temperature": 0.9}


@pytest.mark.parametrize("body", [HOT, TEXT], ids=["chat", "text"])
def test_a_reference_opens_the_prompt_and_each_whole_stretch(body: dict[str, Any]) -> None:
    with stub() as server:
        assert opened(root(server.url), answered(body)) == Opened((Errors(0),) * 3)
        assert opened(root(server.url), answered(body, length=33)) == Opened((Errors(0),) * 2)
        assert opened(root(server.url), answered(body, length=32)) == Opened((Errors(0),))
        assert opened(root(server.url), answered(body, length=300)) == Opened((Errors(0),) * 5)


def test_commitments_of_another_model_or_to_another_text_are_found() -> None:
    with stub() as server:
        other = opened(root(server.url), answered(serves=Toy(weights=3), commits=Toy(weights=3)))
        moved = opened(root(server.url), Exhibit(Surface.CHAT, HOT, "the " * 70, proofs=answered().proofs))

    assert other is not None
    assert moved is not None
    assert (other.hopeless, len(other.errors)) == (True, 3)
    assert (moved.hopeless, moved.errors[0]) == (True, Errors(0))


def test_what_was_not_promised_or_cannot_be_read_is_not_opened() -> None:
    long = {"model": "toy", "messages": [{"role": "user", "content": "the " * LONGEST}]}
    shown = answered()
    with stub() as server:
        url = root(server.url)
        assert opened(url, Exhibit(Surface.CHAT, HOT, "the")) is None
        assert opened(url, shown, model="other") is None
        assert opened(url, Exhibit(Surface.CHAT, long, "the", proofs=())) is None
        assert opened(url, Exhibit(Surface.COMPLETIONS, {"prompt": [1, 2]}, "the", proofs=())) is None
        assert opened(url, Exhibit(Surface.COMPLETIONS, {"prompt": "tell me mo"}, "re", proofs=())) is None


@pytest.mark.parametrize(
    ("tokens", "states", "why"),
    [
        ({"tokens": "many"}, {}, "told no tokens"),
        ([], {}, "told no tokens"),
        ({"tokens": [1, 2]}, {"data": []}, "told no states"),
        ({"tokens": [1, 2]}, {"data": [{"data": "!"}]}, "told no states"),
        ({"tokens": [1, 2]}, {"data": [{"data": [[0.5]]}]}, "told no states"),
        ({"tokens": [1, 2]}, {"data": [{"data": "AAAA"}]}, "told 3 octets for 2 tokens"),
    ],
)
def test_a_reference_that_says_something_else_cannot_be_used(tokens: Any, states: Any, why: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(states if request.path == "/pooling" else tokens)

    with served(answer) as url, pytest.raises(Unreached, match=why):
        opened(root(url), answered())


@pytest.mark.parametrize(("status", "found"), [(400, None), (422, None)])
def test_a_question_that_a_reference_refuses_is_not_asked_again(status: int, found: None) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({}, status=status)

    with served(answer) as url:
        assert opened(root(url), answered()) is found


def test_a_reference_that_is_away_is_asked_later() -> None:
    with pytest.raises(Unreached):
        opened("http://127.0.0.1:9", answered())


@pytest.mark.parametrize("stream", [False, True])
def test_a_gateway_keeps_commitments_as_they_pass(stream: bool) -> None:
    asked = replies.Asked(CHAT, {}, {**HOT, "n": 2})
    words = replies.words(Toy(), asked.text(), 40)
    proofs = replies.proofs(Toy(), asked, words)
    tally = Tally(Surface.CHAT)
    if_whole = [json.dumps(replies.whole(asked, words, proofs=proofs)).encode()] * (not stream)
    for data in if_whole:
        tally.answer(data)
    for event in [*replies.events(asked, words, proofs=proofs)] * stream:
        tally.event(json.dumps(event).encode())

    assert tally.said() == [Said(" ".join(words), end="stop", proofs=tuple(proofs))] * 2
    assert len(proofs) == 3


def test_commitments_are_bounded_whatever_a_provider_sends() -> None:
    tally = Tally(Surface.CHAT)
    for told in (["x" * 9_999] * 9, "no list", None, [5, None]):
        choice = {"index": 0, "delta": {"content": "a"}, COMMITMENTS: told}
        tally.event(json.dumps({"choices": [choice, {**choice, "index": 1}]}).encode())
    for index in range(2, 60):
        tally.event(json.dumps({"choices": [{"index": index, "delta": {}, COMMITMENTS: ["x"]}]}).encode())
    said = tally.said()

    assert said[0].proofs == said[1].proofs == ("x" * 400,) * MOST_PROOFS
    assert sum(bool(one.proofs) for one in said) == 16


def test_evidence_holds_commitments_only_where_they_were_promised() -> None:
    shown = answered()
    said = [Said(shown.answer, proofs=shown.proofs or ())]
    promised = exhibit.read(exhibit.packed(NEED, json.dumps(HOT), said, promised=True))
    bare = exhibit.read(exhibit.packed(NEED, json.dumps(HOT), said))
    empty = exhibit.read(exhibit.packed(NEED, json.dumps(HOT), [Said("a")], promised=True))

    assert promised is not None
    assert bare is not None
    assert empty is not None
    assert promised.drawn(7) == shown
    assert bare.drawn(7) is None  # nobody knows what chance did
    assert empty.drawn(7) == Exhibit(Surface.CHAT, HOT, "a", matched=False, proofs=())


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ({"logit_bias": {"5": 3}, "top_k": 4, "response_format": {"type": "json_object"}, "presence_penalty": 1}, True),
        ({"tools": [{"type": "function"}]}, False),
        ({"suffix": "end"}, False),
        ({"documents": ["a"]}, False),
    ],
)
def test_commitments_are_opened_where_what_was_read_is_known(more: dict[str, Any], known: bool) -> None:
    raw = exhibit.packed(NEED, json.dumps({**HOT, **more}), [Said("a")], promised=True)
    kept = exhibit.read(raw)

    assert kept is not None
    assert (kept.drawn(0) is not None) is known


def test_commitments_to_thoughts_are_not_opened() -> None:
    said = [Said("a", thoughts="b", proofs=("c",))]
    hot, cold = (
        exhibit.read(exhibit.packed(NEED, json.dumps({**HOT, "temperature": heat}), said, promised=True))
        for heat in (1.3, 0)
    )

    assert hot is not None
    assert cold is not None
    assert hot.drawn(0) is None
    assert cold.drawn(0) == Exhibit(Surface.CHAT, {**HOT, "temperature": 0}, "ba")


@pytest.mark.parametrize("wish", [Wish(zdr=True), Wish(verify="none")])
def test_what_may_not_be_kept_is_not_for_its_commitments_either(wish: Wish) -> None:
    assert exhibit.packed(Need(Surface.CHAT, "toy", 1, 1, wish=wish), "{}", [Said("a")], promised=True) == b""


@pytest.mark.parametrize(("commits", "found"), [(True, True), (False, False)])
def test_a_node_offers_commitments_where_its_server_shows_them(commits: bool, found: bool) -> None:
    async def run(url: str) -> bool:
        upstream = Upstream(url, Secret(""))
        try:
            return FEATURE in (await probed(upstream, "toy")).features
        finally:
            await upstream.close()

    with stub(commits=commits) as server:
        assert asyncio.run(run(server.url)) is found


def test_settings_name_who_opens_commitments() -> None:
    with pytest.raises(ValueError, match="states was 'none'"):
        ComputeSettings(audit=Auditing(states="none"))


def test_hot_answers_are_judged_by_their_commitments_and_not_by_chance(tmp_path: Path, audited_database: Path) -> None:
    """From the request to the verdict: what no token tells, as chance chose it, the states do."""
    listed = PRICE.model_copy(update={"features": PRICE.features | {FEATURE}})
    body = {**HOT, "max_tokens": 40}
    with (
        stub(commits=True) as good, stub("wrong-model", commits=True) as bad, stub() as silent, stub() as engine,
        House(
            furnished(tmp_path / "home", audited_database),
            {"good": good.url, "bad": bad.url, "silent": silent.url, "states": root(engine.url)},
            listed=listed, audit=Auditing(states="states", horizon=1_000),
        ) as home,
    ):  # fmt: skip
        for name in ("good", "bad", "silent"):
            for number in range(2):
                only = {"provider": {"only": [name], "verify": "always"}, "stream": bool(number)}
                found = home.post("/chat/completions", {**body, **only})
                assert (found.status, found.headers["x-verified"].split(";")[0]) == (200, "always")
        verdicts = {name: judged(home, name, 2) for name in ("good", "bad", "silent")}

    assert {name: {(it.method, it.verdict, it.checker) for it in found} for name, found in verdicts.items()} == {
        "good": {("toploc", "pass", "states")}, "bad": {("toploc", "fail", "states")},
        "silent": {("toploc", "fail", "states")},
    }  # fmt: skip
    assert {dict(it.statistic)["missing"] for it in verdicts["silent"]} == {2}


class Opener:
    """Opens commitments as a reference does, without a network."""

    name, provider = "states", ProviderId("prov_states")

    async def check(self, shown: Exhibit, model: str) -> Opened | None:
        asked = replies.Asked(CHAT, {}, dict(shown.body))
        prompt = replies.read(asked)
        states = replies.states(Toy(), [*prompt, *shown.answer.split()[:-1]])
        return toploc.opened(shown.proofs or (), stretches(states, len(prompt), 4))


COLD = {**HOT, "temperature": 0}


@pytest.mark.parametrize(
    ("serves", "commits", "method", "verdict"),
    [
        (Toy(), Toy(), "token-match", "pass"),
        (Toy(weights=3), Toy(), "token-match", "fail"),  # read another's words with the right model, to commit to them
        (Toy(), Toy(weights=3), "toploc", "fail"),
        (Toy(weights=3), Toy(weights=3), "toploc", "fail"),
    ],
    ids=["honest", "words of another", "states of another", "another"],
)
def test_an_answer_fails_by_its_states_or_by_its_tokens_and_is_one_observation(
    sqlite: str, serves: Toy, commits: Toy, method: str, verdict: str
) -> None:
    shown = answered(COLD, serves, commits, 60)
    said = [Said(shown.answer, end="length", proofs=shown.proofs or ())]
    raw = exhibit.packed(NEED, json.dumps({**COLD, "max_tokens": 60}), said, promised=True)
    with Counter(sqlite) as counter:
        listed(counter)
        settled(counter, [raw])
        made = Auditor(Till(counter.url, counter.clock, SIGNER), ToyChecker(), Judge(), states=Opener())
        verdicts = asyncio.run(made.turn())
        found = audits.latest(counter.till.bare, ACME)
        made.close()

    assert [(one.method, one.verdict) for one in found] == [(method, verdict)]
    assert (len(verdicts), dict(found[0].statistic)["audits"]) == (1, 1)


def calibrating(home: Path, mine: str, engine: str, *more: str) -> Any:
    """What the command does with an upstream and a reference at these addresses."""
    settings = f"""
        [compute.audit]
        states = "states"
        [compute.upstreams.mine]
        url = "{mine}"
        private = true
        models.toy = {{ prompt = 1 }}
        [compute.upstreams.states]
        url = "{root(engine)}"
        private = true
        models.toy = {{ prompt = 1 }}
    """
    (home / "mercato.toml").write_text(settings)
    command = ["calibrate", "mine", "--model", "toy", "--answers", "80", "--commitments", *more]
    return CliRunner().invoke(app, command)


@pytest.mark.nightly
def test_calibration_prints_limits_for_commitments(home: Path) -> None:
    with stub(commits=True) as mine, stub() as engine:
        printed = calibrating(home, mine.url, engine.url).output
        told = json.loads(calibrating(home, mine.url, engine.url, "--json").output)

    assert "# commitments of 80 answers opened\n[compute.audit]\nexponents = 1\nmantissa_mean = 1.0\n" in printed
    assert {name: told[name] for name in ("answers", "exponents", "mantissa_median")} == {
        "answers": 80, "exponents": 1, "mantissa_median": 1.0,
    }  # fmt: skip


def test_calibration_says_where_an_upstream_commits_to_nothing(home: Path) -> None:
    async def run(mine: str, engine: str) -> None:
        async with Connections(private=True) as connections:
            line, there = (HttpLine(url, Secret(""), connections=connections, most=1 << 24) for url in (mine, engine))
            await drift(line, States("states", ProviderId("prov_s"), there, {"toy": "toy"}), "toy", "toy", 3, Random(1))

    why = "commitments of 0 of 3 answers could be opened"
    with stub() as mine, stub() as engine, pytest.raises(Unreached, match=why):
        asyncio.run(run(mine.url, root(engine.url)))
    other = CliRunner().invoke(app, ["calibrate", "none", "--model", "toy", "--commitments"])

    assert "[compute.audit] states" in str(other.exception.hint)  # type: ignore[union-attr]  # an error of ours
