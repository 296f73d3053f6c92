"""Tokens are counted exactly where a model's tokenizer is here, and bounded by octets where it is not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.gateway import asking
from mercato.compute.gateway.asking import Asked
from mercato.compute.gateway.checks import FRAME, Bounds
from mercato.compute.gateway.counting import Count, Counter, load
from mercato.compute.gateway.tally import Tally
from mercato.compute.model import Surface, Usage
from mercato.core.errors import ConfigError

BOUND = Usage(1000, 1000)


def asked(text: str = "one two three") -> Asked:
    raw = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
    return asking.read(Surface.CHAT, raw, Bounds())


def tally(text: str, claim: tuple[int, int] | None = None) -> Tally:
    found = Tally(Surface.CHAT)
    usage = {} if claim is None else {"usage": {"prompt_tokens": claim[0], "completion_tokens": claim[1]}}
    choice = {"index": 0, "message": {"content": text}, "finish_reason": "stop"}
    found.answer(json.dumps({"choices": [choice], **usage}).encode())
    return found


def count(counter: Counter, text: str, claim: tuple[int, int] | None = None, bound: Usage = BOUND) -> Count:
    return asyncio.run(counter.count(asked(), tally(text, claim), bound))


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer file for which every word is a token."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    made: Any = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))  # no password
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    path = tmp_path_factory.mktemp("tokenizer") / "words.json"
    made.save(str(path))
    return path


@pytest.fixture(scope="module")
def exact(words: Path) -> Counter:
    return Counter(load({"m": words}))


def test_models_that_share_a_tokenizer_hold_it_once(words: Path) -> None:
    found = load({"small": words, "large": words})

    assert found["small"] is found["large"]
    assert found["large"]("one two three") == 3


def test_with_a_tokenizer_words_are_counted_and_a_claim_beyond_them_is_not_paid(exact: Counter) -> None:
    found = count(exact, "four words and more", (500, 500))

    assert found.exact
    assert found.counted.completion == 4 + 2
    assert found.counted.prompt == len(["role", "user", "content", "one", "two", "three"]) + 2 * FRAME
    assert found.claimed.least(found.counted) == found.counted


def test_without_one_octets_bound_what_is_paid() -> None:
    found = count(Counter(), "é" * 10, (5, 500))

    assert not found.exact
    assert (found.claimed, found.counted.completion) == (Usage(5, 500), 20 + 2)


def thinking(thoughts: str, claim: int) -> Tally:
    found = Tally(Surface.CHAT)
    message = {"content": "four words and more", "reasoning_content": thoughts}
    usage = {"prompt_tokens": 3, "completion_tokens": claim, "completion_tokens_details": {"reasoning_tokens": claim}}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    found.answer(json.dumps({"choices": [choice], "usage": usage}).encode())
    return found


def test_thoughts_that_were_not_delivered_are_not_paid_and_those_that_were_are(exact: Counter) -> None:
    hidden, shown = (
        asyncio.run(exact.count(asked(), thinking(thoughts, 500), BOUND)) for thoughts in ("", " so I think")
    )
    bounded = asyncio.run(Counter().count(asked(), thinking("", 500), BOUND))

    assert hidden.claimed.least(hidden.counted).completion == 4 + 2
    assert shown.claimed.least(shown.counted).completion == 4 + 3 + 2
    assert bounded.claimed.least(bounded.counted).completion == len("four words and more") + 2


def test_without_a_claim_four_octets_are_a_token() -> None:
    found = count(Counter(), "x" * 41)

    assert found.claimed == found.counted == Usage(-(-len("one two three") // 4), 11)


def test_without_a_claim_a_tokenizer_counts_both_sides(exact: Counter) -> None:
    found = count(exact, "two words")

    assert found.claimed == found.counted
    assert found.counted.completion == 2


@given(st.text(max_size=200), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 300), st.integers(1, 300))
def test_nothing_is_paid_beyond_the_bound_or_the_claim(text: str, read: int, wrote: int, a: int, b: int) -> None:
    found = count(Counter(), text, (read, wrote), Usage(a, b))
    paid = found.claimed.least(found.counted)

    assert paid.prompt <= min(a, read)
    assert paid.completion <= min(b, wrote)


def test_a_tokenizer_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")

    with pytest.raises(ConfigError, match=r"'m'"):
        load({"m": tmp_path / "bad.json"})
