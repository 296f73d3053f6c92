"""Canaries with known answers: what is right, what a file may hold, and that a file that is wrong is refused."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.errors import Unreached
from mercato.compute.gateway.upstream import Connections, HttpLine
from mercato.compute.testing import stub
from mercato.compute.verify.known import Canary, Check, read
from mercato.compute.verify.recording import question, recorded
from mercato.core.errors import ConfigError
from mercato.core.settings import Secret

ASKED = [{"role": "user", "content": "What is the capital of France?"}]
GOOD: dict[str, Any] = {"id": "paris", "model": "m", "messages": ASKED, "accept": ["Paris", "Paris."]}


def canary(check: Check, *accept: Any) -> Canary:
    return Canary("c", "m", ASKED, 8, accept, check)


def lines(path: Path, *bodies: Any) -> Path:
    path.write_text("\n".join(it if isinstance(it, str) else json.dumps(it) for it in bodies))
    return path


@pytest.mark.parametrize(
    ("made", "answer", "right"),
    [
        (canary("exact", "Paris"), " Paris\n", True),
        (canary("exact", "Paris"), "Paris is it", False),
        (canary("exact", "Paris", "paris"), "paris", True),
        (canary("exact", "Paris"), "", False),
        (canary("prefix", "Paris"), "Paris, of course", True),
        (canary("prefix", "Paris"), "It is Paris", False),
        (canary("json", {"a": 1, "b": [2]}), '{"b":[2],\n "a": 1}', True),
        (canary("json", {"a": 1}), '{"a": true}', False),
        (canary("json", {"a": 1}), "{'a': 1}", False),
        (canary("json", {"a": 1}), "[" * 100_000, False),
    ],
)
def test_an_answer_is_right_as_its_check_says(made: Canary, answer: str, right: bool) -> None:
    assert made.right(answer) == right


@given(st.text(min_size=1).filter(str.strip))
def test_what_is_accepted_is_right_by_every_check_of_texts(text: str) -> None:
    assert canary("exact", text).right(text)
    assert canary("prefix", text).right(text)


def test_a_file_is_read_and_its_questions_are_found_again(tmp_path: Path) -> None:
    known = read(lines(tmp_path / "c.jsonl", GOOD, "", {**GOOD, "id": "b", "model": "n", "check": "prefix"}))
    told = {"model": "m", "messages": ASKED, "temperature": 0, "stream": True}
    found = [known.judged(model, told, answer) for model, answer in (("m", "Paris"), ("m", "Rome"), ("x", "Paris"))]

    assert known.models() == {"m": 1, "n": 1}
    assert [it and (it.canary, it.right) for it in found] == [("paris", True), ("paris", False), None]
    assert known.judged("m", {"prompt": "What?"}, "Paris") is None
    assert known.of("m", but=frozenset({"paris"})) == []


@pytest.mark.parametrize(
    ("bodies", "why"),
    [
        (["{"], "line 1 of c.jsonl was no JSON object"),
        (["[1]"], "line 1 of c.jsonl was no JSON object"),
        ([{**GOOD, "accept": []}], r"accept was '\[\]'"),
        ([{**GOOD, "accept": [1]}], "accept or messages were wrong"),
        ([{**GOOD, "accept": [" "]}], "accept or messages were wrong"),
        ([{**GOOD, "messages": ["hello"]}], "accept or messages were wrong"),
        ([{**GOOD, "model": 7}], "model was '7'"),
        ([{**GOOD, "check": "regex"}], "check was 'regex'"),
        ([{**GOOD, "answer": "Paris"}], "had the field 'answer'"),
        ([GOOD, GOOD], "id was there twice: 'paris'"),
        ([GOOD, {**GOOD, "id": "other"}], "question was there twice"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_line(tmp_path: Path, bodies: list[Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read(lines(tmp_path / "c.jsonl", *bodies))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="were not readable"):
        read(tmp_path / "none.jsonl")


def record(url: str, count: int) -> list[Canary]:
    async def run() -> list[Canary]:
        async with Connections(private=True) as connections:
            line = HttpLine(url, Secret(""), connections=connections, most=1 << 20)
            return await recorded(line, "m", "toy", [f"question {number}" for number in range(count)])

    return asyncio.run(run())


def test_what_is_recorded_is_read_again_and_its_own_answers_are_right(tmp_path: Path) -> None:
    with stub() as server:
        made = record(server.url, 5)
        asked = len(server.asked)
    known = read(lines(tmp_path / "c.jsonl", *(it.line() for it in made)))
    found = [known.judged("m", {"messages": it.messages}, str(it.accept[0])) for it in made]

    assert (len(made), asked) == (5, 15)
    assert all(it is not None and it.right for it in found)


def test_an_answer_that_differs_from_one_time_to_the_next_is_not_kept() -> None:
    with stub("wrong-model", rate=0.5, seed=2) as server:
        made = record(server.url, 12)

    assert 0 < len(made) < 12


def test_an_upstream_that_cannot_answer_records_nothing() -> None:
    with stub("html") as server, pytest.raises(Unreached):
        record(server.url, 1)


def test_questions_are_new_each_time() -> None:
    rng = Random(4)

    assert len({question(rng) for _ in range(300)}) > 270
