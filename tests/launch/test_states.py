"""The table of states is the law: what it does not name is refused, with the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.errors import Conflict
from mercato.launch.states import ENDED, ON_CHAIN, OURS, TRANSITIONS, State, Step, move, path, steps

LAWLESS = [(state, step) for state in State for step in Step if (state, step) not in TRANSITIONS]


@pytest.mark.parametrize(("state", "step"), LAWLESS, ids=lambda item: item.value)
def test_a_step_that_the_table_does_not_name_is_refused_with_what_is_possible(state: State, step: Step) -> None:
    with pytest.raises(Conflict, match=f"{step.value!r} on a launch that is {state.value!r}") as caught:
        move(state, step)

    named = [item.value for item in steps(state)] or ["none, it has ended"]
    assert [name for name in named if name not in caught.value.hint] == []


@pytest.mark.parametrize(("state", "step"), list(TRANSITIONS), ids=lambda item: item.value)
def test_a_step_of_the_table_leads_where_it_says(state: State, step: Step) -> None:
    assert move(state, step) is TRANSITIONS[state, step]


def test_the_ends_are_ends_and_no_other_state_is_stuck() -> None:
    assert {state for state in State if not steps(state)} == set(ENDED)


def test_people_never_take_a_step_of_the_chain() -> None:
    assert {state for (state, step) in TRANSITIONS if step not in OURS} <= set(ON_CHAIN)
    assert {TRANSITIONS[key] for key in TRANSITIONS if key[1] not in OURS} <= set(ON_CHAIN)


@given(start=st.sampled_from(ON_CHAIN), end=st.sampled_from(ON_CHAIN))
def test_a_keeper_that_slept_or_was_reorganised_walks_the_table_to_what_the_chain_says(
    start: State, end: State
) -> None:
    here = start
    for step in path(start, end):
        here = move(here, step)

    assert here is end


def test_a_path_takes_no_step_where_nothing_changed() -> None:
    assert [path(state, state) for state in ON_CHAIN] == [()] * len(ON_CHAIN)


@pytest.mark.parametrize("state", [state for state in State if state not in ON_CHAIN], ids=lambda item: item.value)
def test_the_chain_has_no_word_before_the_launch_is_scheduled(state: State) -> None:
    with pytest.raises(Conflict, match="which no chain decides"):
        path(state, State.LIVE)
