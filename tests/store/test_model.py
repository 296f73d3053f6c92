"""The rules of jobs: the table of moves, the waits between tries, and the times of schedules."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput, SourceError
from mercato.store.model import MOVES, OPEN, Backoff, Move, Schedule, State, hopeless, sources, target

moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis wants bare bounds
everies = st.timedeltas(timedelta(seconds=1), timedelta(days=40))


def test_every_move_leads_to_one_state_and_every_state_can_be_reached() -> None:
    assert {target(move) for move in Move} == set(State)
    assert all(sources(move) for move in Move)


def test_only_open_jobs_and_revived_ones_move_on() -> None:
    assert {state for state, move in MOVES if move is not Move.REVIVE} == set(OPEN)
    assert sources(Move.REVIVE) == [State.DEAD]


def test_nothing_leads_out_of_done_and_cancelled() -> None:
    assert not {State.DONE, State.CANCELLED} & {state for state, _ in MOVES}


@given(st.integers(0, 10_000), st.integers())
def test_a_wait_lies_between_half_and_all_of_a_doubling_that_stops_at_the_cap(tries: int, seed: int) -> None:
    backoff = Backoff(first=timedelta(seconds=2), cap=timedelta(minutes=10), chance=random.Random(seed))
    longest = min(2.0 * 2.0 ** min(max(tries, 1) - 1, 60), 600.0)

    assert longest / 2 <= backoff.delay(tries).total_seconds() <= longest


def test_jobs_that_failed_together_do_not_come_back_together() -> None:
    backoff = Backoff(chance=random.Random(1))

    assert len({backoff.delay(8) for _ in range(100)}) > 90


@pytest.mark.parametrize(("asked", "least"), [(7200, 7200.0), (0.5, 0.5), (-1, 0.0), ("x", 0.0), (10**12, 0.0)])
def test_a_wait_is_never_shorter_than_a_sensible_request(asked: object, least: float) -> None:
    assert Backoff().delay(1, SourceError("busy", retry_after=asked)).total_seconds() >= least


def test_a_senseless_request_is_not_obeyed() -> None:
    assert Backoff().delay(1, SourceError("busy", retry_after=10**12)) <= timedelta(seconds=1)


@given(moments, everies, st.data())
def test_the_next_time_is_the_first_after_now_and_times_lie_one_period_apart(
    now: datetime, every: timedelta, data: st.DataObject
) -> None:
    offset = data.draw(st.timedeltas(timedelta(0), every - timedelta(microseconds=1)))
    schedule = Schedule("s", "k", every=every, offset=offset)
    following = schedule.after(now)

    assert now < following <= now + every
    assert schedule.after(following) == following + every
    assert schedule.after(following - timedelta(microseconds=1)) == following


def test_weeks_begin_on_monday_at_midnight() -> None:
    weekly = Schedule("w", "k", every=timedelta(days=7), offset=timedelta(hours=6))

    assert weekly.after(datetime(2026, 3, 4, tzinfo=UTC)) == datetime(2026, 3, 9, 6, tzinfo=UTC)


@pytest.mark.parametrize(("every", "offset"), [(0, 0), (60, 60), (60, -1), (-60, 0)])
def test_a_schedule_that_never_or_always_runs_is_refused(every: int, offset: int) -> None:
    with pytest.raises(InvalidInput, match="schedule 's'"):
        Schedule("s", "k", every=timedelta(seconds=every), offset=timedelta(seconds=offset))


def test_only_errors_that_say_so_are_hopeless() -> None:
    assert hopeless(InvalidInput("x"))
    assert not hopeless(SourceError("x"))
    assert not hopeless(ValueError("x"))
