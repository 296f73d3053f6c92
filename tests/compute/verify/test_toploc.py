"""Commitments to hidden states are written as the published package writes them, and tell models from noise."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.compute.fleet import audited, replies
from mercato.compute.fleet.detection import spare
from mercato.compute.fleet.toy import HARDWARE, Toy, mix, sensitivity
from mercato.compute.verify import Cut
from mercato.compute.verify.activations import committed, points, rounded, stretches
from mercato.compute.verify.drift import calibrated
from mercato.compute.verify.match import Limits
from mercato.compute.verify.toploc import LONGEST, PRIME, STRETCH, TOP, Errors, Opened, Point, Proof, opened

#: The examples in the documentation of `toploc` 0.1.6: five stretches of normal numbers, four of each committed to.
PUBLISHED: list[tuple[str, list[Point]]] = [
    ("/9kbQitnukt1bQ==", [(35, 16441), (63, 16409), (70, 49163), (79, 49195)]),
    ("/9nLuJrxhiVUoA==", [(2, 49176), (6, 49124), (35, 49187), (44, 16418)]),
    ("/9m0aNrm5KtBtg==", [(3, 16397), (8, 16436), (19, 16386), (47, 49167)]),
    ("/9mAZNZYMOKvcw==", [(3, 16384), (33, 16385), (43, 16391), (44, 49166)]),
    ("/9nSBGTqkZH21w==", [(1, 49060), (4, 16283), (13, 49181), (14, 16279)]),
]
PROMPT = ["tell", "me", "more", "about", "the", "market", "and", "what", "an", "agent", "earns", "there"]
WORDS = ["the", "agent"] * 40


@pytest.mark.parametrize(("text", "committed_to"), PUBLISHED)
def test_proofs_are_those_that_the_package_publishes(text: str, committed_to: list[Point]) -> None:
    proof = Proof.of(committed_to)

    assert proof.text() == text
    assert [proof.at(place) for place, _ in committed_to] == [bits for _, bits in committed_to]


@pytest.mark.parametrize(
    ("made", "modulus", "hash"),
    [
        ([(13 * at * at + 7 * at, (at * 40503 + 12345) % 65536) for at in range(TOP)], PRIME,
         "baf6ad45113860d0c981d91895141d99fbb83378a6045d9f08c0de823cb542fb"),
        ([(PRIME * at * at + 7 * at, (at * 40503 + 12345) % 65536) for at in range(TOP)], PRIME,
         "d989cde3bb7b25625ab2e8041879e9560b43db5f505244d723b4289485718748"),
        ([(PRIME * at + at % 2, 16000 + at) for at in range(TOP)], 65_495,
         "c6da0de424ee0909ad9a27a856a7276b80f33f8c108ff6a7b87a02d8a9d482ae"),
    ],
)  # fmt: skip
def test_proofs_of_full_size_are_those_that_the_package_computes(made: list[Point], modulus: int, hash: str) -> None:
    """The hashes are of what its interpolation gave for the same points; the last ones collide below two moduli."""
    proof = Proof.of(made)

    assert (proof.modulus, hashlib.sha256(proof.octets()).hexdigest()) == (modulus, hash)
    assert len(proof.octets()) == 258
    assert Proof.read(proof.text()) == proof


@given(st.dictionaries(st.integers(0, 1 << 22), st.integers(0, 0xFF80), min_size=1, max_size=24))
@settings(max_examples=25)
def test_a_proof_gives_back_what_was_committed_to(made: dict[int, int]) -> None:
    proof = Proof.of(list(made.items()))

    assert [proof.at(place) for place in made] == [bits % PRIME for bits in made.values()]


def spelt(*numbers: int) -> str:
    return base64.b64encode(b"".join(number.to_bytes(2) for number in numbers)).decode()


@pytest.mark.parametrize(
    "text",
    [
        None, 5, ["a"], "", "!" * LONGEST, "é" * LONGEST, PUBLISHED[0][0], spelt(*[0] * (TOP + 1)),
        spelt(PRIME, *[PRIME] * TOP), spelt(PRIME + 1, *[1] * TOP), spelt(TOP - 1, *[1] * TOP),
        spelt(PRIME, *[1] * (TOP + 1)),
    ],
    ids=lambda text: str(text)[:20],
)  # fmt: skip
def test_what_is_no_proof_is_read_as_none(text: object) -> None:
    """Among them the one of nothing but noughts, which the package hands out where it failed."""
    assert Proof.read(text) is None


def test_points_that_no_modulus_tells_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="tells apart"):
        Proof.of([(1, 5), (1, 6)])


@pytest.mark.parametrize(
    ("moved", "found"),
    [
        (lambda bits: bits, Errors(0, 0.0, 0.0)),
        (lambda bits: bits ^ 0x8000, Errors(0, 0.0, 0.0)),
        (lambda bits: bits + 2, Errors(0, 2.0, 2.0)),
        (lambda bits: bits + 0x80, Errors(4)),
    ],
    ids=["the same", "another sign", "a little", "twice as large"],
)
def test_errors_are_of_exponents_and_of_mantissas_where_those_agree(moved: Any, found: Errors) -> None:
    made = [(1, 0x4010), (9, 0x4020), (70, 0x4005), (200, 0x4030)]

    assert Proof.of(made).errors([(place, moved(bits)) for place, bits in made]) == found


def test_the_middle_of_an_even_number_of_errors_lies_between_two() -> None:
    proof = Proof.of([(place, 0x4010) for place in range(4)])

    assert proof.errors([(0, 0x4010), (1, 0x4011), (2, 0x4014), (3, 0x401A)]) == Errors(0, 3.75, 2.5)


@pytest.mark.parametrize(
    ("errors", "beyond"),
    [
        (Errors(38, 10.0, 8.0), False),
        (Errors(39, 0.0, 0.0), True),
        (Errors(0, 10.1, 0.0), True),
        (Errors(0, 0.0, 8.5), True),
        (Errors(TOP), True),
    ],
)
def test_the_published_limits_are_the_defaults(errors: Errors, beyond: bool) -> None:
    assert errors.beyond(Limits()) is beyond
    assert Opened((Errors(0), errors)).fails(Cut()) is beyond


def test_a_stricter_limit_is_kept_to() -> None:
    assert Opened((Errors(20),)).fails(Cut(limits=Limits(exponents=19)))


def test_numbers_are_rounded_to_the_nearest_bfloat16_and_to_the_even_one_between_two() -> None:
    numbers = np.array([1.0, -2.5, 1.00390625, 1.01171875, 3.4e38, 0.0])

    assert rounded(numbers).tolist() == [0x3F80, 0xC020, 0x3F80, 0x3F82, 0x7F80, 0x0000]


def test_the_largest_numbers_are_committed_to_whatever_their_sign() -> None:
    states = rounded(np.where(np.arange(512) % 4 == 0, -3.0, 0.5)).reshape(4, 128)

    assert sorted(points(states)) == [(at, 0xC040) for at in range(0, 512, 4)]
    with pytest.raises(ValueError, match="were 127 numbers"):
        points(states.reshape(-1)[:127])


def told(model: Toy, text: list[str] = PROMPT) -> Any:
    return replies.states(model, [*text, *WORDS])


def checked(provider: Toy, reference: Toy, text: list[str] = PROMPT) -> Opened:
    """What the reference finds of an answer by the provider: the prompt and two whole stretches."""
    return opened(committed(told(provider, text), len(text)), stretches(told(reference, text), len(text), 2))


def test_the_same_machine_gives_the_same_commitments() -> None:
    assert checked(Toy(), Toy()) == Opened((Errors(0),) * 3)


def test_other_hardware_passes_and_another_model_is_beyond_all_noise() -> None:
    honest = checked(Toy(noise=HARDWARE, run=1), Toy(noise=HARDWARE, run=2))
    wrong = checked(Toy(weights=4), Toy(noise=HARDWARE, run=2))

    assert (honest.fails(Cut()), honest.missing, honest.tells) == (False, 0, True)
    assert 0 < max(it.mean for it in honest.errors) < 10
    assert (wrong.fails(Cut()), wrong.hopeless, honest.hopeless) == (True, True, False)
    assert min(it.exponents for it in wrong.errors) > 100


def test_the_same_model_on_another_prompt_is_not_taken_for_it() -> None:
    other = committed(told(Toy(), [*PROMPT, "twice"]), len(PROMPT) + 1)

    assert opened(other, stretches(told(Toy()), len(PROMPT), 2)).hopeless


def test_the_proof_of_a_prompt_may_be_left_out_and_no_other() -> None:
    _, first, second = committed(told(Toy()), len(PROMPT))[:3]
    made = stretches(told(Toy()), len(PROMPT), 2)

    assert opened(["", first, second], made) == Opened((Errors(0),) * 2)
    assert opened(["", first, ""], made) == Opened((Errors(0),), missing=1)
    assert not opened([""], {0: made[0]}).tells


@pytest.mark.parametrize("left", [(), ("-",) * 3, ("!" * LONGEST,) * 3], ids=["none", "no proof", "unreadable"])
def test_commitments_that_were_promised_and_are_missing_fail(left: tuple[str, ...]) -> None:
    found = opened(left, stretches(told(Toy()), len(PROMPT), 2))

    assert found == Opened((), missing=3)
    assert (found.fails(Cut()), found.hopeless, found.tells) == (True, True, True)
    assert found.body() == {"proofs": 0, "missing": 3, "exponents": 0, "mean": 0, "median": 0}


def test_an_audit_keeps_the_worst_of_each_error() -> None:
    body = Opened((Errors(3, 1.5, 1.0), Errors(1, 0.25, 2.0))).body()

    assert body == {"proofs": 2, "missing": 0, "exponents": 3, "mean": 1500, "median": 2000}


@pytest.mark.parametrize("kind", ["honest", "quantised", "wrong"])
def test_what_is_simulated_is_what_proofs_would_find(kind: str) -> None:
    first, machine, reference = 77, audited.MACHINES[kind], audited.REFERENCE
    found = []
    for at in range(first, first + 8):
        prompt = np.array([at], np.uint64)
        with np.errstate(over="ignore"):
            read = mix(mix(prompt) ^ np.arange(STRETCH, dtype=np.uint64))
        spread = np.repeat(sensitivity(prompt), STRETCH)
        proof = Proof.of(points(rounded(machine.hidden(read, spread))))
        found.append(proof.errors(points(rounded(reference.hidden(read, spread)))).beyond(Limits()))

    assert audited.opened(machine, first, 8).tolist() == found


def test_coarser_weights_are_found_in_most_answers_and_other_hardware_in_hardly_any() -> None:
    wrong, quantised, honest = (
        float(audited.opened(audited.MACHINES[kind], 500, 60).mean()) for kind in ("wrong", "quantised", "honest")
    )

    assert wrong == 1.0
    assert quantised > 0.4
    assert honest < 0.05


@pytest.mark.nightly
def test_honest_commitments_by_fresh_noise_eject_nobody_and_fail_less_than_is_allowed() -> None:
    spared = spare(1_000_000, seed=2, about="commitments")

    assert (spared.ejected, spared.answers) == (0, 16_667)
    assert 0 < spared.fails < spared.allowed


def test_limits_are_calibrated_on_one_half_of_honest_answers_and_bounded_on_the_other() -> None:
    quiet = [Opened((Errors(at % 10, at % 4, 1.0), Errors(0))) for at in range(500)]
    limits, honest = calibrated([*quiet, *quiet])
    rough, more = calibrated([*quiet, *quiet[:450], *[Opened((Errors(60, 9.0, 9.0),))] * 50])
    wild, _ = calibrated([Opened((Errors(50),))] * 80)

    assert (limits, rough) == (Limits(18, 6.0, 2.0), limits)
    assert 0 < honest < 0.02
    assert 0.1 < more < 0.16
    assert wild == Limits(64, 1.0, 1.0)
