"""The alert state machine: one table, one step per close.

A step is looked up by (state, signal, ripe). `ripe` means that the signal has lasted: for ENTER and LEAVE, that
`rule.closes` closes in a row agree; in COOLING, that `rule.cooldown_days` days have passed since the episode ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mercato.market.alerts.model import Alert, Effect, Memory, Rule, Sample, Signal, State

_Q, _P, _F, _E, _C = State.QUIET, State.PENDING, State.FIRING, State.EASING, State.COOLING
_IN, _HOLD, _OUT, _BLIND = Signal.ENTER, Signal.HOLD, Signal.LEAVE, Signal.BLIND
_RIPE, _UNRIPE = True, False

#: Every state, every signal, ripe or not: where it goes and what happens. Nothing else decides.
TRANSITIONS: Mapping[tuple[State, Signal, bool], tuple[State, Effect]] = {
    (_Q, _IN, _UNRIPE): (_P, Effect.NONE),
    (_Q, _IN, _RIPE): (_F, Effect.FIRE),
    (_Q, _HOLD, _UNRIPE): (_Q, Effect.NONE),
    (_Q, _OUT, _UNRIPE): (_Q, Effect.NONE),
    (_Q, _OUT, _RIPE): (_Q, Effect.NONE),
    (_Q, _BLIND, _UNRIPE): (_Q, Effect.NONE),
    (_P, _IN, _UNRIPE): (_P, Effect.NONE),
    (_P, _IN, _RIPE): (_F, Effect.FIRE),
    (_P, _HOLD, _UNRIPE): (_Q, Effect.NONE),
    (_P, _OUT, _UNRIPE): (_Q, Effect.NONE),
    (_P, _OUT, _RIPE): (_Q, Effect.NONE),
    (_P, _BLIND, _UNRIPE): (_P, Effect.NONE),
    (_F, _IN, _UNRIPE): (_F, Effect.NONE),
    (_F, _IN, _RIPE): (_F, Effect.NONE),
    (_F, _HOLD, _UNRIPE): (_F, Effect.NONE),
    (_F, _OUT, _UNRIPE): (_E, Effect.NONE),
    (_F, _OUT, _RIPE): (_C, Effect.END),
    (_F, _BLIND, _UNRIPE): (_F, Effect.NONE),
    (_E, _IN, _UNRIPE): (_F, Effect.NONE),
    (_E, _IN, _RIPE): (_F, Effect.NONE),
    (_E, _HOLD, _UNRIPE): (_F, Effect.NONE),
    (_E, _OUT, _UNRIPE): (_E, Effect.NONE),
    (_E, _OUT, _RIPE): (_C, Effect.END),
    (_E, _BLIND, _UNRIPE): (_E, Effect.NONE),
    (_C, _IN, _UNRIPE): (_C, Effect.NONE),
    (_C, _IN, _RIPE): (_Q, Effect.REARM),
    (_C, _HOLD, _UNRIPE): (_C, Effect.NONE),
    (_C, _HOLD, _RIPE): (_Q, Effect.NONE),
    (_C, _OUT, _UNRIPE): (_C, Effect.NONE),
    (_C, _OUT, _RIPE): (_Q, Effect.NONE),
    (_C, _BLIND, _UNRIPE): (_C, Effect.NONE),
    (_C, _BLIND, _RIPE): (_Q, Effect.NONE),
}


def signal(rule: Rule, sample: Sample, *, discovered: bool = True) -> Signal:
    """Returns what a sample says. A scan's entry also needs to be `discovered` at the rule's false discovery rate."""
    thin = sample.coverage is not None and sample.coverage < rule.coverage
    if sample.value is None or thin:
        return Signal.BLIND
    if rule.enter.holds(sample.value):
        return Signal.ENTER if discovered else Signal.HOLD
    return Signal.LEAVE if rule.leave.holds(sample.value) else Signal.HOLD


def step(rule: Rule, memory: Memory, sample: Sample, said: Signal) -> tuple[Memory, Alert | None]:
    """Returns the memory after one close and the alert it raised, if any. A day already seen changes nothing."""
    if memory.seen is not None and sample.day <= memory.seen:
        return memory, None
    run = _run(memory, said)
    state, effect = TRANSITIONS[memory.state, said, _ripe(rule, memory, sample, said, run)]
    if effect is Effect.REARM:
        rearmed = replace(memory, state=State.QUIET, run=0)
        return step(rule, rearmed, sample, said)
    episode = memory.episode + (effect is Effect.FIRE)
    moved = state is not memory.state
    # A blind close neither adds to nor breaks a run that is being counted.
    kept = memory.run if said is Signal.BLIND else run
    after = Memory(state, 0 if effect is not Effect.NONE else kept, episode,
                   sample.day if moved else memory.since, sample.day)  # fmt: skip
    return after, _alert(rule, sample, effect, episode)


def _run(memory: Memory, said: Signal) -> int:
    """Returns how many closes in a row, with this one, say what the current count is about."""
    counted = {State.PENDING: Signal.ENTER, State.EASING: Signal.LEAVE}.get(memory.state)
    if said in (Signal.HOLD, Signal.BLIND):
        return 0
    return memory.run + 1 if said is counted else 1


def _ripe(rule: Rule, memory: Memory, sample: Sample, said: Signal, run: int) -> bool:
    if memory.state is State.COOLING:
        assert memory.since is not None, "an ended episode has the day of its end"
        return (sample.day - memory.since).days > rule.cooldown_days
    return said in (Signal.ENTER, Signal.LEAVE) and run >= rule.closes


def _alert(rule: Rule, sample: Sample, effect: Effect, episode: int) -> Alert | None:
    told = effect is Effect.FIRE or (effect is Effect.END and rule.tell_end)
    if not told:
        return None
    value = None if sample.value is None else str(sample.value)
    return Alert(rule.key, sample.entity, episode, effect, sample.day, rule.title, value, sample.figure_id)


def follow(rule: Rule, samples: Sequence[tuple[Sample, Signal]], memory: Memory | None = None) -> list[Alert]:
    """Returns the alerts that a series of closes of one entity raises, starting from `memory`."""
    now, raised = memory or Memory(), []
    for sample, said in samples:
        now, alert = step(rule, now, sample, said)
        raised += [alert] if alert else []
    return raised
