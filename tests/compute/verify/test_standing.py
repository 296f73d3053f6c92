"""Standings move by one table: nobody comes back from ejection, and only signed contradictions slash."""

from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.model import Standing
from mercato.compute.verify import Effect, Event, step

ALL = [(standing, event) for standing in Standing for event in Event]


def test_the_way_of_an_honest_provider() -> None:
    way = [Standing.PENDING]
    for event in (Event.OFFERED, Event.PROVED, Event.SILENT, Event.RETURNED, Event.PROVED, Event.LEAVES, Event.SETTLED):
        way.append(step(way[-1], event)[0])

    assert [each.value for each in way] == [
        "pending", "probation", "active", "suspended", "probation", "active", "exiting", "exiting",
    ]  # fmt: skip


def test_the_way_of_a_cheater() -> None:
    standing, effects = step(Standing.ACTIVE, Event.WARNED)
    assert (standing, effects) == (Standing.PROBATION, frozenset({Effect.AUDIT_ALL}))

    assert step(standing, Event.CONVICTED) == (Standing.EJECTED, frozenset({Effect.WITHHOLD}))


def test_only_a_signed_contradiction_slashes() -> None:
    slashing = {event for standing, event in ALL if Effect.SLASH in step(standing, event)[1]}

    assert slashing == {Event.CONTRADICTED}


def test_who_leaves_is_still_convicted_of_what_was_served() -> None:
    assert step(Standing.EXITING, Event.CONVICTED) == (Standing.EJECTED, frozenset({Effect.WITHHOLD}))


@given(st.lists(st.sampled_from(Event), max_size=30), st.sampled_from(Standing))
def test_ejection_is_for_good(events: list[Event], standing: Standing) -> None:
    seen = [standing]
    for event in events:
        seen.append(step(seen[-1], event)[0])
    after = seen[seen.index(Standing.EJECTED) :] if Standing.EJECTED in seen else []

    assert set(after) <= {Standing.EJECTED}


@given(st.sampled_from(ALL))
def test_nobody_becomes_active_but_from_probation_by_audits_or_by_an_operators_word(
    pair: tuple[Standing, Event],
) -> None:
    standing, event = pair
    became = step(standing, event)[0] is Standing.ACTIVE
    ways = {(Standing.PROBATION, Event.PROVED), (Standing.PROBATION, Event.ADMITTED)}

    assert became <= (standing is Standing.ACTIVE or pair in ways)
