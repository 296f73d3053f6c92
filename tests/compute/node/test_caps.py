"""A node's owner is asked for no more than they allowed, and the day goes on after a restart."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.model import Price, Usage
from mercato.compute.node.caps import Caps, Meter, Used
from mercato.compute.node.daybook import Daybook, Line, day, latest
from mercato.core.errors import ConfigError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = NOON.date()
PRICE = Price(1_000_000, 2_000_000)


def line(at: datetime = NOON) -> Line:
    return Line(at.isoformat(), "req_1", "toy", 200, "done", 5, prompt=10, completion=5, cached=0, worth=20)


def test_each_cap_is_named_when_it_is_reached() -> None:
    assert Meter(Caps(concurrency=1), Used(DAY)).begin(NOON) == ""
    at_once, minute = Meter(Caps(concurrency=1), Used(DAY)), Meter(Caps(minute=1), Used(DAY))
    at_once.begin(NOON)
    minute.begin(NOON)

    assert at_once.begin(NOON) == "at once"
    assert minute.begin(NOON) == "minute"
    assert Meter(Caps(tokens=5), Used(DAY, tokens=5)).begin(NOON) == "tokens"
    assert Meter(Caps(worth=5), Used(DAY, worth=5)).begin(NOON) == "worth"


def test_a_minute_slides_and_a_day_turns() -> None:
    minute, day_ = Meter(Caps(minute=1), Used(DAY)), Meter(Caps(tokens=5), Used(DAY, tokens=5))
    minute.begin(NOON)

    assert minute.begin(NOON + timedelta(seconds=59)) == "minute"
    assert minute.begin(NOON + timedelta(seconds=60)) == ""
    assert day_.begin(NOON + timedelta(hours=11)) == "tokens"
    assert day_.begin(NOON + timedelta(hours=12)) == ""


def acted(meter: Meter, steps: list[tuple[bool, int]]) -> tuple[Meter, list[datetime]]:
    """Lets requests end, or begin, each so many seconds after the one before; returns when some were let in."""
    now, begun = NOON, list[datetime]()
    for ends, seconds in steps:
        now += timedelta(seconds=seconds)
        if ends and meter.underway:
            meter.end(now, Usage(1, 1), PRICE)
        elif not meter.begin(now):
            begun.append(now)
    return meter, begun


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 90))), st.integers(1, 4), st.integers(1, 6))
def test_whatever_comes_no_more_is_under_way_or_begun_in_a_minute_than_allowed(
    steps: list[tuple[bool, int]], at_once: int, minute: int
) -> None:
    meter, begun = acted(Meter(Caps(at_once, minute), Used(DAY)), steps)

    assert meter.underway <= at_once
    assert all(sum(1 for other in begun if one - timedelta(minutes=1) < other <= one) <= minute for one in begun)


def test_what_ended_counts_in_tokens_and_in_worth() -> None:
    meter = Meter(Caps(), Used(DAY))
    meter.begin(NOON)

    assert meter.end(NOON, Usage(3, 4), PRICE) == 11
    assert meter.used == Used(DAY, 1, 7, 11)
    assert meter.underway == 0


def test_a_daybook_gives_the_day_back_and_skips_what_was_cut_off(tmp_path: Path) -> None:
    book = Daybook(tmp_path / "node" / "daybook")
    yesterday = replace(line(NOON - timedelta(days=1)), request="req_0")
    for one in (yesterday, line(), replace(line(), request="req_2")):
        book.write(one)
    book.close()
    file = tmp_path / "node" / "daybook" / "2026-03-01.jsonl"
    with file.open("a") as added:
        added.write('{"at": 1}\n[]\n' + json.dumps(asdict(line()) | {"prompt": "10"}) + '\n{"at": "2026-03-01T12:00')

    assert day(file.parent, DAY) == Used(DAY, 2, 30, 40)
    assert day(tmp_path / "none", DAY) == Used(DAY)
    assert day(file.parent, date(2020, 1, 1)) == Used(date(2020, 1, 1))
    assert [*latest(file.parent, 100)] == ["req_0", "req_1", "req_2"]
    assert latest(tmp_path / "none", 100) == {}
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_daybook_that_cannot_be_made_stops_the_node_before_it_serves(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="was not made"):
        Daybook(tmp_path / "file" / "daybook")
