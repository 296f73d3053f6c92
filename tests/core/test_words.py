"""Errors, clocks and events: small promises that every room leans on."""

import json
import pickle
from dataclasses import FrozenInstanceError, dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core import errors
from mercato.core.clock import Clock, HandClock, SystemClock, utc
from mercato.core.errors import InvalidInput, MercatoError, NotFound, SourceError, Terminal, Transient
from mercato.core.events import Event, as_json
from mercato.core.ids import EVENTS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MercatoError)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LampSold(Event):
    room: ClassVar[str] = "lamps"
    lamp: str
    day: date = date(2026, 3, 2)
    prices: tuple[int, ...] = ()


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_a_process_boundary_with_all_that_it_says(kind: type[MercatoError]) -> None:
    error = kind("age was -1", hint="count from 0", age=-1)
    back = pickle.loads(pickle.dumps(error))

    assert (type(back), str(back)) == (kind, "age was -1 (count from 0)")
    assert (back.message, back.hint, back.facts) == ("age was -1", "count from 0", {"age": -1})


def test_every_kind_has_a_code_of_its_own_and_a_place_in_the_tree() -> None:
    codes = [kind.code for kind in KINDS]

    assert len(set(codes)) == len(codes)
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in str(errors.__doc__)] == []


@pytest.mark.parametrize(("error", "builtin"), [(InvalidInput("x"), ValueError), (NotFound("x"), LookupError)])
def test_an_error_is_also_what_a_caller_of_python_expects(error: MercatoError, builtin: type[Exception]) -> None:
    assert isinstance(error, builtin)


def test_errors_say_whether_trying_again_helps() -> None:
    assert isinstance(SourceError("x"), Transient)
    assert isinstance(InvalidInput("x"), Terminal)
    assert not isinstance(InvalidInput("x"), Transient)


def test_without_a_hint_an_error_is_its_message() -> None:
    assert str(MercatoError("age was -1")) == "age was -1"


def test_a_clock_in_the_hand_moves_only_when_told() -> None:
    clock = HandClock(NOON)
    first = clock.now()
    clock.move(timedelta(hours=1))
    clock.sleep(30)
    clock.sleep(-1)

    assert (first, clock.now()) == (NOON, NOON + timedelta(hours=1, seconds=30))
    assert clock.slept == [30, -1]


def test_a_clock_never_runs_back() -> None:
    with pytest.raises(InvalidInput, match="forward"):
        HandClock(NOON).move(timedelta(seconds=-1))


def test_the_systems_clock_tells_utc_and_waits() -> None:
    clock: Clock = SystemClock()
    start = clock.now()
    clock.sleep(0.02)
    clock.sleep(-3600)

    assert start.tzinfo is UTC
    assert timedelta(seconds=0.015) <= clock.now() - start < timedelta(hours=1)


def test_a_time_without_a_zone_is_no_time() -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        utc(datetime(2026, 3, 2))  # noqa: DTZ001 - a bare moment is what is refused


def test_an_event_carries_an_id_a_time_in_utc_and_its_room() -> None:
    event = LampSold(time=NOON.astimezone(timezone(timedelta(hours=9))), lamp="hall")

    assert EVENTS.parse(event.id) == event.id
    assert (event.time, event.time.tzinfo, event.name) == (NOON, UTC, "lamps.LampSold")
    with pytest.raises(FrozenInstanceError):
        event.lamp = "other"  # type: ignore[misc] # frozen is the point


def test_an_events_body_is_its_own_fields_as_json() -> None:
    body = LampSold(time=NOON, lamp="hall", prices=(1, 2)).body()

    assert body == {"lamp": "hall", "day": "2026-03-02", "prices": [1, 2]}
    assert json.loads(json.dumps(body)) == body


def test_an_event_without_a_room_is_refused() -> None:
    with pytest.raises(InvalidInput, match="room"):
        Event(time=NOON)


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, float("nan"), float("inf"), object(), b"x", {"a": {1j}}])
def test_a_value_that_json_would_change_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match="was"):
        as_json(value)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(values)
def test_what_is_taken_as_json_comes_back_from_it(value: object) -> None:
    assert json.loads(json.dumps(as_json(value))) == value


def test_sets_are_written_in_order_and_times_as_text() -> None:
    assert as_json({"when": NOON, "set": {"b", "a"}}) == {"when": "2026-03-02T12:00:00+00:00", "set": ["a", "b"]}
