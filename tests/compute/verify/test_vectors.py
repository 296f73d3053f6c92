"""Vectors are read as providers spell them, a few are drawn, and only those that point elsewhere fail."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.errors import Unreached
from mercato.compute.fleet import audited, replies
from mercato.compute.fleet.detection import spare
from mercato.compute.fleet.toy import Toy
from mercato.compute.model import Need, ProviderId, Surface
from mercato.compute.testing import stub
from mercato.compute.verify import Cut, exhibit, vectors
from mercato.compute.verify.checker import Reference
from mercato.compute.verify.vectors import BILLIONTHS, Gap, Sampled, drawn, gap, vector
from tests.compute.verify.test_checker import with_line

NUMBERS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3).filter(
    lambda them: sum(map(abs, them)) > 1e-3
)


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


@given(NUMBERS)
def test_lists_and_base64_are_read_alike(numbers: list[float]) -> None:
    one, other = vector(numbers), vector(packed(*numbers))

    assert one is not None
    assert one == other


NONE: list[Any] = [
    None, [], "", "AAA", "AAAA", 3, {}, [0.0, 0.0], ["1"], [None], [math.nan], [math.inf], [1e300], [True, 1],
    [0.1] * (vectors.LONGEST + 1), packed(math.nan), packed(0.0), [10**400],
]  # fmt: skip


@pytest.mark.parametrize("value", NONE, ids=lambda value: repr(value)[:20])
def test_what_is_no_vector_is_none(value: Any) -> None:
    assert vector(value) is None


@given(NUMBERS, st.floats(0.01, 100))
def test_only_the_direction_counts(numbers: list[float], factor: float) -> None:
    longer = [factor * each for each in numbers]

    assert gap(numbers, longer) <= 1
    assert abs(gap(numbers, [-each for each in longer]) - 2 * BILLIONTHS) <= 1


def test_distances_are_one_less_the_cosine_and_other_lengths_are_far() -> None:
    assert [gap([1.0, 0.0], it) for it in ([1.0, 1.0], [0.0, 5.0], [1.0])] == [292_893_219, BILLIONTHS, BILLIONTHS]


def data(count: int) -> list[dict[str, Any]]:
    return [{"index": at, "embedding": [1.0, float(at)]} for at in range(count)]


@pytest.mark.parametrize("count", [1, 3, 4, 50])
def test_a_few_are_drawn_each_with_its_input_whatever_their_order(count: int) -> None:
    texts = [str(at) for at in range(count)]
    shuffled = Random(3).sample(data(count), count)
    found = drawn(texts, shuffled, Random(5))

    assert len(found.vectors) == min(count, vectors.MOST)
    assert [[1.0, float(text)] for text in found.inputs] == [list(it or ()) for it in found.vectors]
    assert (found.asked, found.given, found.twice) == (count, count, False)


def test_what_is_missing_or_there_twice_is_told() -> None:
    short = drawn(["a", "b"], data(1), Random(1))
    twice = drawn("a", [*data(1), *data(1)], Random(1))

    assert (short.vectors[1], short.asked, short.given) == (None, 2, 1)
    assert (twice.asked, twice.given, twice.twice) == (1, 2, True)


@pytest.mark.parametrize("given_", ["text", ["text", "more"], [1, 2, 3], [[1, 2], [3]]], ids=str)
def test_what_is_sampled_is_packed_and_read_again(given_: Any) -> None:
    need, body = Need(Surface.EMBEDDINGS, "m", 1, 0), {"model": "m", "input": given_, "dimensions": 2}
    found = drawn(given_, data(len(vectors.inputs(given_))), Random(2))
    kept = exhibit.read(exhibit.sampled(need, body, found))
    assert kept is not None
    shown = kept.drawn(0)
    assert shown is not None

    assert shown.sampled == found
    assert shown.body["input"] == list(found.inputs)


@pytest.mark.parametrize("more", [{"truncate": True}, {"prompt_template": "x"}], ids=str)
def test_a_member_that_may_bend_vectors_keeps_them_from_being_judged(more: dict[str, Any]) -> None:
    body = {"model": "m", "input": "text", **more}

    assert exhibit.Kept(Surface.EMBEDDINGS, body, sampled=Sampled(("text",), ((1.0,),), 1, 1)).drawn(0) is None


def test_an_answer_fails_by_its_farthest_vector() -> None:
    assert [Gap(4, far).fails(Cut(far=100)) for far in (0, 100, 101)] == [False, False, True]
    assert [Gap(1, far).hopeless for far in (vectors.HARD, vectors.HARD + 1)] == [False, True]


@pytest.mark.parametrize(
    ("behaviour", "status", "dimensions", "judged"),
    [("honest", 200, None, True), ("honest", 200, 8, True), ("honest", 200, 999, False), ("flaky", 404, None, False),
     ("flaky", 400, None, False)],
)  # fmt: skip
def test_what_the_reference_does_not_make_is_not_judged(
    behaviour: str, status: int, dimensions: int | None, judged: bool
) -> None:
    """Such as vectors of another length than was asked for, which some engines do not know how to make."""
    made = Toy().vectors(np.array([replies.state("text")], np.uint64))[0, :dimensions]
    shown = exhibit.Exhibit(
        Surface.EMBEDDINGS, {"input": ["text"], "dimensions": dimensions},
        sampled=Sampled(("text",), (made.tolist(),), 1, 1),
    )  # fmt: skip
    with stub(behaviour, status=status) as server:
        found = with_line(
            server.url, lambda it: Reference("r", ProviderId("prov_r"), it, {"m": "toy"}).check(shown, "m")
        )

    assert found == (Gap(1, 0) if judged else None)


@pytest.mark.parametrize(("behaviour", "status"), [("flaky", 500), ("html", 200), ("error-in-200", 200)])
def test_a_reference_that_answers_wrongly_counts_as_away(behaviour: str, status: int) -> None:
    shown = exhibit.Exhibit(Surface.EMBEDDINGS, {"input": ["a"]}, sampled=Sampled(("a",), ([1.0],), 1, 1))
    with stub(behaviour, status=status) as server, pytest.raises(Unreached):
        with_line(server.url, lambda it: Reference("r", ProviderId("prov_r"), it, {"m": "toy"}).check(shown, "m"))


def test_the_cut_comes_from_one_half_of_honest_answers_and_the_share_from_the_other() -> None:
    low: Sequence[int] = [10] * 500
    cut, honest = vectors.calibrated([*low, *([15] * 400), *([1_000] * 100)])

    assert cut == 20
    assert 0.2 < honest < 0.3


def test_honest_embeddings_by_fresh_noise_eject_nobody_and_fail_less_than_is_allowed() -> None:
    spared = spare(120_000, seed=2, about="embeddings")

    assert (spared.ejected, spared.answers) == (0, 2_000)
    assert spared.fails <= spared.allowed


def test_an_embedding_of_another_text_or_of_another_model_always_fails() -> None:
    assert audited.failing("cached embeddings").all()
    assert audited.failing("wrong embeddings").all()
    assert audited.failing("quantised embeddings").mean() > 0.5
