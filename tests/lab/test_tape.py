from dataclasses import fields, replace
from statistics import mean

import pytest

from mercato.lab.model import Economy, Tape
from mercato.lab.study import load
from mercato.lab.tape import draw

STUDY = load()
TAPES = [draw(seed, STUDY.people, STUDY.value) for seed in range(40)]


def columns(seed: int) -> list[object]:
    tape = draw(seed, STUDY.people, STUDY.value)
    return [getattr(tape, field.name) for field in fields(tape)]


def test_a_seed_is_the_same_launch_whatever_was_drawn_before() -> None:
    first = columns(3)
    columns(4)

    assert columns(3) == first
    assert columns(4) != first


@pytest.mark.parametrize("tape", TAPES[:5], ids=lambda tape: str(tape.seed))
def test_a_tape_is_whole_numbers_in_order_of_arrival_within_the_horizon(tape: Tape) -> None:
    numbers = [*tape.arrives, *tape.values, *tape.budgets, *tape.delays, *tape.exits, *tape.momentum, tape.value]
    looks = [at for checks in tape.checks for at in checks]

    assert {type(number) for number in numbers + looks} == {int}
    assert list(tape.arrives) == sorted(tape.arrives)
    assert all(0 <= at < tape.economy.horizon_ms for at in [*tape.arrives, *looks])
    assert all(checks == tuple(sorted(checks)) for checks in tape.checks)


def test_as_many_come_as_a_hawkes_process_with_these_numbers_brings() -> None:
    people = STUDY.people
    expected = mean(people.immigrants * (tape.value / 1e6 / STUDY.value.median) ** people.crowd for tape in TAPES)

    assert mean(map(len, TAPES)) == pytest.approx(expected / (1 - people.children), rel=0.1)


def test_shares_of_people_are_those_registered() -> None:
    known = [flag for tape in TAPES for flag in tape.verified]
    market = [mean(tape.market) for tape in TAPES]

    assert mean(known) == pytest.approx(STUDY.people.verified, abs=0.02)
    assert 0.15 < min(market) < max(market) < 0.45


def test_the_floor_comes_from_what_was_announced_and_not_from_the_secret_value() -> None:
    economies = [tape.economy for tape in TAPES]

    assert all(e == Economy(e.low, e.high) and 3 * e.low < e.high < 5 * e.low for e in economies)
    assert len({tape.value // tape.economy.low for tape in TAPES}) > 1
    assert economies[0].raise_target == economies[0].low * 4 // 10


def test_a_launch_that_nobody_hears_of_is_a_tape_without_people() -> None:
    empty = draw(1, replace(STUDY.people, immigrants=0), STUDY.value)

    assert len(empty) == 0
